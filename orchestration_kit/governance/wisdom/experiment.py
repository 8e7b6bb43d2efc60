"""Whether a lesson changes an outcome: a worker that fails unless it finds the lesson, and failure rates compared."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Any, NamedTuple

from orchestration_kit.governance.wisdom.lesson import Lesson, wilson_interval

if TYPE_CHECKING:
    from orchestration_kit.engine.context import WorkflowContext


class ForgetfulWorker:
    """A worker that fails at a given rate, and does well where the lessons it finds hold the words it needs.

    It stands for a model that makes a mistake now and then until it is told. The same seed and run fail the same way.

    >>> worker = ForgetfulWorker("euros", rate=1.0)
    >>> worker("price", None)
    Traceback (most recent call last):
    ValueError: the price has no euros

    Args:
        needs: What a lesson has to hold, whatever its capitals.
        rate: How often it fails without, from 0 to 1.
        seed: For the dice.
    """

    def __init__(self, needs: str, *, rate: float, seed: int = 0) -> None:
        self.needs, self.rate, self.seed = needs, rate, seed

    def __call__(self, input_data: Any, context: WorkflowContext | None = None) -> str:
        """Return the input with what was needed.

        Raises:
            ValueError: it was forgotten.
        """
        wisdom = getattr(context, "wisdom", None)
        lessons: list[Lesson] = [] if wisdom is None else wisdom.search()
        if not any(self.needs.lower() in lesson.text.lower() for lesson in lessons):
            run = "" if context is None else f"{context.workflow_id}|{context.path}|{context.attempt}"
            if random.Random(f"{self.seed}|{run}").random() < self.rate:  # noqa: S311 - to repeat, not to keep a secret
                raise ValueError(f"the {input_data} has no {self.needs}")
        return f"{input_data} with {self.needs}"


class Lift(NamedTuple):
    """How often attempts failed before and after, and whether that can be chance."""

    before: float
    after: float
    before_interval: tuple[float, float]
    """Where the true rate lies, with 99.9 % confidence (Wilson)."""
    after_interval: tuple[float, float]
    p_value: float
    """How likely a difference of this size is if nothing changed (two proportions, pooled)."""

    @property
    def is_better(self) -> bool:
        """Whether the rate went down for certain: the intervals do not touch."""
        return self.after_interval[1] < self.before_interval[0]


def lift(before: tuple[int, int], after: tuple[int, int]) -> Lift:
    """Compare failures out of attempts, before and after.

    >>> found = lift((62, 100), (3, 100))
    >>> found.before, found.after, found.is_better
    (0.62, 0.03, True)
    """
    (failed, of), (failed_after, of_after) = before, after
    pooled = (failed + failed_after) / (of + of_after)
    spread = math.sqrt(pooled * (1 - pooled) * (1 / of + 1 / of_after))
    z = abs(failed / of - failed_after / of_after) / spread if spread else 0.0
    return Lift(
        failed / of,
        failed_after / of_after,
        wilson_interval(failed, of, 3.29),
        wilson_interval(failed_after, of_after, 3.29),
        math.erfc(z / math.sqrt(2)),
    )
