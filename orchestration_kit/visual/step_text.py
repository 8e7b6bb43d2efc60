"""What a step is, in a few words for its box and in full for its tooltip.

Reads attributes only, and forgives missing ones, as `from_workflow.py` does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orchestration_kit.visual.facts import cost, count, duration
from orchestration_kit.visual.model import NodeKind
from orchestration_kit.visual.text import clean, one_line, tooltip
from orchestration_kit.visual.ways import condition_text

KINDS: dict[str, NodeKind] = {
    "parallel": "parallel", "map": "map", "workflow": "workflow", "approval": "approval", "wait": "wait",
}  # fmt: skip
_AT_MOST = "\N{LESS-THAN OR EQUAL TO}"


def worker_text(step: Any) -> str:
    """Return who does a step, or what it does where it calls no worker.

    >>> from types import SimpleNamespace as Stub
    >>> worker_text(Stub(kind="map", over="data.items", max_concurrency=10))
    'map over data.items, 10 at a time'
    >>> worker_text(Stub(kind="wait", event="payment_received"))
    'waits for payment_received'
    """
    kind = getattr(step, "kind", "step")
    if kind in ("parallel", "map"):
        many = getattr(step, "max_concurrency", None)
        over = f" over {condition_text(getattr(step, 'over', 'output'))}" if kind == "map" else ""
        parts = [f"{kind}{over}", "" if kind == "map" and _join(step) == "all" else _join(step)]
        parts.append(f"{many:,} at a time" if isinstance(many, int) else "")
        return one_line(", ".join(part for part in parts if part), 120)
    if kind == "workflow":
        return one_line(f"run of {clean(getattr(step, 'workflow', ''))}", 80)
    if kind == "approval":
        return "asks a person"
    if kind == "wait":
        return one_line(_waits_for(step), 80)
    return _worker(step)


def join_text(step: Any) -> str:
    """Return what stands at the join of a step with branches.

    >>> from types import SimpleNamespace as Stub
    >>> join_text(Stub(join=2, branches={"a": 1, "b": 2, "c": 3})), join_text(Stub(failure="all_or_nothing"))
    ('join: 2 of 3', 'join: all or nothing')
    """
    failure = getattr(step, "failure", "")
    text = _join(step)
    if failure == "all_or_nothing":
        text = "all or nothing" if text == "all" else f"{text}, or nothing"
    elif failure == "continue":
        text = f"{text}, failed or not" if text == "all" else text
    return f"join: {text}"


def marks_text(step: Any) -> str:
    """Return the limits that are set for a step, in a few words; empty where there are none.

    >>> from types import SimpleNamespace as Stub
    >>> marks_text(Stub(lock="db", rate="10/s", budget=Stub(max_cost_usd=1.0)))
    'lock db · 10/s · ≤ $1.00'
    """
    return " \N{MIDDLE DOT} ".join(_marks(step))


def step_tooltip(key: str, step: Any, worker: str, *findings: str, ends: str = "the run") -> str:
    """Return all that a definition says of a step, in lines."""
    kind = getattr(step, "kind", "step")
    outcome = "failed" if getattr(step, "outcome", "completed") == "failed" else "completed"
    success_when, limit = getattr(step, "success_when", None), getattr(step, "timeout_s", None)
    return tooltip(
        key,
        worker and (f"worker: {worker}" if kind not in KINDS else worker),
        getattr(step, "description", ""),
        getattr(step, "prompt", "") if kind == "approval" else "",
        join_text(step) if kind in ("parallel", "map") else "",
        f"ends {ends}: {outcome}" if getattr(step, "is_terminal", False) else "",
        f"succeeds when: {condition_text(success_when)}" if success_when is not None else "",
        f"time limit: {limit:g} s" if isinstance(limit, (int, float)) else "",
        *_limits(step),
        *findings,
    )


def note_text(step: Any) -> str:
    """Return the small text of a step: what it asks a person, or its description."""
    prompt = getattr(step, "prompt", "") if getattr(step, "kind", "") == "approval" else ""
    return one_line(prompt or getattr(step, "description", "") or "", 400)


def _worker(step: Any) -> str:
    worker, kind = getattr(step, "worker", None), getattr(step, "worker_type", None)
    kind_text = one_line(getattr(kind, "value", kind) or "", 60)
    if worker is None:
        return kind_text
    name = one_line(worker, 60)
    return f"{name} \N{MIDDLE DOT} {kind_text}" if kind_text and kind_text != name else name


def _join(step: Any) -> str:
    join = getattr(step, "join", "all")
    if join == "any":
        return "any one"
    if not isinstance(join, int):
        return "all"
    branches: Any = getattr(step, "branches", ())
    return f"{join} of {len(branches)}" if getattr(step, "kind", "parallel") == "parallel" else f"first {join}"


def _waits_for(step: Any) -> str:
    event, for_s, until = (getattr(step, name, None) for name in ("event", "for_s", "until"))
    if event is not None:
        return f"waits for {clean(event)}"
    if isinstance(for_s, (int, float)):
        return f"waits {duration(for_s)}"
    return f"waits until {until:%Y-%m-%d %H:%M %Z}" if hasattr(until, "strftime") else "waits"


def _marks(step: Any) -> Iterator[str]:
    if (lock := getattr(step, "lock", None)) is not None:
        yield one_line(f"lock {clean(lock)}", 30)
    if (rate := getattr(step, "rate", None)) is not None:
        yield one_line(rate, 20)
    budget = getattr(step, "budget", None)
    for name, written in (("max_cost_usd", cost), ("max_tokens", _tokens), ("max_seconds", duration)):
        if isinstance(most := getattr(budget, name, None), (int, float)):
            yield f"{_AT_MOST} {written(most)}"
    limit = getattr(step, "timeout_s", None)
    waits = getattr(step, "kind", "") in ("approval", "wait", "workflow")
    if waits and isinstance(limit, (int, float)) and getattr(step, "on_timeout", None) is None:
        yield f"{_AT_MOST} {duration(limit)}"


def _tokens(number: float) -> str:
    return f"{count(int(number))} tok"


def _limits(step: Any) -> Iterator[str]:
    """The same for a tooltip, with nothing left out."""
    if (lock := getattr(step, "lock", None)) is not None:
        yield f"lock: {clean(lock)}"
    if (rate := getattr(step, "rate", None)) is not None:
        yield f"rate: at most {clean(rate)}"
    budget = getattr(step, "budget", None)
    for name, written in (("max_cost_usd", cost), ("max_tokens", _tokens), ("max_seconds", duration)):
        if isinstance(most := getattr(budget, name, None), (int, float)):
            yield f"budget: at most {written(most)}"
    if (undo := getattr(step, "compensate", None)) is not None:
        yield f"undone by: {clean(undo)}"
