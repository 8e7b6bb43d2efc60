"""A criterion of any kind becomes a score from 0 to 1, and why: functions, coroutine functions, pydantic-evals."""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from orchestration_kit.evaluation.dataset import Case
from orchestration_kit.evaluation.errors import RubricError

if TYPE_CHECKING:
    from orchestration_kit.engine.context import WorkflowContext


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a case."""

    case: Case
    output: Any
    context: WorkflowContext | None = None
    """The run it came from."""
    duration_s: float = 0.0
    cost_usd: float | None = None
    tokens: int | None = None


_SCORING = ("evaluate", "__call__")
"""Methods of what scores: of a class that has them an instance is meant; others, such as `bool`, are functions."""


class Verdict(NamedTuple):
    """A score, and why it is that."""

    score: float
    why: str = ""


def check_criterion(check: Any) -> None:
    """See that something can score.

    Raises:
        RubricError: it cannot.
    """
    if isinstance(check, type) and any(name in base.__dict__ for base in check.__mro__ for name in _SCORING):
        hint = f"Give an instance: {check.__name__}(...)."
        raise RubricError(f"the class {check.__name__} scores nothing", hint)
    if _is_evaluator(check):
        return
    hint = "Give a function of (output), (output, expected) or (output, expected, case), or an evaluator."
    if not callable(check):
        raise RubricError(f"{check!r:.80} cannot be called", hint)
    try:
        signature = inspect.signature(check)
    except ValueError:
        return  # a builtin that tells no signature
    given = _arguments(signature, Answer(Case("case", None), None)) or [None]
    try:
        signature.bind(*given)
    except TypeError as error:
        raise RubricError(
            f"{getattr(check, '__name__', check)!s:.80}{signature} does not fit ({error})", hint
        ) from None


def judged(check: Any, answer: Answer) -> Verdict:
    """Return what a criterion says of an answer.

    Raises:
        Exception: whatever it raises; a ValueError where what it returns is no score.
    """
    if _is_evaluator(check):
        return _verdict(_awaited(lambda: check.evaluate_async(_evaluator_context(answer))))
    try:
        given = _arguments(inspect.signature(check), answer)
    except ValueError:
        given = [answer.output]
    found = check(*given)
    if inspect.isawaitable(found):
        awaitable = found

        async def wait() -> Any:
            return await awaitable

        found = _awaited(wait)
    return _verdict(found)


def _is_evaluator(check: Any) -> bool:
    """Whether it is an evaluator of pydantic-evals, which is not imported to find out."""
    module = sys.modules.get("pydantic_evals.evaluators")
    return module is not None and isinstance(check, module.Evaluator)


def _arguments(signature: inspect.Signature, answer: Answer) -> list[Any]:
    """Return what a function wants to know, by position."""
    known = [answer.output, answer.case.expected, answer.case, answer.context]
    if any(one.kind is one.VAR_POSITIONAL for one in signature.parameters.values()):
        return known[:3]
    positional = [
        one for one in signature.parameters.values() if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
    ]
    by_name = {"output": known[0], "expected": known[1], "case": known[2], "context": known[3], "ctx": known[3]}
    wanted = [one for at, one in enumerate(positional) if at == 0 or one.default is one.empty or one.name in by_name]
    return [by_name.get(one.name, known[min(at, 3)]) for at, one in enumerate(wanted)]


def _awaited(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Return what a coroutine gives, also where an event loop runs already, as in a notebook."""
    from orchestration_kit.engine.thread import await_on_engine

    return await_on_engine(work, None, TimeoutError(), lambda: None)


def _evaluator_context(answer: Answer) -> Any:
    from pydantic_evals.evaluators import EvaluatorContext
    from pydantic_evals.otel import SpanTreeRecordingError

    metrics = {"cost_usd": answer.cost_usd, "tokens": answer.tokens}
    return EvaluatorContext(
        name=answer.case.name,
        inputs=answer.case.input,
        metadata={"tags": list(answer.case.tags)},
        expected_output=answer.case.expected,
        output=answer.output,
        duration=answer.duration_s,
        _span_tree=SpanTreeRecordingError("spans are not recorded here; look at the history of the run"),
        attributes={},
        metrics={name: value for name, value in metrics.items() if value is not None},
    )


def _verdict(found: Any) -> Verdict:
    """Return a score for what a criterion returned.

    Raises:
        ValueError: it is none.
    """
    if isinstance(found, tuple):
        value, why = cast("tuple[Any, Any]", found)
        return Verdict(_score(value), "" if why is None else str(why))
    if hasattr(found, "value") and hasattr(found, "reason"):  # an EvaluationReason
        return Verdict(_score(found.value), found.reason or "")
    if isinstance(found, Mapping):
        parts = [_verdict(one) for one in cast("Mapping[str, Any]", found).values()]
        if not parts:
            raise ValueError("it gave no verdict, as it does where the case expects nothing")
        score = sum(part.score for part in parts) / len(parts)
        return Verdict(score, "; ".join(dict.fromkeys(part.why for part in parts if part.why)))
    return Verdict(_score(found))


def _score(value: Any) -> float:
    if getattr(value, "shape", None) == () and hasattr(value, "item"):  # of numpy
        value = value.item()
    if isinstance(value, bool):
        return float(value)
    score = float(value) if isinstance(value, Real) else math.nan
    if not 0 <= score <= 1:
        raise ValueError(f"a score is a bool or a number from 0 to 1, not {value!r:.80}")
    return score
