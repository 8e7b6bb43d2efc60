"""Safe expressions: compile a condition once, evaluate it on facts, say what it looked at.

In files a condition is text in CEL (https://cel.dev). It can name `output`, `data`, `goal`, `visits` and
`attempt`; it can do no I/O and reach no Python object. In code it may also be a callable
`(output, context) -> bool`. The CEL library is imported when a first condition needs it; where it cannot be had, as in
a browser, `plain_cel` does what it does.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import Enum
from functools import lru_cache
from typing import Any, NamedTuple, Protocol, cast

from pydantic import BaseModel

from orchestration_kit.definition.condition_text import Named, read_condition
from orchestration_kit.definition.steps import callable_name
from orchestration_kit.errors import ConditionError, ConditionSyntaxError, did_you_mean, listed

MAX_LIST = 10_000
MAX_WEIGHT = 40_000
"""Of the data a condition looks at: a number or a text weighs 1, a list 3, a mapping 5, and each entry of it 4 more."""
MAX_TEXT = 1_000_000
MAX_DATA_DEPTH = 64
MAX_WORK = 500_000
"""Rough units of work one evaluation may cost; a unit took at most 50 ns when it was set."""


class Facts(Protocol):
    """What a condition is evaluated on. `WorkflowContext` is one."""

    @property
    def goal(self) -> str:
        """What the run is for."""
        ...

    @property
    def data(self) -> Mapping[str, Any]:
        """The data bus."""
        ...

    @property
    def visit(self) -> int:
        """How often the run has come to this step; a condition calls it `visits`."""
        ...

    @property
    def attempt(self) -> int:
        """Which attempt of the visit this is."""
        ...


class Evaluated(NamedTuple):
    """A condition as it was evaluated: its text, what it looked at, what it gave."""

    text: str
    inputs: dict[str, Any]
    result: bool


class CompiledCondition:
    """A condition ready to be evaluated.

    >>> class facts: goal, data, visit, attempt = "", {}, 1, 1
    >>> compile_condition("output.approved == true").evaluate("review", {"approved": True}, facts)
    Evaluated(text='output.approved == true', inputs={'output.approved': True}, result=True)
    """

    __slots__ = ("_run", "calls_code", "text")

    def __init__(self, text: str, run: Callable[[Any, Any], Evaluated], *, calls_code: bool = False) -> None:
        self.text = text
        self._run = run
        self.calls_code = calls_code
        """It is a Python callable, which might change what it is given."""

    def evaluate(self, step_id: str, output: Any, facts: Any) -> Evaluated:
        """Return what the condition gives for an output and the facts of a visit.

        Raises:
            ConditionError: it could not be evaluated; the error names the step and the text.
        """
        try:
            return self._run(output, facts)
        except Exception as error:
            raise ConditionError(step_id, self.text, _reason(error)) from error
        except BaseException as error:
            if type(error).__name__ != "PanicException":  # how a crash inside the CEL library arrives
                raise
            raise ConditionError(step_id, self.text, "the CEL library gave up on it") from None


def compile_condition(condition: Any) -> CompiledCondition:
    """Compile CEL text, or wrap a callable `(output, context) -> bool`.

    Raises:
        ConditionSyntaxError: the text does not parse, names something unknown, or is over a cap.
    """
    if isinstance(condition, str):
        return _compile_text(condition)
    function = cast("Callable[[Any, Any], Any]", condition)

    name = callable_name(function)
    held, failed = Evaluated(name, {}, result=True), Evaluated(name, {}, result=False)

    def run(output: Any, facts: Any) -> Evaluated:
        result = function(output, facts)
        if result is not None and type(result).__name__ not in ("bool", "bool_"):  # bool_ is numpy's
            raise TypeError(f"it gave {result!r:.60}, and a condition gives True or False")
        return held if result else failed

    return CompiledCondition(name, run, calls_code=True)


@lru_cache(maxsize=10_000)
def _compile_text(text: str) -> CompiledCondition:
    named = read_condition(text)
    try:
        program = _program(text)
    except Exception as error:  # noqa: BLE001 - the library raises several kinds, all for bad text
        reason = " ".join(str(error).split("ERROR: <input>:")[-1].split("|")[0].split())
        raise ConditionSyntaxError(
            text, f"it does not parse: {reason}", "See https://cel.dev for the syntax."
        ) from None

    def run(output: Any, facts: Any) -> Evaluated:
        handed = _Plain(named)
        variables: dict[str, Any] = {}
        inputs: dict[str, Any] = {}
        for path in named.paths:
            value = handed.place(variables, path, _lookup(path, output, facts))
            if value is not _ABSENT:
                inputs[_written(path)] = value  # the copy: what is on record does not change with the bus
        handed.check_work()
        try:
            result = program.execute(variables)
        except KeyError as error:
            raise LookupError(_missing(error, named, output, facts)) from error
        except TypeError as error:
            raise TypeError(_mismatched(error, inputs)) from error
        if not isinstance(result, bool):
            raise TypeError(f"it gave {result!r:.60}, and a condition gives true or false")
        return Evaluated(text, inputs, result)

    return CompiledCondition(text, run)


def _program(text: str) -> Any:
    try:
        import cel
    except ImportError:
        from orchestration_kit.definition.plain_cel import PlainProgram

        return PlainProgram(text)
    return cel.compile(text)


_ABSENT: Any = object()


def _missing(error: KeyError, named: Named, output: Any, facts: Any) -> str:
    """Tell which entry is not there, and which are."""
    for path in named.paths:
        for end, key in enumerate(path[1:], start=1):
            within = _lookup(path[:end], output, facts)
            if within is _ABSENT or error.args != (key,) or _entry(within, key) is not _ABSENT:
                continue
            there = _keys(within)
            start = f"there is no entry {key!r} in {_written(path[:end])}, which"
            if there is None:
                return f"{start} {_unread(within)}"
            has = f"has {listed(map(repr, there), 8)}" if there else "is empty"
            return f"{start} {has}.{did_you_mean(key, there)} {_TEST_FIRST}"
    return f"there is no entry {error}. {_TEST_FIRST}"


def _unread(value: Any) -> str:
    """Say why nothing can be looked up in what is no mapping."""
    if value is None:
        return "is None: perhaps the worker forgot to return something"
    return f"is of type {type(value).__name__}. Let the worker return a dict with what is tested"


def _mismatched(error: TypeError, inputs: dict[str, Any]) -> str:
    """Tell what was looked at, where its types do not go together."""
    reason = str(error).split(". ", maxsplit=1)[0].rstrip(".")
    if reason.startswith("No such overload"):
        reason = "its values do not go together (no such overload)"
    seen = listed([f"{name} is {value!r:.60}" for name, value in inputs.items()], 4)
    is_nan = any(isinstance(value, float) and math.isnan(value) for value in inputs.values())
    more = ". NaN is neither more nor less than a number: let the worker give a number, or fail" if is_nan else ""
    return f"{reason}: {seen}{more}" if seen else reason


_TEST_FIRST = "Test first for one that may be missing, with has(...)"


def _keys(value: Any) -> list[str] | None:
    if isinstance(value, Mapping):
        return [key[:60] for key in cast("Mapping[Any, Any]", value) if isinstance(key, str)]
    return _fields(value)


def _written(path: tuple[str, ...]) -> str:
    return path[0] + "".join(f".{key}" if key.isidentifier() else f"[{key!r}]" for key in path[1:])


def _lookup(path: tuple[str, ...], output: Any, facts: Any) -> Any:
    root = path[0]
    if root == "visits":
        value: Any = facts.visit
    elif root == "output":
        value = output
    else:
        value = getattr(facts, root)
    for key in path[1:]:
        value = _entry(value, key)
        if value is _ABSENT:
            break
    return value


def _entry(value: Any, key: str) -> Any:
    """Return the entry; what is no mapping, model or dataclass has none, so that has(...) is false on it."""
    if isinstance(value, Mapping):
        return cast("Mapping[str, Any]", value).get(key, _ABSENT)
    return getattr(value, key) if key in (_fields(value) or ()) else _ABSENT


def _fields(value: Any) -> list[str] | None:
    if isinstance(value, BaseModel):
        return list(type(value).model_fields)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [field.name for field in dataclasses.fields(value)]
    return None


class _Plain:
    """Copies of the named values as plain data, counted against the caps."""

    def __init__(self, named: Named) -> None:
        self.named = named
        self.values = 0
        self.weight = 0
        self.characters = 0

    def place(self, variables: dict[str, Any], path: tuple[str, ...], value: Any) -> Any:
        """Put a copy of the value under its path, and return it.

        An absent one leaves its parent in place, without the key.
        """
        inner = variables
        for key in path[:-1]:
            inner = inner.setdefault(key, {})
        if value is _ABSENT:
            return value
        copied = inner[path[-1]] = self.copy(value, 0)
        return copied

    def check_work(self) -> None:
        named = self.named
        size = self.weight + self.characters // 8
        items = max(1, self.values * named.mentions + named.literals)
        work = named.mentions**2 * (self.weight + self.characters // 64)
        work += named.macros * items * (1 + named.mentions_in_macros * size + named.literals_in_macros)
        # Each new item of what a macro builds costs a copy of all items before it; in a chain each adds to the other.
        growth = named.growth if named.building_macros == 1 else named.growth**2
        work += named.building_macros * items * items * growth * (1 + named.mentions_in_maps * size)
        if work > MAX_WORK:
            raise ValueError(
                f"its data is too large for it ({self.values:,} values, {self.characters:,} characters, "
                f"{named.macros} macros); let a step work out the answer and test that"
            )

    def copy(self, value: Any, depth: int) -> Any:
        self.values += 1
        self.weight += 1
        if self.weight > MAX_WEIGHT:
            raise ValueError("it looks at too much data at once; let a step work out the answer and test that")
        if type(value) is str and value.isascii() and len(value) <= MAX_TEXT:  # most values, by the shortest way
            self.characters += len(value)
            return value
        if value is None or isinstance(value, (bool, float, datetime, timedelta)):
            return value
        if isinstance(value, Enum):
            return self.copy(value.value, depth)
        if isinstance(value, int):
            if not -(2**63) <= value < 2**63:
                raise ValueError(f"it looks at {value!r:.40}, an integer over 64 bits")
            return int(value)
        if isinstance(value, (str, bytes)):
            self.characters += len(value)
            if len(value) > MAX_TEXT:
                raise ValueError(f"it looks at a text of {len(value):,} characters, over {MAX_TEXT:,}")
            return str(value).encode("utf-8", "replace").decode() if isinstance(value, str) else value
        return self._copy_collection(value, depth + 1)

    def _copy_collection(self, value: Any, depth: int) -> Any:
        if depth > MAX_DATA_DEPTH:
            raise ValueError(f"it looks at data nested more than {MAX_DATA_DEPTH} levels deep")
        if isinstance(value, (list, tuple)):
            items = cast("list[Any]", value)
            if len(items) > MAX_LIST:
                raise ValueError(f"it looks at a list of {len(items):,} items, over {MAX_LIST:,}")
            self.weight += 2
            return [self.copy(item, depth) for item in items]
        if isinstance(value, Mapping):
            entries = cast("Mapping[Any, Any]", value)
            if len(entries) > MAX_LIST:
                raise ValueError(f"it looks at a mapping of {len(entries):,} entries, over {MAX_LIST:,}")
            if bad := [key for key in entries if not isinstance(key, str)]:
                raise TypeError(f"it looks at a mapping with the key {bad[0]!r:.40}, which is not text")
            self.weight += 4 + 4 * len(entries)
            return {str(key): self.copy(item, depth) for key, item in entries.items()}
        if (fields := _fields(value)) is not None:
            self.weight += 4 + 4 * len(fields)
            return {name: self.copy(getattr(value, name), depth) for name in fields}
        if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0:
            return self.copy(value.item(), depth)
        raise TypeError(
            f"it looks at {type(value).__name__}, and a condition reads plain data: "
            "text, numbers, lists, mappings, models and dataclasses"
        )


def _reason(error: Exception) -> str:
    text = str(error)
    return text.split(". Check ", maxsplit=1)[0].rstrip(".") or type(error).__name__
