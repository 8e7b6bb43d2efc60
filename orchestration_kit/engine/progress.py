"""What a run has before it: visits that are ready, under way or waiting; how it ends, and what is undone then."""

from __future__ import annotations

import copy
from collections import deque
from typing import Any

from orchestration_kit.engine.events import ErrorInfo, LimitReached, RunFinished, RunStarted
from orchestration_kit.engine.groups import Group, Undo, is_undoing
from orchestration_kit.engine.limits import Meter, RunLimits
from orchestration_kit.engine.order import UNDO
from orchestration_kit.engine.plan import Plan
from orchestration_kit.engine.record import Record
from orchestration_kit.engine.visits import Scope, Visit

Undoable = tuple[str, Any, str, Any]
"""A completed visit: its position, the steps of its workflow, the step that undoes it, and its output."""


class Progress(Record):
    """The visits of a run, and its end."""

    __slots__ = (
        "_left", "_max_steps", "doomed", "earlier", "inbox", "is_simple", "limits", "meter", "plan", "ready", "root",
        "stop", "taken", "undoable", "undos", "waiting",
    )  # fmt: skip

    def __init__(self, plan: Plan, limits: RunLimits, started: RunStarted) -> None:
        super().__init__(started)
        self.plan = plan
        self.limits = limits
        self._max_steps = limits.max_steps
        self.root = Scope("", dict(started.data), plan.steps)
        self.ready: deque[Visit] = deque()
        """To be worked on, in this order."""
        self.taken: set[Visit] = set()
        """Being worked on."""
        self.waiting: dict[str, Visit] = {}
        """By position: for a person, an event, or a run of their own."""
        self.inbox: dict[str, deque[Any]] = {}
        """Events that nobody has waited for yet."""
        self.meter: Meter | None = None
        self._left: list[Visit] = []
        """What was left to do when the run ended."""
        self.stop: tuple[str, str] | None = None
        """The limit that ends the run, while attempts are under way."""
        self.doomed: list[Visit] = []
        """Under way, and not wanted any more: for drivers to stop."""
        self.undoable: list[Undoable] = []
        """What would be undone, in the order of arrival."""
        self.undos: list[Undo] = []
        """What is being undone."""
        self.earlier: dict[str, dict[str, int]] = {}
        """By scope, where branches were opened anew: how often they had come to each step before."""
        self._measure()

    def allow(self, limits: RunLimits) -> None:
        """Hold other limits from now on; what was used so far counts."""
        self.limits, self._max_steps = limits, limits.max_steps
        if self.meter is None:
            self._measure()
        else:
            self.meter.hold(limits)

    def _measure(self) -> None:
        self.meter = None
        self.is_simple = not self.is_branched and not self.plan.is_undoable
        """One attempt after another, nothing to count or to undo: the hot path looks at nothing else."""
        if self.limits.needs_meter or self.plan.is_budgeted:
            self.meter, self.is_simple = Meter(self.limits, self.plan.definition.budget), False
            for index in range(self.recorded):
                record = self.record(index)
                step = self.plan.steps.get(record.step) if not record.scope else None
                self.meter.add(record.duration_s, record.retry_in_s, record.usage, step)

    def take_state(self, other: Progress) -> None:
        """Stand where another stands."""
        for cls in type(self).__mro__:
            for name in getattr(cls, "__slots__", ()):
                setattr(self, name, getattr(other, name))

    def arrive(self, scope: Scope, step_id: str, input_data: Any) -> Visit:
        """Come to a step."""
        number = scope.visits.get(step_id, 0) + 1
        scope.visits[step_id] = number
        visit = Visit(scope, scope.steps[step_id], number, input_data)
        self.ready.append(visit)
        return visit

    def _release(self, visit: Visit) -> None:
        self.taken.discard(visit)
        if self.meter is not None and visit.group is None:
            self.meter.release(visit.step)

    def take(self, visit: Visit) -> None:
        """Take a visit that is ready, whatever its place."""
        self.ready.remove(visit)
        self.taken.add(visit)
        if self.meter is not None:
            self.meter.reserve(visit.step)

    def put_back(self, visit: Visit) -> None:
        """Give back a visit that was taken and not worked on."""
        if visit in self.taken:
            self._release(visit)
            self.ready.appendleft(visit)

    def abandon(self, visit: Visit) -> None:
        """Give back a visit whose worker may still be at it: what that gives later is nobody's any more."""
        if visit in self.taken:
            self._release(visit)
            self.ready.appendleft(copy.copy(visit))

    # --- the end

    def fail(self, reason: str) -> None:
        """End the run as failed, after what it did was undone."""
        if self.undoable and not self.undos:
            self._left.clear()  # also where the undoing is interrupted: then that is what goes on
            self.ready.clear()
            self.waiting.clear()
            self.undo(None, reason)
        else:
            self.end("failed", reason)

    def end(self, state: str, reason: str | None, at: float | None = None) -> RunFinished:
        """End the run."""
        if at is None:
            last = self.last_record()
            at = self.started.started_at if last is None else last.started_at + last.duration_s
        finished = self.finished = RunFinished(self.started.run_id, state, reason, at, len(self._rows))
        self._put_away()
        return finished

    def _put_away(self) -> None:
        """Keep what is left to do, for a run that is resumed although it has ended."""
        if self.taken or self.ready:
            self._left += [*sorted(self.taken, key=lambda visit: visit.path), *self.ready]
        for visit in self.taken:
            if self.meter is not None and visit.group is None:
                self.meter.release(visit.step)
        self.ready.clear()
        self.taken.clear()
        self.doomed.clear()
        self.stop = None

    # --- limits

    def _may_spend(self, visit: Visit) -> bool:
        """Whether the limits leave room for an attempt; its reserve is set aside then."""
        meter, step = self.meter, visit.step
        if meter is None or step.worker is None or visit.group is not None:
            return True
        spent = meter.room(step)
        if spent is None or is_undoing(visit.scope):
            meter.reserve(step)
            return True
        if self.taken and not (spent.is_step and not meter.has_reserved(step)):
            return False  # those under way may give back what was set aside for them
        if spent.is_step:
            self._deny(visit, f"the budget of step {step.step_id!r} is spent: {spent.limit} {spent.value}")
        else:
            self._end_at_limit(spent.limit, spent.value)
        return False

    def _deny(self, visit: Visit, message: str) -> None:
        """Put on record that an attempt was not made."""
        self.ready.remove(visit)
        last = self.last_record()
        visit.started_at = self.started.started_at if last is None else last.started_at + last.duration_s
        self.settle(visit, {"error": message}, ErrorInfo("BudgetSpent", message, is_final=True), None)

    def settle(
        self,
        visit: Visit,
        output: Any,
        error: ErrorInfo | None = None,
        error_types: tuple[str, ...] | None = (),
        cancelled: str | None = None,
    ) -> None:
        """Decide what follows from an attempt: the machine's."""
        raise NotImplementedError

    def _end_at_limit(self, limit: str, value: str) -> None:
        if self.undos or self.stop is not None:
            return  # what is being undone is undone to its end
        before = f" before {self.ready[0].path}" if self.ready else ""
        self.stop, self.is_simple = (limit, f"{before}: {value}"), False
        self.doomed += self.taken
        if not self.taken:
            self._stop_now()

    def _stop_now(self) -> None:
        """Do what a limit asks for, now that nothing is under way."""
        if self.stop is None:
            return
        (limit, value), self.stop = self.stop, None
        budget = self.plan.definition.budget
        to = None if budget is None or not limit.startswith("budget ") else budget.on_budget
        if to is None and not self.undoable:
            self.end("failed", f"limit {limit} reached{value}")
            return
        last = self.last_record()
        at = self.started.started_at if last is None else last.started_at + last.duration_s
        event = LimitReached(limit, value, to, at)
        self.put_mark(event)
        self._fold_limit(event)

    def _fold_limit(self, event: LimitReached) -> None:
        reason = f"limit {event.limit} reached{event.value}"
        if event.next_step is None:
            self.fail(reason)
            return
        self._forget_all()
        if self.meter is not None:
            self.meter.is_over_budget = True
        self.arrive(self.root, event.next_step, {"error": reason})

    def _forget_all(self) -> None:
        """Drop everything that is to be done."""
        self.ready.clear()
        self.waiting.clear()
        self._left.clear()

    # --- undoing

    def undo(self, group: Group | None, reason: str) -> None:
        """Undo what completed visits did, of a group or of the run, the last in the order of the workflow first."""
        within = "" if group is None else f"{group.path}["
        meant = [one for one in self.undoable if one[0].startswith(within)]
        if self.is_branched:
            place = {record.path: at for at, record in enumerate(self.records)}
            meant.sort(key=lambda one: place[one[0]])
        self.undoable = [one for one in self.undoable if not one[0].startswith(within)]
        undo = Undo(deque(reversed(meant)), group, reason)
        self.undos.append(undo)
        self._undo_next(undo)

    def _undo_next(self, undo: Undo) -> None:
        scope = undo.scope
        at = self.root if undo.within is None else undo.within
        if scope is not None and scope.end == "failed":
            undo.problems.append(f"{scope.error}")
        if undo.left:
            path, steps, step_id, output = undo.left.popleft()
            if scope is None:
                self.is_branched, self.is_simple = True, False
                opener = "" if undo.group is None else undo.group.path
                scope = undo.scope = Scope(f"{opener}[{UNDO}]/", dict(at.data), steps, undo, UNDO)
                scope.visits.update(self.earlier.get(scope.prefix, ()))
            scope.steps, scope.end, scope.error = steps, None, None
            self.arrive(scope, step_id, output).detail = {"undoes": path}
            return
        self.undos.remove(undo)
        if scope is not None:
            written = scope.written or set()
            for key in written:
                if key in scope.data:
                    at.data[key] = scope.data[key]
                else:
                    at.data.pop(key, None)
            at.written = (at.written or set()) | written
        if undo.group is not None:
            undo.group.problems, undo.group.is_undone = undo.problems, scope is not None
            self.make_joinable(undo.group)
        else:
            self._left.clear()  # its steps would be built on what is no longer there
            self.waiting.clear()
            problems = "".join(f"; not undone: {problem}" for problem in undo.problems)
            self.end("failed", f"{undo.reason}{problems}")

    def _undo_first(self) -> bool:
        """Put what undoes something before what a limit holds up; whether there was anything."""
        undoing = next((visit for visit in self.ready if is_undoing(visit.scope)), None)
        if undoing is None or undoing is self.ready[0]:
            return undoing is not None
        self.ready.remove(undoing)
        self.ready.appendleft(undoing)
        return True

    def make_joinable(self, group: Group) -> None:
        """Let the branches of a group be joined."""
        group.is_joining = True
        self.ready.append(group.visit)
