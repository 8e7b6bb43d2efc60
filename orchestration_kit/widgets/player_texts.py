"""Values become texts that a page may show, and texts that a person edited become values again.

What is sent is a short text, never the value; only what the text says wholly can be edited.
"""

from __future__ import annotations

import json
from typing import Any, Literal, NamedTuple, cast

from orchestration_kit.engine.values import ATOMS
from orchestration_kit.history.texts import short_text
from orchestration_kit.visual.text import clean, shorten

How = Literal["text", "json"]
"""How a text stands for a value: as itself, or as JSON."""

MOST_CHARACTERS = 4_000
_MOST_ITEMS, _DEEPEST = 200, 12
_CUT = "\N{HORIZONTAL ELLIPSIS}"


class ValueText(NamedTuple):
    """A value as a page shows it."""

    text: str
    how: How
    is_whole: bool
    """Whether the text says all there is, so that it can be edited and read back."""

    def sent(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"text": self.text, "how": self.how, "whole": self.is_whole}


def value_text(value: Any, limit: int = MOST_CHARACTERS) -> ValueText:
    r"""Return a value as text: a text as it is, plain data as JSON, anything else in short.

    >>> value_text("Hi, Ada"), value_text({"ok": True}).text
    (ValueText(text='Hi, Ada', how='text', is_whole=True), '{\n  "ok": true\n}')
    >>> value_text({1, 2})
    ValueText(text='"{1, 2}"', how='json', is_whole=False)
    """
    if type(value) is str:
        cut = shorten(value, limit)
        shown = clean(cut)
        return ValueText(shown, "text", shown == value)
    plain = _Plain(limit)
    try:
        text = json.dumps(plain.copy(value, _DEEPEST), indent=2, ensure_ascii=False)
    except Exception as error:  # noqa: BLE001 - a user's object may raise anything when it is looked at
        return ValueText(f"<{type(value).__name__}: {type(error).__name__} when it was looked at>", "json", False)  # noqa: FBT003
    shown = clean(shorten(text, limit))
    return ValueText(shown, "json", plain.is_whole and shown == text)


def value_of(text: str, how: str) -> Any:
    """Return the value that a person's text stands for.

    >>> value_of('{"ok": true}', "json"), value_of("{}", "text")
    ({'ok': True}, '{}')

    Raises:
        ValueError: it is no JSON.
    """
    if not isinstance(text, str) or how not in ("text", "json"):
        raise ValueError(f"give a text, as 'text' or 'json'; not {how!r:.40}")
    if how == "text":
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        hint = "Write it as JSON (texts in double quotes, true, false, null), or choose to give it as text."
        raise ValueError(f"that is no JSON: {error.msg} at {where}. {hint}") from None
    except RecursionError:
        raise ValueError("that is nested too deeply. Give a flatter value.") from None


class _Plain:
    """Copies plain data as far as it will be shown, and notes whether that was all."""

    def __init__(self, limit: int) -> None:
        self.left = limit
        self.is_whole = True

    def copy(self, value: Any, depth: int) -> Any:
        """Return what JSON can say of a value."""
        kind = cast("type[Any]", type(value))
        if kind is str:
            self.left -= len(value)
            if self.left < 0:
                self.is_whole = False
                return shorten(value, max(self.left + len(value), 20))
            return value
        if kind in ATOMS and kind in (int, float, bool, type(None)):
            self.left -= 4
            return value if kind is not int or abs(value) < 10**300 else self._short(value)
        if kind is dict and depth > 0:
            return self._dict(cast("dict[Any, Any]", value), depth)
        if kind is list and depth > 0:
            return self._list(cast("list[Any]", value), depth)
        return self._short(value)

    def _dict(self, value: dict[Any, Any], depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for count, (key, part) in enumerate(value.items()):
            if count >= _MOST_ITEMS or self.left < 0:
                self.is_whole = False
                found[_CUT] = f"{len(value) - count:,} more"
                break
            self.is_whole = self.is_whole and type(key) is str
            name = shorten(key if type(key) is str else short_text(key, 60), 400)
            self.is_whole = self.is_whole and name == key
            self.left -= len(name)
            found[name] = self.copy(part, depth - 1)
        return found

    def _list(self, value: list[Any], depth: int) -> list[Any]:
        found: list[Any] = []
        for count, part in enumerate(value):
            if count >= _MOST_ITEMS or self.left < 0:
                self.is_whole = False
                found.append(f"{_CUT} {len(value) - count:,} more")
                break
            found.append(self.copy(part, depth - 1))
        return found

    def _short(self, value: Any) -> str:
        self.is_whole = False
        text = short_text(value, 400)
        self.left -= len(text)
        return text
