"""Texts and values become what may leave the process: without secrets, and no longer than agreed."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from typing import Any, cast

MAX_ERROR = 1_000
"""Characters of an error's message."""
MAX_CONTENT = 4_000
"""Characters of an input or an output, where contents are wanted at all."""
MAX_NAME = 200
_MARGIN = 8_192
"""What is looked at beyond the end: a key that the cut goes through would not be known for one."""
_MAX_NAMES = 5_000
OTHER = "_OTHER"
"""Stands for a name, in metrics, where there are too many of them."""


def finder_of(redact: Any) -> Callable[[str], str] | None:
    """Return what takes secrets out of a text; None where that is not wanted. The one place that knows who does it.

    Raises:
        ValueError: a pattern is no regular expression.
    """
    if redact is False or redact is None:
        return None
    from orchestration_kit.secrets.finder import Finder

    return Finder(() if redact is True else cast("Iterable[str]", redact)).text


class Cleaner:
    """Cleans what telemetry tells. May be used by several threads at once.

    >>> Cleaner().text("it said: api_key=sk-proj-abcdefghijklmnopqrstuvwxyz0123456789")
    'it said: api_key=[REDACTED]'

    Args:
        redact: True; or a list of regular expressions that are secrets too; or False: nothing is taken out.

    Raises:
        ValueError: a pattern is no regular expression.
    """

    def __init__(self, redact: Any = True) -> None:  # noqa: FBT002 - one word for three things, as for journals
        self._find = finder_of(redact)
        self._names: dict[str, str] = {}
        self._labels: dict[str, str] = {}
        self._lock = threading.Lock()

    @property
    def is_off(self) -> bool:
        """Whether nothing is taken out."""
        return self._find is None

    def text(self, text: str, limit: int = MAX_ERROR) -> str:
        """Return a text without its secrets, cut to `limit` characters."""
        is_long = len(text) > limit + _MARGIN
        cleaned = self._clean(text[: limit + _MARGIN] if is_long else text)
        if is_long:
            cleaned = cleaned[:-_MARGIN]
        return cleaned if len(cleaned) <= limit else cleaned[: limit - 1] + "…"

    def name(self, name: str) -> str:
        """Return a name (of a step, a worker, a run) without secrets; looked at once."""
        known = self._names.get(name)
        if known is None:
            known = self.text(name, MAX_NAME)
            if len(self._names) < _MAX_NAMES:
                self._names[name] = known
        return known

    def label(self, name: str) -> str:
        """Return a name as metrics have it: of names that models make up there is no end, of series there has to be."""
        known = self._labels.get(name)
        if known is None:
            if len(self._labels) >= _MAX_NAMES // 5:
                return OTHER
            known = self._labels[name] = self.name(name)
        return known

    def content(self, value: Any, limit: int = MAX_CONTENT) -> str:
        """Return a value as text, JSON where it can be, without secrets, cut to `limit` characters."""
        if isinstance(value, str):
            return self.text(value, limit)
        try:
            told = json.dumps(value, ensure_ascii=False, default=repr)
        except (TypeError, ValueError, RecursionError):
            told = f"<{type(value).__name__}>"  # its repr may be anything, endless too
        return self.text(told, limit)

    def attribute(self, value: Any) -> Any:
        """Return the value of a span's attribute, as somebody else set it, without secrets."""
        if isinstance(value, str):
            return self._clean(value)
        if isinstance(value, bytes):
            return self._clean(value.decode("utf-8", "replace"))
        if isinstance(value, (list, tuple)):
            return [self.attribute(one) for one in cast("list[Any]", value)]
        if isinstance(value, dict):
            return {key: self.attribute(one) for key, one in cast("dict[str, Any]", value).items()}
        return value

    def _clean(self, text: str) -> str:
        if self._find is None:
            return text
        with self._lock:  # it remembers what it found
            return self._find(text)
