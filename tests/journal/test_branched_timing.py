"""The same outcomes give the same events, data and rows' content, whatever the timing of the branches."""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from orchestration_kit.definition.kinds import MapStep, ParallelStep
from orchestration_kit.engine.events import AttemptFinished, BranchesOpened
from orchestration_kit.engine.visits import Visit
from tests.journal.branched_runs import Driver, plan_of, workflow
from tests.laws import examples

TIMELESS = settings(max_examples=examples(100), deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])


class Fated(Driver):
    """Draws what comes of an attempt from its position, and what happens first from the timing."""

    generations = 1

    def __init__(self, timing: Random, plan: Any, seed: int) -> None:
        super().__init__(Random(seed), plan)
        self.timing, self.seed = timing, seed

    def made(self) -> Any:
        return decided(super().made())

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
        machine, self.draw = self.machine, self.timing
        doable = {"take": machine.ready, "settle": self.under_way, "answer": machine.waiting}
        choices = [name for name, some in doable.items() if some]
        if machine.finished is not None or not choices:
            return False
        getattr(self, self.timing.choice(choices))()
        return True


def decided(flow: Any) -> Any:
    """A workflow in which no join leaves anybody behind, so that timing cannot decide who is."""
    for step in flow.steps.values():
        if isinstance(step, (MapStep, ParallelStep)):
            step.join, step.failure = "all", "continue"
            for body in step.bodies.values():
                if not isinstance(body, str):
                    decided(body)
    return flow


@TIMELESS
@given(st.integers(0, 2**32), st.integers(0, 2**32), st.integers(0, 2**32))
def test_the_same_outcomes_give_the_same_events_whatever_the_timing(seed, one, other):
    plan = plan_of(decided(workflow(Random(seed))))
    first, second = Fated(Random(one), plan, seed), Fated(Random(other), plan, seed)
    for driver in (first, second):
        driver.machine.started = first.machine.started
        driver.drive(100_000)
    assert first.machine.finished == second.machine.finished
    kinds = (AttemptFinished, BranchesOpened)
    events = [[e for e in driver.machine.events() if isinstance(e, kinds)] for driver in (first, second)]
    assert [e.path for e in events[0]] == [e.path for e in events[1]]
    assert events[0] == events[1]
    assert first.machine.data == second.machine.data
