"""A step and the workers that could work at it become its choices: who works, and how often it tries again."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from orchestration_kit.errors import did_you_mean, listed

if TYPE_CHECKING:
    from orchestration_kit.reliability.chain import Chain, ChainStep, Took


@dataclass(frozen=True, slots=True)
class Option:
    """A worker that could work at a step."""

    worker: str
    success: float
    """Probability that an attempt of its succeeds."""
    on_success: Took
    on_failure: Took


@dataclass(frozen=True, slots=True)
class Action:
    """A choice at a step: who works, and how often it tries again."""

    rank: tuple[int, int]
    """Retries, and the place of the worker in its options: of choices that come to the same, the lower one is taken."""
    made: ChainStep
    """The step with the choice in it."""

    @property
    def took(self) -> tuple[float, float]:
        """USD and seconds of a visit."""
        step = self.made
        good, bad = step.visit_success, max(step.attempts - step.visit_success, 0.0)
        cost = good * step.on_success.cost_usd + bad * step.on_failure.cost_usd
        return cost, good * step.on_success.time_s + bad * step.on_failure.time_s


def actions_of(step: ChainStep, options: Sequence[Option], retries: Iterable[int]) -> list[Action]:
    """Return all choices at a step, in the order of their ranks."""
    found = [
        Action(
            (count, at),
            replace(
                step,
                success=option.success,
                retries=count,
                on_success=option.on_success,
                on_failure=option.on_failure,
                worker=option.worker,
            ),
        )
        for count in sorted(set(retries))
        for at, option in enumerate(options)
    ]
    for action in found:
        if not all(0 <= amount < math.inf for amount in action.took):
            name = action.made.worker
            raise ValueError(f"what {name!r} takes must be 0 or more seconds and USD, and finite; it is {action.took}")
    return found


def undominated(actions: Sequence[Action], *, timed: bool) -> list[Action]:
    """Return the choices without those that do as another does, and take no less.

    Ways on hang on the outcome of a visit alone, so that two choices with one probability of success differ by what
    they take alone: exchanging one for the cheaper changes nothing else. Choices that differ in success are all kept:
    less success is not always worse, as where a failure leads to a better way, and cheaper is worth something.

    Args:
        actions: In the order of their ranks.
        timed: Whether time counts too.
    """
    kept: dict[tuple[float, float], list[tuple[tuple[float, ...], Action]]] = {}
    for action in actions:
        took = action.took if timed else action.took[:1]
        same = kept.setdefault((action.made.visit_success, action.made.visit_failure), [])
        if not any(all(a <= b for a, b in zip(other, took, strict=True)) for other, _ in same):
            same[:] = [one for one in same if not all(b <= a for a, b in zip(one[0], took, strict=True))]
            same.append((took, action))
    return sorted((one for same in kept.values() for _, one in same), key=lambda one: one.rank)


def check_options(chain: Chain, options: Mapping[str, Sequence[Option]]) -> None:
    """See that each option is one, of a step that is there.

    Raises:
        ValueError: it is not.
    """
    for step, given in options.items():
        if step not in chain.steps:
            hint = did_you_mean(step, chain.steps)
            raise ValueError(f"there are options for {step!r}, which is no step.{hint} There is: {listed(chain.steps)}")
        if not given:
            raise ValueError(f"there is no option for step {step!r}: give one, or leave the step out")
        for option in given:
            if not 0 <= option.success <= 1:
                raise ValueError(f"{option.worker!r} at step {step!r} succeeds with {option.success!r}: no probability")
