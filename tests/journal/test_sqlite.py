"""The journal in a file: damage, interrupts, threads that end, and what a step costs."""

from __future__ import annotations

import gc
import os
import pickle
import sqlite3
import threading
import time
from contextlib import closing

import pytest

from orchestration_kit.errors import UnknownRun
from orchestration_kit.journal.conformance.making import a_row, begin, some_facts, some_rows, some_standing
from orchestration_kit.journal.errors import (
    JournalCorrupt,
    JournalError,
    JournalUnavailable,
    LeaseLost,
)
from orchestration_kit.journal.leases import take
from orchestration_kit.journal.port import RunQuery
from orchestration_kit.journal.sqlite import SQLiteJournal


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs.db"


@pytest.fixture
def journal(path):
    with SQLiteJournal(path) as journal:
        yield journal


# What is wrong, and what to do


def test_a_lock_held_for_too_long_is_said(path):
    with SQLiteJournal(path, busy_timeout_s=0.05) as journal:
        lease = begin(journal)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            began = time.monotonic()
            with pytest.raises(JournalUnavailable, match="locked for too long"):
                journal.append(lease, [a_row(1)], {})
            assert 0.05 <= time.monotonic() - began < 10
            other.execute("ROLLBACK")
        journal.append(lease, [a_row(1)], {})
        assert journal.rows("run") == [a_row(1)]


def test_a_lock_let_go_in_time_is_not_noticed(path):
    with (
        SQLiteJournal(path) as journal,
        closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other,
    ):
        lease = begin(journal)
        other.execute("BEGIN IMMEDIATE")
        threading.Timer(0.05, lambda: other.execute("COMMIT")).start()
        journal.append(lease, [a_row(1)], {})


def test_errors_survive_pickling(tmp_path):
    with pytest.raises(JournalUnavailable) as caught:
        SQLiteJournal(tmp_path)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


DAMAGES = {
    "number": "-1", "epoch": "'x'", "beat": "1.5", "workflow": "x'ff'", "started_at": "'soon'", "parent": "7", "state": "3",
    "tags": "x'00'", "reason": "1", "finished_at": "'x'", "seq": "-1", "standing_check": "1", "forked_at": "x'80'", "shared": "x'00'",
    "facts_check": "2.5", "host": "NULL", "boot": "1", "namespace": "x'fe'", "pid": "'x'", "process_start": "NULL", "totals": "5",
    "header": "6", "token": "x'ff'", "run_id": "x'ffff'",
}  # fmt: skip


@pytest.mark.parametrize(("column", "value"), DAMAGES.items(), ids=DAMAGES)
def test_a_cell_of_another_type_is_damage(journal, path, column, value):
    begin(journal)
    with closing(sqlite3.connect(path)) as other:
        other.execute(f"UPDATE runs SET {column} = {value}")
        other.commit()
    with pytest.raises(JournalCorrupt):
        journal.find_runs(RunQuery())
    assert journal.integrity_check()


@pytest.mark.parametrize("column", ["body", "check"])
def test_a_row_of_another_type_is_damage(journal, path, column):
    journal.append(begin(journal), some_rows(1, 2), {})
    with closing(sqlite3.connect(path)) as other:
        other.execute(f'UPDATE rows SET "{column}" = 5')
        other.commit()
    with pytest.raises(JournalCorrupt):
        journal.rows("run")


def test_a_blob_of_another_type_is_damage(journal, path):
    journal.append(begin(journal), [], {"d": b"x"})
    with closing(sqlite3.connect(path)) as other:
        other.execute("UPDATE blobs SET content = 5")
        other.commit()
    with pytest.raises(JournalCorrupt):
        journal.blob("d")


def calls_of(journal):
    return (
        lambda: journal.find_runs(RunQuery()),
        lambda: [journal.find_run(f"run {n}") for n in range(20)],
        lambda: [journal.rows(f"run {n}") for n in range(20)],
        lambda: journal.blob("d"),
        lambda: take(journal, "run 1"),
        lambda: journal.delete(["run 2"]),
        lambda: begin(journal, "new"),
        journal.integrity_check,
    )


def test_a_damaged_file_raises_nothing_raw(path, tmp_path):
    import random

    with SQLiteJournal(path) as journal:
        for n in range(20):
            lease = begin(journal, f"run {n}", tags={"a": "b"})
            journal.append(lease, some_rows(1, 20), {"d": b"blob" * 5000}, release=True)
    whole = path.read_bytes()
    chance = random.Random(8)
    opened = raised = 0
    for n in range(150):
        damaged = bytearray(whole)
        for _ in range(chance.choice((1, 3, 50))):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        if n % 10 == 0:
            del damaged[chance.randrange(len(damaged)) :]
        copy = tmp_path / f"{n}.db"
        copy.write_bytes(damaged)
        try:
            journal = SQLiteJournal(copy)
        except JournalError:
            raised += 1
            continue
        opened += 1
        for call in calls_of(journal):
            try:
                call()
            except (JournalError, UnknownRun):
                raised += 1
        journal.close()
    assert opened
    assert raised


# Interrupts


class Interrupting:
    """Stands before a cursor and lets an interrupt come right before, or right after, a statement."""

    def __init__(self, cursor, statement, *, after):
        self.cursor, self.statement, self.after = cursor, statement, after

    def __getattr__(self, name):
        return getattr(self.cursor, name)

    def execute(self, statement, *values):
        if not statement.startswith(self.statement):
            return self.cursor.execute(statement, *values)
        if self.after:
            self.cursor.execute(statement, *values)
        raise KeyboardInterrupt


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("statement", ["INSERT"])
def test_an_append_that_was_interrupted_can_be_repeated(journal, statement, after):
    lease = begin(journal)
    journal.append(lease, [a_row(1)], {})
    journal._database._hand = Interrupting(journal._database.hand(), statement, after=after)
    with pytest.raises(KeyboardInterrupt):
        journal.append(lease, [a_row(2)], {})
    journal._database._hand = None
    assert not journal._database.writer().in_transaction
    for _ in range(2):
        journal.append(lease, [a_row(2)], {})
    journal.append(lease, [a_row(3)], {})
    assert journal.rows("run") == some_rows(1, 3)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("statement", ["BEGIN", "INSERT", "UPDATE", "COMMIT"])
def test_an_append_that_lets_go_and_was_interrupted_can_be_repeated(journal, statement, after):
    lease = begin(journal)
    standing = some_standing("completed", seq=2)
    journal._database._writer = Interrupting(real := journal._database.writer(), statement, after=after)
    with pytest.raises(KeyboardInterrupt):
        journal.append(lease, some_rows(1, 2), {"d": b"blob"}, standing=standing, release=True)
    journal._database._writer = real
    for _ in range(2):
        journal.append(lease, some_rows(1, 2), {"d": b"blob"}, standing=standing, release=True)
    found = journal.find_run("run")
    assert (found.standing, found.holder, journal.rows("run")) == (standing, None, some_rows(1, 2))


def test_a_transaction_left_open_by_an_interrupt_is_undone_by_the_next_append(journal):
    lease = begin(journal)
    connection = journal._database.writer()
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("DELETE FROM runs")
    journal.append(lease, [a_row(1)], {})
    assert journal.rows("run") == [a_row(1)]


# Life and death


def test_a_journal_that_nobody_has_any_more_closes_itself(path):
    journal = SQLiteJournal(path)
    begin(journal)
    database = journal._database
    del journal
    gc.collect()
    assert database.closed
    with SQLiteJournal(path) as again:
        assert take(again, "run").epoch == 2


def test_its_threads_end_with_it(path):
    before = set(threading.enumerate())
    with SQLiteJournal(path, group_commit=True) as journal:
        journal.append(begin(journal), [a_row(1)], {})
        threads = set(threading.enumerate()) - before
        assert {thread.name for thread in threads} <= {"orchestration-kit heartbeat", "orchestration-kit group commit"}
        assert all(thread.daemon for thread in threads)
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()


def test_a_hundred_runs_share_one_heartbeat(path):
    before = set(threading.enumerate())  # a journal of another test may still be ending
    with SQLiteJournal(path) as journal:
        for n in range(100):
            lease = begin(journal, f"run {n}")
            if n % 2:
                journal.append(lease, [], {}, release=True)
        threads = set(threading.enumerate()) - before
        assert [thread.name for thread in threads] == ["orchestration-kit heartbeat"]


def test_a_held_lease_is_renewed_by_itself(path):
    with SQLiteJournal(path, lease_s=0.03) as journal:
        lease = begin(journal)
        deadline = time.monotonic() + 10
        while journal.find_run("run").holder.beat < 3:
            assert time.monotonic() < deadline
        journal.append(lease, [], {}, release=True)
        assert journal.find_run("run").holder is None


def test_a_lease_lost_to_another_is_found_out_by_the_heartbeat(path):
    with SQLiteJournal(path, lease_s=0.03) as journal, SQLiteJournal(path) as other:
        lease = begin(journal)
        deadline = time.monotonic() + 10
        while True:
            try:
                other.claim("run", other.find_run("run").holder)
                break
            except JournalError:  # it beat in between
                assert time.monotonic() < deadline
        while lease in journal._writer.held:
            assert time.monotonic() < deadline
        with pytest.raises(LeaseLost):
            journal.append(lease, [a_row(1)], {})


def test_files_and_threads_stay_flat_over_many_journals(path):
    def count():
        gc.collect()
        return len(os.listdir("/proc/self/fd"))

    with SQLiteJournal(path) as journal:
        begin(journal)
    before = count()
    for n in range(30):
        with SQLiteJournal(path, group_commit=bool(n % 2)) as journal:
            journal.append(begin(journal, f"run {n}"), [a_row(1)], {})
            journal.rows("run")
    assert count() == before


# What a step costs


@pytest.mark.parametrize("size", [200, 1024])
def test_a_step_takes_at_most_150_bytes_beyond_its_payload(path, tmp_path, size):
    with SQLiteJournal(path) as journal:
        lease = begin(journal)
        journal.backup(tmp_path / "empty.db")
        for seq in range(1, 1001):
            journal.append(lease, [a_row(seq, os.urandom(size))], {})
        journal.backup(tmp_path / "full.db")
    beyond = ((tmp_path / "full.db").stat().st_size - (tmp_path / "empty.db").stat().st_size) / 1000 - size
    print(f"journal: {beyond:.0f} bytes beyond a payload of {size} bytes")
    assert beyond <= 150


@pytest.mark.parametrize(("durability", "synchronous"), [("normal", 1), ("full", 2)])
def test_durability_is_what_was_asked_for(path, durability, synchronous):
    with SQLiteJournal(path, durability=durability) as journal:
        connection = journal._database.writer()
        assert connection.execute("PRAGMA synchronous").fetchone() == (synchronous,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == (b"wal",)


def test_an_append_is_one_statement_and_its_own_transaction(journal):
    lease = begin(journal)
    journal.append(lease, [a_row(1)], {})
    seen = []
    journal._database.writer().set_trace_callback(seen.append)
    journal.append(lease, [a_row(2)], {})
    journal._database.writer().set_trace_callback(None)
    assert [statement.split()[0] for statement in seen] == ["INSERT"]
    assert not journal._database.writer().in_transaction


@pytest.mark.soak
def test_a_list_of_runs_reads_no_header_that_it_does_not_show(journal):
    for n in range(50):
        journal.create(some_facts(f"run {n}", header=b"h" * 200_000), some_standing(), {})
    began = time.perf_counter()
    for _ in range(20):
        journal.find_runs(RunQuery(limit=1, run_id_contains="run 7"))
    assert (time.perf_counter() - began) / 20 < 0.02  # 50 headers of 200 KB would take longer
