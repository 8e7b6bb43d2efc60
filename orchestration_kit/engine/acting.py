"""Have an action carried out: the gate is asked, what it says is on record, and only what it approved of happens.

A verdict that asks for a person, or fails the step, holds whatever the worker makes of the error: it cannot be talked
away. What a person approved is carried out once, if it is exactly what was shown.
"""

from __future__ import annotations

import inspect
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from orchestration_kit.engine.outcome import Action
from orchestration_kit.engine.refusals import ActionRefused
from orchestration_kit.engine.services import NO_SERVICES, Hand, Services
from orchestration_kit.engine.thread import call_on_thread
from orchestration_kit.engine.values import isolate
from orchestration_kit.errors import AttemptError, did_you_mean, listed

if TYPE_CHECKING:
    from orchestration_kit.engine.context import WorkflowContext

_ENGINE = "constraint engine"


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
        plan: dict[str, Any] = action.plan
        self.history = actions_before(context)
        verdict = self._verdict(plan)
        if verdict is not None and verdict.approved:
            plan = dict(verdict.plan)
        self.plan = plan
        at = self.services.clock.time()
        self.entry: dict[str, Any] = {
            **_plain(plan),
            "approved": verdict is None or verdict.approved,
            "violations": [],
            "at": at,
            "labels": [],
        }
        notes = context._more  # noqa: SLF001 - the engine's own
        notes.actions = [*(notes.actions or ()), self.entry]
        if verdict is not None and not verdict.approved:
            self._refuse(verdict.violations, verdict.on_violation, "before")
        self.hand = perform if perform is not None else self._hand(str(action.action_type))

    def _verdict(self, plan: dict[str, Any]) -> Any:
        gate = self.services.gate
        if gate is None:
            return None
        try:
            return gate.validate_plan(plan, history=self.history, now=self.services.clock.time())
        except Exception as error:  # noqa: BLE001 - an error in a rule is a no
            return _Denied(plan, f"it raised {type(error).__name__}")

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
        self.entry["violations"] += [{"rule": rule, "message": message} for rule, message, _ in told]
        notes = self.context._more  # noqa: SLF001
        if stage == "before" and notes.granted is None and _is_granted(self.context, self.entry):
            notes.granted = self.entry
            self.entry |= {"approved": True, "approved_by": "a person"}
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
        """Carry it out; what it costs counts from here on."""
        cost = self.plan.get("cost") or 0.0
        if cost:
            self.context.add_usage(cost_usd=cost)
        data = self.plan.get("action_data")
        with self.noting_errors():
            return self.hand(data, self.context) if _wants_context(self.hand) else self.hand(data)

    @contextmanager
    def noting_errors(self) -> Generator[None]:
        """Put on record that carrying it out went wrong."""
        try:
            yield
        except Exception as error:
            self.entry["error"] = type(error).__name__
            self._look_at(None)  # it may have done a part of it
            raise

    def conclude(self, result: Any) -> Any:
        """Mark the run with what was done, and see whether the worker may have what came of it."""
        verdict = self._look_at(result)
        if verdict is not None and not verdict.approved:
            self._refuse(verdict.violations, verdict.on_violation, "after")
        return result

    def _look_at(self, result: Any) -> Any:
        """Mark the run, and return what the gate says of what came of the action; None where there is no gate."""
        gate = self.services.gate
        if gate is None:
            return None
        try:
            self.entry["labels"] = [str(label) for label in gate.labels_of(self.plan, result)]
            return gate.check_outcome(self.plan, result, history=self.history)
        except Exception as error:  # noqa: BLE001 - an error in a rule is a no
            return _Denied(self.plan, f"it raised {type(error).__name__} when it looked at the outcome")


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


def _is_granted(context: WorkflowContext, entry: dict[str, Any]) -> bool:
    """Whether a person has looked at exactly this action and let it happen."""
    visit = context._visit  # noqa: SLF001
    asked = None if visit is None else (visit.detail or {}).get("asks")
    if visit is None or asked is None or visit.answer is None or visit.answer.kind != "approved":
        return False
    return canonical_plan(asked) == canonical_plan(entry)


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
    found: list[dict[str, Any]] = list(getattr(machine, "inherited", ()))
    for record in context._seen():  # noqa: SLF001
        found += (record.detail or {}).get("actions", ())
    notes = context._notes  # noqa: SLF001
    if notes is not None:
        found += notes.actions or ()
    return [one for one in found if one.get("approved") or one.get("kept_back")]


def granted_action(context: WorkflowContext) -> Action | None:
    """Return the action that a worker had returned and a person has approved since, as it was shown."""
    visit = context._visit  # noqa: SLF001
    asked = None if visit is None else (visit.detail or {}).get("asks")
    if visit is None or asked is None or not asked.get("is_returned") or visit.answer is None:
        return None
    return Action(asked["action_type"], isolate(asked["action_data"]), asked["cost"])


def take_child_actions(context: WorkflowContext, child: Any) -> None:
    """Put what a run within this one did among what its step did."""
    found: list[dict[str, Any]] = []
    for row in child.machine.rows_since(0):
        found += (cast("dict[str, Any] | None", row[19]) or {}).get("actions", ())
    if found:
        notes = context._more  # noqa: SLF001
        notes.actions = [*(notes.actions or ()), *(isolate(one) for one in found)]
