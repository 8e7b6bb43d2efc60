"""Turn a plan as it was handed in into data of our own, once: what is checked is then what is carried out.

Only exact JSON types are copied. An object of another type may answer differently each time it is asked, or run code
when it is compared, printed or hashed (CWE-367: time of check, time of use); none of its methods is ever called.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import PosixPath, PurePosixPath, PureWindowsPath, WindowsPath
from typing import Any, cast

from orchestration_kit.errors import did_you_mean, listed

MAX_DEPTH = 32
MAX_PARTS = 10_000
MAX_CHARACTERS = 1_000_000
MAX_INTEGER = 2**63
MAX_TYPE = 100
"""Characters of an action type."""
KEYS = ("action_type", "action_data", "cost")
_KEY_SET = frozenset(KEYS)
_PATHS = (PosixPath, PurePosixPath, WindowsPath, PureWindowsPath)


class NotPlain(ValueError):
    """A plan that is no plan; never leaves this package."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason, hint)
        self.reason, self.hint = reason, hint


def shown(value: Any, limit: int = 80) -> str:
    """Return plain data for a message: one line, not long.

    >>> shown("x" * 200, 12)
    "'xxxxxxxx..."
    """
    text = repr(value[: limit + 1]) if isinstance(value, str) else repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def plain_plan(plan: Any) -> dict[str, Any]:
    """Return a plan as a new dict of plain data; `cost` is 0.0 where it is not given.

    >>> plain_plan({"action_type": "wait", "action_data": {"hours": (1, 2)}})
    {'action_type': 'wait', 'action_data': {'hours': [1, 2]}, 'cost': 0.0}

    Raises:
        NotPlain: it is no plan.
    """
    copied = _Copier().mapping(_mapping_of(plan), 0)
    if not copied.keys() <= _KEY_SET:
        unknown = [key for key in copied if key not in KEYS]
        near = did_you_mean(unknown[0][:100], KEYS)
        raise NotPlain(f"the plan has an unknown key {shown(unknown[0])}", f"A plan has {listed(KEYS)}.{near}")
    if "action_type" not in copied or "action_data" not in copied:
        missing = [key for key in KEYS[:2] if key not in copied]
        raise NotPlain(f"the plan has no {listed(missing)}", f"A plan has {listed(KEYS)}.")
    kind, data = copied["action_type"], copied["action_data"]
    if type(kind) is not str or not kind.strip() or len(kind) > MAX_TYPE:
        raise NotPlain(f"action_type is {shown(kind)}", f"It is a name of at most {MAX_TYPE} characters.")
    if type(data) is not dict:
        raise NotPlain(f"action_data is {type(data).__name__}", 'It is a dict, such as {"query": "SELECT 1"}.')
    return {"action_type": kind, "action_data": data, "cost": _cost(copied.get("cost", 0.0))}


def _mapping_of(plan: Any) -> Any:
    if type(plan) is dict:
        return cast("dict[Any, Any]", plan)
    from orchestration_kit.engine.outcome import Action

    if type(plan) is Action:
        return plan.plan
    raise NotPlain(
        f"a plan is a dict or an Action, not {type(plan).__name__[:80]}",
        'Write {"action_type": ..., "action_data": {...}, "cost": 0.0}.',
    )


def _cost(value: Any) -> float:
    if type(value) not in (int, float):
        raise NotPlain(f"cost is {shown(value)}", "It is a number of USD.")
    if not value >= 0 or value == math.inf:
        raise NotPlain(f"cost is {value}", "It is a number of USD, zero or more.")
    return float(value)


def plain(value: Any) -> Any:
    """Return a copy of JSON-like data; tuples become lists, paths text.

    Raises:
        NotPlain: it holds something else, or too much.
    """
    return _Copier().any(value, 0)


class _Copier:
    """One copy, with what may still be copied."""

    __slots__ = ("characters", "parts")

    def __init__(self) -> None:
        self.parts, self.characters = MAX_PARTS, MAX_CHARACTERS

    def any(self, value: Any, depth: int) -> Any:
        kind = cast("type[Any]", type(value))
        if kind is str:
            return self.text(value)
        if kind is dict:
            return self.mapping(value, depth)
        if kind is list or kind is tuple:
            return self.sequence(value, depth)
        self.count()
        if kind is bool or value is None:
            return value
        if kind is int:
            if not -MAX_INTEGER <= value < MAX_INTEGER:
                raise NotPlain("a whole number in the plan has more than 64 bits", "Write it as text.")
            return value
        if kind is float:
            if not math.isfinite(value):
                raise NotPlain(f"a number in the plan is {value}", "Numbers are finite.")
            return value
        if kind in _PATHS:
            return self.text(str(value))
        raise NotPlain(
            f"the plan holds {kind.__name__[:80]}, which is no plain data",
            "Use texts, numbers, true, false, null, lists and dicts; not subclasses of them (numpy: value.item()).",
        )

    def text(self, value: str) -> str:
        self.parts -= 1
        self.characters -= len(value)
        if self.parts < 0:
            self.count()
        if self.characters < 0:
            raise NotPlain(f"the plan has over {MAX_CHARACTERS:,} characters", "Put large data where a path names it.")
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise NotPlain("a text in the plan holds half a character (a lone surrogate)", "Mend it.") from None
        return value

    def mapping(self, value: Any, depth: int) -> dict[str, Any]:
        self.enter(value, depth)
        copied: dict[str, Any] = {}
        for key, part in cast("Mapping[Any, Any]", value).items():
            if type(key) is not str:
                raise NotPlain(f"a key in the plan is {type(key).__name__[:80]}, not text", "Keys are texts.")
            copied[self.text(key)] = self.text(part) if type(part) is str else self.any(part, depth + 1)
        return copied

    def sequence(self, value: Any, depth: int) -> list[Any]:
        self.enter(value, depth)
        return [self.any(part, depth + 1) for part in value]

    def enter(self, value: Any, depth: int) -> None:
        self.count()
        if depth >= MAX_DEPTH:
            raise NotPlain(f"the plan is nested over {MAX_DEPTH} levels, or contains itself", "Write it flatter.")
        if len(value) > self.parts:
            self.parts = 0
            self.count()

    def count(self) -> None:
        self.parts -= 1
        if self.parts < 0:
            raise NotPlain(f"the plan has over {MAX_PARTS:,} parts", "Put large data where a path names it.")
