"""What comes of checking a plan: what rules object to, and whether it may be carried out."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import Any, Literal, get_args

from orchestration_kit.errors import counted

OnViolation = Literal["retry", "ask", "fail"]
"""What follows: another attempt that is told why, a person is asked, or the attempt fails for good."""
WAYS: tuple[OnViolation, ...] = get_args(OnViolation)
"""From the mildest to the strictest."""


@dataclass(frozen=True, slots=True)
class Violation:
    """What one rule objects to.

    >>> print(Violation("cost", "it costs 5 USD, over 1 USD", "Do it in parts."))
    cost: it costs 5 USD, over 1 USD. Do it in parts.
    """

    rule: str
    """Name of the rule."""
    message: str
    """What is wrong, without a full stop."""
    hint: str = ""
    """What to do, as a sentence."""
    on_violation: OnViolation | None = None
    """What follows from this one; None is what its rule says."""

    def __str__(self) -> str:
        return f"{self.rule}: {self.message}.{f' {self.hint}' if self.hint else ''}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a plan may be carried out. It is true where it may, so that `if verdict:` is right, too.

    >>> verdict = Verdict(False, (Violation("cost", "it costs 5 USD, over 1 USD"),))
    >>> verdict
    Verdict(denied, retry: cost: it costs 5 USD, over 1 USD.)
    >>> bool(verdict), bool(Verdict(True))
    (False, True)

    Raises:
        ValueError: an approval with violations, or a denial without: neither says what it means.
    """

    approved: bool
    violations: tuple[Violation, ...] = ()
    on_violation: OnViolation = "retry"
    """What follows: the strictest of what the violations ask for."""
    plan: dict[str, Any] | None = field(default=None, hash=False)
    """A copy of the plan in plain data, as it was checked: this is what is to be carried out, not the one that was
    handed in, which may have changed since. None where the plan could not be read."""

    def __post_init__(self) -> None:
        if self.approved is not (not self.violations):
            raise ValueError("a verdict is an approval without violations, or a denial with at least one")
        if self.on_violation not in WAYS:
            raise ValueError(f"on_violation is one of {', '.join(WAYS)}, not {self.on_violation!r:.40}")

    def __bool__(self) -> bool:
        return self.approved

    @property
    def reason(self) -> str:
        """Every violation in one text, a line each; empty where there is none."""
        return "\n".join(str(violation) for violation in self.violations)

    def __repr__(self) -> str:
        if self.approved:
            return "Verdict(approved)"
        first = str(self.violations[0])
        more = len(self.violations) - 1
        return f"Verdict(denied, {self.on_violation}: {first}{f' And {more} more.' if more else ''})"

    def _repr_html_(self) -> str:
        if self.approved:
            return "<b>approved</b>"
        rows = "".join(
            f"<tr><td>{escape(one.rule)}</td><td>{escape(one.message)}</td><td>{escape(one.hint)}</td></tr>"
            for one in self.violations
        )
        head = f"<b>denied</b> ({counted(len(self.violations), 'violation')}; then: {escape(self.on_violation)})"
        return f"{head}<table><tr><th>rule</th><th>what is wrong</th><th>what to do</th></tr>{rows}</table>"
