"""An attempt whose action a person has to decide on: it waits, and goes on with exactly what was shown."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from orchestration_kit.engine.asking import prompt_of
from orchestration_kit.engine.attempt import conclude_failure
from orchestration_kit.engine.context import WorkflowContext
from orchestration_kit.engine.events import WaitStarted
from orchestration_kit.engine.refusals import ApprovalRejected
from orchestration_kit.engine.values import isolate

if TYPE_CHECKING:
    from orchestration_kit.engine.driven import Driven
    from orchestration_kit.engine.visits import Visit


def may_go_on(run: Driven, visit: Visit, context: WorkflowContext) -> bool:
    """Whether a person has let the action of a visit happen; else it waits for that, or has failed."""
    asked: dict[str, Any] = (visit.detail or {})["asks"]
    answer = visit.answer
    if answer is None:
        _ask(run, visit, asked)
        return False
    decided = {"answer": answer.kind, "request": answer.request, "answered_at": answer.answered_at}
    visit.detail = {**(visit.detail or {}), **decided}
    if answer.kind == "approved":
        return True
    visit.started_at, visit.duration_s = run.clock.time(), 0.0
    conclude_failure(run, visit, context, ApprovalRejected(visit.path, answer.reason or "no reason was given"))
    return False


def is_asked_anew(run: Driven, visit: Visit) -> bool:
    """Whether a person is asked once more, as the approval was given to an attempt of another run."""
    asked = (visit.detail or {}).get("asks")
    answer = visit.answer
    if asked is None or answer is None or run.past is None:
        return False
    if run.past.answer_to(visit.path, answer.request) is not answer:
        return False
    with run.turn:
        visit.detail = {"asks": asked}
        _ask(run, visit, asked, anew=True)
    return True


def _ask(run: Driven, visit: Visit, asked: dict[str, Any], *, anew: bool = False) -> None:
    shown = isolate({key: asked[key] for key in ("action_type", "action_data", "cost", "violations")})
    digest = digest_of(visit.path, shown)
    known = None
    if not anew and run.past is not None and run.past.repeats(visit):  # else it would be used for another time
        known = run.past.answer_to(visit.path, digest)
    run.machine.wait(visit, WaitStarted(visit.path, "approval", digest, shown, run.clock.time(), None))
    if known is not None:
        run.machine.answer(known)


def digest_of(path: str, shown: dict[str, Any]) -> str:
    """Return the hash of the question: an answer is bound to exactly this action, here."""
    from orchestration_kit.engine.journaled import canonical

    asked = [path, "approval", prompt_of(shown), None, shown]  # as of any other question
    return hashlib.sha256(canonical(asked, "the action")).hexdigest()
