from __future__ import annotations

import asyncio
import threading

from orchestration_kit import ParallelStep
from tests.branches.doors import ends_of, entry_of, flow_of, hub_of, paths, run_flow, through
from tests.support import step

FLOW = flow_of(
    ParallelStep(step_id="p", branches={"left": "l", "right": "r"}, is_terminal=True),
    step("l", is_terminal=False),
    step("r", is_terminal=False),
)


def test_02_one_thread_of_control_becomes_several(door):
    run = run_flow(FLOW, {"l": lambda text: f"{text} left", "r": lambda text: f"{text} right"}, door)
    assert run.state == "completed"
    assert paths(run) == ["p#1[left]/l#1", "p#1[right]/r#1", "p#1"]
    assert [entry["branch"] for entry in run.history] == ["left", "right", None]
    join = entry_of(run, "p#1")
    assert (join["step"], join["worker"], join["worker_type"], join["input"]) == ("p", None, "parallel", "go")
    assert join["output"] == {"left": "go left", "right": "go right"}
    assert ends_of(run, "p#1") == {"left": "completed", "right": "completed"}


def test_02_branches_are_under_way_at_once_on_threads():
    met = threading.Barrier(2, timeout=30)
    run = through(
        "sync", hub_of(FLOW, {"l": lambda _: met.wait() >= 0, "r": lambda _: met.wait() >= 0}).start("flow", "go")
    )
    assert run.context.data["p_output"] == {"left": True, "right": True}


def test_02_branches_are_under_way_at_once_in_a_loop():
    async def meet():
        met = asyncio.Barrier(2)

        async def worker(_):
            await met.wait()
            return True

        run = hub_of(FLOW, {"l": worker, "r": worker}).start("flow", "go")
        await run.arun()
        return run

    assert asyncio.run(meet()).context.data["p_output"] == {"left": True, "right": True}


def test_02_a_branch_that_leads_on_and_one_that_is_a_workflow_of_its_own(door):
    inner = flow_of(step("x", "y"), step("y"), name="inner")
    flow = flow_of(
        ParallelStep(step_id="p", branches={"own": inner, "here": "a"}, on_success="end"),
        step("a", "b", is_terminal=False),
        step("b", is_terminal=False),
        step("end"),
    )
    workers = {name: lambda text, name=name: f"{text}{name}" for name in "xyab"}
    run = run_flow(flow, {**workers, "end": dict}, door)
    assert paths(run) == ["p#1[own]/x#1", "p#1[own]/y#1", "p#1[here]/a#1", "p#1[here]/b#1", "p#1", "end#1"]
    assert run.context.data["end_output"] == {"own": "goxy", "here": "goab"}
