"""Take secrets out of plain data (what the codec makes of values) before it is written to a file.

Found are well-known shapes (keys of model providers and clouds, tokens, private keys, passwords in URLs), entries and
`name=value` pairs whose name announces a secret, the values of environment variables whose names do, and patterns of
one's own. What was found once by its name is then found without it too. The same text always comes out the same, and
what was redacted stays as it is: `redact(redact(x)) == redact(x)`.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

from orchestration_kit.journal.cassette.redacted_tables import checked_table, redacted_array, redacted_base64
from orchestration_kit.journal.codec.room import with_room
from orchestration_kit.secrets.finder import MAX_ROUNDS, Finder
from orchestration_kit.secrets.patterns import PLACEHOLDER, is_harmless, looks_random, names_a_secret

_RAW = frozenset({"$bytes", "$bytearray", "$str"})
"""Tags of what is written in base64."""
_ATOMS = frozenset(
    {
        "$date",
        "$datetime",
        "$time",
        "$timedelta",
        "$decimal",
        "$fraction",
        "$uuid",
        "$int",
        "$float",
        "$complex",
        "$zoneinfo",
    }
)
"""Tags of what cannot be read any more where part of it is replaced."""
_NAMED_TYPES = frozenset({"$model", "$dataclass", "$namedtuple"})
"""Tags of what begins with the name of a type."""


def redact(plain: Any, extra: Iterable[str | re.Pattern[str]] = ()) -> Any:
    """Return plain data without its secrets.

    >>> redact({"password": "hunter2", "note": "call https://ann:s3cret@example.org"})
    {'password': '[REDACTED]', 'note': 'call https://ann:[REDACTED]@example.org'}

    Args:
        plain: Anything JSON can hold. It is not changed.
        extra: Regular expressions of one's own; what they match is a secret.

    Raises:
        ValueError: an extra pattern is none, or matches nothing at all, which is everywhere.
    """
    return Redactor(extra)(plain)


class Redactor:
    """Takes out secrets, and remembers those it found by their names, to find them elsewhere too."""

    def __init__(self, extra: Iterable[str | re.Pattern[str]] = (), environ: Mapping[str, str] | None = None) -> None:
        self._finder = Finder(extra, environ)

    def __call__(self, plain: Any) -> Any:
        """Return plain data without its secrets."""
        for _ in range(MAX_ROUNDS):
            before = self.found
            self._finder.learn()
            plain = with_room(self._data, plain)
            if self.found == before:
                break
        return plain

    @property
    def found(self) -> int:
        """How many secrets are known by their names so far."""
        return self._finder.found

    def text(self, text: str) -> str:
        """Return a text without its secrets."""
        return self._finder.text(text)

    # --- inside

    def _data(self, plain: Any) -> Any:
        if isinstance(plain, str):
            return self._finder.in_text(plain)
        if isinstance(plain, list):
            items = cast("list[Any]", plain)
            if len(items) == 2 and isinstance(items[0], str):
                return [self._finder.in_text(items[0]), self._entry(items[0], items[1])]
            return [self._data(item) for item in items]
        if isinstance(plain, dict):
            entries = cast("dict[str, Any]", plain)
            if len(entries) == 1:
                ((tag, payload),) = entries.items()
                if tag[:1] == "$":
                    return self._tagged(tag, payload)
            redacted: dict[str, Any] = {}
            for key, value in entries.items():
                redacted[_free(self._finder.in_text(key), redacted)] = self._entry(key, value)
            return redacted
        return plain

    def _tagged(self, tag: str, payload: Any) -> Any:
        """Redact a value that the codec has tagged, so that it can still be read."""
        if tag == "$enum":
            return {tag: payload}
        if tag in _ATOMS:  # a number of an account, say: what is left is text
            return (
                PLACEHOLDER if isinstance(payload, str) and self._finder.in_text(payload) != payload else {tag: payload}
            )
        if tag in _RAW:
            return {tag: redacted_base64(payload, self._finder.in_text)}
        if tag in _NAMED_TYPES and isinstance(payload, list):
            name, rest = cast("list[Any]", payload)[:1], cast("list[Any]", payload)[1:]
            return {tag: name + [self._data(part) for part in rest]}
        if tag in {"$set", "$frozenset"} and isinstance(payload, list):
            parts = [self._data(part) for part in cast("list[Any]", payload)]
            members: dict[str, Any] = {json.dumps(part, sort_keys=True): part for part in parts}
            kept: list[Any] = [members[key] for key in sorted(members)]
            return {tag: kept}
        if tag == "$ndarray" and isinstance(payload, list) and payload[:1] != ["object"]:
            return {tag: redacted_array(cast("list[Any]", payload), self._finder.in_text)}
        if tag == "$arrow":
            return {tag: checked_table(payload, self._finder.in_text)}
        return {tag: self._data(payload)}

    def _entry(self, name: str, value: Any) -> Any:
        """Redact the value of an entry, whose name may say that it is a secret as a whole."""
        kind = names_a_secret(name)
        if kind is False or value is None or isinstance(value, bool):
            return self._data(value)
        if isinstance(value, dict):
            return self._tagged_entry(name, cast("dict[str, Any]", value)) if kind else self._data(value)
        if isinstance(value, list):
            return [self._entry(name, item) for item in cast("list[Any]", value)]
        if isinstance(value, str):
            if not value or is_harmless(value) or not (kind or looks_random(value)):
                text = self._finder.in_text(value)
                # What is left may look like a secret now: then it goes as a whole, at once.
                left = text != value and not is_harmless(text) and (kind or looks_random(text))
                return PLACEHOLDER if left else text
        elif not kind:
            return self._data(value)
        self._finder.note(str(value))
        return PLACEHOLDER

    def _tagged_entry(self, name: str, value: dict[str, Any]) -> Any:
        for tag, payload in value.items():
            if tag in _ATOMS or tag == "$str":
                return PLACEHOLDER
            if tag in _RAW:
                return {tag: base64.b64encode(PLACEHOLDER.encode()).decode("ascii")}
            if tag in {"$tuple", "$set", "$frozenset"} and isinstance(payload, list):
                return self._data({tag: [self._entry(name, part) for part in cast("list[Any]", payload)]})
        return self._data(value)


def _free(key: str, taken: Mapping[str, Any]) -> str:
    """Return a key that is not taken: two secrets may be keys of one mapping."""
    free, number = key, 2
    while free in taken:
        free, number = f"{key}#{number}", number + 1
    return free
