"""Rows: in order, whole commits or none, and the same commit twice is one."""
# ruff: noqa: D102, S101 - a test's name says what it shows, and asserts

from __future__ import annotations

from typing import Any

import pytest

from orchestration_kit.journal.conformance.making import Made, a_row, begin, some_rows, some_standing
from orchestration_kit.journal.errors import JournalCorrupt
from orchestration_kit.journal.port import Journal, Row


class Appending(Made):
    """Adding rows and reading them."""

    def test_rows_come_back_as_they_were(self, journal: Journal) -> None:
        rows = [a_row(1), a_row(2, b""), a_row(3, bytes(range(256))), a_row(4, b"\x00" * 10)]
        journal.append(begin(journal), rows, {})
        assert journal.rows("run") == rows

    def test_rows_of_several_appends_come_in_order(self, journal: Journal) -> None:
        lease = begin(journal)
        for seq in range(1, 101):
            journal.append(lease, [a_row(seq)], {})
        assert journal.rows("run") == some_rows(1, 100)

    @pytest.mark.parametrize(("after", "first"), [(0, 1), (1, 2), (4, 5), (-1, 1), (-(2**70), 1)])
    def test_rows_after_a_position(self, journal: Journal, after: int, first: int) -> None:
        journal.append(begin(journal), some_rows(1, 5), {})
        assert journal.rows("run", after=after) == some_rows(first, 5)

    @pytest.mark.parametrize("after", [5, 6, 2**32 - 1, 2**32, 2**63, 2**70])
    def test_no_rows_after_the_last(self, journal: Journal, after: int) -> None:
        journal.append(begin(journal), some_rows(1, 5), {})
        journal.append(begin(journal, "next"), some_rows(1, 5), {})
        assert journal.rows("run", after=after) == []

    def test_an_unknown_run_has_no_rows(self, journal: Journal) -> None:
        begin(journal)
        assert journal.rows("other") == []

    def test_runs_keep_their_rows_apart(self, journal: Journal) -> None:
        leases = [begin(journal, f"run {n}") for n in range(10)]
        for seq in range(1, 6):
            for n, lease in enumerate(leases):
                journal.append(lease, [a_row(seq, b"%d" % n)], {})
        for n in range(10):
            assert [row.body for row in journal.rows(f"run {n}")] == [b"%d" % n] * 5

    def test_rows_of_a_fork_go_on_from_where_it_was_forked(self, journal: Journal) -> None:
        lease = begin(journal, "child", parent="run", forked_at="a#1", shared=40)
        journal.append(lease, some_rows(41, 43), {})
        journal.append(lease, some_rows(44, 44), {})
        assert journal.rows("child") == some_rows(41, 44)
        assert journal.rows("child", after=42) == some_rows(43, 44)

    def test_the_first_and_the_last_position_there_can_be(self, journal: Journal) -> None:
        lease = begin(journal)
        journal.append(lease, [a_row(1)], {})
        journal.append(lease, [a_row(2**32 - 1)], {})
        journal.append(begin(journal, "next"), [a_row(1)], {})
        assert [row.seq for row in journal.rows("run")] == [1, 2**32 - 1]

    @pytest.mark.parametrize("seq", [0, -1, 2**32, 2**70])
    def test_a_position_out_of_range_is_refused(self, journal: Journal, seq: int) -> None:
        lease = begin(journal)
        with pytest.raises(ValueError, match="seq"):
            journal.append(lease, [a_row(seq, b"", bytes(16))], {})
        assert journal.rows("run") == []

    def test_an_append_of_nothing_changes_nothing(self, journal: Journal) -> None:
        lease = begin(journal)
        before = journal.find_run("run")
        journal.append(lease, [], {})
        assert (journal.find_run("run"), journal.rows("run")) == (before, [])

    def test_the_same_append_twice_is_once(self, journal: Journal) -> None:
        lease = begin(journal)
        for _ in range(2):
            journal.append(lease, some_rows(1, 3), {"d": b"blob"})
        assert (journal.rows("run"), journal.blob("d")) == (some_rows(1, 3), b"blob")

    def test_one_row_twice_is_once(self, journal: Journal) -> None:
        lease = begin(journal)
        for _ in range(3):
            journal.append(lease, [a_row(1)], {})
        journal.append(lease, [a_row(2)], {})
        assert journal.rows("run") == some_rows(1, 2)

    def test_an_append_that_repeats_in_part_adds_the_rest(self, journal: Journal) -> None:
        lease = begin(journal)
        journal.append(lease, some_rows(1, 3), {})
        journal.append(lease, some_rows(2, 5), {})
        assert journal.rows("run") == some_rows(1, 5)

    def test_another_row_in_the_same_place_is_refused(self, journal: Journal) -> None:
        lease = begin(journal)
        journal.append(lease, some_rows(1, 2), {})
        with pytest.raises(JournalCorrupt) as caught:
            journal.append(lease, [a_row(2, b"other")], {})
        assert caught.value.run_id == "run"
        assert journal.rows("run") == some_rows(1, 2)

    def test_the_same_row_under_another_check_is_refused(self, journal: Journal) -> None:
        lease = begin(journal)
        journal.append(lease, [a_row(1)], {})
        with pytest.raises(JournalCorrupt):
            journal.append(lease, [a_row(1, check=bytes(16))], {})
        assert journal.rows("run") == [a_row(1)]

    def test_an_append_refused_for_one_row_adds_none(self, journal: Journal) -> None:
        lease = begin(journal)
        journal.append(lease, [a_row(3)], {})
        before = journal.find_run("run")
        with pytest.raises(JournalCorrupt):
            journal.append(
                lease,
                [a_row(2), a_row(3, b"x"), a_row(4)],
                {"d": b"blob"},
                standing=some_standing("done"),
                release=True,
            )
        assert (journal.rows("run"), journal.blob("d"), journal.find_run("run")) == ([a_row(3)], None, before)

    def test_after_a_refused_append_the_next_is_taken(self, journal: Journal) -> None:
        lease = begin(journal)
        journal.append(lease, [a_row(1)], {})
        with pytest.raises(JournalCorrupt):
            journal.append(lease, [a_row(1, b"x")], {})
        journal.append(lease, [a_row(2)], {})
        assert journal.rows("run") == some_rows(1, 2)

    def test_a_standing_comes_with_the_rows(self, journal: Journal) -> None:
        lease = begin(journal)
        standing = some_standing("completed", reason="all done", finished_at=5.5, seq=1, totals=b"[9]")
        journal.append(lease, [a_row(1)], {}, standing=standing)
        found = journal.find_run("run")
        assert found is not None
        assert (found.standing, journal.rows("run")) == (standing, [a_row(1)])
        assert found.holder is not None

    def test_a_standing_can_be_without_reason_and_end_again(self, journal: Journal) -> None:
        lease = begin(journal)
        journal.append(lease, [], {}, standing=some_standing("failed", reason="r", finished_at=1.0))
        journal.append(lease, [], {}, standing=some_standing("in_progress"))
        found = journal.find_run("run")
        assert found is not None
        assert found.standing == some_standing("in_progress")

    def test_facts_stay_as_they_were(self, journal: Journal) -> None:
        lease = begin(journal)
        before = journal.find_run("run")
        journal.append(lease, some_rows(1, 2), {}, standing=some_standing("completed", seq=2), release=True)
        after = journal.find_run("run")
        assert before is not None
        assert after is not None
        assert before.facts == after.facts

    def test_large_rows_come_back(self, journal: Journal) -> None:
        lease = begin(journal)
        rows = [a_row(1, b"x" * 5_000_000), a_row(2, b"y" * 100_000), a_row(3)]
        for row in rows:
            journal.append(lease, [row], {})
        assert journal.rows("run") == rows

    def test_many_rows_in_one_append(self, journal: Journal) -> None:
        journal.append(begin(journal), some_rows(1, 5000), {})
        assert journal.rows("run") == some_rows(1, 5000)

    def test_many_rows_in_many_appends(self, journal: Journal) -> None:
        lease = begin(journal)
        for seq in range(1, 1001, 5):
            journal.append(lease, some_rows(seq, seq + 4), {})
        assert journal.rows("run") == some_rows(1, 1000)

    def test_rows_may_come_as_any_sequence(self, journal: Journal) -> None:
        journal.append(begin(journal), tuple(some_rows(1, 3)), {})
        assert journal.rows("run") == some_rows(1, 3)

    def test_what_was_appended_is_there_for_every_later_call(self, journal: Journal) -> None:
        lease = begin(journal)
        for seq in range(1, 50):
            journal.append(lease, [a_row(seq)], {})
            assert journal.rows("run", after=seq - 1) == [a_row(seq)]

    @pytest.mark.parametrize("body", ["text", None, 1, bytearray(b"x")], ids=repr)
    def test_a_body_that_is_not_bytes_is_refused(self, journal: Journal, body: Any) -> None:
        lease = begin(journal)
        with pytest.raises(TypeError, match="bytes"):
            journal.append(lease, [Row(1, body, bytes(16))], {})
        with pytest.raises(TypeError, match="bytes"):
            journal.append(lease, [a_row(1)], {"d": body})
        assert journal.rows("run") == []
