"""What a worker may ask of its hub through its context: to carry out an action, and for lessons."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from orchestration_kit.engine.acting import aact, act, services_of
from orchestration_kit.errors import RunStateError

if TYPE_CHECKING:
    from orchestration_kit.engine.context import WorkflowContext
    from orchestration_kit.engine.outcome import Action
    from orchestration_kit.engine.services import Hand


class Lending:
    """The part of a context that reaches the hub."""

    __slots__ = ()

    def act(self, action: Action, perform: Hand | None = None) -> Any:
        """Have an action carried out now, if the hub's constraints approve of it, and return what came of it.

        Args:
            action: What is to happen.
            perform: Who does it: `(action_data) -> result`; the hub's own hand for this type where none is given.

        Raises:
            ActionRefused: it was not approved, and did not happen; or what came of it is kept back.
            AttemptError: nobody is there to carry it out.
        """
        return act(_own(self), action, perform)

    async def aact(self, action: Action, perform: Hand | None = None) -> Any:
        """`act` for async workers; whoever carries it out may be async too."""
        return await aact(_own(self), action, perform)

    @property
    def has_constraints(self) -> bool:
        """Whether the hub asks a constraint engine before an action happens."""
        return services_of(_own(self)).gate is not None

    @property
    def has_wisdom(self) -> bool:
        """Whether the hub has lessons."""
        return services_of(_own(self)).lessons is not None

    @property
    def wisdom(self) -> Any:
        """Lessons from other runs, as seen from this step: `.search(query)` and `.propose(text)`.

        Raises:
            RunStateError: the hub has none.
        """
        own = _own(self)
        lessons = services_of(own).lessons
        if lessons is None:
            hint = 'Give it some: Orchestrator(wisdom="lessons.db").'
            raise RunStateError(own.workflow_id, own.state, "its hub has no lessons", hint)
        return lessons.bound(own)

    def note_lessons(self, lesson_ids: Iterable[Any]) -> None:
        """Put on record which lessons this attempt makes use of."""
        notes = _own(self)._more  # noqa: SLF001 - this is a part of it
        known = notes.lessons or []
        notes.lessons = [*known, *(one for one in dict.fromkeys(lesson_ids) if one not in known)]


def _own(part: Lending) -> WorkflowContext:
    return cast("WorkflowContext", part)
