"""What a worker may ask of its hub through its context: to carry out an action, and for lessons."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from orchestration_kit.engine.acting import aact, act, services_of
from orchestration_kit.errors import RunStateError

if TYPE_CHECKING:
    from orchestration_kit.engine.notes import Notes
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
        return act(self, action, perform)  # type: ignore[arg-type]

    async def aact(self, action: Action, perform: Hand | None = None) -> Any:
        """`act` for async workers; whoever carries it out may be async too."""
        return await aact(self, action, perform)  # type: ignore[arg-type]

    @property
    def has_constraints(self) -> bool:
        """Whether the hub asks a constraint engine before an action happens."""
        return services_of(self).gate is not None  # type: ignore[arg-type]

    @property
    def has_wisdom(self) -> bool:
        """Whether the hub has lessons."""
        return services_of(self).lessons is not None  # type: ignore[arg-type]

    @property
    def wisdom(self) -> Any:
        """Lessons from other runs, as seen from this step: `.search(query)` and `.propose(text)`.

        Raises:
            RunStateError: the hub has none.
        """
        lessons = services_of(self).lessons  # type: ignore[arg-type]
        if lessons is None:
            raise RunStateError(
                self.workflow_id,
                self.state,
                "its hub has no lessons",
                'Give it some: Orchestrator(wisdom="lessons.db").',
            )
        return lessons.bound(self)

    def note_lessons(self, lesson_ids: Iterable[Any]) -> None:
        """Put on record which lessons this attempt makes use of."""
        notes: Notes = self._more
        known = notes.lessons or []
        notes.lessons = [*known, *(one for one in dict.fromkeys(lesson_ids) if one not in known)]

    if TYPE_CHECKING:
        workflow_id: str
        state: Any
        _more: Notes
