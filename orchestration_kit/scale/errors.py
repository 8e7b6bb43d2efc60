"""What can go wrong with a set of runs before any of them is made."""

from __future__ import annotations

from orchestration_kit.errors import OrchestrationError, counted


class GoalsError(OrchestrationError, ValueError):
    """Goals that no set of runs can be made of; nothing was run."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason, hint)
        self.reason, self.hint = reason, hint

    def __str__(self) -> str:
        return f"These goals cannot be run: {self.reason}. {self.hint}"


class RunSetChanged(OrchestrationError, ValueError):
    """A set of this name is on record, and what was asked for is not what it began with; nothing was run."""

    def __init__(self, name: str, differs: dict[str, str], count: int) -> None:
        super().__init__(name, differs, count)
        self.name, self.differs, self.count = name, differs, count
        """By run id: what differs, for the first few; and how many runs there are that do."""

    def __str__(self) -> str:
        lines = [f"  {run_id}: {what}" for run_id, what in self.differs.items()]
        more = self.count - len(lines)
        return (
            f"The set {self.name!r} is on record, and {counted(self.count, 'run')} of it began with something else:\n"
            + "\n".join(lines)
            + (f"\n  and {more:,} more" if more > 0 else "")
            + "\nNothing was run. Give what it began with, to go on with it; or another name, to begin anew."
        )


class WorkflowTaken(OrchestrationError, ValueError):
    """Another workflow is registered under this name; nothing was run."""

    def __init__(self, workflow: str) -> None:
        super().__init__(workflow)
        self.workflow = workflow

    def __str__(self) -> str:
        return (
            f"Another workflow is registered with this hub under the name {self.workflow!r}. "
            f"To run the one that is registered, give its name: run_many({self.workflow!r}, ...); to put this one in "
            "its place, call hub.register_workflow(workflow) first; or give it a name of its own."
        )


class NotMadeElsewhere(OrchestrationError, ValueError):
    """Whole runs of this hub cannot leave it; nothing was run."""

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what, hint)
        self.what, self.hint = what, hint

    def __str__(self) -> str:
        return f"Whole runs of this hub cannot be made elsewhere: it has {self.what}, and that is here. {self.hint}"


class RunSetBusy(OrchestrationError, RuntimeError):
    """The runs of a set are being made, by this hub."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return (
            f"The runs of the set {self.name!r} are being made by this hub. Wait for them with .wait(), or stop them "
            "with .cancel(), on what run_many(..., wait=False) returned; hub.last_many is the set made last."
        )
