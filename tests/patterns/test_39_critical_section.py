from __future__ import annotations

import asyncio
import threading

import pytest

from orchestration_kit import MapStep
from tests.branches.doors import flow_of, hub_of, paths, run_flow, through
from tests.support import step

FLOW = flow_of(
    MapStep(step_id="m", over="data.items", body="free", max_concurrency=8, is_terminal=True),
    step("free", "db", is_terminal=False),
    step("db", is_terminal=False, lock="db"),
)


class Section:
    """Counts who is inside at once; each one inside gives others a chance to come in as well."""

    def __init__(self):
        self.inside = self.most = 0
        self.mutex = threading.Lock()

    def enter(self):
        with self.mutex:
            self.inside += 1
            self.most = max(self.most, self.inside)

    def leave(self):
        with self.mutex:
            self.inside -= 1

    def call(self, given):
        self.enter()
        threading.Event().wait(0.001)
        self.leave()
        return given

    async def acall(self, given):
        self.enter()
        for _ in range(5):
            await asyncio.sleep(0)
        self.leave()
        return given


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_39_no_two_branches_are_in_a_critical_section_at_once(door, kind):
    section = Section()
    worker = section.call if kind == "sync" else section.acall
    run = run_flow(FLOW, {"free": lambda n: n, "db": worker}, door, data={"items": list(range(20))})
    assert run.state == "completed"
    assert section.most == 1
    assert run.context.data["m_output"] == list(range(20))
    assert paths(run) == [*(f"m#1[{n}]/{name}#1" for n in range(20) for name in ("free", "db")), "m#1"]


def test_39_a_hub_may_let_more_than_one_in():
    section, both = Section(), threading.Barrier(2, timeout=30)

    def work(given):
        section.enter()
        both.wait()
        section.leave()
        return given

    run = through(
        "sync",
        hub_of(FLOW, {"free": lambda n: n, "db": work}, locks={"db": 2}).start("flow", "go", {"items": list(range(8))}),
    )
    assert run.state == "completed"
    assert section.most == 2
