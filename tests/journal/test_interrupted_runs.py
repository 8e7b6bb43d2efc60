"""Interrupts and refusals at awkward moments: nothing is run twice, nothing is left locked, nobody is left out."""

from __future__ import annotations

import gc
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration_kit import (
    Failure,
    MemoryJournal,
    Orchestrator,
    RetryPolicy,
    RunLimits,
    SQLiteJournal,
    WorkerDefinition,
    replay,
)
from orchestration_kit.errors import DuplicateRun
from orchestration_kit.journal.errors import JournalUnavailable, NotRecordable, RunLocked
from orchestration_kit.testing import ScriptedWorker
from tests.support import hub_of, step, workflow_of

ROOT = Path(__file__).parent.parent.parent
CHAIN = workflow_of(step("a", "b"), step("b", "c"), step("c"))
APPEND = {name: (lambda value, name=name: value + name) for name in "abc"}


class Interrupted(MemoryJournal):
    """A journal in which one call is interrupted once."""

    def __init__(self, name):
        super().__init__()
        self.name = name

    def append(self, *arguments, **options):
        super().append(*arguments, **options)
        if self.name == "append":
            self.name = ""
            raise KeyboardInterrupt

    def find_run(self, run_id):
        if self.name == "find_run":
            self.name = ""
            raise JournalUnavailable("here", "the disk is away", "Plug it in.")
        return super().find_run(run_id)


def hold_under_alarms(count: int) -> int:
    """Let an alarm hit each of many journaled runs, go on with it, and read it back; return how many were hit."""
    loop = workflow_of(
        step("a", "a", success_when=lambda output, context: context.visit < 60, on_failure="end"), step("end")
    )
    journal, hit = MemoryJournal(), 0

    def ring(*_):
        raise KeyboardInterrupt

    signal.signal(signal.SIGALRM, ring)
    for number in range(count):
        hub = hub_of(loop, {"a": lambda value: None, "end": str}, journal=journal)
        run = hub.start("flow", "goal", run_id=f"r{number}")
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.0003 + 0.00001 * (number % 200))
            run.run()
            signal.setitimer(signal.ITIMER_REAL, 0)
        except KeyboardInterrupt:
            signal.setitimer(signal.ITIMER_REAL, 0)
            hit += 1
        if not run.machine.recorded:
            continue
        assert hub.resume(run.run_id, verbose=False).state == "completed"
        loaded = hub_of(loop, {"a": str, "end": str}, journal=journal).get_run(run.run_id)
        assert loaded.history == run.history
        done = [e["path"] for e in run.history if e["success"] or e["error_type"] == "OutputRejected"]
        assert len(done) == len(set(done)) == 61
        hub.forget(run.run_id)
    return hit


@pytest.mark.parametrize("count", [150, pytest.param(3_000, marks=pytest.mark.soak)])
def test_alarms_at_any_moment_leave_runs_that_go_on_and_read_back(count, capsys):
    """Between a row and its fold, too. In a process of its own: alarms must not hit the tools of the tests."""
    code = f"from tests.journal.test_interrupted_runs import hold_under_alarms; print(hold_under_alarms({count}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    with capsys.disabled():
        print(f"\n{count} journaled runs, {done.stdout.strip()} hit by an alarm: 0 steps run twice, all read back")
    assert int(done.stdout) > count // 10


def test_a_run_interrupted_while_it_is_being_committed_lets_others_go_on():
    journal = Interrupted("append")
    hub = hub_of(CHAIN, APPEND, journal=journal)
    with pytest.raises(KeyboardInterrupt):
        hub.execute_workflow("flow", "g", verbose=False, run_id="r")
    assert hub_of(CHAIN, APPEND, journal=journal).resume("r", verbose=False).data["c_output"] == "gabc"


def test_a_refused_resume_leaves_a_run_that_can_only_be_looked_at():
    journal = MemoryJournal()
    driver = hub_of(CHAIN, APPEND, journal=journal).start("flow", "g", run_id="r")
    driver.step()
    hub = Orchestrator(journal=journal)
    run = hub.get_run("r")
    driver.log.claim()
    hub.register_workflow(CHAIN)
    for name, call in APPEND.items():
        hub.register_worker(WorkerDefinition(worker_type=name, name=name, executor=call))
    with pytest.raises(RunLocked):
        hub.resume("r", verbose=False)
    driver.log.release()
    with pytest.raises(Exception, match="Workflow not found"):
        run.run()
    assert hub.resume("r", verbose=False).data["c_output"] == "gabc"


def test_a_journal_that_was_away_for_a_moment_does_not_make_a_run_steal_its_lease():
    journal = Interrupted("")
    hub = hub_of(CHAIN, APPEND, journal=journal)
    run = hub.start("flow", "g", run_id="r")
    run.step()
    journal.name = "find_run"
    with pytest.raises(JournalUnavailable):
        run.step()
    other = hub_of(CHAIN, APPEND, journal=journal).get_run("r")
    other.log.claim()
    with pytest.raises(RunLocked):
        run.step()


def test_a_handle_that_nobody_holds_lets_go_of_its_run(tmp_path):
    with SQLiteJournal(tmp_path / "runs.db") as journal:
        hub = hub_of(CHAIN, APPEND, journal=journal)
        run = hub.start("flow", "g", run_id="r")
        run.step()
        run.log.claim()
        hub.last_run = None
        del run
        gc.collect()
        assert hub_of(CHAIN, APPEND, journal=journal).resume("r", verbose=False).state == "completed"


def test_usage_of_any_kind_is_put_on_record():
    def a(value, context):
        context.add_usage(input_tokens=1, model=object)
        return value

    context = hub_of(CHAIN, {**APPEND, "a": a}, journal=MemoryJournal()).execute_workflow("flow", "g", verbose=False)
    assert context.state == "completed"
    assert context.history[0]["usage"]["model"] == "<class 'object'>"


@pytest.mark.parametrize(
    ("arguments", "options", "error"),
    [
        (({1: 2},), {}, TypeError),
        (([1],), {}, TypeError),
        ((), {"limits": 5}, TypeError),
        ((), {"run_id": ""}, TypeError),
        (({"x": object()},), {}, NotRecordable),
        ((), {"run_id": "r"}, DuplicateRun),
    ],
)
def test_a_fork_is_refused_before_anything_is_done(arguments, options, error):
    journal = MemoryJournal()
    hub = hub_of(CHAIN, APPEND, journal=journal)
    run = hub.start("flow", "g", run_id="r")
    run.run()
    with pytest.raises(error):
        run.fork("b", *arguments, **options)
    assert [known.run_id for known in hub.runs()] == ["r"]


def test_without_a_journal_a_fork_does_not_take_the_place_of_a_run():
    hub = hub_of(CHAIN, APPEND)
    run = hub.start("flow", "g", run_id="r")
    run.run()
    with pytest.raises(DuplicateRun):
        run.fork("b", run_id="r")


def test_a_run_whose_end_no_longer_fits_can_still_be_forked_before_that():
    journal = MemoryJournal()
    hub_of(CHAIN, APPEND, journal=journal).execute_workflow("flow", "g", verbose=False, run_id="r")
    longer = workflow_of(step("a", "b"), step("b", "x"), step("x", "c", worker_type="a"), step("c"))
    hub = hub_of(longer, APPEND, journal=journal)
    assert hub.get_run("r").fork("b").run().data["c_output"] == "gabac"
    assert [entry["step"] for entry in hub.get_run("r").refresh().history] == ["a", "b", "x", "c"]


def test_a_run_that_was_read_back_is_told_to_the_observers():
    journal = MemoryJournal()
    hub_of(CHAIN, APPEND, journal=journal).start("flow", "g", run_id="r").step()
    heard: list = []
    hub = hub_of(CHAIN, APPEND, journal=journal, observers=[heard.append])
    hub.get_run("r").run()
    assert [event.step for event in heard if type(event).__name__ == "AttemptFinished"] == ["b", "c"]


def test_refresh_keeps_what_a_fork_was_given():
    workers = {"a": lambda value: "A", "b": lambda value, context: value + context.data.get("tone", "-"), "c": str}
    hub = hub_of(CHAIN, workers)
    run = hub.start("flow", "g", run_id="r")
    run.run()
    fork = run.fork("b", {"tone": "lively"})
    fork.run()
    hub.register_worker(WorkerDefinition(worker_type="a", name="a", executor=lambda value: "".join(["B"])))
    renewed = fork.refresh()
    assert (renewed.context.data["b_output"], renewed.context.data["tone"]) == ("Blively", "lively")


def test_refresh_tries_again_what_had_failed_for_good():
    b = ScriptedWorker(OSError("offline"), "B", repeat_last=True)
    hub = hub_of(CHAIN, {"a": lambda value: "A", "b": b, "c": str})
    hub.execute_workflow("flow", "g", verbose=False, run_id="r")
    hub.resume("r", verbose=False)
    hub.register_worker(WorkerDefinition(worker_type="a", name="a", executor=lambda value: "".join("A")))
    assert hub.get_run("r").refresh().state == "completed"


class Odd(ValueError):
    """An error of one's own."""


class Final(Exception):
    is_final = True


def writes_then_fails(value, context):
    context.data["score"] = 5
    return value


@pytest.mark.parametrize(
    ("first", "worker"),
    [
        (step("a", "b", max_retries=2, on_failure="b", retry=RetryPolicy(give_up_on=("ValueError",))), Odd("x")),
        (step("a", "b", max_retries=2, on_failure="b", retry=RetryPolicy(give_up_on=("AttemptError",))), Failure("no")),
        (step("a", "b", max_retries=2, on_failure="b"), Final("x")),
        (step("a", "b", max_retries=2, on_failure="b"), Failure("success_when was false: not really", output=1)),
        (step("a", "b", success_when=lambda output, context: context.data["score"] > 3), writes_then_fails),
        (step("a", "b", success_when=lambda output, context: context.now().year > 2000), str),
        (step("a", "b", success_when="output.nope == 1", on_failure="b"), str),
    ],
)
def test_a_workflow_that_did_not_change_is_found_to_take_the_same_path(first, worker):
    call = worker if callable(worker) else ScriptedWorker(worker, repeat_last=True)
    hub = hub_of(workflow_of(first, step("b")), {"a": call, "b": str})
    run = hub.start("flow", "g")
    run.run()
    assert replay(run).is_same, replay(run)


def test_resume_goes_back_to_the_limits_that_a_run_was_started_with():
    hub = hub_of(CHAIN, APPEND)
    hub.execute_workflow("flow", "g", verbose=False, run_id="r", limits=RunLimits(max_steps=1))
    assert "max_steps" in hub.resume("r", verbose=False, limits=RunLimits(max_steps=2)).error
    assert "1 attempt" in hub.resume("r", verbose=False).error


def test_an_interrupt_uses_up_no_retry_and_is_no_error_of_the_worker():
    told: list = []

    def a(value, context):
        told.append(context.last_error and context.last_error.message)
        raise (KeyboardInterrupt, ValueError("first"), ValueError("second"))[context.attempt - 1]

    hub = hub_of(workflow_of(step("a", max_retries=1)), {"a": a})
    with pytest.raises(KeyboardInterrupt):
        hub.execute_workflow("flow", "g", verbose=False, run_id="r")
    run = hub.get_run("r")
    assert hub.resume("r", verbose=False).error == "a#1 failed: ValueError: second"
    assert told == [None, None, "first"]
    assert replay(run).is_same
