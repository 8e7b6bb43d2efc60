"""Several processes on one file: rows 3, 4 and 10 of the scorecard at the level of the journal, kills and forks."""

from __future__ import annotations

import os
import signal
import time
from contextlib import ExitStack

import pytest

from orchestration_kit.journal.conformance.making import a_row, begin, some_rows
from orchestration_kit.journal.errors import LeaseLost, RunLocked
from orchestration_kit.journal.leases import take
from orchestration_kit.journal.port import RunQuery
from orchestration_kit.journal.sqlite import SQLiteJournal
from tests.journal.processes import program

HOLD = """
journal = SQLiteJournal(sys.argv[1], lease_s=float(sys.argv[2]), group_commit=len(sys.argv) > 3)
lease = begin(journal)
journal.append(lease, [a_row(1)], {})
journal.rows("run")
say("holding")
while True:
    order = hear()
    try:
        if order == "append": journal.append(lease, [a_row(2, b"late")], {})
        if order == "end": journal.append(lease, [a_row(2, b"late")], {}, standing=some_standing("completed"), release=True)
        if order == "look": journal.rows("run")
        if order == "close": journal.close(); break
        say("done")
    except LeaseLost: say("lost")
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs.db"


# Row 3


@pytest.mark.parametrize("order", ["append", "end"])
def test_a_process_that_was_stopped_past_its_lease_adds_nothing(path, order):
    with program(HOLD, path, 0.3) as holder:
        assert holder.hear() == "holding"
        os.kill(holder.pid, signal.SIGSTOP)
        with SQLiteJournal(path, lease_s=0.3) as journal:
            began = time.monotonic()
            lease = take(journal, "run", wait_s=20)
            took_s = time.monotonic() - began
            journal.append(lease, [a_row(2)], {})
            holder.say(order)
            os.kill(holder.pid, signal.SIGCONT)
            assert holder.hear() == "lost"
            journal.append(lease, [a_row(3)], {}, release=True)
            assert journal.rows("run") == some_rows(1, 3)
            assert journal.find_run("run").standing.state == "in_progress"
    print(f"row 3: taken over after {took_s:.2f} s of silence (lease 0.3 s), 0 stale commits")


def test_rows_of_a_group_commit_that_was_stopped_are_refused_too(path):
    with program(HOLD, path, 0.3, "group") as holder:
        assert holder.hear() == "holding"
        os.kill(holder.pid, signal.SIGSTOP)
        with SQLiteJournal(path, lease_s=0.3) as journal:
            lease = take(journal, "run", wait_s=20)
            for order in ("append", "look", "append"):
                holder.say(order)
            os.kill(holder.pid, signal.SIGCONT)
            heard = [holder.hear() for _ in range(3)]
            assert heard[-1] == "lost"
            journal.append(lease, [a_row(2)], {})
            assert journal.rows("run") == some_rows(1, 2)


def test_a_process_that_is_alive_keeps_its_lease_however_long_one_waits(path):
    with program(HOLD, path, 1.0) as holder:
        assert holder.hear() == "holding"
        with SQLiteJournal(path, lease_s=1.0) as journal:
            with pytest.raises(RunLocked):
                take(journal, "run", wait_s=2.0)
        holder.say("append")
        assert holder.hear() == "done"


# Row 4


def test_a_second_process_is_refused_at_once_and_told_by_whom(path):
    with program(HOLD, path, 10) as holder:
        assert holder.hear() == "holding"
        with SQLiteJournal(path) as journal:
            began = time.monotonic()
            with pytest.raises(RunLocked) as caught:
                take(journal, "run")
            took_s = time.monotonic() - began
        assert f"process {holder.pid} on " in str(caught.value)
        assert took_s < 1.0
    print(f"row 4: a second process is refused after {took_s * 1000:.1f} ms")


def test_the_run_of_a_killed_process_is_free_at_once(path):
    with program(HOLD, path, 10) as holder:
        assert holder.hear() == "holding"
        os.kill(holder.pid, signal.SIGKILL)
        os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)  # a zombie, as this process has not collected it
        with SQLiteJournal(path) as journal:
            began = time.monotonic()
            lease = take(journal, "run")
            assert time.monotonic() - began < 1.0
            journal.append(lease, [a_row(2)], {})
            assert journal.rows("run") == some_rows(1, 2)


def test_the_run_of_a_closed_journal_is_free_at_once(path):
    with program(HOLD, path, 10) as holder:
        assert holder.hear() == "holding"
        holder.say("close")
        holder.end()
    with SQLiteJournal(path) as journal:
        assert journal.find_run("run").holder is None


EXIT = """
journal = SQLiteJournal(sys.argv[1], group_commit=True)
lease = begin(journal)
for seq in range(1, 6): journal.append(lease, [a_row(seq)], {})
"""


def test_what_waits_for_a_group_commit_is_committed_when_the_interpreter_ends(path):
    with program(EXIT, path) as leaver:
        leaver.end()
    with SQLiteJournal(path) as journal:
        assert journal.rows("run") == some_rows(1, 5)
        assert journal.find_run("run").holder is None


# Row 10

WRITE = """
from orchestration_kit.journal.codec import content_digest
path, name, count, group = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4] == "group"
say("ready"); hear()
with SQLiteJournal(path, group_commit=group) as journal:
    longest = 0
    lease = begin(journal, name)
    for seq in range(1, count + 1):
        began = time.monotonic()
        journal.append(lease, [a_row(seq)], {content_digest(text): text for text in (b"shared", name.encode())} if seq == 3 else {})
        longest = max(longest, time.monotonic() - began)
    journal.append(lease, [], {}, standing=some_standing("completed", seq=count), release=True)
say(longest)
"""


def write_together(path, processes, commits, group):
    with ExitStack() as stack:
        writers = [
            stack.enter_context(program(WRITE, path, f"run {n}", commits, "group" if group else "alone"))
            for n in range(processes)
        ]
        for writer in writers:
            assert writer.hear() == "ready"
        began = time.monotonic()
        for writer in writers:
            writer.say()
        longest = max(float(writer.end(timeout_s=3600)[0]) for writer in writers)
        took_s = time.monotonic() - began
    with SQLiteJournal(path) as journal:
        for n in range(processes):
            assert [row.seq for row in journal.rows(f"run {n}")] == list(range(1, commits + 1))
        assert len(journal.find_runs(RunQuery(state="completed"))) == processes
        assert journal.integrity_check() == []
    print(
        f"row 10: {processes} processes, {commits} commits each ({'group' if group else 'one by one'}): 0 lock errors, "
        f"0 lost, {processes * commits / took_s:,.0f} commits/s, longest wait {longest:.2f} s"
    )


@pytest.mark.parametrize(
    "group", [pytest.param(False, id="alone"), pytest.param(True, id="group", marks=pytest.mark.soak)]
)
def test_eight_processes_write_one_file(path, group):
    write_together(path, 8, 60, group)


@pytest.mark.soak
@pytest.mark.parametrize("group", [False, True], ids=["alone", "group"])
def test_eight_processes_write_one_file_for_long(path, group):
    write_together(path, 8, 10_000, group)


# Forks

FORK = """
import threading
journal = SQLiteJournal(sys.argv[1], group_commit=sys.argv[2] == "group")
lease = begin(journal)
journal.append(lease, [a_row(1)], {})
parent = journal.owner
pid = os.fork()
if pid == 0:
    try:
        assert journal.owner.pid == os.getpid() and journal.owner.token != parent.token
        assert journal.rows("run")[:1] == some_rows(1, 1)
        for attempt in (
            lambda: journal.append(lease, [a_row(2, b"child")], {}),
            lambda: journal.append(lease, [a_row(2, b"child")], {}, release=True),
            lambda: journal.renew(lease),
        ):
            try: attempt()
            except LeaseLost: pass
            else: raise AssertionError("the child used its parent's lease")
        try: take(journal, "run")
        except RunLocked: pass
        else: raise AssertionError("the child took its parent's run")
        own = begin(journal, "child")
        for seq in range(1, 51): journal.append(own, [a_row(seq)], {})
        journal.append(own, [], {}, standing=some_standing("completed"), release=True)
        journal.close()
        os._exit(0)
    except BaseException:
        import traceback; traceback.print_exc()
        os._exit(1)
for seq in range(2, 51): journal.append(lease, [a_row(seq)], {})
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
for seq in range(51, 61): journal.append(lease, [a_row(seq)], {})
assert journal.rows("run") == some_rows(1, 60)
assert journal.rows("child") == some_rows(1, 50)
assert journal.integrity_check() == []
journal.close()
say("done")
"""


@pytest.mark.parametrize("group", ["alone", "group"])
def test_after_a_fork_parent_and_child_each_have_their_own(path, group):
    with program(FORK, path, group) as forker:
        assert forker.end() == ["done"]


FORK_WHILE_BUSY = """
import threading
journal = SQLiteJournal(sys.argv[1], lease_s=0.02)
stop = threading.Event()
def write(n):
    lease, seq = begin(journal, f"run {n}"), 0
    while not stop.is_set():
        seq += 1
        journal.append(lease, [a_row(seq)], {})
        journal.rows(f"run {n}", after=seq - 1)
    journal.append(lease, [], {}, release=True)
    counts[n] = seq
counts = {}
threads = [threading.Thread(target=write, args=(n,)) for n in range(2)]
for thread in threads: thread.start()
for n in range(15):
    pid = os.fork()
    if pid == 0:
        lease = begin(journal, f"child {n}")
        journal.append(lease, some_rows(1, 3), {}, release=True)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
stop.set()
for thread in threads: thread.join()
for n in range(2): assert len(journal.rows(f"run {n}")) == counts[n]
for n in range(15): assert journal.rows(f"child {n}") == some_rows(1, 3)
assert journal.integrity_check() == []
journal.close()
say("done")
"""


def test_forks_while_threads_write_break_nothing(path):
    with program(FORK_WHILE_BUSY, path) as forker:
        assert forker.end() == ["done"]


FORK_LOCKS = """
journal = SQLiteJournal(sys.argv[1])
begin(journal)
pid = os.fork()
if pid == 0:
    begin(journal, "child")
    say(hear())
    journal.close()
    os._exit(0)
journal.close()
say("closed")
os.waitpid(pid, 0)
"""


def test_a_child_keeps_its_file_when_its_parent_closes(path):
    with program(FORK_LOCKS, path) as forker:
        assert forker.hear() == "closed"
        deadline = time.monotonic() + 20
        while not path.with_name("runs.db-wal").exists():
            assert time.monotonic() < deadline
        with SQLiteJournal(path) as journal:
            while journal.find_run("child") is None:
                assert time.monotonic() < deadline
            begin(journal, "third")
        forker.say("go")
        assert forker.end() == ["go"]
    with SQLiteJournal(path) as journal:
        assert {run.facts.run_id for run in journal.find_runs(RunQuery())} == {"run", "child", "third"}
        with pytest.raises(LeaseLost):
            journal.append(take(journal, "child")._replace(epoch=1), [], {})
