"""What a check found, and what a check is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from orchestration_kit.errors import listed

if TYPE_CHECKING:
    from orchestration_kit.definition.workflow import WorkflowDefinition


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, or doubtful, about a workflow.

    >>> print(Problem("missing-target", ("say",), "'say' leads to 'don', which is no step", "Did you mean 'done'?"))
    'say' leads to 'don', which is no step. Did you mean 'done'?
    """

    code: str
    """Name of the check, e.g. `missing-target`."""
    steps: tuple[str, ...]
    """All offenders."""
    message: str
    hint: str
    severity: Literal["error", "warning"] = "error"
    """Errors refuse registration; warnings are shown."""

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}".rstrip()


Rule = Callable[["WorkflowDefinition"], Iterator[Problem]]
"""A named check: it returns all offenders and changes nothing."""


def steps_are(step_ids: list[str]) -> str:
    """Return the subject of a message, with its verb.

    >>> steps_are(["a"]), steps_are(["a", "b"])
    ("step 'a' is", 'steps a, b are')
    """
    return f"step {step_ids[0]!r} is" if len(step_ids) == 1 else f"steps {listed(step_ids)} are"
