"""The states of a run."""

from enum import StrEnum


class WorkflowState(StrEnum):
    """Where a run stands.

    >>> WorkflowState.COMPLETED == "completed", WorkflowState("waiting").name
    (True, 'WAITING')
    """

    INITIALIZED = "initialized"
    IN_PROGRESS = "in_progress"
    WAITING = "waiting"
    """For a person or a time."""
    COMPLETED = "completed"
    FAILED = "failed"
    BLOCKED = "blocked"
    """A constraint refused an action, and a person must decide."""
    CANCELLED = "cancelled"


RESTING = (WorkflowState.WAITING, WorkflowState.BLOCKED)
"""States of a run that goes on when somebody answers."""
