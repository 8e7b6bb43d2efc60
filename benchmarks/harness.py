"""Turn cases into seconds: interleaved repeats, every result checked, the collector treated alike.

The collector stays on while a case runs, as it does for a user. Before each timing it is run, and what
is alive then is frozen, so that the modules of one library do not weigh on the next.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any

Worker = Callable[[object], int]


class WrongResult(AssertionError):
    """A case ran and did something else than the workload asks for: its time means nothing."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out of one run, in words that every library can be asked in."""

    last: int
    """The last output of the counting worker, so the number of its calls; for `compile`, the steps."""
    history: int | None = None
    """How many entries the run remembers; None if the library keeps none."""


@dataclass(frozen=True, slots=True)
class Case:
    """One workload made ready for one library. Making it ready is not timed."""

    run: Callable[[], Any]
    """One whole run. Returns what `outcome` needs; a coroutine if `is_async`."""
    outcome: Callable[[Any], Outcome]
    """Looks at what `run` returned. Not timed, so it may be slow."""
    is_async: bool = False


Build = Callable[[int], Case]
"""Makes a case of a given size: steps, loops, attempts, as the workload has it."""


def counting_worker() -> tuple[Worker, Callable[[], None]]:
    """Return a worker whose outputs are 1, 2, 3, ..., and a function that sets it back to zero."""
    calls = 0

    def work(_input: object) -> int:
        nonlocal calls
        calls += 1
        return calls

    def reset() -> None:
        nonlocal calls
        calls = 0

    return work, reset


@dataclass(frozen=True, slots=True)
class Plan:
    """A case, and how much of it makes one timing."""

    case: Case
    check: Callable[[Outcome], None]
    """Raises `WrongResult`."""
    steps: int
    """Steps in one run."""
    rounds: int
    """Runs in one timing."""


def measure(plans: Mapping[str, Plan], *, repeats: int) -> dict[str, list[float]]:
    """Return `repeats` timings of each plan, in seconds a step.

    Each plan runs once untimed, to warm up and to see that its result is right; then the plans take
    turns, so that a slow moment of the machine falls on all of them. Every result is checked.
    """
    samples: dict[str, list[float]] = {name: [] for name in plans}
    with asyncio.Runner() as runner:
        for name, plan in plans.items():
            _timed(name, plan, 1, runner)
        for _ in range(repeats):
            for name, plan in plans.items():
                samples[name].append(_timed(name, plan, plan.rounds, runner))
    return samples


def medians(samples: Mapping[str, list[float]]) -> dict[str, float]:
    """Return the median of each list."""
    return {name: median(values) for name, values in samples.items()}


def run_once(case: Case) -> Outcome:
    """Run a case once, untimed, and return its outcome."""
    if not case.is_async:
        return case.outcome(case.run())
    with asyncio.Runner() as runner:
        return case.outcome(runner.run(case.run()))


def _timed(name: str, plan: Plan, rounds: int, runner: asyncio.Runner) -> float:
    run = plan.case.run
    with quiet_collector():
        if plan.case.is_async:
            elapsed_s, result = runner.run(_rounds_async(run, rounds))
        else:
            started = perf_counter()
            result = None
            for _ in range(rounds):
                result = run()
            elapsed_s = perf_counter() - started
    try:
        plan.check(plan.case.outcome(result))
    except WrongResult as error:
        raise WrongResult(f"{name}: {error}") from error
    return elapsed_s / (rounds * plan.steps)


async def _rounds_async(run: Callable[[], Any], rounds: int) -> tuple[float, Any]:
    started = perf_counter()
    result = None
    for _ in range(rounds):
        result = await run()
    return perf_counter() - started, result


@contextmanager
def quiet_collector() -> Iterator[None]:
    """Run the collector, and leave what is alive then out of its later runs, as long as the block lasts."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
