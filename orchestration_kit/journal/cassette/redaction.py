"""Take secrets out of plain data (what the codec makes of values) before it is written to a file.

Found are well-known shapes (keys of model providers and clouds, tokens, private keys, passwords in URLs), entries and
`name=value` pairs whose name announces a secret, the values of environment variables whose names do, and patterns of
one's own. What was found once by its name is then found without it too. The same text always comes out the same, and
what was redacted stays as it is: `redact(redact(x)) == redact(x)`.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any, cast
from urllib.parse import quote

from orchestration_kit.journal.cassette.redacted_tables import checked_table, redacted_array, redacted_base64
from orchestration_kit.journal.cassette.secret_patterns import (
    NAMED,
    PAIR,
    PAIR_TRIGGERS,
    PLACEHOLDER,
    SHAPES,
    env_names_a_secret,
    is_harmless,
    looks_random,
    names_a_secret,
)
from orchestration_kit.journal.codec.room import with_room

MIN_ENV_VALUE = 8
"""Values of environment variables that are shorter could be any word."""
_MAX_ROUNDS = 6
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
_MAX_FOUND = 1000


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
        self._extra = [_compiled(pattern) for pattern in extra]
        self._environ: Mapping[str, str] = os.environ if environ is None else environ
        self._found: set[str] = set()
        self._known: list[str] = []

    def __call__(self, plain: Any) -> Any:
        """Return plain data without its secrets."""
        self._learn_environment()
        for _ in range(_MAX_ROUNDS):
            before = len(self._found)
            plain = with_room(self._data, plain)
            if len(self._found) == before:
                break
            self._learn_environment()
        return plain

    @property
    def found(self) -> int:
        """How many secrets are known by their names so far."""
        return len(self._found)

    def text(self, text: str) -> str:
        """Return a text without its secrets."""
        return self(text)

    # --- inside

    def _learn_environment(self) -> None:
        """Look at the environment anew: it may have changed since the last look."""
        known = set(self._found)
        for name, value in self._environ.items():
            if len(value) >= MIN_ENV_VALUE and env_names_a_secret(name) and not _is_file(value):
                known |= {value, quote(value, safe=""), json.dumps(value)[1:-1]}
        self._known = sorted(known, key=lambda value: (-len(value), value))

    def _data(self, plain: Any) -> Any:
        if isinstance(plain, str):
            return self._text(plain)
        if isinstance(plain, list):
            items = cast("list[Any]", plain)
            if len(items) == 2 and isinstance(items[0], str):
                return [self._text(items[0]), self._entry(items[0], items[1])]
            return [self._data(item) for item in items]
        if isinstance(plain, dict):
            entries = cast("dict[str, Any]", plain)
            if len(entries) == 1:
                ((tag, payload),) = entries.items()
                if tag[:1] == "$":
                    return self._tagged(tag, payload)
            redacted: dict[str, Any] = {}
            for key, value in entries.items():
                redacted[_free(self._text(key), redacted)] = self._entry(key, value)
            return redacted
        return plain

    def _tagged(self, tag: str, payload: Any) -> Any:
        """Redact a value that the codec has tagged, so that it can still be read."""
        if tag == "$enum":
            return {tag: payload}
        if tag in _ATOMS:  # a number of an account, say: what is left is text
            return PLACEHOLDER if isinstance(payload, str) and self._text(payload) != payload else {tag: payload}
        if tag in _RAW:
            return {tag: redacted_base64(payload, self._text)}
        if tag in _NAMED_TYPES and isinstance(payload, list):
            name, rest = cast("list[Any]", payload)[:1], cast("list[Any]", payload)[1:]
            return {tag: name + [self._data(part) for part in rest]}
        if tag in {"$set", "$frozenset"} and isinstance(payload, list):
            parts = [self._data(part) for part in cast("list[Any]", payload)]
            members: dict[str, Any] = {json.dumps(part, sort_keys=True): part for part in parts}
            kept: list[Any] = [members[key] for key in sorted(members)]
            return {tag: kept}
        if tag == "$ndarray" and isinstance(payload, list) and payload[:1] != ["object"]:
            return {tag: redacted_array(cast("list[Any]", payload), self._text)}
        if tag == "$arrow":
            return {tag: checked_table(payload, self._text)}
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
                text = self._text(value)  # what is left may look like a secret now: then it goes as a whole, at once
                left = text != value and not is_harmless(text) and (kind or looks_random(text))
                return PLACEHOLDER if left else text
        elif not kind:
            return self._data(value)
        self._note(str(value))
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

    def _text(self, text: str) -> str:
        for _ in range(_MAX_ROUNDS):
            before = text
            text = self._once(text)
            if text == before:
                break
        return text

    def _once(self, text: str) -> str:
        for secret in self._known:
            if secret in text:
                text = _between(text, re.compile(re.escape(secret)))
        for pattern in self._extra:
            text = _between(text, pattern)
        if len(text) < 8:
            return text
        lowered = text.lower()
        for triggers, pattern in SHAPES:
            if any(trigger in lowered for trigger in triggers):
                text = pattern.sub(PLACEHOLDER, text)
        for triggers, pattern in NAMED:
            if any(trigger in lowered for trigger in triggers):
                text = pattern.sub(self._named, text)
        if any(trigger in lowered for trigger in PAIR_TRIGGERS):
            text = PAIR.sub(self._pair, text)
        return text

    def _named(self, match: re.Match[str]) -> str:
        self._note(match["value"])
        return match[1] + PLACEHOLDER

    def _pair(self, match: re.Match[str]) -> str:
        value, name = match["value"], match["name"]
        following = match.string[match.end() : match.end() + 1]
        is_bare = not match["quote"]
        is_sure = names_a_secret(name) is True
        if (
            len(value) < (6 if is_bare else 4)
            or is_harmless(value, name.strip("_-"))
            or (is_bare and (following in {"(", "["} or (match["sign"] != "=" and value.isalpha())))
            or not (is_sure or looks_random(value))
        ):
            return match[0]
        self._note(value)
        return match[0][: -len(value)] + PLACEHOLDER

    def _note(self, secret: str) -> None:
        if looks_random(secret) and PLACEHOLDER not in secret and len(self._found) < _MAX_FOUND:
            self._found.add(secret)


def _compiled(pattern: str | re.Pattern[str]) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern)
    except (re.error, TypeError) as error:
        raise ValueError(
            f"redact={pattern!r:.80} is no regular expression ({error}). Write for example redact=[r'ACME-[0-9]{{6}}']."
        ) from None
    if not isinstance(cast("Any", compiled.pattern), str) or compiled.fullmatch(""):
        raise ValueError(
            f"redact={pattern!r:.80} matches the empty text, or is for bytes. Write what a secret has in it."
        )
    return compiled


def _between(text: str, pattern: re.Pattern[str]) -> str:
    """Replace what a pattern matches, apart from what stands for a secret already."""
    return PLACEHOLDER.join(pattern.sub(PLACEHOLDER, part) for part in text.split(PLACEHOLDER))


def _free(key: str, taken: Mapping[str, Any]) -> str:
    """Return a key that is not taken: two secrets may be keys of one mapping."""
    free, number = key, 2
    while free in taken:
        free, number = f"{key}#{number}", number + 1
    return free


def _is_file(value: str) -> bool:
    """Whether a variable holds the path of a secret rather than the secret."""
    try:
        return value[0] in "/~." and os.path.exists(value)  # noqa: PTH110 - called often
    except ValueError:
        return False
