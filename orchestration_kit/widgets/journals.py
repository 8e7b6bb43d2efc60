"""A path becomes an open journal, if there is one: looking at runs never makes a file."""

from __future__ import annotations

from os import PathLike, fspath
from pathlib import Path

from orchestration_kit.journal.errors import JournalUnavailable
from orchestration_kit.journal.sqlite import SQLiteJournal


def open_for_reading(path: PathLike[str] | str) -> SQLiteJournal:
    """Open a journal that exists.

    Raises:
        JournalUnavailable: there is none, or it cannot be used now.
        JournalVersion: it is something else.
        JournalCorrupt: it is damaged.
    """
    wanted = Path(fspath(path)).expanduser()
    if not wanted.exists():
        hint = (
            f"Name the file that runs are kept in: Orchestrator(journal={str(wanted)!r}) makes it with the first run."
        )
        raise JournalUnavailable(str(wanted), "there is no such file, and none was made", hint)
    if not wanted.is_file():
        raise JournalUnavailable(str(wanted), "it is no file", "Name the file that runs are kept in.")
    return SQLiteJournal(wanted)
