"""Whole runs on executors: the same as here, on record as they arrive, and refused where something has to stay."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pandas as pd
import pytest

from orchestration_kit import (
    ApprovalStep,
    MemoryJournal,
    Orchestrator,
    SQLiteJournal,
    SubworkflowStep,
    WorkerDefinition,
    WorkflowDefinition,
    WorkflowStep,
    create_default_engine,
)
from orchestration_kit.executors import (
    FuturesExecutor,
    InlineExecutor,
    NotSendable,
    ProcessesExecutor,
    ThreadsExecutor,
    WorkerLost,
)
from orchestration_kit.journal.errors import JournalCorrupt
from orchestration_kit.scale import NotMadeElsewhere, run_many
from orchestration_kit.scale.remote import make_run
from tests.scale.sets import GOALS, hub_of, moody, without_times


@pytest.fixture
def elsewhere():
    """An executor whose calls leave this process, as far as anybody can tell."""
    with ThreadPoolExecutor(2) as pool, FuturesExecutor(pool, is_remote=True) as executor:
        yield executor


@pytest.fixture(scope="module")
def processes():
    with ProcessesExecutor(2) as executor:
        yield executor


def frames(hub, **options):
    runs = run_many("flow", GOALS, hub=hub, repeats=3, seed=7, name="set", **options)
    assert runs.state == {"completed": 17, "failed": 1}
    return [without_times(one) for one in (runs.frame(), runs.history(), runs.failures(), runs.transitions())]


@pytest.mark.parametrize("journaled", [True, False])
@pytest.mark.parametrize("executor", ["inline", "threads", "pool", "elsewhere", "processes"])
def test_a_set_is_the_same_wherever_it_is_made(executor, journaled, elsewhere, processes, tmp_path):
    journal = SQLiteJournal(tmp_path / "runs.db", group_commit=True) if journaled else None
    hub = hub_of(journal, draft=moody)
    reference = frames(hub_of(draft=moody))
    with ThreadsExecutor(3) as threads, ThreadPoolExecutor(2) as pool, InlineExecutor() as inline:
        kinds = {"inline": inline, "threads": threads, "pool": pool, "elsewhere": elsewhere, "processes": processes}
        for ours, theirs in zip(frames(hub, executor=kinds[executor]), reference, strict=True):
            pd.testing.assert_frame_equal(ours, theirs)
    if journal is not None:
        assert journal.integrity_check() == []
        journal.close()


@pytest.mark.parametrize("at_once", [1, 3, 50])
def test_no_more_are_under_way_than_are_to_be(at_once, elsewhere):
    reference = frames(hub_of(draft=moody))
    for ours, theirs in zip(
        frames(hub_of(draft=moody), executor=elsewhere, max_concurrency=at_once), reference, strict=True
    ):
        pd.testing.assert_frame_equal(ours, theirs)


def test_what_arrived_is_not_made_again(elsewhere):
    hub = hub_of(MemoryJournal())
    run_many("flow", GOALS[:3], hub=hub, name="set", executor=elsewhere)
    before = {run.run_id: run.machine.started.started_at for run in hub.last_many}
    runs = run_many("flow", GOALS, hub=hub, name="set", executor=elsewhere)
    assert runs.state == {"completed": 6}
    assert {run.run_id: run.machine.started.started_at for run in runs[:3]} == before


class Noting:
    """An executor whose calls stay here, and that keeps what it was sent."""

    is_remote, slots = True, 2

    def __init__(self, answer=None):
        self.calls, self.answer, self.cancelled = [], answer, []

    def submit(self, call):
        self.calls.append(call)
        future = Future()
        try:
            result = call.function(*call.arguments) if self.answer is None else self.answer(call)
        except BaseException as error:
            future.set_exception(error)
        else:
            if result is not None:
                future.set_result(result)
        return future

    def cancel(self, future):
        self.cancelled.append(future)

    def close(self):
        pass


def test_what_all_runs_need_is_sent_once_for_a_process():
    executor = Noting()
    run_many("flow", GOALS, hub=hub_of(), executor=executor, name="set")
    parcels = [call.arguments[1] for call in executor.calls]
    assert sum(len(one) > 0 for one in parcels) <= 4, "as many as were under way when it was asked for"
    assert len({call.key for call in executor.calls}) == len(executor.calls)
    assert all(call.function is make_run for call in executor.calls)
    assert all(isinstance(part, (bytes, str)) for call in executor.calls for part in call.arguments)


def test_a_run_needs_what_any_of_its_workers_needs():
    executor = Noting()
    hub = hub_of()
    for kind, resources, idempotent in (("writer", {"GPU": 1}, True), ("reviewer", {"GPU": 2, "RAM": 3}, False)):
        old = hub.definition_of(f"the {kind}")
        hub.register_worker(old.model_copy(update={"resources": resources, "idempotent": idempotent}))
    run_many("flow", ["a"], hub=hub, executor=executor)
    assert executor.calls[0].resources == {"GPU": 2, "RAM": 3}
    assert not executor.calls[0].may_repeat


@pytest.mark.parametrize("journal", [None, MemoryJournal()])
def test_a_run_whose_machine_is_lost_has_failed(journal):
    def answer(call):
        if "set/2/1" in call.key:
            raise WorkerLost(call.key, "it was switched off", may_repeat=False)
        return call.function(*call.arguments)

    hub = hub_of(journal)
    runs = run_many("flow", ["a", "b", "c"], hub=hub, name="set", executor=Noting(answer))
    assert runs.state == {"completed": 2, "failed": 1}
    assert "it was switched off" in runs.frame()["reason"][1]
    assert runs.failures()["run"].tolist() == ["set/2/1"]
    assert run_many("flow", ["a", "b", "c"], hub=hub, name="set", retry_failed=True).state == {"completed": 3}


def test_what_is_no_runs_business_stops_the_set_and_nothing_that_arrived_is_lost():
    def answer(call):
        if "set/3/1" in call.key:
            raise OSError("no route to the cluster")
        return call.function(*call.arguments)

    hub = hub_of(MemoryJournal())
    with pytest.raises(OSError, match="no route") as caught:
        run_many("flow", GOALS, hub=hub, name="set", executor=Noting(answer), max_concurrency=1)
    assert "2 of 6 runs of the set 'set' were made" in caught.value.__notes__[-1]
    assert run_many("flow", GOALS, hub=hub, name="set", executor=Noting()).state == {"completed": 6}


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda content: b"\x00", "cannot be read"),
        (lambda content: content.replace(b'"GOAL 1"', b'"GOAL 2"'), "checksum"),
        (lambda content: content.replace(b"completed", b"cancelled"), "checksum"),
        (lambda content: b"\x90", "something else came back"),
    ],
)
def test_what_comes_back_is_verified(spoil, says):
    executor = Noting(lambda call: spoil(call.function(*call.arguments)) if call.arguments[1] else b"")
    hub = hub_of(MemoryJournal())
    with pytest.raises(JournalCorrupt, match=says):
        run_many("flow", GOALS[:1], hub=hub, name="set", executor=executor)
    assert hub.runs() == []


def test_a_run_of_somebody_else_is_not_taken():
    first = []

    def answer(call):
        found = call.function(*call.arguments)
        first.append(found)
        return first[1] if len(first) > 2 else found

    with pytest.raises(JournalCorrupt, match="something else came back"):
        run_many("flow", GOALS[:3], hub=hub_of(), name="set", executor=Noting(answer), max_concurrency=1)


def test_an_interrupt_lets_go_of_what_is_elsewhere(monkeypatch):
    executor = Noting(lambda call: None)
    hub = hub_of(MemoryJournal())

    def impatient(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("orchestration_kit.scale.through._arrived", impatient)
    with pytest.raises(KeyboardInterrupt):
        run_many("flow", GOALS, hub=hub, name="set", executor=executor)
    assert len(executor.cancelled) == 4
    monkeypatch.undo()
    assert run_many("flow", GOALS, hub=hub, name="set").state == {"completed": 6}


def test_a_set_that_is_cancelled_lets_go_of_what_is_elsewhere():
    sent = threading.Semaphore(0)
    executor = Noting(lambda call: sent.release())
    runs = run_many("flow", GOALS, hub=hub_of(), name="set", executor=executor, wait=False)
    for _ in range(4):
        sent.acquire()
    runs.cancel()
    assert runs.wait().state == {"not started": 6}
    assert len(executor.cancelled) == 4


def test_runs_that_stopped_half_way_go_on_at_the_hub(elsewhere):
    interrupted = []

    def check(text, context):
        if not interrupted:
            interrupted.append(text)
            raise KeyboardInterrupt
        return {"text": text, "luck": 0}

    hub = hub_of(MemoryJournal(), check=check)
    with pytest.raises(KeyboardInterrupt):
        run_many("flow", GOALS, hub=hub, name="set")
    assert hub.last_many.state == {"cancelled": 1, "not started": 5}
    hub.register_worker(
        hub.definition_of("the reviewer").model_copy(update={"executor": lambda text: {"text": text, "luck": 0}})
    )
    runs = run_many("flow", GOALS, hub=hub, name="set", executor=elsewhere)
    assert runs.state == {"completed": 6}
    assert [entry["step"] for entry in runs[0].history] == ["draft", "check", "check", "done"]


@pytest.mark.parametrize("journaled", [True, False])
def test_runs_within_runs_come_back_with_them(journaled, elsewhere):
    hub = hub_of(MemoryJournal() if journaled else None)
    outer = WorkflowDefinition(name="outer")
    outer.add_step(SubworkflowStep(step_id="inner", workflow="flow", on_success="done"), is_initial=True)
    outer.add_step(WorkflowStep(step_id="done", worker_type="nobody", is_terminal=True))
    hub.register_workflow(outer)
    runs = run_many("outer", ["a", "b"], hub=hub, name="set", executor=elsewhere)
    assert runs.state == {"completed": 2}
    inner = hub.get_run(next(iter(runs[0].children.values())).run_id) if runs[0].children else None
    if journaled:
        assert len(hub.runs(workflow="flow")) == 2
    assert inner is None or inner.state == "completed"


def test_runs_that_wait_elsewhere_are_answered_at_the_hub(elsewhere):
    hub = hub_of(MemoryJournal())
    gate = WorkflowDefinition(name="gate")
    gate.add_step(WorkflowStep(step_id="draft", worker_type="writer", on_success="ask"), is_initial=True)
    gate.add_step(ApprovalStep(step_id="ask", prompt="Good?", on_success="done", on_failure="done"))
    gate.add_step(WorkflowStep(step_id="done", worker_type="nobody", is_terminal=True))
    hub.register_workflow(gate)
    runs = run_many("gate", ["a", "b"], hub=hub, name="set", executor=elsewhere)
    assert runs.state == {"waiting": 2}
    runs[0].approve()
    assert runs.resume().state == {"completed": 1, "waiting": 1}


def test_secrets_stay_at_the_hub():
    executor = Noting()
    key = "sk-ant-api03-" + "Ab1" * 12
    hub = hub_of(redact=["ACME-[0-9]+"], done=lambda found: f"{found['text']} ACME-42")
    runs = run_many("flow", [{"goal": f"use {key}", "data": {"k": key}}], hub=hub, executor=executor)
    assert not any(key.encode() in call.arguments[2] for call in executor.calls)
    assert "ACME-42" not in str(runs[0].events)
    assert runs.state == {"completed": 1}


# --- what has to stay


def locked():
    workflow = WorkflowDefinition(name="locked")
    workflow.add_step(
        WorkflowStep(step_id="a", worker_type="writer", lock="printer", is_terminal=True), is_initial=True
    )
    return workflow


@pytest.mark.parametrize(
    ("hub", "workflow", "says"),
    [
        (hub_of(constraints=create_default_engine()), "flow", "constraints or actions"),
        (hub_of(), locked(), "locks or rates, of a"),
        (hub_of(cassette="tape.json"), "flow", "a cassette"),
    ],
)
def test_what_is_the_hubs_own_is_refused(hub, workflow, says, elsewhere):
    with pytest.raises(NotMadeElsewhere, match=says):
        run_many(workflow, ["a"], hub=hub, executor=elsewhere)
    assert hub.runs() == []


def test_lessons_are_refused(elsewhere, tmp_path):
    hub = hub_of(wisdom=tmp_path / "lessons.db")
    with pytest.raises(NotMadeElsewhere, match="lessons"):
        run_many("flow", ["a"], hub=hub, executor=elsewhere)
    hub.services.lessons.close()


def test_workers_that_stay_at_the_hub_are_refused(elsewhere):
    hub = hub_of()
    hub.register_worker(hub.definition_of("the writer").model_copy(update={"at_hub": True}))
    with pytest.raises(NotMadeElsewhere, match="called at the hub .*the writer"):
        run_many("flow", ["a"], hub=hub, executor=elsewhere)


def test_what_cannot_be_pickled_is_named(elsewhere):
    lock = threading.Lock()
    hub = hub_of(draft=lambda goal: goal if lock else None)
    with pytest.raises(NotSendable, match="Worker 'the writer'"):
        run_many("flow", ["a"], hub=hub, executor=elsewhere)
    assert hub.runs() == []


def test_a_hub_whose_workers_are_called_by_the_same_executor_waits_for_no_slot_of_its_own():
    with ThreadsExecutor(2) as executor:
        hub = Orchestrator(executor=executor)
        for kind in ("writer", "reviewer", "deployer"):
            hub.register_worker(WorkerDefinition(worker_type=kind, name=kind, executor=lambda given: given))
        from tests.scale.sets import three_steps

        assert run_many(three_steps(), GOALS, hub=hub, executor=executor).state == {"completed": 6}
