"""Every journal of the package passes the conformance suite."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("orchestration_kit.journal.conformance")

from orchestration_kit.journal.conformance import JournalConformance, SharedJournalConformance  # noqa: E402
from orchestration_kit.journal.memory import MemoryJournal  # noqa: E402
from orchestration_kit.journal.sqlite import SQLiteJournal  # noqa: E402


class TestMemoryJournal(JournalConformance):
    @pytest.fixture
    def make_journal(self):
        return MemoryJournal


class TestSQLiteJournal(SharedJournalConformance):
    @pytest.fixture
    def make_journal(self, tmp_path):
        return lambda: SQLiteJournal(tmp_path / "runs.db")


class TestSQLiteJournalWithGroupCommit(SharedJournalConformance):
    @pytest.fixture
    def make_journal(self, tmp_path):
        return lambda: SQLiteJournal(tmp_path / "runs.db", group_commit=True)
