"""Several journal objects on the same runs, as several processes have them."""
# ruff: noqa: D102, S101 - a test's name says what it shows, and asserts

from __future__ import annotations

from typing import Any

import pytest

from orchestration_kit.errors import DuplicateRun
from orchestration_kit.journal.conformance.leasing import holder_of
from orchestration_kit.journal.conformance.making import Made, MakeJournal, a_row, begin, some_rows, some_standing
from orchestration_kit.journal.errors import LeaseLost, RunLocked
from orchestration_kit.journal.leases import take
from orchestration_kit.journal.port import Journal, Lease, Row, RunQuery


def append_and_settle(journal: Journal, lease: Lease, rows: list[Row]) -> None:
    """Append, and find out about the lease: with group commit, the call after the commit says that it was lost."""
    journal.append(lease, rows, {})
    journal.find_run(lease.run_id)
    journal.append(lease, rows, {})


class Sharing(Made):
    """One holder among several journals."""

    @pytest.fixture
    def other(self, make_journal: MakeJournal) -> Any:
        """Make another journal on the same runs."""
        with make_journal() as journal:
            yield journal

    def test_what_one_commits_the_other_sees(self, journal: Journal, other: Journal) -> None:
        lease = begin(journal, tags={"a": "b"})
        journal.append(lease, some_rows(1, 3), {"d": b"blob"}, standing=some_standing("waiting", seq=3))
        assert other.find_run("run") == journal.find_run("run")
        assert other.find_runs(RunQuery(state="waiting")) == journal.find_runs(RunQuery())
        assert (other.rows("run"), other.blob("d")) == (some_rows(1, 3), b"blob")

    def test_an_id_used_by_one_is_refused_by_the_other(self, journal: Journal, other: Journal) -> None:
        begin(journal)
        with pytest.raises(DuplicateRun):
            begin(other)

    def test_a_run_goes_from_one_to_the_other(self, journal: Journal, other: Journal) -> None:
        journal.append(begin(journal), [a_row(1)], {}, release=True)
        other.append(other.claim("run", None), [a_row(2)], {}, release=True)
        journal.append(journal.claim("run", None), [a_row(3)], {}, release=True)
        assert other.rows("run") == journal.rows("run")
        assert [row.seq for row in journal.rows("run")] == [1, 2, 3]

    def test_the_lease_of_one_opens_nothing_to_the_other(self, journal: Journal, other: Journal) -> None:
        lease = begin(journal)
        with pytest.raises(LeaseLost):
            other.append(lease, [a_row(1)], {})
        with pytest.raises(LeaseLost):
            other.renew(lease)
        assert journal.rows("run") == []

    def test_a_run_that_one_holds_the_other_does_not_take(self, journal: Journal, other: Journal) -> None:
        begin(journal)
        with pytest.raises(RunLocked) as caught:
            take(other, "run")
        assert str(journal.owner.pid) in str(caught.value) or "this process" in str(caught.value)

    def test_who_was_taken_over_adds_nothing(self, journal: Journal, other: Journal) -> None:
        old = begin(journal)
        journal.append(old, [a_row(1)], {})
        new = other.claim("run", holder_of(journal))
        with pytest.raises(LeaseLost):
            append_and_settle(journal, old, [a_row(2, b"late")])
        other.append(new, [a_row(2)], {})
        assert other.rows("run") == some_rows(1, 2)
        assert journal.rows("run") == some_rows(1, 2)

    def test_who_was_taken_over_cannot_end_the_run(self, journal: Journal, other: Journal) -> None:
        old = begin(journal)
        other.claim("run", holder_of(journal))
        with pytest.raises(LeaseLost):
            journal.append(old, [a_row(1)], {"d": b"x"}, standing=some_standing("completed"), release=True)
        found = other.find_run("run")
        assert found is not None
        assert (found.standing.state, other.rows("run"), other.blob("d")) == ("in_progress", [], None)

    def test_who_was_taken_over_cannot_say_it_is_alive(self, journal: Journal, other: Journal) -> None:
        old = begin(journal)
        other.claim("run", holder_of(journal))
        with pytest.raises(LeaseLost):
            journal.renew(old)

    def test_of_two_claims_one_is_refused(self, journal: Journal, other: Journal) -> None:
        journal.append(begin(journal), [], {}, release=True)
        journal.claim("run", None)
        with pytest.raises(RunLocked):
            other.claim("run", None)

    def test_a_run_deleted_by_one_is_gone_for_the_other(self, journal: Journal, other: Journal) -> None:
        lease = begin(journal)
        assert other.delete(["run"]) == 1
        begin(other, "next")
        with pytest.raises(LeaseLost):
            journal.append(lease, [a_row(1)], {}, release=True)
        assert (journal.find_run("run"), other.rows("next")) == (None, [])

    def test_blobs_are_shared_between_journals(self, journal: Journal, other: Journal) -> None:
        journal.append(begin(journal, "a"), [], {"d": b"blob"})
        other.append(begin(other, "b"), [], {"d": b"blob"})
        journal.delete(["a"])
        assert journal.blob("d") == other.blob("d") == b"blob"
        journal.delete(["b"])
        assert other.blob("d") is None

    def test_what_was_committed_is_there_when_opened_again(self, make_journal: MakeJournal) -> None:
        with make_journal() as first:
            lease = begin(first)
            for seq in range(1, 8):
                first.append(lease, [a_row(seq)], {})
        with make_journal() as again:
            assert again.rows("run") == some_rows(1, 7)

    def test_a_closed_journal_holds_nothing(self, make_journal: MakeJournal, other: Journal) -> None:
        with make_journal() as first:
            begin(first)
        assert holder_of(other) is None
        assert take(other, "run").epoch == 2

    def test_an_append_after_reopening_needs_a_new_lease(self, make_journal: MakeJournal) -> None:
        with make_journal() as first:
            lease = begin(first)
        with make_journal() as again, pytest.raises(LeaseLost):
            again.append(lease, [a_row(1)], {})
