"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, or doubtful, about a workflow."""

    code: str
    """Name of the check, e.g. `missing-target`."""
    steps: tuple[str, ...]
    """All offenders."""
    message: str
    hint: str
    severity: Literal["error", "warning"] = "error"
    """Errors refuse registration; warnings are shown."""

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}"
