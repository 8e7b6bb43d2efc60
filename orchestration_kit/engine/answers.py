"""What people and programs say to a run that waits: approve, reject, send an event."""

from __future__ import annotations

from functools import partial
from typing import Any

from orchestration_kit.engine.asking import (
    Request,
    awaits_event,
    check_event,
    check_value,
    check_yes,
    keeper_of,
    line_to,
    meant,
    put_answer,
    requests_of,
)
from orchestration_kit.engine.driven import Driven
from orchestration_kit.engine.events import Answered, EventReceived
from orchestration_kit.engine.refusals import AnswerRefused
from orchestration_kit.engine.values import isolate
from orchestration_kit.errors import RunStateError


class Answerable(Driven):
    """A run that can be told what it waits for."""

    @property
    def waiting(self) -> list[Request]:
        """What the run waits for: approvals, events, times; also in the runs of its sub-workflows."""
        return requests_of(self)

    def approve(self, value: Any = True, request: Request | str | None = None) -> None:  # noqa: FBT002 - the plain yes
        """Approve what is asked, and let the run go on from there when it is driven next.

        The answer is bound to exactly what was shown: a question that has changed has to be answered anew.

        Args:
            value: What the step puts out; it has to fit its schema. A refused action happens exactly as it is shown, so
                that no value can be given for it.
            request: Which question: one of `run.waiting`, its hash or its position. Not needed where there is one.

        Raises:
            AnswerRefused: (a RunStateError) no such question is open, it is another one by now, or the value does not
                fit. Nothing was changed.
        """
        self._answer("approved", value, None, request)

    def reject(self, reason: str, request: Request | str | None = None) -> None:
        """Say no, and why: the step fails with that reason. Arguments and errors as for `approve`."""
        self._answer("rejected", None, str(reason) or "no reason was given", request)

    def send(self, event: str, payload: Any = None) -> None:
        """Send an event. The visit that waits for it goes on; where none does yet, it is kept for the first that will.

        Raises:
            AnswerRefused: (a RunStateError) no step of the workflow waits for an event of that name.
        """
        check_event(self, event)
        self.post(partial(self._take_event, event, _clean(self, isolate(payload))))

    def _take_event(self, name: str, payload: Any) -> None:
        found = awaits_event(self, name)
        now = self.clock.time()
        if self.log is not None:
            self.log.stage(f"the payload of event {name!r}", payload)
        if found is not None and found[0] is not self:
            owner, path = found
            owner.post(partial(_answer_event, owner, path, name, payload))
            for one in line_to(self, owner):
                one.stir()
        elif found is not None:
            _answer_event(self, found[1], name, payload)
        elif (keeper := keeper_of(self, name)) is not self:
            keeper.post(partial(_take_event_of, keeper, name, payload))  # it may have come to wait by then
        else:
            self.machine.receive(EventReceived(name, payload, now))

    def _answer(self, kind: Any, value: Any, reason: str | None, request: Request | str | None) -> None:
        if self.is_finished:
            raise AnswerRefused(
                self.run_id, self.state, "it has ended, so nothing is asked any more", "Look at run.history."
            )
        owner, question = meant(self, request)
        if kind == "approved":
            check_value(self, question, value)
            check_yes(owner, question, value)
        try:
            kept = _clean(owner, isolate(value))
            if owner.log is not None:
                owner.log.stage("the approved value", kept)
        except Exception as error:
            raise AnswerRefused(
                self.run_id, self.state, f"the value cannot be put on record ({error})", "Give plain data."
            ) from error
        owner.post(partial(_put, owner, question, kind, kept, _clean(owner, reason)))
        for one in line_to(self, owner):
            one.stir()


def _clean(run: Driven, value: Any) -> Any:
    scrub = run.machine.plan.services.scrub
    return value if scrub is None else scrub(value)


def _put(owner: Driven, question: Request, kind: Any, value: Any, reason: str | None) -> None:
    visit = owner.machine.waiting.get(question.path)
    if visit is None or visit.wait is None or visit.wait.request != question.hash:
        raise AnswerRefused(
            owner.run_id, owner.state, f"{question.path} does not wait for that any more", "Look at run.waiting."
        )
    from orchestration_kit.engine.rest import due_s

    left_s = due_s(owner, visit)
    if left_s is not None and left_s <= 0:
        raise AnswerRefused(
            owner.run_id, owner.state, f"the time for {question.path} is up", "run.run() goes on as after a timeout."
        )
    put_answer(owner, Answered(question.path, kind, value, reason, question.hash, owner.clock.time()))


def _take_event_of(keeper: Any, name: str, payload: Any) -> None:
    keeper._take_event(name, payload)  # noqa: SLF001 - of a run within the run


def _answer_event(owner: Driven, path: str, name: str, payload: Any) -> None:
    visit = owner.machine.waiting.get(path)
    if visit is None or visit.wait is None:
        raise RunStateError(owner.run_id, owner.state, f"{path} does not wait for {name!r} any more", "Send it again.")
    from orchestration_kit.engine.rest import due_s, expire

    left_s = due_s(owner, visit)
    if left_s is not None and left_s <= 0:  # it came after the time was up: kept for the next that waits for it
        expire(owner)
        _take_event_of(owner, name, payload)
        return
    put_answer(owner, Answered(path, "event", payload, None, visit.wait.request, owner.clock.time()))
