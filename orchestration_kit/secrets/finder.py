"""Take secrets out of texts: known shapes, what a name announces, values of the environment, patterns of one's own.

What was found once by its name is then found without it too. The same text always comes out the same, and what was
redacted stays as it is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

from orchestration_kit.secrets.environment import secret_values
from orchestration_kit.secrets.patterns import (
    NAMED,
    PAIR,
    PAIR_TRIGGERS,
    PLACEHOLDER,
    SHAPES,
    is_harmless,
    looks_random,
    names_a_secret,
)

MAX_ROUNDS = 6
"""So often is a text looked at again, as what is left may look like a secret."""
_MAX_FOUND = 1000


class Finder:
    """Takes secrets out of texts, and remembers those it found by their names, to find them elsewhere too.

    >>> Finder().text("password=hunter2hunter2; later: hunter2hunter2")
    'password=[REDACTED]; later: [REDACTED]'

    Args:
        extra: Regular expressions of one's own; what they match is a secret.
        environ: Where variables that name secrets are looked up; by default the process's environment.

    Raises:
        ValueError: an extra pattern is none, or matches nothing at all, which is everywhere.
    """

    def __init__(self, extra: Iterable[str | re.Pattern[str]] = (), environ: Mapping[str, str] | None = None) -> None:
        self._extra = [compiled(pattern) for pattern in extra]
        self._environ: Mapping[str, str] = os.environ if environ is None else environ
        self._found: set[str] = set()
        self._known: list[str] = []

    @property
    def found(self) -> int:
        """How many secrets are known by their names so far."""
        return len(self._found)

    def text(self, text: str) -> str:
        """Return a text without its secrets."""
        for _ in range(MAX_ROUNDS):
            before = self.found
            self.learn()
            text = self.in_text(text)
            if self.found == before:
                break
        return text

    def learn(self) -> None:
        """Look at the environment anew: it may have changed since the last look. What was found counts from now on."""
        known = self._found | secret_values(self._environ)
        self._known = sorted(known, key=lambda value: (-len(value), value))

    def in_text(self, text: str) -> str:
        """Return a text without the secrets that are known by now."""
        for _ in range(MAX_ROUNDS):
            before = text
            text = self._once(text)
            if text == before:
                break
        return text

    def _once(self, text: str) -> str:
        for secret in self._known:
            if secret in text:
                text = between(text, re.compile(re.escape(secret)))
        for pattern in self._extra:
            text = between(text, pattern)
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
        self.note(match["value"])
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
        self.note(value)
        return match[0][: -len(value)] + PLACEHOLDER

    def note(self, secret: str) -> None:
        """Remember what a name announced as a secret, if it looks like one."""
        if looks_random(secret) and PLACEHOLDER not in secret and len(self._found) < _MAX_FOUND:
            self._found.add(secret)


def compiled(pattern: str | re.Pattern[str]) -> re.Pattern[str]:
    """Return a pattern of one's own, ready to use.

    Raises:
        ValueError: it is none, or matches the empty text, which is everywhere.
    """
    try:
        found = re.compile(pattern)
    except (re.error, TypeError) as error:
        raise ValueError(
            f"redact={pattern!r:.80} is no regular expression ({error}). Write for example redact=[r'ACME-[0-9]{{6}}']."
        ) from None
    if not isinstance(cast("Any", found.pattern), str) or found.fullmatch(""):
        raise ValueError(
            f"redact={pattern!r:.80} matches the empty text, or is for bytes. Write what a secret has in it."
        )
    return found


def between(text: str, pattern: re.Pattern[str]) -> str:
    """Replace what a pattern matches, apart from what stands for a secret already."""
    return PLACEHOLDER.join(pattern.sub(PLACEHOLDER, part) for part in text.split(PLACEHOLDER))
