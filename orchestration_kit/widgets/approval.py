"""`ApprovalBox` and `approvals`: what runs ask a person, and the person's answer, bound to exactly what was shown."""

from __future__ import annotations

from os import PathLike
from typing import Any, cast

import traitlets

from orchestration_kit.engine.orchestrator import Orchestrator
from orchestration_kit.engine.run import Run
from orchestration_kit.errors import JournalError
from orchestration_kit.journal.port import Journal
from orchestration_kit.widgets.approval_answers import Answers
from orchestration_kit.widgets.approval_desks import Desk, HubDesk, JournalDesk, RunDesk
from orchestration_kit.widgets.base import STATIC
from orchestration_kit.widgets.journals import open_for_reading
from orchestration_kit.widgets.pulse import Ticker
from orchestration_kit.widgets.watching import Watcher

EVERY_S = 1.0
"""Seconds between two looks at what other processes may have answered."""


class ApprovalBox(Answers):
    """What a run asks: the question, the data it is bound to, what follows on each answer, a form, two buttons.

    It comes and goes with the question, and takes one answer, for exactly what it shows.

    >>> from orchestration_kit import ApprovalStep, Orchestrator, WorkflowDefinition
    >>> workflow = WorkflowDefinition(name="refund")
    >>> workflow.add_step(ApprovalStep(step_id="sign", prompt="Send 20 Euro back?", is_terminal=True), is_initial=True)
    >>> hub = Orchestrator()
    >>> hub.register_workflow(workflow)
    >>> run = hub.start("refund", goal="The cup came broken")
    >>> _ = run.run()
    >>> box = ApprovalBox(run)
    >>> [question["prompt"] for question in box.questions]
    ['Send 20 Euro back?']
    >>> box.close()

    Args:
        source: The run. `approvals(...)` makes one for a hub or a journal.
        may_go_on: Whether a run can be gone on with from here, once it is answered.
        every_s: Seconds between two looks at what other processes have done.
        ticker: What to look by; a thread where none is given.
    """

    _esm = STATIC / "approval.js"
    _css = STATIC / "approval.css"

    about = traitlets.Unicode("").tag(sync=True)
    """What to say where nothing is asked."""

    def __init__(
        self,
        source: Run | Orchestrator | Journal | PathLike[str] | str,
        *,
        may_go_on: bool = True,
        every_s: float = EVERY_S,
        ticker: Ticker | None = None,
    ) -> None:
        self._desk = _desk_of(source)
        self._trouble = ""
        super().__init__(can_go_on=may_go_on and self._desk.can_go_on)
        self._watcher = Watcher(self._look, every_s=every_s, ticker=ticker)
        self._desk.watch(self._watcher.soon)
        self._watcher.look_now()
        self._watcher.start()

    def close(self) -> None:
        """Take the box off the page, and look no more."""
        if getattr(self, "_watcher", None) is not None:  # else it was never finished
            self._watcher.close()
            self._desk.close()
        super().close()

    def refresh(self) -> None:
        """Look now at what is asked."""
        self._watcher.look_now()

    def _look(self) -> None:
        try:
            opened = self._desk.open()
        except JournalError as error:
            if str(error) != self._trouble:
                self._trouble = str(error)
                self.tell(f"The journal cannot be read now; what you see is how things stood. {error}", level="error")
            return
        self._trouble = ""
        self._show(opened)
        self.about = "" if opened else _nothing(self._desk)


def approvals(
    source: Orchestrator | Journal | Run | PathLike[str] | str,
    *,
    every_s: float = EVERY_S,
    ticker: Ticker | None = None,
) -> ApprovalBox:
    """Return a box with every approval that is waited for; they come and go as runs come to wait and are answered.

    >>> from orchestration_kit import ApprovalStep, Orchestrator, WorkflowDefinition
    >>> workflow = WorkflowDefinition(name="refund")
    >>> workflow.add_step(ApprovalStep(step_id="sign", prompt="Send 20 Euro back?", is_terminal=True), is_initial=True)
    >>> hub = Orchestrator()
    >>> hub.register_workflow(workflow)
    >>> run = hub.start("refund", goal="The cup came broken")
    >>> _ = run.run()
    >>> box = approvals(hub)
    >>> [question["prompt"] for question in box.questions]
    ['Send 20 Euro back?']
    >>> box.close()

    Args:
        source: An orchestrator; a journal, or the path of its file, whose runs may be those of other processes: answers
            are then put on record, and the run goes on where its workers are; or one run.
        every_s: Seconds between two looks at what other processes have done.
        ticker: What to look by; a thread where none is given.

    Raises:
        JournalUnavailable: there is no journal at that path.
    """
    return ApprovalBox(source, every_s=every_s, ticker=ticker)


def _desk_of(source: Any) -> Desk:
    if isinstance(source, Run):
        return RunDesk(source)
    if isinstance(source, Orchestrator):
        return HubDesk(source)
    if isinstance(source, (str, PathLike)):
        return JournalDesk(open_for_reading(cast("PathLike[str] | str", source)), is_own=True)
    if isinstance(source, Journal):
        return JournalDesk(source)
    raise TypeError(
        f"An ApprovalBox is of a Run, an Orchestrator or a journal, not of {type(source).__name__}. "
        "For example: ApprovalBox(run), or approvals(orchestrator)."
    )


def _nothing(desk: Desk) -> str:
    if isinstance(desk, RunDesk):
        return f"Run {desk.run.run_id!r} asks nothing now: it is {desk.run.state.value.replace('_', ' ')}."
    return "No run waits for an approval. What is asked appears here by itself."
