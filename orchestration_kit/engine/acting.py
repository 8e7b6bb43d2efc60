"""Have an action carried out: the gate is asked, what it says is on record, and only what it approved of happens.

A verdict that asks for a person, or fails the step, holds whatever the worker makes of the error: it cannot be talked
away. What a person approved is carried out once, if it is exactly what was shown; as with every attempt, a crash before
it is on record has it repeated with the same `context.idempotency_key`. All that is carried out is on record: an action
is refused where it could not get there, as its worker is not being called any more.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from orchestration_kit.engine.outcome import Action
from orchestration_kit.engine.refusals import ActionRefused
from orchestration_kit.engine.services import NO_SERVICES, Hand, Services
from orchestration_kit.engine.thread import call_on_thread
from orchestration_kit.engine.values import isolate
from orchestration_kit.errors import AttemptError, did_you_mean, listed

if TYPE_CHECKING:
    from orchestration_kit.engine.context import WorkflowContext
    from orchestration_kit.engine.notes import Notes

_ENGINE = "constraint engine"
_TOO_LATE = ("no worker is being called with this context", "Act while the worker is called, within its step.")
_BOOKS = threading.RLock()
"""Held for moments: while what was done is noted, or taken as it goes on record."""


def act(context: WorkflowContext, action: Action, perform: Hand | None = None) -> Any:
    """Carry out an action for a worker, on this thread, and return what came of it.

    Raises:
        ActionRefused: the hub's constraints do not allow it, or keep back what came of it.
        AttemptError: nobody is there to carry it out.
    """
    case = _Case(context, action, perform)
    result = case.call()
    if inspect.isawaitable(result):
        with case.noting_errors():
            result = _awaited(result)
    return case.conclude(result)


async def aact(context: WorkflowContext, action: Action, perform: Hand | None = None) -> Any:
    """`act` in the running event loop; whoever carries it out may be async."""
    case = _Case(context, action, perform)
    result = case.call()
    if inspect.isawaitable(result):
        with case.noting_errors():
            result = await result
    return case.conclude(result)


def _awaited(result: Any) -> Any:
    """Wait for what is async in a loop of its own: this thread's may be the one that waits."""
    import asyncio

    async def wait() -> Any:
        return await result

    outcome = call_on_thread(lambda: asyncio.run(wait()))
    while not outcome.wait(1.0):
        pass
    return outcome.get()


class _Case:
    """One action on its way: asked about, carried out, looked at."""

    def __init__(self, context: WorkflowContext, action: Action, perform: Hand | None) -> None:
        if not isinstance(action, Action):
            raise TypeError(
                f'context.act takes an Action, not {action!r:.80}. Write Action("api_call", {{"url": ...}}).'
            )
        self.context = context
        self.services = services_of(context)
        self.notes = notes = context._more  # noqa: SLF001 - the engine's own
        # Each part is read once, and what the worker holds is copied: it may be another one the next time.
        asked: dict[str, Any] = {
            "action_type": action.action_type,
            "action_data": isolate(action.action_data),
            "cost": action.cost,
        }
        with self._turn():
            if notes.refused is not None:  # whatever the worker made of it
                raise notes.refused
            self._check_open(asked)
            self.history = actions_before(context)
            verdict = self._verdict(asked)
            self.plan: dict[str, Any] = verdict.plan if verdict is not None and verdict.approved else asked
            shown = _plain(self.plan)
            if (reason := _unfit(shown)) is not None:
                shown["action_data"] = {"not_on_record": reason}
                if verdict is not None and verdict.approved:
                    verdict = _Denied(self.plan, f"it could not be put on record: {reason}")
            self.entry: dict[str, Any] = {
                **shown,
                "approved": verdict is None or verdict.approved,
                "violations": [],
                "at": self.services.clock.time(),
                "labels": [],
            }
            with _BOOKS:
                self._check_open(asked)
                notes.actions = [*(notes.actions or ()), self.entry]
                if verdict is None or verdict.approved:
                    self.entry["unfinished"] = True
            if verdict is not None and not verdict.approved:
                self._refuse(verdict.violations, verdict.on_violation, "before")
        try:
            self.hand = perform if perform is not None else self._hand(self.entry["action_type"])
            if cost := self.plan["cost"] or 0.0:
                context.add_usage(cost_usd=cost)  # it counts from here on
        except Exception as error:  # nothing has happened
            self._finish(approved=False, error=type(error).__name__)
            raise

    @contextmanager
    def _turn(self) -> Generator[None]:
        """Have the threads of one worker ask one after another: each action counts for the next."""
        with _BOOKS:
            turn = self.notes.turn
            if turn is None:
                turn = self.notes.turn = threading.RLock()
        with turn:
            yield

    def _check_open(self, asked: dict[str, Any]) -> None:
        """See that what is done now gets on record.

        Raises:
            ActionRefused: no worker is being called with this context.
        """
        context, notes = self.context, self.notes
        visit, machine = context._visit, context._machine  # noqa: SLF001
        if visit is None:
            is_open = machine.plan is None  # made by hand, to try a worker
        else:
            is_called = notes.is_open or self.services.gate is None
            is_open = is_called and not notes.is_over and visit in cast("Any", machine).taken
        if not is_open:
            raise ActionRefused(_plain(asked), ((_ENGINE, *_TOO_LATE),), "fail")

    def _verdict(self, asked: dict[str, Any]) -> Any:
        """Return what the gate says, with a plan of our own; None where there is no gate."""
        gate = self.services.gate
        if gate is None:
            return None
        try:
            verdict = gate.validate_plan(asked, history=self.history, now=self.services.clock.time())
            if verdict.approved is not True:
                return _No(asked, tuple(verdict.violations), str(verdict.on_violation))
            plan = {key: verdict.plan[key] for key in ("action_type", "action_data", "cost")}
            if type(plan["action_type"]) is not str:
                raise TypeError("the type of an action is text")
            return _Yes(isolate(plan))
        except Exception as error:  # noqa: BLE001 - an error in a rule is a no
            return _Denied(asked, f"it raised {type(error).__name__}")

    def _finish(self, **facts: Any) -> None:
        """Note how it went."""
        with _BOOKS:
            self.entry.pop("unfinished", None)
            self.entry.update(facts)

    def _hand(self, kind: str) -> Hand:
        hand = self.services.hands.get(kind)
        if hand is None:
            known = list(self.services.hands)
            raise AttemptError(
                f"Nobody carries out actions of type {kind[:80]!r}.{did_you_mean(kind, known)} The hub has hands for: "
                f"{listed(known)}. Write Orchestrator(constraints=..., actions={{{kind[:80]!r}: function}})."
            )
        return hand

    def _refuse(self, violations: Any, on_violation: str, stage: str) -> None:
        """Note a refusal and raise it, unless a person allowed exactly this."""
        told = tuple((str(one.rule), str(one.message), str(getattr(one, "hint", ""))) for one in violations)
        notes = self.notes
        with _BOOKS:
            self.entry["violations"] += [{"rule": rule, "message": message} for rule, message, _ in told]
            if stage == "before" and on_violation != "fail" and notes.granted is None:
                granted = _granted(self.context, self.entry)
                if granted is not None:
                    notes.granted = self.entry
                    self.plan = granted
                    self.entry |= {"approved": True, "approved_by": "a person", "unfinished": True}
                    return
            self.entry["approved"] = False
            if stage == "after":
                self.entry["kept_back"] = True
        refused = ActionRefused(
            _plain(self.plan), told, on_violation if stage == "before" else _no_question(on_violation), stage
        )
        if refused.on_violation != "retry" and notes.refused is None:
            notes.refused = refused
        raise refused

    def call(self) -> Any:
        """Carry it out."""
        data = isolate(self.plan["action_data"])  # who carries it out may change what it is given
        with self.noting_errors():
            self._label(None)  # it may be doing a part of it when its time is up
            return self.hand(data, self.context) if _wants_context(self.hand) else self.hand(data)

    @contextmanager
    def noting_errors(self) -> Generator[None]:
        """Put on record that carrying it out went wrong."""
        try:
            yield
        except BaseException as error:  # it may have done a part of it
            self._finish(error=type(error).__name__)
            raise

    def conclude(self, result: Any) -> Any:
        """Mark the run with what was done, and see whether the worker may have what came of it."""
        verdict = self._look_at(result)
        self._finish()
        if self.notes.is_over:  # what it did is on record as unfinished, and nobody waits for what came of it
            raise ActionRefused(_plain(self.plan), ((_ENGINE, *_TOO_LATE),), "fail", "after")
        if verdict is not None and not verdict.approved:
            self._refuse(verdict.violations, verdict.on_violation, "after")
        return result

    def _look_at(self, result: Any) -> Any:
        """Mark the run, and return what the gate says of what came of the action; None where there is no gate."""
        gate = self.services.gate
        if gate is None:
            return None
        try:
            self._label(result)
            verdict = gate.check_outcome(self.plan, result, history=self.history)
            if verdict.approved is True:
                return None
            return _No(self.plan, tuple(verdict.violations), str(verdict.on_violation))
        except Exception as error:  # noqa: BLE001 - an error in a rule is a no
            return _Denied(self.plan, f"it raised {type(error).__name__} when it looked at the outcome")

    def _label(self, result: Any) -> None:
        """Put on record what the run is marked with by this."""
        gate = self.services.gate
        if gate is not None:
            labels = [str(label) for label in gate.labels_of(self.plan, result)]
            with _BOOKS:
                self.entry["labels"] = labels


class _Yes(NamedTuple):
    """What may be carried out."""

    plan: dict[str, Any]
    approved: bool = True
    violations: tuple[Any, ...] = ()
    on_violation: str = "retry"


class _No(NamedTuple):
    """What may not, and why."""

    plan: dict[str, Any]
    violations: tuple[Any, ...]
    on_violation: str
    approved: bool = False


class _Denied:
    """The verdict where the gate itself failed."""

    approved, on_violation, hint, rule = False, "fail", "Mend the rule.", _ENGINE

    def __init__(self, plan: dict[str, Any], message: str) -> None:
        self.plan, self.message = plan, message
        self.violations = (self,)


def _no_question(on_violation: str) -> str:
    """It has happened: nobody can allow it any more."""
    return "fail" if on_violation == "ask" else on_violation


def _wants_context(hand: Hand) -> bool:
    try:
        parameters = inspect.signature(hand).parameters.values()
    except (TypeError, ValueError):  # a builtin that tells no signature
        return False
    wanted = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty]
    return len(wanted) > 1


def _plain(plan: Any) -> dict[str, Any]:
    """Return an action as it goes on record."""
    return {
        "action_type": str(plan.get("action_type")),
        "action_data": isolate(plan.get("action_data")),
        "cost": plan.get("cost", 0.0),
    }


def _unfit(shown: dict[str, Any]) -> str | None:
    """Say why an action cannot be put on record; None where it can."""
    try:
        canonical_plan(shown)
    except Exception as error:  # noqa: BLE001 - it may hold anything
        return f"{error!s:.300}"
    return None


def _granted(context: WorkflowContext, entry: dict[str, Any]) -> dict[str, Any] | None:
    """Return an action as a person has let it happen, who saw exactly this, and all that rules object to."""
    visit = context._visit  # noqa: SLF001
    asked = None if visit is None else (visit.detail or {}).get("asks")
    if visit is None or asked is None or visit.answer is None or visit.answer.kind != "approved":
        return None
    shown = {one["rule"] for one in asked["violations"]}
    is_shown = shown.issuperset(one["rule"] for one in entry["violations"])
    return _plain(asked) if is_shown and canonical_plan(asked) == canonical_plan(entry) else None


def canonical_plan(plan: Any) -> bytes:
    """Return an action as bytes: the same for the same action."""
    from orchestration_kit.engine.journaled import canonical

    return canonical([plan["action_type"], plan["action_data"], plan["cost"]], "the action")


def services_of(context: WorkflowContext) -> Services:
    """Return what the hub of a context lends; nothing where it was made by hand."""
    plan = context._machine.plan  # noqa: SLF001
    return NO_SERVICES if plan is None else plan.services


def actions_before(context: WorkflowContext) -> list[dict[str, Any]]:
    """Return the actions that were carried out before, as far as this visit can know of them, oldest first."""
    machine = context._machine  # noqa: SLF001
    visit = context._visit  # noqa: SLF001
    found: list[dict[str, Any]] = list(getattr(machine, "inherited", ()))
    quick = None if visit is None else cast("Any", machine).actions_from(visit.scope.prefix)
    if quick is None:
        for record in context._seen():  # noqa: SLF001
            found += (record.detail or {}).get("actions", ())
    else:
        found += quick
    notes = context._notes  # noqa: SLF001
    if notes is not None:
        found += notes.actions or ()
    return carried_out(found)


def carried_out(actions: Iterable[dict[str, Any]] | None) -> list[dict[str, Any]]:
    """Return of the actions on record those that took effect, or may have."""
    return [one for one in actions or () if one.get("approved") or one.get("kept_back")]


def granted_action(context: WorkflowContext) -> Action | None:
    """Return the action that a worker had returned and a person has approved since, as it was shown."""
    visit = context._visit  # noqa: SLF001
    asked = None if visit is None else (visit.detail or {}).get("asks")
    if visit is None or asked is None or not asked.get("is_returned") or visit.answer is None:
        return None
    return Action(asked["action_type"], isolate(asked["action_data"]), asked["cost"])


def open_acting(context: WorkflowContext) -> None:
    """Let a worker act that is about to be called."""
    notes = context._more  # noqa: SLF001
    notes.is_open = True
    if context._visit is not None:  # noqa: SLF001
        context._visit.notes = notes  # noqa: SLF001 - whoever stops the attempt has no context


def close_acting(context: WorkflowContext) -> None:
    """Let a worker act no more: it has returned."""
    context._more.is_open = False  # noqa: SLF001


def take_actions(notes: Notes) -> list[dict[str, Any]]:
    """Return what an attempt has had carried out, as it goes on record now. Nothing comes after that."""
    with _BOOKS:
        notes.is_over = True
        return [isolate(one) for one in notes.actions or ()]
