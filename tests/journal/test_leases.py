"""Who may drive a run: processes alive and dead, silence by the local clock, and days that jump."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from orchestration_kit.journal.conformance.making import a_row, begin
from orchestration_kit.journal.errors import LeaseLost, RunLocked
from orchestration_kit.journal.leases import take
from orchestration_kit.journal.port import Holder
from orchestration_kit.journal.processes import judge, started, this_process
from orchestration_kit.journal.sqlite import SQLiteJournal
from orchestration_kit.testing import FakeClock

DAY_S = 86_400.0
ME = this_process()


def held_by(**fields):
    return Holder(ME._replace(**{"token": "other"} | fields), 1, 0)


@pytest.mark.parametrize(
    ("holder", "verdict"),
    [
        (held_by(token=ME.token), "mine"),
        (held_by(), "alive"),
        (held_by(process_start="1"), "dead"),
        (held_by(pid=2**22 + 1), "dead"),
        (held_by(boot="an earlier one"), "dead"),
        (held_by(boot="an earlier one", host="elsewhere"), "unknown"),
        (held_by(namespace="pid:[1]"), "unknown"),
        (held_by(namespace=""), "unknown"),
        (held_by(boot=""), "unknown"),
        (held_by(boot="", namespace="", host="elsewhere", process_start=""), "unknown"),
    ],
)
def test_a_process_is_judged_by_what_tells(holder, verdict):
    assert judge(holder, ME) == verdict


@pytest.mark.parametrize(
    ("holder", "verdict"),
    [(held_by(pid=2**22 + 1), "dead"), (held_by(), "unknown"), (held_by(host="elsewhere"), "unknown")],
)
def test_where_the_platform_tells_little_only_an_unused_process_id_is_dead(holder, verdict):
    bare = {"boot": "", "namespace": "", "process_start": ""}
    holder = holder._replace(owner=holder.owner._replace(**bare))
    assert judge(holder, ME._replace(**bare)) == verdict


def test_a_zombie_is_dead_and_a_stopped_process_is_alive():
    process = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    try:
        holder = held_by(pid=process.pid, process_start=started(process.pid))
        process.send_signal(signal.SIGSTOP)
        assert judge(holder, ME) == "alive"
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # ended, and not yet collected
        assert judge(holder, ME) == "dead"
    finally:
        process.kill()
        process.communicate()


def test_a_process_id_that_is_used_again_is_another_process():
    first = this_process()
    assert judge(Holder(first._replace(token="other", process_start="12345"), 1, 0), ME) == "dead"


@pytest.fixture
def open_journal(tmp_path):
    journals = []

    def make(**options):
        journals.append(SQLiteJournal(tmp_path / "runs.db", **options))
        return journals[-1]

    yield make
    for journal in journals:
        journal.close()


def pretend(journal, **fields):
    """Let the run of a journal be held by some other process, with these fields."""
    found = journal.find_run("run")
    columns = {"token": "theirs", **fields}
    values = [value.encode() if isinstance(value, str) else value for value in columns.values()]
    sets = ", ".join(f"{column} = ?" for column in columns)
    journal._database.write(lambda connection: connection.execute(f"UPDATE runs SET {sets}", values))
    return found


ELSEWHERE = {"namespace": "pid:[1]"}


def test_a_holder_that_is_alive_is_left_alone_at_once(open_journal):
    journal, other, clock = open_journal(), open_journal(), FakeClock()
    begin(journal)
    with pytest.raises(RunLocked) as caught:
        take(other, "run", clock=clock)
    assert clock.slept == []
    message = str(caught.value)
    assert "this process" in message and "after 10 s" in message


def test_a_dead_holder_is_replaced_at_once(open_journal):
    journal, other, clock = open_journal(), open_journal(), FakeClock()
    begin(journal)
    pretend(journal, pid=2**22 + 1)
    assert take(other, "run", clock=clock).epoch == 2
    assert clock.slept == []


def test_a_holder_of_whom_nothing_is_known_is_watched_for_as_long_as_a_lease_lasts(open_journal):
    journal, other, clock = open_journal(), open_journal(lease_s=7.0), FakeClock()
    begin(journal)
    pretend(journal, **ELSEWHERE)
    assert take(other, "run", clock=clock).epoch == 2
    assert sum(clock.slept) == pytest.approx(7.0)


class BeatingClock(FakeClock):
    """While time passes, something happens."""

    def __init__(self, happens):
        super().__init__()
        self.happens = happens

    def sleep(self, seconds, wake):
        super().sleep(seconds, wake)
        self.happens(self.monotonic())


def test_a_holder_elsewhere_that_beats_is_left_alone(open_journal):
    journal, other = open_journal(), open_journal()
    begin(journal)
    pretend(journal, **ELSEWHERE)
    clock = BeatingClock(lambda _: journal._database.write(lambda c: c.execute("UPDATE runs SET beat = beat + 1")))
    with pytest.raises(RunLocked):
        take(other, "run", clock=clock)
    assert sum(clock.slept) == pytest.approx(10.0)


def test_rows_are_a_sign_of_life_too(open_journal):
    journal, other = open_journal(), open_journal()
    lease = begin(journal)

    def happens(now):
        pretend(journal, token=journal.owner.token)
        journal.append(lease, [a_row(int(now * 1000))], {})
        pretend(journal, **ELSEWHERE)

    pretend(journal, **ELSEWHERE)
    with pytest.raises(RunLocked):
        take(other, "run", clock=BeatingClock(happens))


def test_a_holder_that_lets_go_while_somebody_waits_is_followed_at_once(open_journal):
    journal, other = open_journal(), open_journal()
    lease = begin(journal)
    clock = BeatingClock(lambda now: now > 2 and journal.append(lease, [], {}, release=True))
    assert take(other, "run", wait_s=60.0, clock=clock).epoch == 2
    assert sum(clock.slept) < 4.0


def test_a_holder_that_hangs_is_replaced_after_silence_even_if_it_is_alive(open_journal):
    journal, other, clock = open_journal(), open_journal(), FakeClock()
    lease = begin(journal)
    for waited in (0.0, 5.0, 4.9):
        clock.advance(waited)
        with pytest.raises(RunLocked):
            take(other, "run", clock=clock)
    journal.renew(lease)
    clock.advance(0.2)
    with pytest.raises(RunLocked):
        take(other, "run", clock=clock)
    clock.advance(10.0)
    assert take(other, "run", clock=clock).epoch == 2
    with pytest.raises(LeaseLost):
        journal.append(lease, [a_row(1)], {})


def test_waiting_for_a_holder_that_hangs_takes_the_run_over(open_journal):
    journal, other, clock = open_journal(), open_journal(), FakeClock()
    begin(journal)
    assert take(other, "run", wait_s=30.0, clock=clock).epoch == 2
    assert sum(clock.slept) == pytest.approx(10.0)


def test_a_wait_ends_when_it_is_told_to(open_journal):
    journal, other, clock, wake = open_journal(), open_journal(), FakeClock(), threading.Event()
    begin(journal)
    wake.set()
    with pytest.raises(RunLocked):
        take(other, "run", wait_s=1e9, clock=clock, wake=wake)
    assert clock.slept == []


def test_each_journal_watches_for_itself(open_journal):
    journal, clock = open_journal(), FakeClock()
    begin(journal)
    for other in (open_journal(), open_journal()):
        clock.advance(9.0)
        with pytest.raises(RunLocked):
            take(other, "run", clock=clock)


# Row 11 of the scorecard: clock jumps of a day, both ways.


@pytest.mark.parametrize("jump_s", [DAY_S, -DAY_S])
def test_a_jump_of_the_wall_clock_frees_no_lease(open_journal, jump_s):
    journal, other, clock = open_journal(), open_journal(), FakeClock()
    lease = begin(journal)
    owners = 1
    for _ in range(20):
        clock.jump(jump_s)
        clock.advance(0.4)  # eight seconds in all: less than a lease
        with pytest.raises(RunLocked):
            take(other, "run", clock=clock)
    journal.append(lease, [a_row(1)], {})
    assert len(journal.rows("run")) == owners
    print(f"row 11: 20 jumps of {jump_s:+.0f} s: no double owner, no lease expired early")


@pytest.mark.parametrize("jump_s", [DAY_S, -DAY_S])
def test_a_jump_of_the_wall_clock_neither_shortens_nor_prolongs_a_watch(open_journal, jump_s):
    journal, other = open_journal(), open_journal()
    begin(journal)
    pretend(journal, **ELSEWHERE)
    clock = BeatingClock(lambda _: clock.jump(jump_s))
    assert take(other, "run", clock=clock).epoch == 2
    assert clock.monotonic() == pytest.approx(10.0)
