"""What the core can do in a browser: one function each, run in CPython without threads and in Pyodide alike.

`await tell()` prints a line of JSON for each: its name, and `ok`, the package that is missing, or what went wrong.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

import orchestration_kit as kit
from orchestration_kit import (
    MapStep,
    Orchestrator,
    ParallelStep,
    WorkerDefinition,
    WorkflowDefinition,
    WorkflowStep,
)

CAPABILITIES: list[Any] = []
OPTIONAL = ("pandas", "numpy", "rpds", "yaml")
"""What Pyodide brings itself, and an installation without its packages lacks."""


def capability(function: Any) -> Any:
    CAPABILITIES.append(function)
    return function


def hub_of(*workers: Any, **options: Any) -> Orchestrator:
    hub = Orchestrator(**options)
    for worker in workers:
        hub.register_worker(WorkerDefinition(worker_type=worker.__name__, name=worker.__name__, executor=worker))
    return hub


def one_step(hub: Orchestrator, **fields: Any) -> Orchestrator:
    step = WorkflowStep(step_id="work", worker_type="work", **fields)
    hub.register_workflow(WorkflowDefinition.from_edges("one", [], workers={"work": step}))
    return hub


def add(hub: Orchestrator, *edges: Any, **steps: Any) -> Orchestrator:
    hub.register_workflow(WorkflowDefinition.from_edges("w", list(edges), workers=steps))
    return hub


def work(given: Any) -> Any:
    return {"n": 1}


def left(given: Any) -> str:
    return "left"


def right(given: Any) -> str:
    return "right"


def double(given: Any) -> Any:
    return given * 2


async def wait(given: Any) -> str:
    await asyncio.sleep(0.01)
    return "waited"


def two_sides(**fields: Any) -> ParallelStep:
    return ParallelStep(step_id="both", branches={"left": "left", "right": "right"}, **fields)


@capability
def every_public_name_can_be_imported():
    for name in kit.__all__:
        getattr(kit, name)


@capability
def a_chain_runs_and_tells_its_account():
    hub = add(hub_of(work, double), ("left", "right"), left="work", right="generic")
    result = hub.execute_workflow("w", "goal")
    assert result.state.value == "completed", result.error
    assert [entry["path"] for entry in result.history] == ["left#1", "right#1"]


@capability
async def a_chain_runs_async():
    result = await add(hub_of(work, wait), ("work", "wait"), work="work", wait="wait").aexecute_workflow(
        "w", "a goal", verbose=False
    )
    assert result.get_last_output() == "waited", result.error


@capability
def an_edge_is_chosen_by_a_condition_in_text():
    hub = add(hub_of(work), ("work", "yes", "output.n == 1"), ("work", "no"), work="work", yes="generic", no="generic")
    result = hub.execute_workflow("w", "a goal", verbose=False)
    assert [entry["path"] for entry in result.history] == ["work#1", "yes#1"]


@capability
def branches_are_worked_on_in_order():
    result = add(hub_of(left, right), both=two_sides(), left="left", right="right").execute_workflow(
        "w", "a goal", verbose=False
    )
    assert result.get_last_output() == {"left": "left", "right": "right"}, result.error
    assert [entry["path"] for entry in result.history][-1] == "both#1"


@capability
def the_first_answer_of_several_is_taken():
    hub = add(hub_of(left, right), both=two_sides(join="any"), left="left", right="right")
    assert hub.execute_workflow("w", "a goal", verbose=False).state.value == "completed"


@capability
def a_failing_branch_is_tried_again_after_a_while():
    def flaky(given: Any, context: Any) -> str:
        if context.attempt < 3:
            raise OSError("not yet")
        return "at last"

    hub = hub_of(left, flaky)
    add(
        hub,
        both=ParallelStep(step_id="both", branches={"left": "left", "flaky": "flaky"}),
        left="left",
        flaky=WorkflowStep(step_id="flaky", worker_type="flaky", retry=kit.RetryPolicy(backoff_s=0.01), max_retries=3),
    )
    result = hub.execute_workflow("w", "a goal", verbose=False)
    assert result.get_last_output() == {"left": "left", "flaky": "at last"}, result.error


@capability
def a_step_is_made_for_each_of_many():
    hub = add(hub_of(double), each=MapStep(step_id="each", over="data.xs", body="double"), double="double")
    assert hub.execute_workflow("w", "a goal", {"xs": [1, 2, 3]}, verbose=False).get_last_output() == [2, 4, 6]


@capability
async def branches_are_worked_on_in_an_event_loop():
    sides = ParallelStep(step_id="both", branches={"left": "left", "wait": "wait"})
    result = await add(hub_of(left, wait), both=sides, left="left", wait="wait").aexecute_workflow(
        "w", "a goal", verbose=False
    )
    assert result.get_last_output() == {"left": "left", "wait": "waited"}, result.error


@capability
def an_attempt_is_repeated_after_a_backoff():
    def work(given: Any, context: Any) -> str:
        if context.attempt == 1:
            raise OSError("not yet")
        return "at last"

    hub = one_step(hub_of(work), max_retries=1, retry=kit.RetryPolicy(backoff_s=0.05))
    begun = time.monotonic()
    assert hub.execute_workflow("one", "a goal", verbose=False).get_last_output() == "at last"
    assert time.monotonic() - begun >= 0.04


@capability
def a_time_limit_is_held_against_a_sync_worker_when_it_returns():
    def work(given: Any) -> str:
        until = time.monotonic() + 0.03
        while time.monotonic() < until:
            pass
        return "late"

    assert (
        one_step(hub_of(work), timeout_s=5).execute_workflow("one", "a goal", verbose=False).state.value == "completed"
    )
    late = one_step(hub_of(work), timeout_s=0.01).execute_workflow("one", "a goal", verbose=False)
    assert late.state.value == "failed"
    assert "StepTimeout" in str(late.history[0]), late.history


@capability
async def a_time_limit_is_held_against_workers_in_an_event_loop():
    async def work(given: Any) -> None:
        await asyncio.sleep(5)

    result = await one_step(hub_of(work), timeout_s=0.02).aexecute_workflow("one", "a goal", verbose=False)
    assert result.state.value == "failed"

    def work(given: Any) -> None:
        time.sleep(0.03)

    result = await one_step(hub_of(work), timeout_s=0.01).aexecute_workflow("one", "a goal", verbose=False)
    assert result.state.value == "failed"
    assert "StepTimeout" in str(result.history[0]), result.history


@capability
def an_async_worker_in_a_call_that_is_not_async_runs_or_says_what_to_do():
    result = one_step(hub_of(_named(wait, "work"))).execute_workflow("one", "a goal", verbose=False)
    assert result.state.value == "completed" or "await hub.aexecute_workflow" in str(result.error)


def _named(worker: Any, name: str) -> Any:
    async def call(given: Any) -> Any:
        return await worker(given)

    call.__name__ = name
    return call


@capability
def a_journal_in_memory_keeps_runs():
    hub = one_step(hub_of(work, journal=kit.MemoryJournal()))
    hub.execute_workflow("one", "a goal", verbose=False)
    assert [run.state for run in hub.runs()] == ["completed"]


@capability
def a_run_goes_on_from_a_journal_on_disk():
    with tempfile.TemporaryDirectory() as folder:
        hub = add(hub_of(work, journal=f"{folder}/runs.db"), ("work", "end"), work="work", end="generic")
        hub.start("w", "a goal", run_id="tuesday").step()
        hub.journal.close()
        hub = add(hub_of(work, journal=f"{folder}/runs.db"), ("work", "end"), work="work", end="generic")
        result = hub.resume("tuesday", verbose=False)
        assert [entry["path"] for entry in result.history] == ["work#1", "end#1"]
        assert hub.get_run("tuesday").fork(at="end#1", input="x").run().state.value == "completed"
        hub.journal.close()


@capability
def a_cassette_records_and_replays():
    with tempfile.TemporaryDirectory() as folder:
        tape = Path(folder) / "tape.yaml"
        hub = one_step(hub_of(work))
        with kit.cassette(tape):
            hub.execute_workflow("one", "a goal", verbose=False)
        with kit.cassette(tape, mode="replay"):
            assert hub.execute_workflow("one", "a goal", verbose=False).state.value == "completed"


@capability
def workflows_are_files():
    workflow = kit.create_build_website_workflow()
    assert WorkflowDefinition.from_yaml(workflow.to_yaml()).fingerprint() == workflow.fingerprint()


@capability
def diagrams_are_drawn_without_graphviz():
    workflow = kit.create_build_website_workflow()
    assert kit.visualize(workflow).svg.startswith("<svg")
    assert "image/svg+xml" in workflow._repr_mimebundle_()
    result = one_step(hub_of(work)).execute_workflow("one", "a goal", verbose=False)
    assert kit.visualize(result).svg.startswith("<svg")
    assert kit.timeline(result)._repr_mimebundle_() if hasattr(kit.timeline(result), "_repr_mimebundle_") else True


@capability
def a_run_is_a_frame():
    frame = kit.history_frame(one_step(hub_of(work)).execute_workflow("one", "a goal", verbose=False))
    assert list(frame["path"]) == ["work#1"]


@capability
def a_person_approves():
    hub = add(Orchestrator(), ask=kit.ApprovalStep(step_id="ask", prompt="Which?", schema=str))
    run = hub.start("w", "a goal")
    run.run()
    run.approve("Grand")
    assert run.run().get_last_output() == "Grand"


@capability
async def a_run_plays_in_the_event_loop_and_pauses():
    run = add(hub_of(work, left, right), ("a", "b"), ("b", "c"), a="work", b="left", c="right").start("w", "a goal")
    run.play(visits=1)
    await run
    assert (run.next_step, run.is_finished) == ("b", False)
    run.play()
    run.pause()
    while run.is_driven:
        await asyncio.sleep(0.01)
    assert not run.is_finished
    assert (await run).state.value == "completed"


@capability
def widgets_can_be_made():
    run = one_step(hub_of(work)).start("one", "a goal")
    for widget in (kit.Player(run), kit.Composer(Orchestrator()), kit.Monitor(kit.MemoryJournal())):
        widget.close()


async def tell(only: str | None = None) -> None:
    """Run all of them, or one, and print what came of each."""
    for function in CAPABILITIES:
        if only not in (None, function.__name__):
            continue
        try:
            found = function()
            if inspect.isawaitable(found):
                await found
            outcome = "ok"
        except ModuleNotFoundError as error:
            missing = (error.name or "").split(".")[0]
            outcome = f"needs {missing}" if missing in OPTIONAL else traceback.format_exc()
        except BaseException:
            outcome = traceback.format_exc()
        print("CAPABILITY " + json.dumps({"name": function.__name__, "outcome": outcome}), flush=True)
