"""Leases: one holder at a time, and who lost it adds nothing."""
# ruff: noqa: D102, S101 - a test's name says what it shows, and asserts

from __future__ import annotations

import pytest

from orchestration_kit.errors import UnknownRun
from orchestration_kit.journal.conformance.making import Made, a_row, begin, some_rows, some_standing
from orchestration_kit.journal.errors import LeaseLost, RunLocked
from orchestration_kit.journal.leases import take
from orchestration_kit.journal.port import Holder, Journal, Lease


def holder_of(journal: Journal, run_id: str = "run") -> Holder | None:
    """Return who holds a run that is there."""
    found = journal.find_run(run_id)
    assert found is not None
    return found.holder


class Leasing(Made):
    """Taking, renewing, losing and letting go."""

    def test_a_released_run_has_no_holder(self, journal: Journal) -> None:
        journal.append(begin(journal), [a_row(1)], {}, release=True)
        assert holder_of(journal) is None

    def test_a_free_run_can_be_claimed(self, journal: Journal) -> None:
        journal.append(begin(journal), [], {}, release=True)
        lease = journal.claim("run", None)
        assert lease == Lease("run", 2)
        holder = holder_of(journal)
        assert holder is not None
        assert (holder.owner, holder.epoch, holder.beat) == (journal.owner, 2, 0)

    def test_each_claim_is_a_new_epoch(self, journal: Journal) -> None:
        lease = begin(journal)
        for epoch in range(2, 6):
            journal.append(lease, [], {}, release=True)
            lease = journal.claim("run", None)
            assert lease.epoch == epoch

    def test_a_held_run_is_not_claimed_as_free(self, journal: Journal) -> None:
        lease = begin(journal)
        before = journal.find_run("run")
        with pytest.raises(RunLocked) as caught:
            journal.claim("run", None)
        assert caught.value.run_id == "run"
        assert journal.find_run("run") == before
        journal.append(lease, [a_row(1)], {})

    def test_a_claim_names_the_holder_it_expects(self, journal: Journal) -> None:
        begin(journal)
        assert journal.claim("run", holder_of(journal)).epoch == 2

    def test_a_claim_from_a_holder_that_gave_a_sign_of_life_is_refused(self, journal: Journal) -> None:
        lease = begin(journal)
        expected = holder_of(journal)
        journal.renew(lease)
        with pytest.raises(RunLocked):
            journal.claim("run", expected)
        journal.append(lease, [a_row(1)], {})

    def test_a_claim_from_a_holder_that_let_go_is_refused(self, journal: Journal) -> None:
        lease = begin(journal)
        expected = holder_of(journal)
        journal.append(lease, [], {}, release=True)
        with pytest.raises(RunLocked):
            journal.claim("run", expected)
        assert holder_of(journal) is None

    def test_a_claim_from_an_earlier_epoch_is_refused(self, journal: Journal) -> None:
        begin(journal)
        expected = holder_of(journal)
        journal.claim("run", expected)
        with pytest.raises(RunLocked):
            journal.claim("run", expected)

    def test_a_claim_from_another_owner_is_refused(self, journal: Journal) -> None:
        begin(journal)
        holder = holder_of(journal)
        assert holder is not None
        with pytest.raises(RunLocked):
            journal.claim("run", holder._replace(owner=holder.owner._replace(token="other")))  # noqa: S106 - no secret

    def test_an_unknown_run_cannot_be_claimed(self, journal: Journal) -> None:
        with pytest.raises(UnknownRun) as caught:
            journal.claim("nowhere", None)
        assert caught.value.run_id == "nowhere"

    def test_a_claim_leaves_rows_and_standing_as_they_are(self, journal: Journal) -> None:
        lease = begin(journal)
        standing = some_standing("waiting", seq=2)
        journal.append(lease, some_rows(1, 2), {}, standing=standing, release=True)
        journal.claim("run", None)
        found = journal.find_run("run")
        assert found is not None
        assert (found.standing, journal.rows("run")) == (standing, some_rows(1, 2))

    def test_who_lost_the_lease_adds_nothing(self, journal: Journal) -> None:
        old = begin(journal)
        journal.append(old, [a_row(1)], {})
        new = journal.claim("run", holder_of(journal))
        with pytest.raises(LeaseLost) as caught:
            journal.append(old, [a_row(2, b"late")], {})
        assert caught.value.run_id == "run"
        journal.append(new, [a_row(2)], {})
        assert journal.rows("run") == some_rows(1, 2)

    def test_who_lost_the_lease_changes_nothing_else_either(self, journal: Journal) -> None:
        old = begin(journal)
        journal.claim("run", holder_of(journal))
        before = journal.find_run("run")
        with pytest.raises(LeaseLost):
            journal.append(old, some_rows(1, 3), {"d": b"blob"}, standing=some_standing("completed"), release=True)
        assert (journal.find_run("run"), journal.rows("run"), journal.blob("d")) == (before, [], None)

    def test_a_lost_lease_stays_lost(self, journal: Journal) -> None:
        old = begin(journal)
        journal.append(journal.claim("run", holder_of(journal)), [], {}, release=True)
        for _ in range(2):
            with pytest.raises(LeaseLost):
                journal.append(old, [a_row(1)], {})

    def test_who_lost_the_lease_does_not_even_repeat(self, journal: Journal) -> None:
        old = begin(journal)
        journal.append(old, [a_row(1)], {})
        journal.claim("run", holder_of(journal))
        with pytest.raises(LeaseLost):
            journal.append(old, [a_row(1)], {})

    def test_who_let_go_adds_nothing(self, journal: Journal) -> None:
        lease = begin(journal)
        journal.append(lease, [a_row(1)], {}, release=True)
        with pytest.raises(LeaseLost):
            journal.append(lease, [a_row(2)], {})
        assert journal.rows("run") == [a_row(1)]

    def test_who_let_go_cannot_let_go_of_more(self, journal: Journal) -> None:
        lease = begin(journal)
        journal.append(lease, [a_row(1)], {}, release=True)
        with pytest.raises(LeaseLost):
            journal.append(lease, [a_row(2)], {}, release=True)
        with pytest.raises(LeaseLost):
            journal.append(lease, [], {}, standing=some_standing("other"), release=True)

    def test_the_append_that_let_go_may_be_repeated(self, journal: Journal) -> None:
        lease = begin(journal)
        standing = some_standing("completed", seq=2)
        for _ in range(3):
            journal.append(lease, some_rows(1, 2), {"d": b"blob"}, standing=standing, release=True)
        assert (journal.rows("run"), holder_of(journal)) == (some_rows(1, 2), None)

    def test_the_append_that_let_go_is_not_repeated_after_another_claim(self, journal: Journal) -> None:
        lease = begin(journal)
        journal.append(lease, [a_row(1)], {}, release=True)
        journal.claim("run", None)
        with pytest.raises(LeaseLost):
            journal.append(lease, [a_row(1)], {}, release=True)
        assert holder_of(journal) is not None

    def test_a_lease_nobody_gave_opens_nothing(self, journal: Journal) -> None:
        begin(journal)
        for lease in (Lease("run", 2), Lease("run", 0), Lease("other", 1), Lease("run", 2**62)):
            with pytest.raises(LeaseLost):
                journal.append(lease, [a_row(1)], {})
            with pytest.raises(LeaseLost):
                journal.renew(lease)
        assert journal.rows("run") == []

    def test_a_deleted_runs_lease_opens_nothing(self, journal: Journal) -> None:
        lease = begin(journal)
        journal.delete(["run"])
        begin(journal, "next")
        with pytest.raises(LeaseLost):
            journal.append(lease, [a_row(1)], {})
        assert journal.rows("next") == []

    def test_renewing_counts_the_beats(self, journal: Journal) -> None:
        lease = begin(journal)
        for beat in range(1, 4):
            journal.renew(lease)
            holder = holder_of(journal)
            assert holder is not None
            assert (holder.beat, holder.epoch) == (beat, 1)

    def test_a_lost_lease_cannot_be_renewed(self, journal: Journal) -> None:
        old = begin(journal)
        journal.claim("run", holder_of(journal))
        before = holder_of(journal)
        with pytest.raises(LeaseLost):
            journal.renew(old)
        assert holder_of(journal) == before

    def test_a_released_lease_cannot_be_renewed(self, journal: Journal) -> None:
        lease = begin(journal)
        journal.append(lease, [], {}, release=True)
        with pytest.raises(LeaseLost):
            journal.renew(lease)
        assert holder_of(journal) is None

    def test_the_beat_begins_anew_with_an_epoch(self, journal: Journal) -> None:
        journal.renew(begin(journal))
        journal.claim("run", holder_of(journal))
        holder = holder_of(journal)
        assert holder is not None
        assert holder.beat == 0

    def test_leases_of_several_runs_are_apart(self, journal: Journal) -> None:
        first, second = begin(journal, "a"), begin(journal, "b")
        journal.append(first, [], {}, release=True)
        journal.append(second, [a_row(1)], {})
        assert holder_of(journal, "a") is None
        assert holder_of(journal, "b") is not None

    def test_taking_a_free_run_works_at_once(self, journal: Journal) -> None:
        journal.append(begin(journal), [], {}, release=True)
        assert take(journal, "run").epoch == 2

    def test_taking_a_run_that_this_journal_holds_is_refused(self, journal: Journal) -> None:
        lease = begin(journal)
        with pytest.raises(RunLocked):
            take(journal, "run")
        journal.append(lease, [a_row(1)], {})

    def test_taking_it_back_needs_to_be_meant(self, journal: Journal) -> None:
        begin(journal)
        assert take(journal, "run", retake=True).epoch == 2

    def test_taking_an_unknown_run_is_refused(self, journal: Journal) -> None:
        with pytest.raises(UnknownRun):
            take(journal, "nowhere")
