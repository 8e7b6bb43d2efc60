"""Questions that a page shows, and its answers: each is for exactly one question, and given once."""

from __future__ import annotations

from typing import Any, cast

import traitlets

from orchestration_kit.definition.schemas import too_large
from orchestration_kit.engine.asking import Request
from orchestration_kit.engine.run import Run
from orchestration_kit.errors import OrchestrationError
from orchestration_kit.widgets.approval_desks import Desk, Open, put_answer
from orchestration_kit.widgets.approval_questions import bar_of, question_of
from orchestration_kit.widgets.base import KitWidget, intent
from orchestration_kit.widgets.watching import Watcher

MOST_SHOWN = 25
"""Questions that are shown at once; the others are counted."""


class Answers(KitWidget):
    """A widget that shows questions and takes answers."""

    questions = cast("traitlets.List[dict[str, Any]]", traitlets.List(default_value=[])).tag(sync=True)
    """What is asked, as `question_of` tells it."""
    more = traitlets.Int(0).tag(sync=True)
    """Further questions that are open."""
    problems = traitlets.Dict(default_value={}).tag(sync=True)
    """What does not fit in the last value: `key` of the question, and `at`, messages by JSON Pointer."""
    can_go_on = traitlets.Bool(default_value=True).tag(sync=True)
    """Whether runs can be gone on with from here."""

    _desk: Desk
    _watcher: Watcher

    def __init__(self, **options: Any) -> None:
        self._shown: dict[str, Request] = {}
        """By key: the questions that a page may show."""
        self._cards: dict[str, dict[str, Any]] = {}
        self._answered: set[str] = set()
        super().__init__(**options)

    @intent
    def seen(self) -> None:
        """A page shows it."""
        self._watcher.seen()

    @intent
    def approve(self, key: str, value: Any = True, go_on: bool = False) -> None:  # noqa: FBT001, FBT002 - JSON by name
        """Approve a question with a value; go on with the run where that is wanted."""
        one = self._meant(key)
        if one is None:
            return
        misfit = misfits(one.request.schema, value)
        self.problems = {"key": key, "at": misfit}
        if not misfit:
            self._answer(one, "Approved", value=value, go_on=go_on)

    @intent
    def reject(self, key: str, reason: str, go_on: bool = False) -> None:  # noqa: FBT001, FBT002 - JSON by name
        """Reject a question, with a reason."""
        one = self._meant(key)
        if one is None:
            return
        if not str(reason).strip():
            self.tell("Say why: the reason goes on record, and the run goes on with it.", level="error")
            return
        self._answer(one, "Rejected", reason=str(reason).strip(), go_on=go_on)

    def _meant(self, key: str) -> Open | None:
        one = next((one for one in self._desk.open() if one.key == key), None)
        if one is None:
            request = self._shown.get(key)
            self._answered.add(key)
            gone = "That is not asked any more." if request is None else self._desk.why_gone(request)
            self.tell(f"{gone} Nothing was changed.")
            self._watcher.look_now()
            return None
        if bar := bar_of(one.request):
            self.tell(f"{bar} Nothing was changed.", level="error")
            return None
        return one

    def _answer(self, one: Open, verb: str, *, go_on: bool, **answer: Any) -> None:
        self._answered.add(one.key)
        try:
            put_answer(one, **answer)
        except OrchestrationError as error:
            self._answered.discard(one.key)
            self._watcher.look_now()
            self.tell(str(error), level="error")
            return
        told = f"{verb}: {one.request.path} of run {one.request.run_id!r}."
        try:
            self.tell(f"{told} {going_on(one.run, wanted=go_on, possible=self.can_go_on)}")
        except OrchestrationError as error:
            self.tell(f"{told} It is on record, but the run cannot go on here. {error}", level="error")
        self._watcher.look_now()

    def _show(self, opened: list[Open]) -> None:
        """Show these questions; tell what became of those that were shown before."""
        shown = {one.key: one for one in opened[:MOST_SHOWN]}
        self._cards = {key: self._cards.get(key) or question_of(one.owner, one.request) for key, one in shown.items()}
        keys = {one.key for one in opened}
        gone = [request for key, request in self._shown.items() if key not in keys and key not in self._answered]
        self._shown = {
            **{key: one for key, one in self._shown.items() if key in self._answered},
            **{key: one.request for key, one in shown.items()},
        }
        if (questions := list(self._cards.values())) != self.questions:
            self.questions = questions
        self.more = len(opened) - len(shown)
        if gone:
            self.tell(" ".join(self._desk.why_gone(request) for request in gone[:3]))


def misfits(schema: dict[str, Any] | None, value: Any) -> dict[str, str]:
    """Return what does not fit a schema, as messages by JSON Pointer; nothing where the engine has to say it.

    >>> misfits({"type": "object", "required": ["why"]}, {})
    {'': "'why' is a required property"}
    """
    if schema is None or too_large(value) is not None:
        return {}
    from jsonschema import Draft202012Validator  # takes more than a second where Jupyter's extras of it are installed
    from referencing import Registry

    validator: Any = Draft202012Validator(schema, registry=Registry())  # resolves nothing from elsewhere
    try:
        errors = sorted(validator.iter_errors(value), key=lambda error: list(map(str, error.path)))[:50]
    except Exception:  # noqa: BLE001 - a reference that leads nowhere: `run.approve` says so
        return {}
    return {_pointer(error.path): str(error.message)[:300] for error in reversed(errors)}


def going_on(run: Run, *, wanted: bool, possible: bool) -> str:
    """Go on with a run that was answered, where that is wanted; return what is to be said of it.

    Raises:
        OrchestrationError: it cannot go on here.
    """
    if run.is_driven:
        return "The run goes on."
    if run.is_finished:
        return f"The run is {run.state.value}."
    if wanted and possible:
        run.play()
        return "The run goes on."
    hint = "run.run()" if possible else f"orchestrator.resume({run.run_id!r}), where its workers are"
    return f"It is on record; the run goes on with {hint}."


def _pointer(path: Any) -> str:
    return "".join(f"/{str(key).replace('~', '~0').replace('/', '~1')}" for key in path)
