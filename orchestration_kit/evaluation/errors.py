"""What can be wrong with an evaluation before it begins."""

from __future__ import annotations

from orchestration_kit.errors import OrchestrationError


class DatasetError(OrchestrationError, ValueError):
    """Cases that cannot be used, or a file that holds none."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason, hint)
        self.reason, self.hint = reason, hint

    def __str__(self) -> str:
        return f"This is no dataset: {self.reason}. {self.hint}"


class RubricError(OrchestrationError, ValueError):
    """Dimensions that cannot be scored."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason, hint)
        self.reason, self.hint = reason, hint

    def __str__(self) -> str:
        return f"This is no rubric: {self.reason}. {self.hint}"
