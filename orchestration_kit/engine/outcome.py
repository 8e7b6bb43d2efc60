"""What a worker may return besides its output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestration_kit.definition.workflow import WorkflowDefinition

_SAME: Any = object()


class Failure(Exception):
    """Returned by a worker to say that it failed and why; raising it is the same.

    >>> Failure("3 tests fail", output={"failing": 3})
    Failure('3 tests fail', output={'failing': 3})
    """

    def __init__(self, reason: str, output: Any = None) -> None:
        super().__init__(reason, output)
        self.reason = str(reason)
        """Why; the next attempt, or the next step, is told."""
        self.output = output
        """What there is nevertheless; it goes on record beside the reason."""

    def __str__(self) -> str:
        return self.reason

    def __repr__(self) -> str:
        output = "" if self.output is None else f", output={self.output!r}"
        return f"Failure({self.reason!r}{output})"


class Spawn:
    """Returned by a worker to have a workflow that it made run in its place; the step's output is that one's.

    All checks, and those of the hub (`Orchestrator(spawn_checks=...)`), see it before a step of it runs; one that is
    refused fails the attempt, and the next one is told why. Its steps see a copy of the data bus, and what they write
    is there when it has ended.

    >>> from orchestration_kit.templates import create_generic_pipeline
    >>> Spawn(create_generic_pipeline([("look_up", "generic", "")]), input="moon")
    Spawn('look_up', input='moon')

    Args:
        workflow: The workflow; its conditions are text, so that it can be put on record.
        input: What its first step gets; what the worker got where none is given.
    """

    def __init__(self, workflow: WorkflowDefinition, input: Any = _SAME) -> None:  # noqa: A002 - the step's word for it
        self.workflow = workflow
        self._input = input

    def input_or(self, given: Any) -> Any:
        """Return what its first step gets, where the worker got `given`."""
        return given if self._input is _SAME else self._input

    def __repr__(self) -> str:
        given = "" if self._input is _SAME else f", input={self._input!r}"
        return f"Spawn({self.workflow.name!r}{given})"


class Action:
    """Returned by a worker for the hub to carry out: what the hub's constraints approve of happens, nothing else does.

    The step's output is what carrying it out gave. Where a person has to decide first, the worker is not called again:
    what it wrote on the data bus is dropped, and the action is carried out as it was shown.

    >>> Action("send_email", {"to": "ann@example.org", "subject": "Hi", "body": "..."}).plan["action_type"]
    'send_email'

    Args:
        action_type: What kind of action; `Orchestrator(actions={...})` says who carries it out.
        action_data: Its arguments, as plain data.
        cost: What it costs, in USD.
    """

    __slots__ = ("action_data", "action_type", "cost")

    def __init__(self, action_type: str, action_data: Mapping[str, Any], cost: float = 0.0) -> None:
        self.action_type = action_type
        self.action_data = action_data
        self.cost = cost

    @property
    def plan(self) -> dict[str, Any]:
        """The action as constraints look at it."""
        return {"action_type": self.action_type, "action_data": self.action_data, "cost": self.cost}

    def __repr__(self) -> str:
        cost = f", cost={self.cost!r}" if self.cost else ""
        return f"Action({self.action_type!r}, {self.action_data!r}{cost})"


class Parked(Exception):
    """Leads out of the run of a sub-workflow that waits: its parent waits, too. Never on record."""
