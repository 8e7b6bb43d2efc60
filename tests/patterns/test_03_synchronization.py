from __future__ import annotations

import asyncio
import threading

from orchestration_kit import ParallelStep
from orchestration_kit.engine.events import AttemptFinished
from tests.branches.doors import ends_of, flow_of, hub_of, paths, run_flow
from tests.support import step

FLOW = flow_of(
    ParallelStep(step_id="p", branches={"slow": "s", "quick": "q"}, on_success="end"),
    step("s", "s2", is_terminal=False),
    step("s2", is_terminal=False),
    step("q", is_terminal=False),
    step("end"),
)


def test_03_what_follows_begins_once_when_all_branches_have_ended(door):
    seen = []
    workers = {"s": lambda _: seen.append("s"), "s2": lambda _: seen.append("s2"), "q": lambda _: seen.append("q")}
    run = run_flow(FLOW, {**workers, "end": lambda _: sorted(seen)}, door)
    assert paths(run) == ["p#1[slow]/s#1", "p#1[slow]/s2#1", "p#1[quick]/q#1", "p#1", "end#1"]
    assert run.context.data["end_output"] == ["q", "s", "s2"]
    assert ends_of(run, "p#1") == {"slow": "completed", "quick": "completed"}


def test_03_the_history_is_in_the_order_of_the_definition_whoever_ended_first():
    quick_is_on_record = threading.Event()

    def listen(event):
        if isinstance(event, AttemptFinished) and event.step == "q":
            quick_is_on_record.set()

    workers = {"s": lambda _: quick_is_on_record.wait(30), "s2": str, "q": str, "end": dict}
    run = hub_of(FLOW, workers, observers=[listen]).start("flow", "go")
    run.run()
    arrived = [event.path for event in run.machine.arrivals() if hasattr(event, "attempt")]
    assert arrived.index("p#1[quick]/q#1") < arrived.index("p#1[slow]/s#1")
    assert paths(run) == ["p#1[slow]/s#1", "p#1[slow]/s2#1", "p#1[quick]/q#1", "p#1", "end#1"]


def test_03_in_a_loop_too():
    async def main():
        quick_is_done = asyncio.Event()

        async def slow(_):
            await quick_is_done.wait()

        async def quick(_):
            quick_is_done.set()

        run = hub_of(FLOW, {"s": slow, "s2": str, "q": quick, "end": dict}).start("flow", "go")
        await run.arun()
        return run

    run = asyncio.run(main())
    assert paths(run) == ["p#1[slow]/s#1", "p#1[slow]/s2#1", "p#1[quick]/q#1", "p#1", "end#1"]
