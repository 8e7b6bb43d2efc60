"""The hub: registering, starting, and refusing what is wrong before anything runs."""

from __future__ import annotations

import asyncio

import pytest

from orchestration_kit import (
    Orchestrator,
    RunLimits,
    WorkerDefinition,
    WorkflowDefinition,
    create_build_website_workflow,
)
from orchestration_kit.errors import DuplicateRun, InvalidGoal, InvalidWorker, MissingWorkers, UnknownWorkflow
from orchestration_kit.interchange import from_mermaid
from orchestration_kit.testing import ScriptedWorker
from tests.support import hub_of, step, workflow_of


def test_an_unknown_workflow_is_named_with_the_known_ones():
    hub = hub_of(workflow_of(step("only"), name="greet"), {})
    with pytest.raises(UnknownWorkflow, match=r"'gret'.*Did you mean 'greet'.*Registered: greet"):
        hub.execute_workflow("gret", "goal", verbose=False)
    with pytest.raises(ValueError, match="Registered: none"):
        Orchestrator().execute_workflow("gret", "goal")


def test_missing_workers_are_named_all_at_once_before_the_first_step_runs():
    called = []
    hub = hub_of(create_build_website_workflow(), {"product_manager": called.append})
    with pytest.raises(MissingWorkers) as caught:
        hub.execute_workflow("build_website", "goal", verbose=False)
    assert caught.value.missing == {
        "a worker of type 'coder'": ["implement_code"],
        "a worker of type 'reviewer'": ["review_code"],
    }
    assert "register_worker" in str(caught.value)
    assert called == []
    assert hub.last_run is None


def test_a_worker_named_by_a_step_must_be_there_even_where_the_type_is():
    hub = hub_of(workflow_of(step("a", worker="Ada")), {"a": str})
    with pytest.raises(MissingWorkers, match="worker 'Ada': needed by a"):
        hub.start("flow", "goal")


def test_a_worker_whose_name_was_taken_by_one_of_another_type_is_told_of_where_it_is_missed():
    hub = hub_of(workflow_of(step("a", "b", worker_type="topic"), step("b")), {})
    for worker_type in ("topic", "urgency"):
        hub.register_worker(WorkerDefinition(worker_type=worker_type, name="Pipeline", executor=str))
    with pytest.raises(MissingWorkers) as caught:
        hub.start("flow", "goal")
    assert "Pipeline (urgency; it replaced a topic of that name: name= tells them apart)" in str(caught.value)
    hub.register_worker(WorkerDefinition(worker_type="topic", name="Topics", executor=str))
    assert hub.start("flow", "goal").run().state == "completed"


def test_of_several_workers_of_a_type_the_last_is_used_and_each_can_be_named():
    hub = Orchestrator()
    for name in ("first", "second"):
        hub.register_worker(WorkerDefinition(worker_type="w", name=name, executor=lambda _, name=name: name))
    hub.register_workflow(workflow_of(step("a", "b", worker_type="w"), step("b", worker_type="w", worker="first")))
    data = hub.execute_workflow("flow", "goal", verbose=False).data
    assert (data["a_output"], data["b_output"]) == ("second", "first")


def test_registering_a_worker_again_replaces_it_for_the_next_run():
    hub = hub_of(workflow_of(step("a")), {"a": lambda _: 1})
    assert hub.execute_workflow("flow", "g", verbose=False).data["a_output"] == 1
    hub.register_worker(WorkerDefinition(worker_type="a", name="a", executor=lambda _: 2))
    assert hub.execute_workflow("flow", "g", verbose=False).data["a_output"] == 2


def test_later_changes_of_a_definition_do_not_reach_what_was_registered():
    workflow = workflow_of(step("a", "b"), step("b"), step("c", "b"), name="flow")
    workflow.steps.pop("c")
    hub = hub_of(workflow, {"a": str, "b": str, "c": str})
    workflow.steps["a"].on_success = "a"
    workflow.steps.pop("b")
    assert [e["step"] for e in hub.execute_workflow("flow", "g", verbose=False).history] == ["a", "b"]


@pytest.mark.parametrize(
    ("goal", "said"),
    [("", "is empty"), (" \n", "is empty"), ("x" * 1_000_001, "1,000,001 characters"), (None, "NoneType"), (7, "int")],
)
def test_a_bad_goal_is_refused_and_starts_nothing(goal, said):
    hub = hub_of(workflow_of(step("a")), {"a": str})
    with pytest.raises(InvalidGoal, match=said):
        hub.execute_workflow("flow", goal, verbose=False)
    assert hub.last_run is None


def test_a_used_run_id_is_refused_and_the_error_names_resume():
    hub = hub_of(workflow_of(step("a")), {"a": str})
    first = hub.execute_workflow("flow", "g", verbose=False, run_id="mine")
    assert first.workflow_id == "mine"
    with pytest.raises(DuplicateRun, match=r"'mine' exists already \(it is completed\).*resume"):
        hub.execute_workflow("flow", "g", verbose=False, run_id="mine")
    assert hub.get_run("mine").context.data == first.data


def test_run_ids_are_made_up_and_differ():
    hub = hub_of(workflow_of(step("a")), {"a": str})
    ids = {hub.start("flow", "g").run_id for _ in range(100)}
    assert len(ids) == 100
    assert all(run_id.startswith("flow_") for run_id in ids)
    assert hub.get_run(hub.last_run.run_id) is hub.last_run
    with pytest.raises(ValueError, match="No run 'nope' is known"):
        hub.get_run("nope")


@pytest.mark.parametrize(
    ("executor", "said"),
    [
        ("not callable", "its executor is str, which cannot be called"),
        (None, "its executor is NoneType"),
        (lambda: None, r"cannot be called with \(input_data, context\)"),
        (lambda a, b, c: None, "cannot be called with"),
        (lambda a, *, key: None, "cannot be called with"),
        (ScriptedWorker, "its executor is the class ScriptedWorker"),
    ],
)
def test_a_worker_that_cannot_be_called_is_refused_at_registration(executor, said):
    hub = Orchestrator()
    with pytest.raises(InvalidWorker, match=said) as caught:
        hub.register_worker(WorkerDefinition(worker_type="w", name="bad", executor=executor))
    assert "'bad'" in str(caught.value)
    assert hub.workers == {}


@pytest.mark.parametrize("field", ["input_transformer", "output_transformer"])
def test_a_transformer_that_cannot_be_called_is_refused_at_registration(field):
    worker = WorkerDefinition(worker_type="w", name="bad", executor=str, **{field: lambda a, b, c: 1})
    with pytest.raises(InvalidWorker, match=field):
        Orchestrator().register_worker(worker)


def test_an_output_schema_that_is_no_type_is_refused_at_registration():
    worker = WorkerDefinition(worker_type="w", name="bad", executor=str, output_schema=object())
    with pytest.raises(InvalidWorker, match="output_schema"):
        Orchestrator().register_worker(worker)


def test_initial_data_is_copied_and_must_have_text_keys():
    seen = []
    hub = hub_of(workflow_of(step("a")), {"a": lambda _, c: c.data["items"].append(3) or seen.append(c.data["items"])})
    mine = {"items": [1, 2]}
    hub.execute_workflow("flow", "g", mine, verbose=False)
    assert (mine, seen) == ({"items": [1, 2]}, [[1, 2, 3]])
    for bad in ({1: 2}, [("a", 1)]):
        with pytest.raises(TypeError, match="initial_data is a dict with text keys"):
            hub.execute_workflow("flow", "g", bad, verbose=False)


def test_the_first_step_gets_the_goal_and_each_next_one_the_output_before_it():
    worker = ScriptedWorker("one", "two")
    hub = hub_of(workflow_of(step("a", "b"), step("b")), {"a": worker, "b": worker})
    hub.execute_workflow("flow", "the goal", verbose=False)
    assert worker.calls == ["the goal", "one"]


def test_observers_get_every_event_in_order_and_one_that_raises_is_left_out(caplog):
    seen, broken = [], []

    def bad(event):
        broken.append(event)
        raise RuntimeError("observer down")

    hub = hub_of(workflow_of(step("a", "b"), step("b")), {"a": str, "b": str}, observers=[bad, seen.append])
    hub.execute_workflow("flow", "g", verbose=False)
    assert [type(event).__name__ for event in seen] == [
        "RunStarted", "AttemptStarted", "AttemptFinished", "AttemptStarted", "AttemptFinished", "RunFinished",
    ]  # fmt: skip
    assert seen[1].path == "a#1"
    assert len(broken) == 1
    assert "observer down" in caplog.text


def test_sync_and_async_doors_work_inside_a_running_event_loop():
    async def aworker(text):
        await asyncio.sleep(0)
        return text + "!"

    async def notebook_cell():
        hub = hub_of(workflow_of(step("a", "b"), step("b")), {"a": aworker, "b": lambda text: text * 2})
        blocking = hub.execute_workflow("flow", "hi", verbose=False)
        awaited = await hub.aexecute_workflow("flow", "hi", verbose=False)
        run = hub.start("flow", "hi")
        assert run.step()["output"] == "hi!"
        return blocking.data["b_output"], awaited.data["b_output"], (await run.arun()).data["b_output"]

    assert asyncio.run(notebook_cell()) == ("hi!hi!",) * 3


def test_a_worker_may_run_another_workflow_on_the_hub_also_from_the_engine_thread():
    hub = hub_of(workflow_of(step("inner"), name="inside"), {})

    async def inner(text):
        await asyncio.sleep(0)
        return text.upper()

    async def outer(text):
        return hub.execute_workflow("inside", text, verbose=False).data["inner_output"]

    hub.register_worker(WorkerDefinition(worker_type="inner", name="inner", executor=inner))
    hub.register_worker(WorkerDefinition(worker_type="outer", name="outer", executor=outer))
    hub.register_workflow(workflow_of(step("outer"), name="outside"))
    assert hub.execute_workflow("outside", "hi", verbose=False).data["outer_output"] == "HI"


def test_async_clients_survive_from_run_to_run_as_all_sync_doors_share_one_loop():
    loops = []

    async def worker(text):
        loops.append(asyncio.get_running_loop())
        return text

    hub = hub_of(workflow_of(step("a")), {"a": worker})
    for _ in range(3):
        hub.execute_workflow("flow", "g", verbose=False)
    assert len(set(map(id, loops))) == 1


def test_limits_of_the_hub_are_for_runs_that_bring_none():
    hub = hub_of(workflow_of(step("a", "a2"), step("a2", "a", worker_type="a", branches=[{"when": "visits > 50", "to": "end"}]), step("end")),
                 {"a": str, "end": str}, limits=RunLimits(max_steps=5))  # fmt: skip
    assert len(hub.execute_workflow("flow", "g", verbose=False).history) == 5
    assert len(hub.execute_workflow("flow", "g", verbose=False, limits=RunLimits(max_steps=9)).history) == 9


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda hub: hub.execute_workflow(workflow_of(step("a")), "g"), "register it, then give its name, 'flow'"),
        (lambda hub: hub.start(7, "g"), "by the name of a registered workflow, not by 7"),
        (lambda hub: hub.register_worker(str), "register_worker takes a WorkerDefinition"),
        (lambda hub: hub.register_workflow({"a": 1}), "register_workflow takes a WorkflowDefinition"),
        (lambda hub: hub.register_workflow(from_mermaid("graph TD; a --> b")), "give .workflow of the Imported"),
        (lambda hub: workflow_of(step("a")).add_step("b"), "add_step takes a step of any kind"),
        (lambda hub: hub.start("flow", "g", limits={"max_steps": 5}), r"limits is RunLimits\(max_steps="),
        (lambda hub: Orchestrator(limits=5), "limits is RunLimits"),
        (lambda hub: hub.start("flow", "g", run_id=""), "run_id is a text"),
        (lambda hub: hub.start("flow", "g", run_id=5), "run_id is a text"),
        (lambda hub: hub.start("flow", "g", observers=[5]), "5 cannot be called"),
        (lambda hub: hub.start("flow", "g", observers=[asyncio.sleep]), "is async, and nobody awaits it"),
        (lambda hub: hub.start("flow", "g").run_until(5), "name a step by its id"),
        (lambda hub: WorkflowDefinition("a", "b", "c", "d"), "takes no more by position"),
    ],
)
def test_a_call_with_the_wrong_kind_of_thing_says_what_is_right(call, said):
    hub = hub_of(workflow_of(step("a")), {"a": str})
    with pytest.raises(TypeError, match=said):
        call(hub)


def test_a_worker_that_takes_context_by_keyword_only_is_refused():
    def worker(text, *, context=None): ...

    with pytest.raises(InvalidWorker, match="takes context by keyword only"):
        Orchestrator().register_worker(WorkerDefinition(worker_type="w", name="w", executor=worker))


def test_a_worker_registered_again_under_another_type_leaves_its_old_type():
    hub = hub_of(workflow_of(step("a", "end"), step("end")), {"a": str})
    hub.register_worker(WorkerDefinition(worker_type="b", name="a", executor=str))
    assert "a" not in hub.workers
    with pytest.raises(MissingWorkers):
        hub.start("flow", "g")


def test_a_named_run_can_be_forgotten_and_its_id_used_again():
    hub = hub_of(workflow_of(step("a")), {"a": str})
    hub.execute_workflow("flow", "g", verbose=False, run_id="mine")
    hub.forget("mine")
    hub.execute_workflow("flow", "g", verbose=False, run_id="mine")


def test_an_observer_that_takes_itself_off_and_raises_harms_nobody(caplog):
    def leaving(event):
        hub.last_run.audience.observers.clear()
        raise RuntimeError("bye")

    hub = hub_of(workflow_of(step("a")), {"a": str})
    assert hub.start("flow", "g", observers=[leaving]).run().state == "completed"


def test_changing_what_the_hub_shows_changes_no_run():
    hub = hub_of(workflow_of(step("a", "b"), step("b")), {"a": str, "b": str})
    hub.workflows["flow"].steps["a"].worker = "nobody"
    hub.workflows["flow"].add_step(step("c"))
    assert [entry["step"] for entry in hub.execute_workflow("flow", "g", verbose=False).history] == ["a", "b"]


def test_workers_are_listed_by_name_with_their_type():
    hub = Orchestrator()
    for name, kind in (("first", "coder"), ("second", "coder"), ("third", "reviewer")):
        hub.register_worker(WorkerDefinition(worker_type=kind, name=name, executor=str))
    assert hub.named_workers() == {"first": "coder", "second": "coder", "third": "reviewer"}


def test_a_hub_finds_the_handles_that_somebody_holds(tmp_path):
    hub = hub_of(workflow_of(step("a")), {"a": str}, journal=tmp_path / "runs.db")
    held = hub.start("flow", "g")
    held.run()
    hub.start("flow", "another").run()
    assert hub.get_run(held.run_id) is held
    assert held in hub.handles()
