"""The same outcomes give the same events, data and rows' content, whatever the timing of the branches."""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration_kit.definition.kinds import MapStep, ParallelStep
from orchestration_kit.engine.events import AttemptFinished, BranchesOpened
from orchestration_kit.engine.visits import Visit
from tests.journal import branched_runs
from tests.journal.branched_runs import Driver, plan_of, workflow

TIMELESS = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


class Fated(Driver):
    """Draws what comes of an attempt from its position, and what happens first from the timing."""

    def __init__(self, timing: Random, plan: Any, seed: int) -> None:
        super().__init__(Random(seed), plan)
        self.timing, self.seed = timing, seed

    def fated(self, visit: Visit) -> None:
        self.draw = Random(f"{self.seed}|{visit.path}|{visit.attempt}")
        self.at, self.added = 1_000.0, 0
        visit.started_at = 1_000.0

    def begin(self, visit: Visit) -> None:
        self.fated(visit)
        super().begin(visit)

    def settle_visit(self, visit: Visit) -> None:
        self.fated(visit)
        super().settle_visit(visit)

    def answer(self) -> None:
        path = self.timing.choice(sorted(self.machine.waiting))
        self.draw = Random(f"{self.seed}|{path}|answer")
        self.at = 1_000.0
        self.answer_at(path)

    def act(self) -> bool:
        self.draw = self.timing
        return super().act()


def decided(draw: Random) -> Any:
    """A workflow in which no join leaves anybody behind, so that timing cannot decide who is."""
    flow = workflow(draw)

    def settle(one: Any) -> None:
        for step in one.steps.values():
            if isinstance(step, (MapStep, ParallelStep)):
                step.join, step.failure = "all", "continue"
                for body in step.bodies.values():
                    if not isinstance(body, str):
                        settle(body)

    settle(flow)
    return flow


@TIMELESS
@given(st.integers(0, 2**32), st.integers(0, 2**32), st.integers(0, 2**32))
def test_the_same_outcomes_give_the_same_events_whatever_the_timing(seed, one, other):
    plan = plan_of(decided(Random(seed)))
    first, second = Fated(Random(one), plan, seed), Fated(Random(other), plan, seed)
    for driver in (first, second):
        driver.machine.started = first.machine.started
        driver.drive(5_000)
    assert first.machine.finished == second.machine.finished
    kinds = (AttemptFinished, BranchesOpened)
    events = [[e for e in driver.machine.events() if isinstance(e, kinds)] for driver in (first, second)]
    assert [e.path for e in events[0]] == [e.path for e in events[1]]
    assert events[0] == events[1]
    assert first.machine.data == second.machine.data
