"""What is run, how big, what must come out, and which goal it has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchmarks.harness import Build, Outcome, Plan, WrongResult

Seconds = Mapping[str, Mapping[str, float]]
"""Medians in seconds a step: workload key -> subject -> seconds."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure that we want to reach."""

    title: str
    """The figure's own row, or '' when it stands in its workload's row."""
    figure: Callable[[Seconds], float]
    limit: float
    unit: str
    at_least: bool = False

    def met(self, value: float) -> bool:
        """Say whether a figure reaches the goal."""
        return value >= self.limit if self.at_least else value <= self.limit


@dataclass(frozen=True, slots=True)
class Workload:
    """One thing to do, the same for everybody."""

    key: str
    title: str
    case: str
    """Which entry of an adapter's CASES; an adapter without it shows '-'."""
    size: int
    """What the case is built with."""
    last: Callable[[int], int]
    """From the size, what the counting worker has to end at."""
    steps: Callable[[int], int]
    """From the size, the steps of one run: what the time is divided by."""
    rounds: int
    """Runs in one timing, for the bare loop and us."""
    goals: tuple[Goal, ...]
    peer_size: int | None = None
    """What the peers' cases are built with, where they would take too long at `size`."""
    peer_rounds: int = 1

    def plan(self, build: Build, *, peer: bool = False) -> Plan:
        """Make the workload ready for one adapter."""
        size = self.peer_size if peer and self.peer_size is not None else self.size
        rounds = self.peer_rounds if peer else self.rounds
        return Plan(build(size), self.check(size), self.steps(size), rounds)

    def check(self, size: int) -> Callable[[Outcome], None]:
        """Return a function that raises `WrongResult` unless the whole work was done and remembered."""
        last, entries = self.last(size), 0 if self.case == "compile" else self.steps(size)

        def check(outcome: Outcome) -> None:
            if outcome.last != last:
                raise WrongResult(f"{self.key} ended at {outcome.last!r}, not at {last}")
            if outcome.history is not None and outcome.history < entries:
                raise WrongResult(f"{self.key} remembers {outcome.history} of {entries} steps")

        return check


def same(size: int) -> int:
    """Return the size itself: one step and one call of the worker for each."""
    return size


def times_bare(key: str, limit: float) -> Goal:
    """At most `limit` times the bare loop."""
    return Goal("", lambda s: s[key]["ours"] / s[key]["bare"], limit, "x bare")


def flat(title: str, key: str, smaller: str, limit: float) -> Goal:
    """A step of the large size costs at most `limit` times a step of the small one."""
    return Goal(title, lambda s: s[key]["ours"] / s[smaller]["ours"], limit, "x")


WORKLOADS: tuple[Workload, ...] = (
    Workload(
        key="chain-100",
        title="chain of 100 steps",
        case="chain",
        size=100,
        last=same,
        steps=same,
        rounds=30,
        peer_rounds=3,
        goals=(times_bare("chain-100", 5),),
    ),
    Workload(
        key="chain-1000",
        title="chain of 1,000 steps",
        case="chain",
        size=1_000,
        last=same,
        steps=same,
        rounds=5,
        goals=(times_bare("chain-1000", 5),),
    ),
    Workload(
        key="chain-20000",
        title="chain of 20,000 steps",
        case="chain",
        size=20_000,
        last=same,
        steps=same,
        rounds=1,
        peer_size=2_000,
        goals=(
            times_bare("chain-20000", 5),
            flat("flat: a step of 20,000 over one of 1,000", "chain-20000", "chain-1000", 1.2),
        ),
    ),
    Workload(
        key="loop-20000",
        title="two-step loop, 20,000 steps",
        case="ping_pong",
        size=20_000,
        last=same,
        steps=same,
        rounds=1,
        peer_size=2_000,
        goals=(times_bare("loop-20000", 5),),
    ),
    Workload(
        key="review",
        title="coder and reviewer, 9 rejections",
        case="review",
        size=9,
        last=lambda size: size + 1,
        steps=lambda size: 2 * (size + 1),
        rounds=100,
        peer_rounds=5,
        goals=(times_bare("review", 5),),
    ),
    Workload(
        key="review-raising",
        title="the same, the reviewer raises",
        case="review_raising",
        size=9,
        last=lambda size: size + 1,
        steps=lambda size: 2 * (size + 1),
        rounds=100,
        goals=(times_bare("review-raising", 5),),
    ),
    Workload(
        key="retry",
        title="an attempt that raises, retried",
        case="retry",
        size=100,
        last=same,
        steps=same,
        rounds=20,
        goals=(Goal("", lambda s: s["retry"]["ours"] * 1e6, 5, "us"),),
    ),
    Workload(
        key="runs",
        title="1,000 runs of 3 steps",
        case="chain",
        size=3,
        last=same,
        steps=same,
        rounds=1_000,
        peer_rounds=50,
        goals=(Goal("", lambda s: 1 / (3 * s["runs"]["ours"]), 50_000, "runs/s", at_least=True),),
    ),
    Workload(
        key="async-1000",
        title="async chain of 1,000 steps",
        case="async_chain",
        size=1_000,
        last=same,
        steps=same,
        rounds=5,
        goals=(times_bare("async-1000", 8),),
    ),
    Workload(
        key="compile-1000",
        title="define, check, compile 1,000 steps",
        case="compile",
        size=1_000,
        last=same,
        steps=same,
        rounds=1,
        goals=(Goal("", lambda s: 1e6 * s["compile-1000"]["ours"], 100, "ms"),),
    ),
    Workload(
        key="compile-10000",
        title="define, check, compile 10,000 steps",
        case="compile",
        size=10_000,
        last=same,
        steps=same,
        rounds=1,
        peer_size=2_000,
        goals=(
            Goal("", lambda s: 1e7 * s["compile-10000"]["ours"], 1_000, "ms"),
            flat("linear: a step of 10,000 over one of 1,000", "compile-10000", "compile-1000", 1.25),
        ),
    ),
)
