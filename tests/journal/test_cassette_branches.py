"""Cassettes of runs with branches: taped wherever a worker stands, whatever the timing, and replayed to the same history."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from orchestration_kit import MapStep, Orchestrator, ParallelStep, Spawn, SubworkflowStep
from orchestration_kit.journal import Cassette
from orchestration_kit.journal.cassette import CassetteMiss, cassette
from tests.journal.tapes import history, run
from tests.support import hub_of, step, workflow_of


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tape.yaml"


def never(given: Any, context: Any) -> Any:
    raise AssertionError("a worker was called")


def paths(path: Path) -> list[str]:
    return [one.path for one in Cassette(path)]


class Places:
    """Workers within a map, an inline workflow in it, a spawned workflow and a sub-workflow; slow ones end last."""

    def __init__(self, slow: int = 0) -> None:
        self.calls: list[str] = []
        self.slow = slow

    def note(self, given: Any, context: Any) -> Any:
        self.calls.append(context.path)
        if context.branch == str(self.slow):
            time.sleep(0.02)
        context.data["seen"] = context.path
        return [given, context.branch]

    def plan(self, given: Any, context: Any) -> Any:
        self.calls.append(context.path)
        context.add_usage(input_tokens=7)
        if context.path.startswith("each#1[0]"):
            context.add_item({"more": True})
        return Spawn(workflow_of(step("look", worker_type="note"), name="made"), input=[given, "spawned"])

    def hub(self, worker: Any = None, **options: Any) -> Orchestrator:
        inside = workflow_of(step("plan", "check"), step("check", worker_type="note"), name="inside")
        flow = workflow_of(
            MapStep(step_id="each", over="data.items", body=inside, reducer="last", on_success="both"),
            ParallelStep(step_id="both", branches={"l": "left", "r": "right"}, reducer="last", on_success="sub"),
            step("left", worker_type="note"),
            step("right", worker_type="note"),
            SubworkflowStep(step_id="sub", workflow="ship", on_success="end"),
            step("end", worker_type="note"),
        )
        hub = hub_of(flow, {"note": worker or self.note, "plan": worker or self.plan}, **options)
        hub.register_workflow(workflow_of(step("pack", worker_type="note"), name="ship"))
        return hub


DATA = {"items": ["a", "b", "c"]}


@pytest.mark.parametrize("in_loop", [False, True], ids=["sync", "in a loop"])
def test_workers_are_taped_wherever_they_stand_and_replayed_from_there(path, in_loop):
    made = Places()
    with cassette(path):
        first = run(made.hub(), initial_data=DATA, run_id="r", in_loop=in_loop)
    assert first.state == "completed"
    assert sorted(paths(path)) == sorted(made.calls)
    assert {"each#1[0.0]/plan#1", "each#1[1]/plan#1[spawn]/look#1", "both#1[l]/left#1", "pack#1", "end#1"} <= set(
        paths(path)
    )
    with cassette(path, "replay") as tape:
        again = run(Places().hub(never), initial_data=DATA, run_id="r", in_loop=in_loop)
    assert (tape.misses, tape.hits) == (0, len(made.calls))
    assert history(again) == history(first)
    assert again.data == first.data


def test_the_file_is_the_same_whatever_the_timing(tmp_path):
    texts = []
    for slow in range(3):
        path = tmp_path / f"{slow}.yaml"
        with cassette(path):
            run(Places(slow).hub(), initial_data=DATA, run_id="r")
        texts.append(path.read_text())
    assert len(set(texts)) == 1


def test_many_attempts_at_once_are_all_taped(path):
    at_once = threading.Barrier(8, timeout=10)

    def work(given: Any) -> Any:
        at_once.wait()
        return given

    flow = workflow_of(
        MapStep(step_id="m", over="data.items", body="work", max_concurrency=8, is_terminal=True), step("work")
    )
    with cassette(path):
        run(hub_of(flow, {"work": work}), initial_data={"items": list(range(24))})
    assert paths(path) == [f"m#1[{n}]/work#1" for n in range(24)]


def race(join: Any = "any") -> Any:
    return workflow_of(
        ParallelStep(step_id="p", branches={"slow": "slow", "fast": "fast"}, join=join, on_success="end"),
        step("slow"),
        step("fast"),
        step("end"),
    )


@pytest.mark.parametrize("in_loop", [False, True], ids=["sync", "in a loop"])
def test_a_race_has_the_same_winner_and_losers_in_a_replay(path, in_loop):
    async def aslow(given: Any) -> Any:
        await asyncio.sleep(10)

    def slow(given: Any) -> Any:
        time.sleep(0.5)
        return "late"

    workers = {"slow": aslow if in_loop else slow, "fast": lambda given: "first", "end": lambda given: given}
    with cassette(path):
        first = run(hub_of(race(), workers), in_loop=in_loop)
    assert first.data["p_output"] == {"fast": "first"}
    assert {one.path: "cancelled" in one.body for one in Cassette(path)}["p#1[slow]/slow#1"] is True
    with cassette(path, "replay"):
        again = run(hub_of(race(), dict.fromkeys(workers, never)), in_loop=in_loop)
    assert history(again) == history(first)


@pytest.mark.parametrize("in_loop", [False, True], ids=["sync", "in a loop"])
def test_a_loser_that_is_waited_for_now_is_a_miss_and_no_run_without_end(path, monkeypatch, in_loop):
    monkeypatch.setattr("orchestration_kit.journal.cassette.taped_attempt.PATIENCE_S", 0.1)
    workers = {"slow": lambda given: time.sleep(0.3), "fast": lambda given: "first", "end": lambda given: given}
    with cassette(path):
        run(hub_of(race(), workers))
    with cassette(path, "replay"), pytest.raises(CassetteMiss, match="was cancelled, as the join was decided"):
        run(hub_of(race("all"), dict.fromkeys(workers, never)), in_loop=in_loop)


def test_a_spawned_workflow_that_cannot_be_taped_fails_its_attempt_each_time(path):
    def plan(given: Any) -> Any:
        return Spawn(workflow_of(step("look", success_when=lambda output, context: True), name="made"))

    flow = workflow_of(step("plan"))
    with cassette(path):
        first = run(hub_of(flow, {"plan": plan, "look": never}))
    assert first.state == "failed"
    with cassette(path, "replay"):
        again = run(hub_of(flow, {"plan": never, "look": never}))
    assert history(again) == history(first)


SPAWN = "cassette: 1\nrecordings:\n  - path: plan#1\n    attempt: 1\n    worker: plan\n    input: goal\n    spawn:\n"


@pytest.mark.parametrize(
    "spawn",
    ["      workflow: 3\n", "      input: 3\n", "      workflow: {steps: 3}\n", "      workflow: {name: x, code: y}\n"],
)
def test_a_forged_spawn_is_a_miss(path, spawn):
    path.write_text(SPAWN + spawn)
    with cassette(path, "replay"), pytest.raises(CassetteMiss, match="cannot be used"):
        run(hub_of(workflow_of(step("plan")), {"plan": never}))
