"""Take secrets out of live values before they are handed on: keys of known shapes, and values of the environment.

Nothing is guessed from names here (`password = ...`), as what is on record should be what was said. A value without a
secret comes back as the very object it was, so that looking costs no copy. Values are never changed in place.
Looked into are texts, bytes, paths, the containers of the standard library, dataclasses, pydantic models, DataFrames,
Series, arrays and Arrow tables; any other object is handed on as it is.
"""

from __future__ import annotations

import copy
import dataclasses
import os
import re
import sys
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from pathlib import PurePath
from typing import Any, NamedTuple, cast

from orchestration_kit.errors import ValueTooDeep
from orchestration_kit.secrets.environment import MIN_ENV_VALUE, secret_values
from orchestration_kit.secrets.finder import MAX_ROUNDS, between, compiled
from orchestration_kit.secrets.glance import long_runs, may_hold_a_key
from orchestration_kit.secrets.patterns import KEYS, PLACEHOLDER
from orchestration_kit.secrets.scrubbed_tables import is_table, scrubbed_table

MAX_DEPTH = 200
_PLAIN: frozenset[Any] = frozenset({int, float, bool, complex, type(None), range})


class _Known(NamedTuple):
    """What the environment holds, as it was when it was looked at."""

    seen: Mapping[Any, Any]
    values: tuple[str, ...]
    short: tuple[str, ...]
    """Those without a long run: the others are only where a text has one, too."""


class Scrubber:
    """Takes secrets out of texts and values. May be used by several threads at once.

    >>> scrubber = Scrubber(environ={"SHOP_TOKEN": "correct horse"})
    >>> scrubber({"note": "the token is correct horse", "price": 3})
    {'note': 'the token is [REDACTED]', 'price': 3}
    >>> clean = ["nothing", {"to": "hide"}]
    >>> scrubber(clean) is clean
    True

    Args:
        extra: Regular expressions of one's own; what they match is a secret.
        environ: Where variables that name secrets are looked up; by default the process's environment.

    Raises:
        ValueError: an extra pattern is none, or matches the empty text, which is everywhere.
    """

    def __init__(self, extra: Iterable[str | re.Pattern[str]] = (), environ: Mapping[str, str] | None = None) -> None:
        self._extra = [compiled(pattern) for pattern in extra]
        self._shortest = 0 if self._extra else MIN_ENV_VALUE
        self._environ: Mapping[str, str] = os.environ if environ is None else environ
        self._known = _Known({}, (), ())
        self.refresh()

    @property
    def patterns(self) -> tuple[re.Pattern[str], ...]:
        """The regular expressions of one's own."""
        return tuple(self._extra)

    def refresh(self) -> None:
        """Look at the environment anew, if it changed since the last look: a run calls it as it starts."""
        # CPython keeps the variables in a dict; to compare two of those costs a microsecond, to decode all 30.
        now: Mapping[Any, Any] = getattr(self._environ, "_data", self._environ)
        if now == self._known.seen:
            return
        seen, found = dict(now), secret_values(self._environ)
        found |= {value.encode("utf-8", "surrogatepass").decode("latin-1") for value in found if not value.isascii()}
        values = tuple(sorted(found, key=lambda value: (-len(value), value)))
        self._known = _Known(seen, values, tuple(value for value in values if not long_runs(value)))

    def text(self, text: str) -> str:
        """Return a text without its secrets; the same object where there is none."""
        if len(text) < self._shortest or not self._may_hold(text):
            return text
        cleaned = text
        for _ in range(MAX_ROUNDS):
            before = cleaned
            cleaned = self._once(cleaned)
            if cleaned == before:
                break
        return text if cleaned == text else cleaned

    def __call__(self, value: Any) -> Any:
        """Return a value without its secrets: the same object where there is none, else a copy of what had one.

        Raises:
            ValueTooDeep: a secret lies more than 200 levels deep.
        """
        if type(value) is str:
            return self.text(value)
        return self._without(value, {}, 0) if self._holds(value) else value

    def may_be_in(self, texts: list[str]) -> bool:
        """Whether one of many texts may hold a secret: they are looked at in one go."""
        if self._extra:  # a pattern may be bound to where a text begins or ends
            return any(map(self._may_hold, texts))
        return self._may_hold("\n".join(texts))

    # --- texts

    def _may_hold(self, text: str) -> bool:
        known, runs = self._known, long_runs(text)
        for secret in known.values if runs else known.short:
            if text.rfind(secret) >= 0:
                return True
        if may_hold_a_key(text, runs):
            return True
        return bool(self._extra) and any(pattern.search(text) for pattern in self._extra)

    def _once(self, text: str) -> str:
        for secret in self._known.values:
            if secret in text:
                text = PLACEHOLDER.join(part.replace(secret, PLACEHOLDER) for part in text.split(PLACEHOLDER))
        for pattern in self._extra:
            text = between(text, pattern)
        lowered = text.lower()
        for triggers, pattern in KEYS:
            if any(trigger in lowered for trigger in triggers):
                text = pattern.sub(PLACEHOLDER, text)
        return text

    def _bytes(self, content: bytes | bytearray) -> bytes | bytearray:
        text = content.decode("latin-1")
        cleaned = self.text(text)
        return content if cleaned is text else type(content)(cleaned.encode("latin-1", "replace"))

    # --- values

    def _holds(self, value: Any) -> bool:
        """Whether there is a secret anywhere in a value. However deep it is, and even if it contains itself."""
        todo, seen = [value], set[int]()
        while todo:
            part = todo.pop()
            kind = cast("Any", type(part))
            if kind in _PLAIN:
                continue
            if kind is str:
                if self.text(part) is not part:
                    return True
                continue
            inside = _parts(part)
            if inside is None:
                if self._leaf(part) is not part:
                    return True
            elif id(part) not in seen:
                seen.add(id(part))
                todo += inside
        return False

    def _leaf(self, value: Any) -> Any:
        """Return what is no container without its secrets."""
        if isinstance(value, (str, bytes, bytearray, PurePath)):
            if isinstance(value, Enum):
                return value
            if isinstance(value, str):
                cleaned = self.text(value)
                return value if cleaned is value or cleaned == value else cleaned
            if isinstance(value, PurePath):
                path = str(value)
                cleaned = self.text(path)
                return value if cleaned is path else type(value)(cleaned)
            return self._bytes(value)
        if is_table(value):
            return scrubbed_table(value, self)
        if _is_secret_of_pydantic(value):
            hidden = value.get_secret_value()
            cleaned = self(hidden)
            return value if cleaned is hidden else type(value)(cleaned)
        return value

    def _without(self, value: Any, done: dict[int, Any], depth: int) -> Any:
        if id(value) in done:
            return done[id(value)]
        if not self._holds(value):
            return value
        if depth > MAX_DEPTH:
            raise ValueTooDeep(MAX_DEPTH)
        if _parts(value) is None:
            return self._leaf(value)
        return self._container(value, done, depth + 1)

    def _container(self, value: Any, done: dict[int, Any], depth: int) -> Any:
        """Return a copy of a container without its secrets. What may contain itself is made before it is filled."""

        def clean(part: Any) -> Any:
            return self._without(part, done, depth)

        if isinstance(value, (tuple, frozenset)):
            parts = [clean(part) for part in cast("Iterable[Any]", value)]
            made = cast("Any", type(cast("Any", value)))
            return made._make(parts) if hasattr(made, "_make") else made(parts)
        copied: Any = value.model_copy() if _is_model(value) else copy.copy(value)
        done[id(value)] = copied
        _fill(copied, value, clean)
        return copied


def _fill(copied: Any, value: Any, clean: Callable[[Any], Any]) -> None:
    """Put the cleaned parts of a value into a copy of it."""
    if isinstance(value, dict):
        copied.clear()
        for key, part in cast("dict[Any, Any]", value).items():
            copied[_free(clean(key), copied)] = clean(part)
    elif isinstance(value, (list, deque)):
        for index, part in enumerate(cast("list[Any]", value)):
            copied[index] = clean(part)
    elif isinstance(value, set):
        copied.clear()
        copied.update([clean(part) for part in cast("set[Any]", value)])
    else:
        _fill_fields(copied, value, clean)


def _fill_fields(copied: Any, value: Any, clean: Callable[[Any], Any]) -> None:
    if _is_model(value):
        for fields in _fields_of(copied):
            for name, part in fields.items():
                fields[name] = clean(part)
        return
    for field in dataclasses.fields(value):
        if hasattr(value, field.name):
            object.__setattr__(copied, field.name, clean(getattr(value, field.name)))


def _parts(value: Any) -> list[Any] | None:
    """Return what a container holds; None where it is none."""
    if isinstance(value, dict):
        entries = cast("dict[Any, Any]", value)
        return [*entries.keys(), *entries.values()]
    if isinstance(value, (list, tuple, set, frozenset, deque)):
        return [*cast("Iterable[Any]", value)]
    if _is_model(value):
        return [part for fields in _fields_of(value) for part in fields.values()]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, field.name) for field in dataclasses.fields(value) if hasattr(value, field.name)]
    return None


def _is_model(value: Any) -> bool:
    pydantic = sys.modules.get("pydantic.main")  # whoever made one has imported it
    return pydantic is not None and isinstance(value, pydantic.BaseModel)


def _fields_of(model: Any) -> list[dict[str, Any]]:
    inside = cast("Any", [vars(model), model.__pydantic_extra__, model.__pydantic_private__])
    return [fields for fields in inside if fields]


def _is_secret_of_pydantic(value: Any) -> bool:
    types = sys.modules.get("pydantic.types")
    return types is not None and isinstance(value, (types.SecretStr, types.SecretBytes))


def _free(key: Any, taken: Mapping[Any, Any]) -> Any:
    """Return a key that is not taken: two secrets may be keys of one mapping."""
    free, number = key, 2
    while isinstance(key, str) and free in taken:
        free, number = f"{key}#{number}", number + 1
    return free
