"""Group commit: rows wait for one another, for a moment, and nothing that was said to be there is lost."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing

import pytest

from orchestration_kit.journal.conformance.making import a_row, begin, some_rows, some_standing
from orchestration_kit.journal.errors import JournalCorrupt, JournalUnavailable, LeaseLost
from orchestration_kit.journal.sqlite import SQLiteJournal
from orchestration_kit.journal.sqlite.group import MAX_ROWS, MAX_WAIT_S


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs.db"


@pytest.fixture
def journal(path):
    with SQLiteJournal(path, group_commit=True) as journal:
        yield journal


@pytest.fixture
def other(path, journal):
    with SQLiteJournal(path) as journal:
        yield journal


def hold_back(journal):
    """Let rows wait for ever, as far as time is concerned."""
    journal._writer._ticking = True


def test_rows_are_committed_when_enough_have_come(journal, other):
    hold_back(journal)
    lease = begin(journal)
    for seq in range(1, MAX_ROWS):
        journal.append(lease, [a_row(seq)], {})
    assert other.rows("run") == []
    journal.append(lease, [a_row(MAX_ROWS)], {})
    assert other.rows("run") == some_rows(1, MAX_ROWS)


def test_rows_of_several_runs_are_committed_together(journal, other):
    hold_back(journal)
    leases = [begin(journal, str(n)) for n in range(4)]
    commits = []
    journal._database.writer().set_trace_callback(lambda text: commits.append(text) if text == "COMMIT" else None)
    for seq in range(1, 9):
        for lease in leases:
            journal.append(lease, [a_row(seq)], {})
    journal._database.writer().set_trace_callback(None)
    assert len(commits) == 1
    assert [other.rows(str(n)) for n in range(4)] == [some_rows(1, 8)] * 4


def test_rows_are_committed_soon_when_no_more_come(journal, other):
    lease = begin(journal)
    waits = []
    for seq in range(1, 6):
        journal.append(lease, [a_row(seq)], {})
        began = time.monotonic()
        while len(other.rows("run")) < seq:
            assert time.monotonic() - began < 10
        waits.append(time.monotonic() - began)
    print(
        f"group commit: with no more to come, rows are committed after {sorted(waits)[2] * 1000:.1f} ms ({MAX_WAIT_S * 1000:g} ms)"
    )


@pytest.mark.parametrize(
    "call",
    [
        lambda journal, lease: journal.append(lease, [a_row(4)], {}, standing=some_standing("waiting")),
        lambda journal, lease: journal.append(lease, [], {"d": b"blob"}),
        lambda journal, lease: journal.append(lease, [], {}, release=True),
        lambda journal, lease: begin(journal, "other"),
        lambda journal, lease: journal.claim("run", journal.find_run("run").holder),
        lambda journal, lease: journal.find_run("run"),
        lambda journal, lease: journal.rows("other"),
        lambda journal, lease: journal.blob("d"),
        lambda journal, lease: journal.delete(["other"]),
        lambda journal, lease: journal.vacuum(),
        lambda journal, lease: journal.integrity_check(),
        lambda journal, lease: journal.close(),
    ],
    ids="standing blobs release create claim find_run rows blob delete vacuum integrity_check close".split(),
)
def test_other_calls_commit_what_waits(journal, other, call):
    hold_back(journal)
    lease = begin(journal)
    journal.append(lease, some_rows(1, 3), {})
    assert other.rows("run") == []
    call(journal, lease)
    assert other.rows("run")[:3] == some_rows(1, 3)


def test_a_standing_and_the_rows_before_it_are_one_commit(journal):
    hold_back(journal)
    lease = begin(journal)
    journal.append(lease, some_rows(1, 3), {})
    commits = []
    journal._database.writer().set_trace_callback(lambda text: commits.append(text) if text == "COMMIT" else None)
    journal.append(lease, [a_row(4)], {}, standing=some_standing("completed"), release=True)
    journal._database.writer().set_trace_callback(None)
    assert len(commits) == 1


def test_a_large_row_does_not_wait(journal, other):
    hold_back(journal)
    journal.append(begin(journal), [a_row(1, b"x" * 100_000)], {})
    assert len(other.rows("run")) == 1


def test_rows_that_another_run_owns_by_now_are_dropped_and_the_rest_committed(journal, other):
    hold_back(journal)
    lost, kept = begin(journal, "lost"), begin(journal, "kept")
    journal.append(lost, [a_row(1)], {})
    journal.append(kept, [a_row(1)], {})
    holder = other.find_run("lost").holder
    taken = other.claim("lost", holder)
    assert journal.rows("kept") == [a_row(1)]
    for _ in range(2):
        with pytest.raises(LeaseLost):
            journal.append(lost, [a_row(2)], {})
    with pytest.raises(LeaseLost):
        journal.renew(lost)
    journal.append(kept, [a_row(2)], {})
    assert (journal.rows("kept"), journal.rows("lost")) == (some_rows(1, 2), [])
    other.append(taken, [a_row(1)], {})


def test_the_append_that_finds_out_says_so(journal, other):
    hold_back(journal)
    lease = begin(journal)
    journal.append(lease, some_rows(1, MAX_ROWS - 1), {})
    other.claim("run", other.find_run("run").holder)
    with pytest.raises(LeaseLost):
        journal.append(lease, [a_row(MAX_ROWS)], {})
    assert other.rows("run") == []


def test_a_run_lost_in_the_background_says_so_at_the_next_append(journal, other):
    lease = begin(journal)
    other.claim("run", other.find_run("run").holder)
    deadline = time.monotonic() + 10
    with pytest.raises(LeaseLost):
        for seq in range(1, 10**9):
            journal.append(lease, [a_row(seq)], {})
            assert time.monotonic() < deadline
    assert other.rows("run") == []


def test_damage_found_in_the_background_costs_only_that_run(journal, other, path):
    hold_back(journal)
    bad, good = begin(journal, "bad"), begin(journal, "good")
    journal.append(bad, some_rows(1, 2), {})
    journal.append(good, [a_row(1)], {})
    with closing(sqlite3.connect(path)) as hand:
        hand.execute("INSERT INTO rows SELECT (number << 32) + 2, x'00', x'00' FROM runs WHERE run_id = ?", (b"bad",))
        hand.commit()
    assert journal.rows("good") == [a_row(1)]
    assert [row.seq for row in journal.rows("bad")] == [2]
    with pytest.raises(JournalCorrupt):
        journal.append(bad, [a_row(3)], {})


def test_a_background_error_is_said_and_what_waits_is_kept(path):
    with SQLiteJournal(path, group_commit=True, busy_timeout_s=0.02) as journal:
        lease = begin(journal)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            deadline, seq, said = time.monotonic() + 10, 0, None
            while said is None:
                seq += 1
                try:
                    journal.append(lease, [a_row(seq)], {})
                except JournalUnavailable as error:
                    said = error
                assert time.monotonic() < deadline
                time.sleep(0.001)  # lets the other thread in
            other.execute("ROLLBACK")
        journal.append(lease, [a_row(seq)], {})
        assert journal.rows("run") == some_rows(1, seq)


def test_what_waits_is_committed_by_itself_once_it_can_be(path):
    with SQLiteJournal(path, group_commit=True, busy_timeout_s=0.01) as journal, SQLiteJournal(path) as other:
        lease = begin(journal)
        with closing(sqlite3.connect(path, isolation_level=None)) as locker:
            locker.execute("BEGIN IMMEDIATE")
            journal.append(lease, [a_row(1)], {})
            deadline = time.monotonic() + 10
            while not journal._writer._failing:
                assert time.monotonic() < deadline
            locker.execute("ROLLBACK")
        while not other.rows("run"):
            assert time.monotonic() < deadline


def test_a_journal_that_cannot_commit_stays_open_when_it_is_closed(path):
    journal = SQLiteJournal(path, group_commit=True, busy_timeout_s=0.01)
    hold_back(journal)
    lease = begin(journal)
    journal.append(lease, [a_row(1)], {})
    with closing(sqlite3.connect(path, isolation_level=None)) as locker:
        locker.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalUnavailable):
            journal.close()
        locker.execute("ROLLBACK")
    journal.append(lease, [a_row(2)], {})
    journal.close()
    journal.close()
    with SQLiteJournal(path) as again:
        assert again.rows("run") == some_rows(1, 2)


def test_a_journal_that_is_garbage_commits_what_waits(path):
    journal = SQLiteJournal(path, group_commit=True)
    hold_back(journal)
    journal.append(begin(journal), some_rows(1, 3), {})
    del journal
    with SQLiteJournal(path) as again:
        assert again.rows("run") == some_rows(1, 3)


def test_many_threads_append_to_runs_of_their_own(journal):
    def drive(n):
        lease = begin(journal, str(n))
        for seq in range(1, 301):
            journal.append(lease, [a_row(seq)], {})

    threads = [threading.Thread(target=drive, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [journal.rows(str(n)) for n in range(6)] == [some_rows(1, 300)] * 6
