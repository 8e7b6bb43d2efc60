"""What can be wrong with a chain."""

from __future__ import annotations

from orchestration_kit.errors import OrchestrationError


class ChainError(OrchestrationError, ValueError):
    """A chain, or what it is to be made from, makes no sense."""

    def __init__(self, workflow: str, reason: str) -> None:
        super().__init__(workflow, reason)  # args alone rebuild it after pickling
        self.workflow, self.reason = workflow, reason

    def __str__(self) -> str:
        of = f" of workflow {self.workflow!r}" if self.workflow else ""
        return f"The chain{of} cannot be: {self.reason}"


class MissingReliabilityExtra(OrchestrationError, ImportError):
    """Reliability is computed with scipy, and it is not installed."""

    def __str__(self) -> str:
        return (
            "The reliability of workflows is computed with scipy, which is not installed. "
            "Install it with: pip install 'orchestration-kit[reliability]'"
        )
