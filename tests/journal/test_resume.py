"""Runs that stop before their end and go on: from memory, from a journal, in another hub."""

from __future__ import annotations

import asyncio

import pytest

from orchestration_kit import Branch, MemoryJournal, Orchestrator, Run, RunLimits, SQLiteJournal
from orchestration_kit.engine.events import RunFinished, RunResumed, RunStarted
from orchestration_kit.errors import DefinitionChanged, DuplicateRun, MissingWorkers, RunStateError, UnknownRun
from orchestration_kit.journal.errors import NotRecordable, RunLocked
from orchestration_kit.testing import FakeClock, ScriptedWorker, assert_same_flow
from tests.support import hub_of, step, workflow_of

CHAIN = (step("a", "b"), step("b", "c"), step("c"))


def chain_hub(journal=None, *, b=None, **workers):
    """A hub with the chain a, b, c; workers append to `calls`."""
    calls: list[str] = []

    def worker(name):
        def call(value, context):
            calls.append(f"{name} {context.attempt} {context.idempotency_key[:6]}")
            context.data.setdefault("seen", []).append(name)
            return f"{value}{name}"

        return call

    found = {name: workers.get(name) or worker(name) for name in "abc"}
    if b is not None:
        found["b"] = b
    hub = hub_of(workflow_of(*CHAIN), found, journal=journal, clock=FakeClock())
    return hub, calls


@pytest.fixture(params=["memory", "sqlite"])
def journal(request, tmp_path):
    made = MemoryJournal() if request.param == "memory" else SQLiteJournal(tmp_path / "runs.db")
    with made:
        yield made


def interrupted(journal, **options):
    """A journaled run whose second step was interrupted."""
    hub, calls = chain_hub(journal, b=ScriptedWorker(KeyboardInterrupt), **options)
    run = hub.start("flow", "goal", {"seen": []}, run_id="r")
    with pytest.raises(KeyboardInterrupt):
        run.run()
    return hub, run, calls


def test_a_run_that_was_interrupted_goes_on_in_another_hub_where_it_stopped(journal):
    interrupted(journal)
    hub, calls = chain_hub(journal)
    context = hub.resume("r", verbose=False)
    assert context.state == "completed"
    assert context.data["seen"] == ["a", "b", "c"]
    assert context.data["c_output"] == "goalabc"
    assert [call[:3] for call in calls] == ["b 2", "c 1"]
    assert [(e["path"], e["attempt"], e["success"]) for e in context.history] == [
        ("a#1", 1, True), ("b#1", 1, False), ("b#1", 2, True), ("c#1", 1, True),
    ]  # fmt: skip


def test_without_a_journal_a_run_goes_on_in_the_same_hub():
    hub, run, _ = interrupted(None)
    hub.register_worker(ScriptedWorker("B", name="b", worker_type="b").definition)
    context = hub.resume("r", verbose=False)
    assert (context.state, context.data["c_output"]) == ("completed", "Bc")
    assert run.state == "completed"
    assert [entry["attempt"] for entry in run.history] == [1, 1, 2, 1]


def test_a_repeated_step_gets_the_same_idempotency_key(journal):
    keys = []

    def b(value, context):
        keys.append(context.idempotency_key)
        if len(keys) == 1:
            raise KeyboardInterrupt
        return "B"

    hub, _ = chain_hub(journal, b=b)
    with pytest.raises(KeyboardInterrupt):
        hub.execute_workflow("flow", "goal", verbose=False, run_id="r")
    again, _ = chain_hub(journal, b=b)
    assert again.resume("r", verbose=False).state == "completed"
    assert keys[0] == keys[1]


def test_a_run_that_is_over_is_not_run_again(journal):
    hub, calls = chain_hub(journal)
    hub.execute_workflow("flow", "goal", verbose=False, run_id="r")
    again, more = chain_hub(journal)
    context = again.resume("r", verbose=False)
    assert (context.state, context.data["c_output"], more) == ("completed", "goalabc", [])
    assert len(journal.rows("r")) == 4


def test_a_step_that_failed_for_good_is_attempted_again_on_resume(journal):
    hub, _ = chain_hub(journal, b=ScriptedWorker(OSError("offline")))
    assert hub.execute_workflow("flow", "goal", verbose=False, run_id="r").state == "failed"
    again, calls = chain_hub(journal)
    context = again.resume("r", verbose=False)
    assert context.state == "completed"
    assert [entry["input"] for entry in context.history] == ["goal", "goala", "goala", "goalab"]
    assert context.history[2]["attempt"] == 2


def test_a_run_that_reached_a_limit_goes_on_under_another_one(journal):
    hub, _ = chain_hub(journal)
    context = hub.execute_workflow("flow", "goal", verbose=False, run_id="r", limits=RunLimits(max_steps=2))
    assert "max_steps" in context.error
    assert "max_steps" in chain_hub(journal)[0].resume("r", verbose=False).error
    assert chain_hub(journal)[0].resume("r", verbose=False, limits=RunLimits(max_steps=3)).state == "completed"


def test_a_resumed_run_is_stepped_by_hand(journal):
    interrupted(journal)
    hub, calls = chain_hub(journal)
    run = Run.resume("r", hub)
    assert (run.state, run.next_step) == ("in_progress", "b")
    assert run.step()["path"] == "b#1"
    assert run.next_step == "c"
    assert run.run().state == "completed"


def test_a_run_is_resumed_in_a_running_loop(journal):
    interrupted(journal)
    hub, _ = chain_hub(journal)
    context = asyncio.run(hub.aresume("r", verbose=False))
    assert context.data["c_output"] == "goalabc"


def test_every_event_is_on_record_in_order(journal):
    interrupted(journal)
    hub, _ = chain_hub(journal)
    hub.resume("r", verbose=False)
    kinds = [type(event).__name__ for event in chain_hub(journal)[0].get_run("r").events]
    assert kinds == [
        "RunStarted", "AttemptFinished", "AttemptFinished", "RunFinished", "RunResumed", "AttemptFinished",
        "AttemptFinished", "RunFinished",
    ]  # fmt: skip


def test_observers_hear_that_a_run_goes_on_and_only_what_is_new(journal):
    interrupted(journal)
    hub, _ = chain_hub(journal)
    heard: list = []
    hub.observers.append(heard.append)
    hub.resume("r", verbose=False)
    assert [type(event).__name__ for event in heard if type(event).__name__ != "AttemptStarted"] == [
        "RunResumed", "AttemptFinished", "AttemptFinished", "RunFinished",
    ]  # fmt: skip


def test_the_account_says_where_a_run_goes_on(journal, capsys):
    interrupted(journal)
    hub, _ = chain_hub(journal)
    hub.resume("r")
    printed = capsys.readouterr().out
    assert "run r goes on" in printed
    assert "completed" in printed


def test_an_unknown_run_is_named_with_the_nearest(journal):
    interrupted(journal)
    with pytest.raises(UnknownRun, match="No run 'rr' is known here.*Known: r"):
        chain_hub(journal)[0].resume("rr")


def test_an_id_that_the_journal_knows_is_taken(journal):
    interrupted(journal)
    with pytest.raises(DuplicateRun, match=r"'r' exists already \(it is cancelled\)"):
        chain_hub(journal)[0].start("flow", "goal", run_id="r")


def test_a_run_that_somebody_drives_is_refused(journal):
    hub, _ = chain_hub(journal)
    refused: list[str] = []

    def b(value):
        other, _ = chain_hub(journal)
        with pytest.raises(RunLocked) as caught:
            other.resume("r", verbose=False)
        refused.append(str(caught.value))
        return "B"

    hub, _ = chain_hub(journal, b=b)
    assert hub.execute_workflow("flow", "goal", verbose=False, run_id="r").state == "completed"
    assert len(refused) == 1
    assert "this process" in refused[0]


def test_between_two_steps_another_hub_may_go_on_and_the_first_is_told(journal):
    hub, _ = chain_hub(journal)
    run = hub.start("flow", "goal", run_id="r")
    run.step()
    other, _ = chain_hub(journal)
    other.resume("r", verbose=False)
    with pytest.raises(RunStateError, match="gone on elsewhere.*get_run"):
        run.step()
    assert hub.get_run("r").state == "completed"
    assert hub.get_run("r").next_step is None


def test_a_run_can_be_looked_at_without_its_workers_but_not_driven(journal):
    interrupted(journal)
    hub = Orchestrator(journal=journal)
    run = hub.get_run("r")
    assert [entry["path"] for entry in run.history] == ["a#1", "b#1"]
    assert run.workflow.name == "flow"
    assert len(run.to_frame()) == 2
    with pytest.raises(Exception, match="Workflow not found: 'flow'"):
        hub.resume("r", verbose=False)
    hub.register_workflow(workflow_of(*CHAIN))
    with pytest.raises(MissingWorkers):
        hub.resume("r", verbose=False)


def test_a_workflow_that_leads_elsewhere_is_refused_before_anything_is_done(journal):
    interrupted(journal)
    rows = journal.rows("r")
    calls: list = []
    other = workflow_of(step("a", "c"), step("c", "b"), step("b"))
    hub = hub_of(other, {name: calls.append for name in "abc"}, journal=journal)
    with pytest.raises(DefinitionChanged, match=r"part at a#1: on record, it goes on to 'b'.*goes on to 'c'"):
        hub.resume("r", verbose=False)
    assert calls == []
    assert journal.rows("r") == rows
    assert hub.get_run("r").history[0]["next_step"] == "b"


def test_a_workflow_that_changed_only_ahead_is_followed(journal):
    interrupted(journal)
    hub, _ = chain_hub(journal)
    hub.register_workflow(
        workflow_of(step("a", "b"), step("b", "extra"), step("extra", "c", worker_type="c"), step("c"))
    )
    context = hub.resume("r", verbose=False)
    assert [entry["step"] for entry in context.history] == ["a", "b", "b", "extra", "c"]


def test_what_cannot_be_put_on_record_fails_its_step_with_a_clear_error(journal):
    hub, _ = chain_hub(journal, b=lambda value: {"rows": [1, object()]})
    context = hub.execute_workflow("flow", "goal", verbose=False, run_id="r")
    entry = context.history[-1]
    assert (context.state, entry["error_type"]) == ("failed", "NotRecordable")
    assert "the output of step 'b'" in entry["error"]
    assert "object" in entry["error"]
    assert len(chain_hub(journal)[0].get_run("r").history) == 2


def test_what_cannot_be_put_on_record_is_not_tried_again_but_takes_the_failure_path(journal):
    workflow = workflow_of(step("a", "c", on_failure="c", max_retries=3), step("c"))
    worker = ScriptedWorker(object(), repeat_last=True)
    hub = hub_of(workflow, {"a": worker, "c": lambda value: "C"}, journal=journal)
    context = hub.execute_workflow("flow", "goal", verbose=False)
    assert context.state == "completed"
    assert len(worker.calls) == 1


def test_data_that_cannot_be_put_on_record_is_named_by_its_key(journal):
    def b(value, context):
        context.data["client"] = object()

    hub, _ = chain_hub(journal, b=b)
    assert "data['client']" in hub.execute_workflow("flow", "goal", verbose=False).error


def test_initial_data_that_cannot_be_put_on_record_is_refused_at_once(journal):
    hub, calls = chain_hub(journal)
    with pytest.raises(NotRecordable, match=r"initial data\['client'\]"):
        hub.start("flow", "goal", {"client": object()})
    assert (calls, hub.runs()) == ([], [])


def test_a_rejected_output_that_cannot_be_put_on_record_leaves_its_reason(journal):
    workflow = workflow_of(step("a", "c", success_when=lambda output, context: False, on_failure="c"), step("c"))
    hub = hub_of(workflow, {"a": lambda value: object(), "c": lambda value: "C"}, journal=journal)
    context = hub.execute_workflow("flow", "goal", verbose=False, run_id="r")
    entry = context.history[0]
    assert entry["error_type"] == "OutputRejected"
    assert "cannot be put on record" in entry["error"]
    assert entry["output"] == {"error": entry["error"]}


def test_an_input_transformer_whose_result_cannot_be_put_on_record_fails_before_the_worker_is_called(journal):
    called: list = []
    hub, _ = chain_hub(journal)
    worker = ScriptedWorker("B", name="b", worker_type="b").definition
    hub.register_worker(
        worker.model_copy(update={"input_transformer": lambda context: object(), "executor": called.append})
    )
    context = hub.execute_workflow("flow", "goal", verbose=False)
    assert "input_transformer of worker 'b'" in context.error
    assert called == []


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_a_run_that_is_cancelled_between_steps_is_on_record_as_that_and_may_go_on(journal, steps):
    hub, _ = chain_hub(journal)
    run = hub.start("flow", "goal", run_id="r")
    for _ in range(steps):
        run.step()
    run.cancel("enough")
    again = chain_hub(journal)[0]
    loaded = again.get_run("r")
    assert (loaded.state, loaded.context.error) == ("cancelled", "enough")
    assert again.resume("r", verbose=False).data["c_output"] == "goalabc"


def test_a_run_reads_back_as_it_was(journal):
    workflow = workflow_of(
        step("a", "b", max_retries=2, on_failure="d"),
        step("b", "a", branches=[Branch(when="visits >= 2", to="c")], success_when="output.n > 0", on_failure="a"),
        step("c"),
        step("d"),
    )

    def a(value, context):
        context.data["log"] = [*context.data.get("log", []), {"visit": context.visit}]
        context.data["deep"] = {"k": {"l": list(range(10))}, **{f"x{i}": i for i in range(6)}}
        if context.visit == 2:
            context.data["deep"]["k"]["l"].append("more")
            del context.data["start"]
        context.add_usage(input_tokens=3, cost_usd=0.5)
        if context.attempt == 1 and context.visit == 1:
            raise ValueError("no")
        return {"n": context.visit}

    workers = {"a": a, "b": lambda value: value, "c": lambda value: (1, b"x", {2}), "d": str}
    hub = hub_of(workflow, workers, journal=journal, clock=FakeClock())
    run = hub.start("flow", "goal", {"start": 1}, run_id="r")
    run.run()
    loaded = hub_of(workflow, workers, journal=journal).get_run("r")
    assert loaded.events == run.events
    assert loaded.history == run.history
    assert dict(loaded.context.data) == dict(run.context.data)
    assert_same_flow(loaded, run)
    assert isinstance(loaded.events[0], RunStarted)
    assert isinstance(loaded.events[-1], RunFinished)
    assert not any(isinstance(event, RunResumed) for event in loaded.events)


@pytest.mark.parametrize("run_id", [5, None, "", b"r"])
def test_a_run_is_named_by_its_id(journal, run_id):
    hub, _ = chain_hub(journal)
    for ask in (hub.get_run, hub.forget, lambda run_id: hub.resume(run_id, verbose=False)):
        with pytest.raises(TypeError, match="run_id is a text"):
            ask(run_id)
