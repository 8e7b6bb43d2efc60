"""A run becomes what a player says above its picture: how it stands, what can be done now, what it has used."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from orchestration_kit.engine.state import RESTING, WorkflowState
from orchestration_kit.engine.summary import Totals, TotalsSoFar
from orchestration_kit.errors import counted, listed
from orchestration_kit.visual.facts import cost, count, duration
from orchestration_kit.visual.text import one_line
from orchestration_kit.widgets.live import steady

if TYPE_CHECKING:
    from orchestration_kit.engine.asking import Request
    from orchestration_kit.engine.run import Run

MARKS = {
    "ready": "\N{WHITE CIRCLE}", "running": "\N{BLACK CIRCLE}", "paused": "\N{DOUBLE VERTICAL LINE}",
    "waiting": "\N{HORIZONTAL ELLIPSIS}", "completed": "\N{CHECK MARK}", "failed": "\N{BALLOT X}",
    "cancelled": "\N{CIRCLED DIVISION SLASH}", "blocked": "\N{CIRCLED DIVISION SLASH}",
}  # fmt: skip
_ENDED = "It has ended."
_DRIVEN = "It is running now: pause it first."
_CHILD = "It is part of another run: go on with that one."


class Standing(NamedTuple):
    """How a run stands."""

    name: str
    """A key of `MARKS`."""
    words: str
    """In a line."""


class Counts:
    """Sums over the attempts of one run, added up as they come."""

    def __init__(self) -> None:
        self._so_far, self._told = TotalsSoFar(), 0

    def of(self, run: Run) -> TotalsSoFar:
        """Return the sums as they are now."""
        if run.machine.recorded < self._told:
            self._so_far, self._told = TotalsSoFar(), 0
        rows = steady(lambda: run.machine.rows_since(self._told))
        self._so_far, self._told = self._so_far.plus(rows), self._told + len(rows)
        return self._so_far


def is_child(run: Run) -> bool:
    """Whether a run is the sub-workflow of another, which drives it."""
    return run.machine.started.parent is not None and run.machine.started.forked_at is None


def open_requests(run: Run) -> list[Request]:
    """Return what a run waits for; nothing after its end."""
    return [] if run.is_finished else steady(lambda: run.waiting)


def standing(run: Run) -> Standing:
    """Return how a run stands, in words."""
    state = run.state
    if run.is_finished:
        reason = run.machine.finished.reason if run.machine.finished is not None else None
        told = f": {one_line(reason, 400)}" if reason else ""
        return Standing(state.value, ("stopped" if state is WorkflowState.CANCELLED else state.value) + told)
    taken = sorted(steady(lambda: [visit.path for visit in run.machine.taken]))
    if run.is_driven and run.cancel_reason is not None:
        return Standing("running", f"stopping: {_at_work(taken)}")
    if run.is_driven and run.is_pausing:
        return Standing("running", f"pausing: {_at_work(taken)}")
    if state in RESTING or (run.is_driven and not taken and open_requests(run)):
        return Standing("waiting", _waits(open_requests(run)))
    if run.is_driven:
        return Standing("running", f"at work on {listed(map(one_line, taken), 3)}" if taken else "running")
    coming = steady(run.machine.coming)
    before = "" if coming is None else f" before {one_line(coming.path, 120)}"
    if run.barrier is not None:
        return Standing("blocked", f"to be looked at only: {one_line(run.barrier, 400)}")
    if state is WorkflowState.INITIALIZED:
        return Standing("ready", f"ready{before}")
    return Standing("paused", f"paused{before}")


def possible(run: Run, so_far: TotalsSoFar) -> dict[str, str]:
    """Return for each button why it does nothing now; an empty text where it does something."""
    is_over, machine = run.is_finished, run.machine
    barred = _CHILD if is_child(run) else "" if run.barrier is None else one_line(run.barrier, 200)
    busy = barred or (_DRIVEN if run.is_driven else "")
    asked = [one for one in open_requests(run) if one.kind in ("approval", "event") and one.deadline is None]
    waits = "It waits for an answer: give it first." if run.state in RESTING and asked else ""
    coming = steady(machine.upcoming)
    skips = coming is not None and not coming.step.is_special and coming.group is None
    idle = "Nobody works on it." if not run.is_driven else "It is pausing already." if run.is_pausing else ""
    stopping = "It is stopping already." if run.cancel_reason is not None else ""
    can_resume = is_over and run.state is not WorkflowState.COMPLETED and machine.may_resume
    return {
        "step": busy or (_ENDED if is_over and not can_resume else waits),
        "run": busy or (_ENDED if is_over and not can_resume else waits),
        "pause": barred or (_ENDED if is_over else idle),
        "stop": barred or (_ENDED if is_over else stopping),
        "retry": busy or ("" if so_far.totals.failures else "No attempt has failed."),
        "skip": busy or (_ENDED if is_over else "" if skips else waits or "No worker would be called next."),
        "back": busy or ("" if machine.recorded else "Nothing was done yet."),
    }


def used(run: Run, so_far: TotalsSoFar) -> list[dict[str, Any]]:
    """Return what was used, each with the share of its limit, where there is one."""
    totals, limits, budget = so_far.totals, run.machine.limits, run.workflow.budget
    tokens = _tokens(totals)
    far = totals.attempts < 0.5 * limits.max_steps  # a limit that is far away is not worth its room
    far = far or run.machine.is_branched  # it bounds each branch, not their sum
    found = [_figure("attempts", totals.attempts, None if far else limits.max_steps, _whole)]
    seconds = _least(limits.max_seconds, None if budget is None else budget.max_seconds)
    found.append(_figure("busy", totals.duration_s, seconds, duration))
    most = _least(limits.max_tokens, None if budget is None else budget.max_tokens)
    if tokens is not None or most is not None:
        found.append(_figure("tokens", tokens or 0, most, _rounded))
    dollars = _least(limits.max_cost_usd, None if budget is None else budget.max_cost_usd)
    if totals.cost_usd is not None or dollars is not None:
        found.append(_figure("cost", totals.cost_usd or 0.0, dollars, cost))
    for name, number in (("failed", totals.failures), ("retries", totals.retries), ("from recordings", totals.cached)):
        if number:
            found.append({"label": name, "text": f"{number:,}"})
    return found


def progress(run: Run, so_far: TotalsSoFar) -> dict[str, Any]:
    """Return how many of the workflow's own steps the run has come to."""
    steps = run.workflow.steps
    done = sum(scope == "" and step in steps for scope, step in so_far.steps)
    return {"done": done, "of": len(steps), "text": f"{done} of {counted(len(steps), 'step')} visited"}


def lineage(run: Run) -> str:
    """Return where a run comes from, in words; nothing for one that began by itself."""
    started = run.machine.started
    if started.parent is None:
        return ""
    parent = one_line(started.parent, 120)
    if started.forked_at is None:
        return f"within {parent}"
    return f"fork of {parent} at {one_line(started.forked_at, 120)}"


def _at_work(taken: list[str]) -> str:
    return f"{listed(map(one_line, taken), 3)} is finished first" if taken else "nearly there"


def _waits(asked: list[Request]) -> str:
    words = {"approval": "approval of", "event": "an event at", "time": "the time at", "workflow": "the run of"}
    found = [f"{words.get(one.kind, one.kind)} {one_line(one.path, 80)}" for one in asked]
    return f"waits for {listed(found, 3)}" if found else "what it waited for is there"


def _tokens(totals: Totals) -> int | None:
    if totals.input_tokens is totals.output_tokens is None:
        return None
    return (totals.input_tokens or 0) + (totals.output_tokens or 0)


def _least(*limits: float | None) -> float | None:
    return min((one for one in limits if one is not None), default=None)


def _whole(number: float) -> str:
    return f"{number:,.0f}"


def _rounded(number: float) -> str:
    return count(int(number))


def _figure(label: str, value: float, limit: float | None, shown: Callable[[float], str]) -> dict[str, Any]:
    if limit is None:
        return {"label": label, "text": shown(value)}
    share = 1.0 if limit <= 0 else min(value / limit, 1.0)
    return {"label": label, "text": f"{shown(value)} of {shown(limit)}", "share": round(share, 3)}
