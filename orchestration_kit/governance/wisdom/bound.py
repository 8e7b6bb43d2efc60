"""What a worker has of the lessons: those that fit its attempt, and a way to propose one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from orchestration_kit.governance.wisdom.lesson import Lesson

if TYPE_CHECKING:
    from orchestration_kit.engine.context import WorkflowContext
    from orchestration_kit.governance.wisdom.store import Wisdom

Note = Callable[[list[int]], None]


class BoundWisdom:
    """The lessons, as a worker sees them in an attempt: `context.wisdom`."""

    __slots__ = ("_context", "_note", "_wisdom")

    def __init__(self, wisdom: Wisdom, context: WorkflowContext, note: Note | None = None) -> None:
        self._wisdom, self._context = wisdom, context
        self._note: Note | None = note or getattr(context, "note_lessons", None)

    def search(self, query: str = "", *, tags: Iterable[str] = (), k: int = 3) -> list[Lesson]:
        """Return the approved lessons that fit this attempt best; they go on its record as used.

        Args:
            query: What to look for; by default the goal, the step's description, and why the last attempt failed.
            tags: Lessons with these are preferred.
            k: How many at most.
        """
        context = self._context
        found = self._wisdom.search(
            query or self._question(),
            step=context.current_step or None,
            worker=self._worker(),
            workflow=context.metadata.get("workflow_name") or None,
            tags=tags,
            k=k,
        )
        if found and self._note is not None:
            self._note([lesson.id for lesson in found])
        return found

    def propose(self, text: str, tags: Iterable[str] = (), **more: Any) -> Lesson:
        """Propose a lesson that came out of this attempt. Nobody gets it before a person or a policy approved it.

        Args:
            text: What was learnt, in a sentence or two.
            tags: What to find it by.
            more: `layer` and `model`, as in `Wisdom.propose`.

        Raises:
            InvalidLesson: the text is empty, too long, or no text.
        """
        context = self._context
        return self._wisdom.propose(
            text,
            tags=tags,
            step=context.current_step or None,
            worker=self._worker(),
            workflow=context.metadata.get("workflow_name") or None,
            runs=[context.workflow_id],
            by=self._worker() or "a worker",
            **more,
        )

    def _step(self) -> Any:
        workflow = self._context.workflow
        return None if workflow is None else workflow.steps.get(self._context.current_step)

    def _worker(self) -> str | None:
        return getattr(self._step(), "worker_type", None) or None

    def _question(self) -> str:
        error = self._context.last_error
        described = getattr(self._step(), "description", "")
        return "\n".join(part for part in (self._context.goal, described, error and error.message) if part)

    def __repr__(self) -> str:
        return f"<lessons for step {self._context.current_step!r}>"
