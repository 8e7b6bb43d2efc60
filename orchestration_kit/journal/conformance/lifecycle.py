"""The journal as a whole: threads, forks of objects, closing."""
# ruff: noqa: D102, S101 - a test's name says what it shows, and asserts

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from orchestration_kit.errors import DuplicateRun
from orchestration_kit.journal.conformance.making import (
    Made,
    MakeJournal,
    a_row,
    begin,
    some_facts,
    some_rows,
    some_standing,
)
from orchestration_kit.journal.errors import JournalUnavailable, RunLocked
from orchestration_kit.journal.port import Journal, Lease, RunQuery

CALLS: dict[str, Callable[[Journal], Any]] = {
    "create": lambda journal: begin(journal, "other"),
    "claim": lambda journal: journal.claim("run", None),
    "append": lambda journal: journal.append(Lease("run", 1), [a_row(1)], {}),
    "append with standing": lambda journal: journal.append(Lease("run", 1), [], {}, standing=some_standing()),
    "renew": lambda journal: journal.renew(Lease("run", 1)),
    "find_run": lambda journal: journal.find_run("run"),
    "find_runs": lambda journal: journal.find_runs(RunQuery()),
    "rows": lambda journal: journal.rows("run"),
    "blob": lambda journal: journal.blob("d"),
    "delete": lambda journal: journal.delete(["run"]),
}


def in_threads(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Return what `work` returns, or raises, in as many threads that start at once."""
    start = threading.Barrier(count)

    def run(n: int) -> Any:
        start.wait()
        try:
            return work(n)
        except Exception as error:  # noqa: BLE001 - returned, to be looked at
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


class Lifecycle(Made):
    """Threads, and the end."""

    def test_the_owner_stays_the_same(self, journal: Journal) -> None:
        assert journal.owner == journal.owner
        assert journal.owner.token

    def test_two_journals_have_two_tokens(self, make_journal: MakeJournal) -> None:
        with make_journal() as one, make_journal() as other:
            assert one.owner.token != other.owner.token

    def test_it_says_how_long_silence_may_last(self, journal: Journal) -> None:
        assert journal.lease_s > 0

    def test_threads_drive_runs_of_their_own(self, journal: Journal) -> None:
        def drive(n: int) -> None:
            lease = begin(journal, f"run {n}")
            for seq in range(1, 31):
                journal.append(lease, [a_row(seq)], {"same": b"blob", f"{n}": b"%d" % n} if seq == 7 else {})
            journal.append(lease, [], {}, standing=some_standing("completed", seq=30), release=True)

        assert in_threads(8, drive) == [None] * 8
        for n in range(8):
            assert journal.rows(f"run {n}") == some_rows(1, 30)
        assert len(journal.find_runs(RunQuery(state="completed"))) == 8

    def test_threads_read_while_another_writes(self, journal: Journal) -> None:
        lease = begin(journal)

        def work(n: int) -> bool:
            if n == 0:
                for seq in range(1, 101):
                    journal.append(lease, [a_row(seq)], {})
                return True
            seen = [journal.rows("run") for _ in range(20)]
            lengths = [len(rows) for rows in seen]
            return lengths == sorted(lengths) and all(rows == some_rows(1, len(rows)) for rows in seen)

        assert in_threads(4, work) == [True] * 4

    def test_of_many_threads_one_creates_a_run(self, journal: Journal) -> None:
        results = in_threads(8, lambda n: begin(journal, "run", workflow=str(n)))
        assert sum(isinstance(result, Lease) for result in results) == 1
        assert sum(isinstance(result, DuplicateRun) for result in results) == 7

    def test_of_many_threads_one_claims_a_run(self, journal: Journal) -> None:
        journal.append(begin(journal), [], {}, release=True)
        results = in_threads(8, lambda _: journal.claim("run", None))
        assert [result for result in results if isinstance(result, Lease)] == [Lease("run", 2)]
        assert sum(isinstance(result, RunLocked) for result in results) == 7

    def test_threads_append_the_same_rows(self, journal: Journal) -> None:
        lease = begin(journal)
        assert in_threads(6, lambda _: journal.append(lease, some_rows(1, 20), {})) == [None] * 6
        assert journal.rows("run") == some_rows(1, 20)

    def test_a_lease_may_be_used_from_another_thread(self, journal: Journal) -> None:
        lease = begin(journal)
        for seq in range(1, 4):
            assert in_threads(1, lambda _, seq=seq: journal.append(lease, [a_row(seq)], {})) == [None]
        assert journal.rows("run") == some_rows(1, 3)

    def test_it_closes_at_the_end_of_a_with_block(self, make_journal: MakeJournal) -> None:
        with make_journal() as journal:
            begin(journal)
        with pytest.raises(JournalUnavailable):
            journal.find_run("run")

    def test_closing_twice_is_closing_once(self, make_journal: MakeJournal) -> None:
        journal = make_journal()
        begin(journal)
        journal.close()
        journal.close()

    def test_closing_from_many_threads_is_closing_once(self, make_journal: MakeJournal) -> None:
        journal = make_journal()
        begin(journal)
        assert in_threads(4, lambda _: journal.close()) == [None] * 4

    @pytest.mark.parametrize("call", CALLS)
    def test_after_closing_it_says_so(self, make_journal: MakeJournal, call: str) -> None:
        journal = make_journal()
        journal.append(begin(journal), [a_row(1)], {})
        journal.close()
        with pytest.raises(JournalUnavailable, match="closed"):
            CALLS[call](journal)

    def test_a_journal_that_was_never_used_closes(self, make_journal: MakeJournal) -> None:
        make_journal().close()

    def test_its_repr_is_short_and_says_what_it_is(self, journal: Journal) -> None:
        journal.create(some_facts(header=b"x" * 1000), some_standing(), {})
        assert "Journal" in repr(journal)
        assert len(repr(journal)) < 300
