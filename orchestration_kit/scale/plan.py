"""What a set of runs is to be: which runs, under which ids and seeds, and what each begins with. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from orchestration_kit.scale.goals import Goal

if TYPE_CHECKING:
    from orchestration_kit.engine.limits import RunLimits

NAME, GOAL, REPEAT = "many", "goal", "repeat"
"""The tags of each run of a set: `hub.runs(tags={"many": "tuesday"})` finds them."""


class Planned(NamedTuple):
    """One run of a set."""

    run_id: str
    goal: Goal
    repeat: int
    """From 1 on."""


@dataclass(frozen=True, kw_only=True)
class SetPlan:
    """A set of runs: every goal, so many times."""

    name: str
    workflow: str
    goals: tuple[Goal, ...]
    repeats: int
    seed: int
    limits: RunLimits | None = None
    more_tags: dict[str, str] | None = None

    @cached_property
    def runs(self) -> tuple[Planned, ...]:
        """In the order of the goals, and of their repeats."""
        return tuple(
            Planned(run_id(self.name, goal.id, repeat), goal, repeat)
            for goal in self.goals
            for repeat in range(1, self.repeats + 1)
        )

    @cached_property
    def places(self) -> dict[str, int]:
        """By run id: which of `runs` it is."""
        return {run.run_id: at for at, run in enumerate(self.runs)}

    def tags(self, run: Planned) -> dict[str, str]:
        """Return what a run is found by."""
        return {**(self.more_tags or {}), NAME: self.name, GOAL: run.goal.id, REPEAT: str(run.repeat)}

    def seed_of(self, run: Planned) -> int:
        """Return the seed of a run: it follows from the set's seed, the goal's id and the repeat alone."""
        return seed_of(self.seed, run.goal.id, run.repeat)


def run_id(name: str, goal_id: str, repeat: int) -> str:
    """Return the id of a run. A name holds no slash, so that no two sets share one.

    >>> run_id("tuesday", "shop", 2)
    'tuesday/shop/2'
    """
    return f"{name}/{goal_id}/{repeat}"


def seed_of(seed: int, goal_id: str, repeat: int) -> int:
    """Return a seed of 63 bits that follows from these.

    >>> seed_of(0, "shop", 1) == seed_of(0, "shop", 1) != seed_of(0, "shop", 2)
    True
    """
    text = f"{seed}\0{goal_id}\0{repeat}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big") >> 1
