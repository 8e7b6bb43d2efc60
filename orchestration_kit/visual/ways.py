"""The ways out of a step, with what is written beside them: what the drawing and its outline say of transitions.

Reads attributes only, and forgives missing ones, as `from_workflow.py` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

from orchestration_kit.definition.steps import callable_name
from orchestration_kit.visual.facts import duration
from orchestration_kit.visual.model import EdgeKind
from orchestration_kit.visual.text import clean, one_line, tooltip

FAILS = "\N{BALLOT X} fails"
SPENT = "budget spent"
_TIMES = "\N{MULTIPLICATION SIGN}"


class Way(NamedTuple):
    """One way out of a step, to a step of the same workflow."""

    kind: EdgeKind
    target: str
    label: str
    tooltip: str
    told: str = ""
    """What a record tells it by from other ways to the same step; see `held`."""


class Opened(NamedTuple):
    """One thing that a step opens: a branch of a parallel step, or the body of a map."""

    name: str
    target: Any
    """The id of a step of the same workflow, or a workflow."""
    label: str
    tooltip: str


def ways_of(key: str, step: Any) -> list[Way]:
    """Return every way out of a step, in the order in which they are tried.

    >>> from types import SimpleNamespace as Stub
    >>> [(way.kind, way.label) for way in ways_of("a", Stub(on_failure="b", max_retries=2))]
    [('failure', '✗ fails'), ('retry', 'retry ×2')]
    """
    opened = [
        Way("body", one.target, one.label, one.tooltip, one.name)
        for one in opened_by(step)
        if isinstance(one.target, str)
    ]
    return [*opened, *_ways_on(step), *_ways_aside(key, step)]


def held(texts: Sequence[str]) -> str:
    """Return what tells the way on whose condition is the last one that was evaluated, and held.

    Two conditions may have one text, as two lambdas have; then their order tells them apart.

    >>> held(["a > 1", "b"]) == held(["b"]), held(["b", "b"]) == held(["b"])
    (True, False)
    """
    return f"{texts[-1]}\0{list(texts).count(texts[-1])}"


def opened_by(step: Any) -> list[Opened]:
    """Return what a step opens, in its order; nothing where it opens nothing."""
    kind = getattr(step, "kind", "step")
    if kind == "map" and getattr(step, "body", None) is not None:
        return [Opened("each", step.body, "each", "a branch for each item")]
    branches = getattr(step, "branches", None)
    if kind != "parallel" or not isinstance(branches, Mapping):
        return []
    found: list[Opened] = []
    for name, target in cast("Mapping[Any, Any]", branches).items():
        to, when = getattr(target, "to", target), getattr(target, "when", None)
        text = f"{name} if {condition_text(when)}" if when is not None else str(name)
        found.append(Opened(str(name), to, one_line(text, 60), tooltip("branch", text)))
    return found


def condition_text(condition: object) -> str:
    """Return a condition or a path as text: that of a callable is its name."""
    if callable(condition):
        name = getattr(condition, "__qualname__", None) or type(condition).__qualname__
        return clean(str(name).rpartition(".")[2] + "()")
    return clean(condition)


def _ways_on(step: Any) -> Iterator[Way]:
    if bool(getattr(step, "is_terminal", False)):
        return
    given = getattr(step, "branches", None)
    branches: tuple[Any, ...] = () if isinstance(given, Mapping) else tuple(given or ())
    judge = getattr(step, "success_when", None)
    evaluated = [] if judge is None else [_on_record(judge)]
    for branch in branches:
        condition = condition_text(getattr(branch, "when", ""))
        evaluated.append(_on_record(getattr(branch, "when", "")))
        label = one_line(getattr(branch, "label", ""), 60) or one_line(condition, 60)
        yield Way("branch", str(branch.to), label or "if", tooltip("if", condition), held(evaluated))
    success = getattr(step, "on_success", None)
    if success is not None:
        yield Way("success", str(success), "else" if branches else "", "after success")


def _on_record(condition: object) -> str:
    """A condition as records have it."""
    return callable_name(cast("Callable[..., Any]", condition)) if callable(condition) else str(condition)


def _ways_aside(key: str, step: Any) -> Iterator[Way]:
    failure, timeout = getattr(step, "on_failure", None), getattr(step, "on_timeout", None)
    if failure is not None:
        yield Way("failure", str(failure), FAILS, "after a failure")
    if timeout is not None:
        limit = getattr(step, "timeout_s", None)
        label = f"after {duration(limit)}" if isinstance(limit, (int, float)) else "timeout"
        yield Way("timeout", str(timeout), label, "where nothing came in time")
    spent = getattr(getattr(step, "budget", None), "on_budget", None)
    if spent is not None:
        yield Way("budget", str(spent), SPENT, "where the budget of the step is spent")
    undo = getattr(step, "compensate", None)
    if undo is not None:
        yield Way("compensate", str(undo), "undone by", "when the run fails later on")
    retries = getattr(step, "max_retries", 0)
    if isinstance(retries, int) and retries > 0:
        yield Way("retry", key, f"retry {_TIMES}{retries}", f"up to {retries} more attempts after a failed one")
