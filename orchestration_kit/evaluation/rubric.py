"""What counts as good, in several dimensions: each has a criterion, a weight and a threshold."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from orchestration_kit.errors import did_you_mean, listed
from orchestration_kit.evaluation.criteria import Answer, check_criterion, judged
from orchestration_kit.evaluation.errors import RubricError

COLUMNS = (
    "case",
    "repeat",
    "output",
    "total",
    "passed",
    "error",
    "why",
    "duration_s",
    "cost_usd",
    "tokens",
    "run_id",
)
"""Columns of a table of scores besides its dimensions, which cannot be called so."""
MAX_WHY = 2_000
"""Characters that are kept of why a score is what it is."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One dimension of a rubric.

    >>> Criterion(lambda output: len(output) < 80, weight=0.5).threshold
    0.5
    """

    check: Any
    """A function of `(output)`, `(output, expected)` or `(output, expected, case)` that returns a score from 0 to 1, a
    bool, or either with a reason: `(score, "why")`; it may be async, and may take `context`, by that name, instead of
    the case or after it. Or an evaluator of pydantic-evals, such as `EqualsExpected()` or `LLMJudge(...)`."""
    weight: float = 1.0
    """How much it counts in the total; 0: it is only shown."""
    threshold: float = 0.5
    """The score from which on it passes."""

    def __post_init__(self) -> None:
        check_criterion(self.check)
        for name, value, most in (("weight", self.weight, math.inf), ("threshold", self.threshold, 1.0)):
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most:
                raise RubricError(f"{name}={value!r:.80} is none", "A weight is 0 or more, a threshold from 0 to 1.")


class Scores(NamedTuple):
    """What a rubric says of one output."""

    scores: dict[str, float]
    """By dimension, from 0 to 1; NaN where the criterion failed."""
    total: float
    """The weighted mean; NaN where a criterion that counts has failed."""
    passed: bool
    why: str
    """Reasons, and errors of criteria, by dimension; empty where there are none."""


class Rubric:
    """Dimensions in order.

    >>> from orchestration_kit.evaluation import Case
    >>> rubric = Rubric({"exact": lambda output, expected: output == expected, "brief": Criterion(
    ...     lambda output: min(1.0, 10 / len(output)), weight=3, threshold=0.8)})
    >>> rubric
    Rubric(exact, brief)
    >>> rubric.score(Answer(Case("ada", "Ada", "Hello"), "Hello Hello Hello Hi"))[:3]
    ({'exact': 0.0, 'brief': 0.5}, 0.375, False)

    Args:
        dimensions: By name, a `Criterion`, or what it checks with.

    Raises:
        RubricError: (a ValueError) there is none, one cannot score, or is called like another column of the table.
    """

    def __init__(self, dimensions: Mapping[str, Criterion | Callable[..., Any] | Any]) -> None:
        if not isinstance(dimensions, Mapping) or not dimensions:
            raise RubricError(f"{dimensions!r:.80} names no dimension", 'Write Rubric({"correct": function}).')
        self.criteria: dict[str, Criterion] = {}
        for name, one in dimensions.items():
            if not isinstance(name, str) or not name.strip() or len(name) > 100:
                raise RubricError(f"the name {name!r:.80} is none", "A name is a text of 1 to 100 characters.")
            if name in COLUMNS:
                hint = f"It is a column of the table. Taken are: {listed(COLUMNS)}."
                raise RubricError(f"a dimension cannot be called {name!r}", hint)
            try:
                self.criteria[name] = one if isinstance(one, Criterion) else Criterion(one)
            except RubricError as error:
                raise RubricError(f"dimension {name!r}: {error.reason}", error.hint) from None
        if not any(criterion.weight for criterion in self.criteria.values()):
            raise RubricError("no dimension counts", "Give one of them a weight over 0.")

    def __iter__(self) -> Iterator[str]:
        return iter(self.criteria)

    def __getitem__(self, name: str) -> Criterion:
        if name not in self.criteria:
            known = listed(self.criteria)
            raise KeyError(f"no dimension {name!r}.{did_you_mean(name, self.criteria)} There are: {known}")
        return self.criteria[name]

    def __repr__(self) -> str:
        return f"Rubric({', '.join(self.criteria)})"

    def score(self, answer: Answer) -> Scores:
        """Return the scores of an output. A criterion that fails scores NaN, and `why` says how.

        Nothing that a criterion raises leads out, other than an interrupt.
        """
        scores: dict[str, float] = {}
        whys: list[str] = []
        for name, criterion in self.criteria.items():
            try:
                verdict = judged(criterion.check, answer)
            except Exception as error:  # noqa: BLE001 - somebody's criterion; it is on record
                scores[name] = math.nan
                whys.append(f"{name}: {type(error).__name__}: {error!s:.500}")
            else:
                scores[name] = verdict.score
                if verdict.why:
                    whys.append(f"{name}: {verdict.why}")
        return Scores(scores, self.total(scores), self.passes(scores), "; ".join(whys)[:MAX_WHY])

    def total(self, scores: Mapping[str, float]) -> float:
        """Return the weighted mean; NaN where a score that counts is missing, as nobody knows what it would be."""
        counting = {name: one.weight for name, one in self.criteria.items() if one.weight}
        most = max(counting.values())  # weights may be so large that their sum is infinite
        shares = {name: weight / most for name, weight in counting.items()}
        return sum(scores[name] * share for name, share in shares.items()) / sum(shares.values())

    def passes(self, scores: Mapping[str, float]) -> bool:
        """Whether every dimension reaches its threshold; NaN reaches none."""
        return all(scores[name] >= one.threshold for name, one in self.criteria.items())

    def nothing(self) -> Scores:
        """Return the scores where there is no output: 0 in each dimension."""
        scores = dict.fromkeys(self.criteria, 0.0)
        return Scores(scores, 0.0, passed=False, why="")


def as_rubric(given: Any) -> Rubric:
    """Return a rubric for what can be one: a mapping, or a single criterion, called `score`."""
    if isinstance(given, Rubric):
        return given
    if isinstance(given, Mapping):
        return Rubric(cast("Mapping[str, Any]", given))
    return Rubric({"score": given})
