"""The journal in one SQLite file."""

from orchestration_kit.journal.sqlite.journal import SQLiteJournal

__all__ = ["SQLiteJournal"]
