"""Texts and values become what may leave the process: without secrets, and no longer than agreed."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, cast

MAX_ERROR = 1_000
"""Characters of an error's message."""
MAX_CONTENT = 4_000
"""Characters of an input or an output, where contents are wanted at all."""
MAX_ATTRIBUTE = 65_536
"""Characters of what a model library tells: a whole conversation, where contents are wanted."""
MAX_NAME = 200
_MARGIN = 8_192
"""What is looked at beyond the end: a key that the cut goes through would not be known for one."""
_MAX_LABELS = 1_000
OTHER = "_OTHER"
"""Stands for a name, in metrics, where there are too many of them."""


def writable(text: str) -> str:
    r"""Return a text that has UTF-8: halves of surrogate pairs would have a whole batch of spans refused.

    >>> writable("half of \ud83d")
    'half of ?'
    """
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode("utf-8")


class _Secrets(NamedTuple):
    """Who takes secrets out."""

    of_text: Callable[[str], str]
    """Finds what a name announces, too: `password=...`. Some 30 us."""
    of_name: Callable[[str], str]
    """Finds keys of known shapes and values of the environment. Some 0.1 us."""
    refresh: Callable[[], None]
    """Has the environment looked at anew."""


def _secrets(redact: Any) -> _Secrets | None:
    """Return who takes secrets out; None where that is not wanted. The one place that knows them."""
    if redact is False or redact is None:
        return None
    from orchestration_kit.secrets.finder import Finder
    from orchestration_kit.secrets.scrubber import Scrubber

    patterns = () if redact is True else tuple(cast("Iterable[str]", redact))
    scrubber = Scrubber(patterns)
    return _Secrets(Finder(patterns).text, scrubber.text, scrubber.refresh)


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
        self._secrets = _secrets(redact)
        self._labels: dict[str, str] = {}
        self._lock = threading.Lock()

    @property
    def is_off(self) -> bool:
        """Whether nothing is taken out."""
        return self._secrets is None

    def refresh(self) -> None:
        """Look at the environment anew: a run begins."""
        if self._secrets is not None:
            self._secrets.refresh()

    def text(self, text: str, limit: int = MAX_ERROR) -> str:
        """Return a text without its secrets, cut to `limit` characters."""
        is_long = len(text) > limit + _MARGIN
        cleaned = self._clean(text[: limit + _MARGIN] if is_long else text)
        if is_long:
            cleaned = cleaned[:-_MARGIN]
        return writable(cleaned if len(cleaned) <= limit else cleaned[: limit - 1] + "…")

    def name(self, name: str) -> str:
        """Return a name (of a step, a worker, a run) without secrets."""
        if self._secrets is not None:
            name = self._secrets.of_name(name)
        return writable(name if len(name) <= MAX_NAME else name[: MAX_NAME - 1] + "…")

    def label(self, name: str) -> str:
        """Return a name as metrics have it: of names that models make up there is no end, of series there has to be."""
        known = self._labels.get(name)
        if known is None:
            if len(self._labels) >= _MAX_LABELS:
                return OTHER
            known = self._labels[name] = self.name(name)
        return known

    def content(self, value: Any, limit: int = MAX_CONTENT) -> str:
        """Return a value as text, JSON where it can be, without secrets, cut to `limit` characters."""
        if isinstance(value, str):
            return self.text(value, limit)
        try:
            told = json.dumps(value, ensure_ascii=False, default=repr)
        except Exception:  # noqa: BLE001 - the repr of a worker's object may do anything
            told = f"<{type(value).__name__}>"
        return self.text(told, limit)

    def attribute(self, value: Any) -> Any:
        """Return the value of a span's attribute, as somebody else set it, without secrets."""
        if isinstance(value, str):
            return self.text(value, MAX_ATTRIBUTE)
        if isinstance(value, bytes):
            return self.text(value[: MAX_ATTRIBUTE + 2 * _MARGIN].decode("utf-8", "replace"), MAX_ATTRIBUTE)
        if isinstance(value, (list, tuple)):
            return [self.attribute(one) for one in cast("list[Any]", value)]
        if isinstance(value, dict):
            return {key: self.attribute(one) for key, one in cast("dict[str, Any]", value).items()}
        return value

    def _clean(self, text: str) -> str:
        if self._secrets is None:
            return text
        with self._lock:  # it remembers what it found
            return self._secrets.of_text(text)
