"""`ApprovalBox` and `approvals`: what runs ask a person, and the person's answer, bound to exactly what was shown."""

from __future__ import annotations

from os import PathLike
from typing import Any

import traitlets
from jsonschema import Draft202012Validator
from referencing import Registry

from orchestration_kit.definition.schemas import too_large
from orchestration_kit.engine.orchestrator import Orchestrator
from orchestration_kit.engine.refusals import AnswerRefused
from orchestration_kit.engine.run import Run
from orchestration_kit.errors import OrchestrationError
from orchestration_kit.journal.port import Journal
from orchestration_kit.widgets.approval_desks import Desk, HubDesk, JournalDesk, Open, RunDesk, put_answer
from orchestration_kit.widgets.approval_questions import question_of
from orchestration_kit.widgets.base import STATIC, KitWidget, intent
from orchestration_kit.widgets.journals import open_for_reading
from orchestration_kit.widgets.pulse import Ticker
from orchestration_kit.widgets.watching import Watcher

EVERY_S = 1.0
"""Seconds between two looks at what other processes may have answered."""
MOST_SHOWN = 25
"""Questions that are shown at once; the others are counted."""


class ApprovalBox(KitWidget):
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
        every_s: Seconds between two looks at what other processes have done.
        ticker: What to look by; a thread where none is given.
    """

    _esm = STATIC / "approval.js"
    _css = STATIC / "approval.css"

    questions = traitlets.List(default_value=[]).tag(sync=True)
    """What is asked, as `question_of` tells it."""
    more = traitlets.Int(0).tag(sync=True)
    """Further questions that are open."""
    about = traitlets.Unicode("").tag(sync=True)
    """What to say where nothing is asked."""
    problems = traitlets.Dict(default_value={}).tag(sync=True)
    """What does not fit in the last value: `hash` of the question, and `at`, messages by JSON Pointer."""
    can_go_on = traitlets.Bool(default_value=True).tag(sync=True)
    """Whether runs can be gone on with from here."""

    def __init__(
        self, source: Run | Orchestrator | Journal, *, every_s: float = EVERY_S, ticker: Ticker | None = None
    ) -> None:
        self._desk = _desk_of(source)
        self._cards: dict[tuple[str, str, str], dict[str, Any]] = {}
        self._answered: set[tuple[str, str, str]] = set()
        super().__init__(can_go_on=self._desk.can_go_on)
        self._watcher = Watcher(self._look, every_s=every_s, ticker=ticker)
        self._desk.watch(self._watcher.soon)
        self._watcher.look_now()
        self._watcher.start()

    def close(self) -> None:
        """Take the box off the page, and look no more."""
        self._watcher.close()
        self._desk.close()
        super().close()

    def refresh(self) -> None:
        """Look now at what is asked."""
        self._watcher.look_now()

    @intent
    def seen(self) -> None:
        """A page shows it."""
        self._watcher.seen()

    @intent
    def approve(self, run: str, path: str, hash: str, value: Any = True, go_on: bool = False) -> None:  # noqa: A002, FBT001, FBT002 - as the page names them
        """Approve a question with a value; go on with the run where that is wanted."""
        one = self._meant(run, path, hash)
        if one is None:
            return
        problems = misfits(one.request.schema, value)
        self.problems = {"hash": hash, "at": problems}
        if not problems:
            self._answer(one, "Approved", value=value, go_on=go_on)

    @intent
    def reject(self, run: str, path: str, hash: str, reason: str, go_on: bool = False) -> None:  # noqa: A002, FBT001, FBT002 - as the page names them
        """Reject a question, with a reason."""
        one = self._meant(run, path, hash)
        if one is None:
            return
        if not str(reason).strip():
            self.tell("Say why: the reason goes on record, and the run goes on with it.", level="error")
            return
        self._answer(one, "Rejected", reason=str(reason).strip(), go_on=go_on)

    def _meant(self, run: str, path: str, digest: str) -> Open | None:
        one = next((one for one in self._desk.open() if one.key == (run, path, digest)), None)
        if one is None:
            self._answered.add((run, path, digest))
            self.tell(f"{self._desk.why_gone(run, path, digest)} Nothing was changed.")
            self._watcher.look_now()
        return one

    def _answer(self, one: Open, verb: str, *, go_on: bool, **answer: Any) -> None:
        self._answered.add(one.key)
        try:
            put_answer(one, **answer)
        except OrchestrationError as error:
            self._answered.discard(one.key)
            if isinstance(error, AnswerRefused):
                self._watcher.look_now()
            self.tell(str(error), level="error")
            return
        told = f"{verb}: {one.request.path} of run {one.request.run_id!r}."
        try:
            self.tell(f"{told} {going_on(self._desk, one.run, go_on=go_on)}")
        except OrchestrationError as error:
            self.tell(f"{told} It is on record, but the run cannot go on here. {error}", level="error")
        self._watcher.look_now()

    def _look(self) -> None:
        opened = self._desk.open()
        shown = opened[:MOST_SHOWN]
        self._cards = {one.key: self._cards.get(one.key) or question_of(one.owner, one.request) for one in shown}
        before = {(one["run"], one["path"], one["hash"]) for one in self.questions}
        gone = before - {one.key for one in opened} - self._answered
        if (questions := list(self._cards.values())) != self.questions:
            self.questions = questions
        self.more = len(opened) - len(shown)
        self.about = "" if opened else _nothing(self._desk)
        if gone:
            self.tell(" ".join(self._desk.why_gone(*one) for one in sorted(gone)[:3]))


def approvals(
    source: Orchestrator | Journal | Run | PathLike[str] | str,
    *,
    every_s: float = EVERY_S,
    ticker: Ticker | None = None,
) -> ApprovalBox:
    """Return a box with every approval that is waited for; they come and go as runs come to wait and are answered.

    Args:
        source: An orchestrator; a journal, or the path of its file, whose runs may be those of other processes: answers
            are then put on record, and the run goes on where its workers are; or one run.
        every_s: Seconds between two looks at what other processes have done.
        ticker: What to look by; a thread where none is given.

    Raises:
        JournalUnavailable: there is no journal at that path.
    """
    return ApprovalBox(
        open_for_reading(source) if isinstance(source, (str, PathLike)) else source, every_s=every_s, ticker=ticker
    )


def misfits(schema: dict[str, Any] | None, value: Any) -> dict[str, str]:
    """Return what does not fit a schema, as messages by JSON Pointer; nothing where the engine has to say it.

    >>> misfits({"type": "object", "required": ["why"]}, {})
    {'': "'why' is a required property"}
    """
    if schema is None or too_large(value) is not None:
        return {}
    validator: Any = Draft202012Validator(schema, registry=Registry())  # resolves nothing from elsewhere
    try:
        errors = sorted(validator.iter_errors(value), key=lambda error: list(map(str, error.path)))[:50]
    except Exception:  # noqa: BLE001 - a reference that leads nowhere: `run.approve` says so
        return {}
    return {_pointer(error.path): str(error.message)[:300] for error in reversed(errors)}


def going_on(desk: Desk, run: Run, *, go_on: bool) -> str:
    """Go on with a run that was answered, where that is wanted; return what is to be said of it.

    Raises:
        OrchestrationError: it cannot go on here.
    """
    if run.is_driven:
        return "The run goes on."
    if run.is_finished:
        return f"The run is {run.state.value}."
    if go_on and desk.can_go_on:
        run.play()
        return "The run goes on."
    hint = "run.run()" if desk.can_go_on else f"orchestrator.resume({run.run_id!r}), where its workers are"
    return f"It is on record; the run goes on with {hint}."


def _pointer(path: Any) -> str:
    return "".join(f"/{str(key).replace('~', '~0').replace('/', '~1')}" for key in path)


def _desk_of(source: Any) -> Desk:
    if isinstance(source, Run):
        return RunDesk(source)
    if isinstance(source, Orchestrator):
        return HubDesk(source)
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
