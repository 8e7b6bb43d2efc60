"""What a hub lends to the workers of its runs: rules, hands, lessons, and somebody who keeps secrets off the record."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from os import PathLike
from typing import Any, Protocol, cast

from orchestration_kit.engine.ports import Clock, Gate, Lessons, SystemClock

Hand = Callable[..., Any]
"""Carries out an action: `(action_data, context) -> result` or `(action_data) -> result`, sync or async."""


class Scrub(Protocol):
    """Takes secrets out of values."""

    def __call__(self, value: Any) -> Any:
        """Return a value without secrets, the same object where it held none."""
        ...

    def text(self, text: str) -> str:
        """The same for text."""
        ...

    def refresh(self) -> None:
        """Look at the environment anew."""
        ...

    @property
    def patterns(self) -> tuple[re.Pattern[str], ...]:
        """Regular expressions of one's own, for a hub elsewhere."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """What workers may ask of their hub."""

    gate: Gate | None = None
    hands: Mapping[str, Hand] = field(default_factory=dict[str, Hand])
    """By action type."""
    lessons: Lessons | None = None
    scrub: Scrub | None = None
    """Returns a value without secrets, the same object where it held none."""
    clock: Clock = field(default_factory=SystemClock)

    @property
    def lends(self) -> bool:
        """Whether what workers return has to be looked at."""
        return self.gate is not None

    def cleaned(self, value: Any) -> Any:
        """Return a value without secrets, as it goes on record."""
        return value if self.scrub is None else self.scrub(value)

    def fresh_scrub(self) -> Callable[[Any], Any]:
        """Return what takes secrets out, with the environment looked at anew."""
        if self.scrub is None:
            return _as_it_is
        self.scrub.refresh()
        return self.scrub


NO_SERVICES = Services()


def checked_hands(hands: Mapping[str, Hand] | None, gate: Gate | None) -> dict[str, Hand]:
    """See that actions have somebody to carry them out, and rules.

    Raises:
        TypeError: something is no callable, or no constraint engine.
        ValueError: there are no constraints: nothing is carried out unchecked.
    """
    if gate is not None and not callable(getattr(gate, "validate_plan", None)):
        raise TypeError(f"constraints is a ConstraintEngine such as create_default_engine(), not {gate!r:.80}.")
    checked = dict(hands or {})
    for name, hand in checked.items():
        if not callable(hand):
            raise TypeError(
                f"actions[{name!r}] is {type(hand).__name__}, which cannot carry anything out. Give a callable."
            )
    if checked and gate is None:
        raise ValueError(
            "Orchestrator(actions=...) needs constraints=: nothing is carried out unchecked. "
            "Begin with constraints=create_default_engine(allowed_domains=[...])."
        )
    return checked


def open_wisdom(wisdom: Any) -> Lessons | None:
    """Return lessons: as given, or the SQLite file of a path; None where none are wanted.

    Raises:
        TypeError: it is neither.
    """
    if wisdom is None:
        return None
    if isinstance(wisdom, (str, PathLike)):
        from orchestration_kit.governance.wisdom import Wisdom

        return Wisdom(cast("str | PathLike[str]", wisdom))
    if callable(getattr(wisdom, "bound", None)) and callable(getattr(wisdom, "observe", None)):
        return wisdom
    raise TypeError(f'wisdom is the path of a file such as "lessons.db", or a Wisdom, not {wisdom!r:.80}.')


def _as_it_is(value: Any) -> Any:
    return value


def checked_redaction(redact: Any) -> Scrub | None:
    """Return what takes secrets out of values before they are on record; None where that is not wanted.

    Raises:
        ValueError: a pattern is no regular expression.
    """
    if redact is False or redact is None:
        return None
    from orchestration_kit.secrets.scrubber import Scrubber

    return Scrubber(() if redact is True else redact)
