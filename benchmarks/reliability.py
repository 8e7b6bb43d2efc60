"""What it takes to know how reliable a workflow is: from 100,000 attempts, with other figures, by a million runs.

Nobody else does that for workflows, so there is no peer to run against. Each result is checked before its time counts.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks.harness import WrongResult, quiet_collector
from benchmarks.table import Row
from orchestration_kit.engine.events import AttemptFinished, ErrorInfo, RunFinished, RunStarted
from orchestration_kit.history import Recorded, history_frame, recorded
from orchestration_kit.reliability import (
    COMPLETED,
    FAILED,
    Chain,
    ChainStep,
    Took,
    reliability,
    simulate,
    solve,
    what_if,
)
from orchestration_kit.templates import create_build_website_workflow

ATTEMPTS, STEPS, LARGE, RUNS = 100_000, 100, 1_000, 1_000_000
LIMIT_S, WHAT_IF_LIMIT_S, SIMULATE_LIMIT_S, SENSITIVITY_LIMIT_S = 1.0, 0.1, 2.0, 0.5
P_STEP, P_BACK = 0.98, 0.1
"""How often an attempt succeeds, and how often one of three steps then sends the run back to the one before."""


def rows(
    *, attempts: int = ATTEMPTS, steps: int = STEPS, large: int = LARGE, runs: int = RUNS, repeats: int = 3
) -> list[Row]:
    """Measure, and return the rows of the table."""
    made = observed(attempts, steps)
    frame = history_frame(made)
    chain, short = looping(large), looping(steps)
    studies: tuple[tuple[str, Callable[[], None], float], ...] = (
        (f"reliability of {steps} steps from {attempts:,} attempts", lambda: of_runs(made, steps), LIMIT_S),
        ("the same, of their history_frame", lambda: of_runs(frame, steps), LIMIT_S),
        (f"exact what-if on {large:,} steps", lambda: changed(chain), WHAT_IF_LIMIT_S),
        (f"simulation of {runs:,} runs of build_website", lambda: drawn(runs), SIMULATE_LIMIT_S),
        (f"sensitivity of {steps} steps", lambda: sensed(short), SENSITIVITY_LIMIT_S),
    )
    return [_row(title, _seconds(work, repeats), limit) for title, work, limit in studies]


def looping(steps: int) -> Chain:
    """Return a chain of steps in a row, each third of which sends some runs back; all have a retry."""
    made: dict[str, ChainStep] = {}
    for at in range(steps):
        onward = f"step_{at + 1}" if at + 1 < steps else COMPLETED
        back = {f"step_{at - 1}": P_BACK, onward: 1 - P_BACK} if at % 3 == 2 else {onward: 1.0}
        took = Took(time_s=1.0, tokens=100.0, cost_usd=0.001)
        made[f"step_{at}"] = ChainStep(
            success=P_STEP, after_success=back, after_failure={FAILED: 1.0}, retries=1, on_success=took, on_failure=took
        )
    return Chain("looping", "step_0", made)


def observed(attempts: int, steps: int) -> list[Recorded]:
    """Return runs of the looping workflow with about so many attempts, as they stand on record."""
    dice = random.Random(5)
    made: list[Recorded] = []
    count = 0
    while count < attempts:
        run = _run(dice, f"run_{len(made)}", steps)
        count += len(run.records)
        made.append(run)
    return made


def of_runs(source: Any, steps: int) -> None:
    """Ask for the reliability of runs, with the interval of each figure.

    Raises:
        WrongResult: the interval is not about the true figure.
    """
    found = reliability(source)
    p, cost_usd = found.p_success, found.cost_usd
    true = solve(looping(steps))
    if not p.low - 0.05 < true.p_success < p.high + 0.05 or len(found.steps()) != steps:
        raise WrongResult(f"P(success) is {p}, and should be about {true.p_success:.3f}")
    if cost_usd is None or abs(cost_usd.value / true.cost_usd - 1) > 0.1:
        raise WrongResult(f"the cost of a run is {cost_usd}, and should be about {true.cost_usd:.3f}")


def changed(chain: Chain) -> None:
    """Ask what if the first step never failed.

    Raises:
        WrongResult: that P(success) is not what it was over the share of runs that came through the first step.
    """
    found = what_if(chain, {"step_0": 1.0}).p_success.value
    first = chain.steps["step_0"].visit_success
    if abs(found * first - solve(chain).p_success) > 1e-9:
        raise WrongResult(f"P(success) would be {found}")


def drawn(runs: int) -> None:
    """Simulate the build-website chain.

    Raises:
        WrongResult: it differs from the exact figure by five standard errors.
    """
    rates = {"product_manager": 0.99, "coder": {"success": 0.9, "time_s": 2.0, "cost_usd": 0.01}, "reviewer": 0.8}
    found = simulate(create_build_website_workflow(), rates, runs, seed=3)
    exact = reliability(create_build_website_workflow(), rates).p_success.value
    if abs(found.p_success.value - exact) > 5 * found.standard_error + 1e-12 or len(found.success) != runs:
        raise WrongResult(f"{found} where exactly {exact} is right")


def sensed(chain: Chain) -> None:
    """Ask what each small change would bring.

    Raises:
        WrongResult: the first change does not bring what solving the changed chain says.
    """
    first = reliability(chain).sensitivity().iloc[0]
    retries = {first["step"]: 2} if first["kind"] == "retry" else None
    rates = {first["step"]: P_STEP + 0.01} if first["kind"] == "success" else None
    gained = 100 * (what_if(chain, rates, retries=retries).p_success.value - solve(chain).p_success)
    if abs(gained - first["points"]) > 1e-9:
        raise WrongResult(f"{first['change']} brings {gained} points, not {first['points']}")


def _run(dice: random.Random, run: str, steps: int) -> Recorded:
    records: list[AttemptFinished] = []
    visits: dict[int, int] = {}
    at: int | None = 0
    state = "completed"
    while at is not None:
        visits[at] = visits.get(at, 0) + 1
        for attempt in (1, 2):
            good = dice.random() < P_STEP
            back = at % 3 == 2 and dice.random() < P_BACK
            to = (at - 1 if back else at + 1) if good else None
            to = None if to == steps else to
            is_tried_again = not good and attempt == 1
            records.append(_attempt(len(records) + 1, at, visits[at], attempt, good=good, to=to, again=is_tried_again))
            if not is_tried_again:
                break
        if records[-1].error is not None:
            state = "failed"
        at = to
    started = RunStarted(run, "looping", "0", "goal", {}, run, 1.7e9)
    return recorded([started, *records, RunFinished(run, state, None, 1.7e9 + len(records), len(records))])


def _attempt(seq: int, at: int, visit: int, attempt: int, **how: Any) -> AttemptFinished:
    good, to, again = how["good"], how["to"], how["again"]
    return AttemptFinished(
        seq=seq,
        scope="",
        step=f"step_{at}",
        visit=visit,
        attempt=attempt,
        worker=f"worker_{at}",
        worker_type="generic",
        input=None,
        output=1 if good else {"error": "no"},
        error=None if good else ErrorInfo("ValueError", "no"),
        started_at=1.7e9 + seq,
        duration_s=1.0,
        next_step=None if to is None else f"step_{to}",
        retry_in_s=0.0 if again else None,
        changes=None,
        evaluated=(),
        usage={"input_tokens": 80, "output_tokens": 20, "cost_usd": 0.001},
    )


def _seconds(work: Callable[[], None], repeats: int) -> float:
    times: list[float] = []
    for _ in range(repeats):
        with quiet_collector():
            began = perf_counter()
            work()
            times.append(perf_counter() - began)
    return median(times)


def _row(title: str, seconds: float, limit: float) -> Row:
    return Row(title, figure=f"{seconds:.3f} s", goal=f"<= {limit:g} s", met=seconds <= limit)


if __name__ == "__main__":
    from benchmarks.table import print_plain

    raise SystemExit(print_plain(rows()))
