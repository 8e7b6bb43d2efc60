"""Runs with branches that failed or died go on from their record: nothing that was done is done again, nor lost."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from orchestration_kit import MapStep, Orchestrator, ParallelStep, Spawn
from orchestration_kit.engine.replay import replay
from orchestration_kit.journal import MemoryJournal
from orchestration_kit.journal.loading import load_run
from tests.support import hub_of, step, workflow_of


class Mended:
    """A worker that fails until it is mended."""

    def __init__(self) -> None:
        self.is_mended = False
        self.made: list[str] = []
        self.undone: list[str] = []

    def work(self, given: Any, context: Any) -> Any:
        self.made.append(context.path)
        return given

    def breaks(self, given: Any, context: Any) -> Any:
        if not self.is_mended:
            raise RuntimeError("not mended yet")
        return "mended"

    def undo(self, given: Any, context: Any) -> Any:
        self.undone.append(context.path)


def paths(run: Any) -> list[str]:
    return [entry["path"] for entry in run.history]


def resumed(workers: Mended, hub: Orchestrator, other: Orchestrator) -> Any:
    """Run, fail, mend, and go on in a hub that knows the run by its journal alone."""
    run = hub.start("flow", "goal", {"items": [0, 1, 2, 3]}, run_id="r")
    assert run.run().state == "failed"
    workers.is_mended = True
    again = other.reopen("r")
    context = again.run()
    assert context.state == "completed", context.history[-1]
    assert load_run(other.journal, "r").events == again.machine.arrivals()
    assert replay(again).is_same
    identities = [(entry["path"], entry["attempt"]) for entry in again.history]
    assert len(set(identities)) == len(identities)
    return again


@pytest.mark.parametrize("cap", [1, 10])
def test_a_map_that_was_cut_off_with_the_branch_around_it_goes_on(cap):
    workers, journal = Mended(), MemoryJournal()
    begun = threading.Event()

    def work(given: Any, context: Any) -> Any:
        begun.set()
        return workers.work(given, context)

    def breaks(given: Any, context: Any) -> Any:
        begun.wait(5)
        return workers.breaks(given, context)

    flow = workflow_of(
        ParallelStep(step_id="p", branches={"left": "each", "right": "breaks"}, on_success="end"),
        MapStep(step_id="each", over="data.items", body="work", max_concurrency=cap),
        step("work", "more"),
        step("more", worker_type="work"),
        step("breaks"),
        step("end"),
    )
    flow.steps["each"].is_terminal = True
    kinds = {"work": work, "breaks": breaks, "end": lambda given: given}
    run = resumed(workers, hub_of(flow, kinds, journal=journal), hub_of(flow, kinds, journal=journal))
    assert run.context.data["end_output"] == {"left": [0, 1, 2, 3], "right": "mended"}
    completed = [entry["path"] for entry in run.history if entry["success"]]
    assert len(set(completed)) == len(completed)


def test_branches_that_were_undone_are_all_made_again_and_numbered_on():
    workers, journal = Mended(), MemoryJournal()
    flow = workflow_of(
        ParallelStep(step_id="p", branches={"a": "pay", "b": "breaks"}, failure="all_or_nothing", max_concurrency=1, on_success="end"),
        step("pay", worker_type="work", compensate="undo"),
        step("breaks"),
        step("undo"),
        step("end"),
    )  # fmt: skip
    kinds = {"work": workers.work, "breaks": workers.breaks, "undo": workers.undo, "end": lambda given: given}
    run = resumed(workers, hub_of(flow, kinds, journal=journal), hub_of(flow, kinds, journal=journal))
    assert (workers.made, workers.undone) == (["p#1[a]/pay#1", "p#1[a]/pay#2"], ["p#1[undo]/undo#1"])
    assert paths(run) == [
        "p#1[a]/pay#1", "p#1[b]/breaks#1", "p#1[undo]/undo#1", "p#1",
        "p#1[a]/pay#2", "p#1[b]/breaks#2", "p#1", "end#1",
    ]  # fmt: skip


def test_branches_that_were_undone_twice_are_undone_under_other_positions():
    workers, journal = Mended(), MemoryJournal()
    flow = workflow_of(
        ParallelStep(step_id="p", branches={"a": "pay", "b": "breaks"}, failure="all_or_nothing", max_concurrency=1, is_terminal=True),
        step("pay", worker_type="work", compensate="undo"),
        step("breaks"),
        step("undo"),
    )  # fmt: skip
    hub = hub_of(flow, {"work": workers.work, "breaks": workers.breaks, "undo": workers.undo}, journal=journal)
    run = hub.start("flow", "goal", run_id="r")
    run.run()
    for _ in range(2):
        assert hub.reopen("r").run().state == "failed"
    assert workers.undone == [f"p#1[undo]/undo#{n}" for n in (1, 2, 3)]
    assert load_run(journal, "r").events == hub.get_run("r").machine.arrivals()


def test_what_was_spawned_and_failed_is_no_reason_to_ask_its_worker_again():
    workers, asked = Mended(), []

    def plan(given: Any, context: Any) -> Any:
        asked.append(context.attempt)
        return Spawn(workflow_of(step("breaks"), name="made"))

    flow = workflow_of(step("plan", "end", max_retries=3, on_failure="end"), step("end"))
    hub = hub_of(flow, {"plan": plan, "breaks": workers.breaks, "end": lambda given: given})
    context = hub.execute_workflow("flow", "goal", verbose=False)
    assert asked == [1]
    assert [(entry["path"], entry["attempt"]) for entry in context.history] == [
        ("plan#1", 1), ("plan#1[spawn]/breaks#1", 1), ("plan#1", 2), ("end#1", 1),
    ]  # fmt: skip


@pytest.mark.parametrize("first", ["left", "right"])
def test_items_that_branches_of_an_item_add_have_keys_that_hang_on_no_timing(first):
    turn = threading.Event()

    def look(given: Any, context: Any) -> Any:
        if isinstance(given, int):
            if context.branch != first:
                turn.wait(5)
            context.add_item(f"from {context.branch}")
            context.add_item(f"again from {context.branch}")
            threading.Timer(0.02, turn.set).start() if context.branch == first else None
        return given

    inside = workflow_of(
        ParallelStep(step_id="sides", branches={"left": "look", "right": "look"}, is_terminal=True), step("look"), name="inside"
    )  # fmt: skip
    flow = workflow_of(MapStep(step_id="m", over="data.items", body=inside, is_terminal=True))
    journal = MemoryJournal()
    hub = hub_of(flow, {"look": look}, journal=journal)
    context = hub.execute_workflow("flow", "goal", {"items": [7]}, run_id="r", verbose=False)
    assert list(context.history[-1]["detail"]["branches"]) == ["0", "0.0-0", "0.0-1", "0.1-0", "0.1-1"]
    assert [output["left"] for output in context.data["m_output"]] == [
        7, "from left", "again from left", "from right", "again from right",
    ]  # fmt: skip
    assert load_run(journal, "r").events == hub.get_run("r").machine.arrivals()
