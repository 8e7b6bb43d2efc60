"""Branches and waits of a run: how they begin, how they end, and what ends with them."""

from __future__ import annotations

from collections import deque
from typing import Any, cast

from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.engine.events import BranchesOpened, ErrorInfo, RunStarted
from orchestration_kit.engine.folding import Ahead
from orchestration_kit.engine.groups import Group, Undo, is_undoing
from orchestration_kit.engine.limits import RunLimits
from orchestration_kit.engine.order import SPAWN, opener_of, scope_of
from orchestration_kit.engine.plan import Plan, Target
from orchestration_kit.engine.progress import Progress
from orchestration_kit.engine.visits import Scope, Visit, another_attempt


class Branches(Progress):
    """The branches of a run, and those of its visits that wait."""

    __slots__ = ("ahead", "closing", "groups")

    def __init__(self, plan: Plan, limits: RunLimits, started: RunStarted) -> None:
        super().__init__(plan, limits, started)
        self.groups: dict[str, Group] = {}
        """By position: what is open."""
        self.closing: list[Group] = []
        """Groups whose join is decided, while some of their attempts are under way."""
        self.ahead: Ahead | None = None
        """While a record is folded as it came: what is still to come."""

    # --- finding

    def find(self, path: str, attempt: int | None = None) -> Visit | None:
        """Return the visit at a position that is to be worked on, or waits; its branch is begun if need be."""
        prefix = scope_of(path)
        if prefix and (group := self._group_of(prefix)) is not None:
            key = opener_of(prefix)[1]
            if key not in group.scopes and group.has(key):
                self._start(group, key)
            for queued in group.queue:
                if queued.path == path:
                    return queued if attempt in (None, queued.attempt) else None
        found = self._among_ready(path, prefix) or self.waiting.get(path) or self._among_parked(path, prefix)
        return found if found is None or attempt in (None, found.attempt) else None

    def _among_ready(self, path: str, prefix: str) -> Visit | None:
        for visit in self.ready:
            if visit.scope.prefix == prefix and visit.path == path:
                return visit
        return None

    def _among_parked(self, path: str, prefix: str) -> Visit | None:
        while prefix:
            group = self._group_of(prefix)
            if group is not None and path in group.parked:
                return group.parked[path]
            prefix = scope_of(opener_of(prefix)[0])
        return None

    def _group_of(self, prefix: str) -> Group | None:
        return self.groups.get(opener_of(prefix)[0])

    def _withdraw(self, visit: Visit) -> None:
        """Take a visit out of wherever it is."""
        path, own = visit.path, visit.scope.group
        if visit in self.ready:
            self.ready.remove(visit)
        elif self.waiting.pop(path, None) is not None:
            if isinstance(own, Group):
                own.idle -= 1
        elif isinstance(own, Group) and visit in own.queue:
            own.queue.remove(visit)
            own.idle -= 1
        else:
            prefix = visit.scope.prefix
            while prefix:
                group = self._group_of(prefix)
                if group is not None and group.parked.pop(path, None) is not None:
                    break
                prefix = scope_of(opener_of(prefix)[0])

    def _forget_all(self) -> None:
        super()._forget_all()
        self.groups.clear()
        self.closing.clear()

    # --- opening

    def open(self, visit: Visit, event: BranchesOpened) -> None:
        """Open the branches of a visit."""
        opens = visit.step.opens
        if opens is None:
            raise ValueError(f"{event.path} is on record as opening branches, and it is no such step")
        missing = [key for key in event.keys or () if key not in opens.targets]
        if missing or (event.keys is None) != (opens.over is not None):
            what = f"the branch {missing[0]!r}" if missing else "branches of another kind"
            raise ValueError(f"{event.path} is on record as opening {what}, which it does not have")
        self._release(visit)
        self.put_mark(event)
        self.is_branched, self.is_simple = True, False
        visit.evaluated = event.evaluated
        if not visit.started_at:
            visit.started_at = event.opened_at
        group = Group(visit, event.keys, event.inputs, opens.targets)
        self._open(group)
        if group in self.closing:  # there was nothing to do
            self.join(group)

    def _open(self, group: Group) -> None:
        group.visit.group = group
        self.groups[group.path] = group
        self._go_on(group)

    def _go_on(self, group: Group) -> None:
        """Begin branches that may begin; close the group where its join is decided."""
        within = group.visit.scope
        if group.is_over or (within.group is not None and self._is_closed(within)):
            return
        if group.verdict is not None:
            self._close(group)
            return
        while group.queue and group.places():
            group.idle -= 1
            self.ready.append(group.queue.popleft())
        while (index := group.started) < group.total and (group.cap is None or group.places()):
            group.started = index + 1
            key = group.key_at(index)
            if key not in group.scopes:
                self._start(group, key, index)

    def _start(self, group: Group, key: str, index: int | None = None) -> None:
        target, opener = group.targets.get(key) or group.targets[""], group.visit.scope
        steps = opener.steps if target.plan is None else target.plan.steps
        scope = Scope(f"{group.path}[{key}]/", opener.data.copy(), steps, group, key)
        group.scopes[key] = scope
        number = 1
        if self.earlier:
            scope.visits.update(self.earlier.get(scope.prefix, ()))
            number += scope.visits.get(target.initial, 0)
        scope.visits[target.initial] = number
        if index is not None and group.inputs is not None and index < group.declared:
            given = group.inputs[index]
        else:
            given = group.input_of(key)
        self.ready.append(Visit(scope, steps[target.initial], number, given))

    # --- ending

    def _is_closed(self, scope: Scope | None) -> bool:
        """Whether a branch is in one whose join is decided, so that nothing more begins there."""
        while scope is not None and isinstance(scope.group, Group):
            if scope.group.is_over:
                return True
            scope = scope.group.within
        return False

    def is_unwanted(self, scope: Scope) -> bool:
        """Whether nobody waits any more for what a branch does."""
        if self.stop is not None:
            return True
        at: Scope | None = scope
        while at is not None and at.group is not None:
            if isinstance(at.group, Undo):
                return False
            if at.group.is_over:
                return True
            at = at.group.within
        return False

    def why_unwanted(self, scope: Scope) -> str:
        """Say why a branch is stopped."""
        if self.stop is not None:
            return f"cancelled: limit {self.stop[0]} reached"
        at: Scope | None = scope
        while at is not None and isinstance(at.group, Group):
            if at.group.is_over:
                group = at.group
                done = f"{group.completed} of {group.total} branches had completed"
                return f"cancelled: the join of {group.path} {'was reached' if group.verdict else 'failed'}, {done}"
            at = at.group.within
        return "cancelled"

    def end_branch(self, visit: Visit, output: Any, error: ErrorInfo | None) -> None:
        """Note that a branch has come to its end."""
        scope = visit.scope
        scope.output = output
        if error is not None:
            scope.end = "cancelled" if error.type == "BranchCancelled" else "failed"
            scope.error = f"{visit.path} failed: {error.described()}"
            scope.stuck = another_attempt(visit, error)
        elif visit.step.outcome == "failed":
            scope.end, scope.error = "failed", f"it ended at {visit.path}, whose outcome is failed"
        else:
            scope.end = "completed"
        group = scope.group
        if isinstance(group, Undo):
            self._undo_next(group)
            return
        if group is None:
            return
        if scope.end == "completed":
            scope.leave(with_outputs=group.keys is not None)
        group.note_end(scope)
        self._go_on(group)

    def _close(self, group: Group) -> None:
        """Wait for nothing more: what has not begun will not, and what is under way is to be stopped."""
        group.is_over = True
        self.park_all(group)
        self.doomed += [visit for visit in self.taken if group.holds(visit.scope) and not is_undoing(visit.scope)]
        self.closing.append(group)

    def park_all(self, group: Group) -> None:
        """Put aside what is to be done in the branches of a group."""
        keep: deque[Visit] = deque()
        for visit in self.ready:
            if group.holds(visit.scope) and not is_undoing(visit.scope):
                group.parked[visit.path] = visit
            else:
                keep.append(visit)
        self.ready = keep
        for path, visit in list(self.waiting.items()):
            if group.holds(visit.scope):
                group.parked[path] = self.waiting.pop(path)
                cast("Group", visit.scope.group).idle -= 1
        for one in self.groups.values():
            if one is group or group.holds(one.visit.scope):
                one.idle -= len(one.queue)
                group.parked.update({visit.path: visit for visit in one.queue})
                one.queue.clear()

    def close_groups(self) -> None:
        """Go on with groups whose join is decided, as soon as nothing of theirs is under way."""
        for group in tuple(self.closing):
            if group in self.closing:
                self.join(group)

    def join(self, group: Group, *, is_on_record: bool = False) -> None:
        """Go on with a group whose join is decided, unless something of it is under way, or nobody waits for it.

        What is on record was done before that was so.
        """
        busy = any(group.holds(visit.scope) for visit in self.taken)
        if not is_on_record and self.ahead is not None and self.ahead.is_busy(group.path):
            return
        if busy or any(undo.within is not None and group.holds(undo.within) for undo in self.undos):
            return
        self.closing.remove(group)
        if not is_on_record and self.is_unwanted(group.visit.scope):
            return
        if group.ended < len(group.scopes):
            self.park_all(group)
        opens = group.visit.step.opens
        if opens is not None and opens.failure == "all_or_nothing" and group.verdict is False:
            self.undo(group, "")
        else:
            self.make_joinable(group)

    # --- what a row means besides

    def _fold_more(self, visit: Visit, output: Any, error: ErrorInfo | None) -> bool:
        """Fold what an attempt did besides calling a worker; whether that was all there is to it."""
        scope, detail = visit.scope, visit.detail or {}
        if visit.group is not None:
            self._put_group_away(visit.group)
        if error is not None:
            return False
        if visit.changes is not None and scope.group is not None:
            scope.wrote(visit.changes)
            if visit.group is not None:
                visit.group.sort_out(scope, visit.changes)
        if "added" in detail:
            self._add_items(scope, detail["added"])
        if "spawn" in detail:
            if visit.changes is not None:
                visit.changes.apply_to(scope.data)
            self._spawn(visit, detail["spawn"])
            return True
        if visit.step.compensate is not None and not is_undoing(scope):
            self.undoable.append((visit.path, scope.steps, visit.step.compensate, output))
        return False

    def _spawn(self, visit: Visit, spawned: dict[str, Any]) -> None:
        plan = self.plan.steps_of(WorkflowDefinition.from_dict(spawned["workflow"]))
        self.is_branched, self.is_simple = True, False
        if plan.is_budgeted and self.meter is None:
            self._measure()
        again = another_attempt(visit, None)
        again.started_at = visit.started_at + visit.duration_s
        self._open(Group(again, (SPAWN,), [spawned["input"]], {"": Target(plan.initial, plan)}))

    def _add_items(self, scope: Scope, items: list[Any]) -> None:
        """Add items to the map that a branch is in.

        The second that item 3 adds is `3.1`. Branches within it, which have no order among them, count for themselves:
        the first that is added by the third branch of a parallel step in there is `3.2-0`.
        """
        at: Scope | None = scope
        adder = ""
        while at is not None and isinstance(at.group, Group):
            group = at.group
            if group.keys is None:
                at.added = at.added or {}
                first = at.added.get(adder, 0)
                at.added[adder] = first + len(items)
                for number, item in enumerate(items, first):
                    group.add(f"{at.key}.{adder}{number}", item)
                self._go_on(group)
                return
            adder = f"{group.keys.index(str(at.key))}-{adder}"
            at = group.within

    def _put_group_away(self, group: Group) -> None:
        """Note that a join is on record; groups within its branches that never came to theirs go with it."""
        self.groups.pop(group.path, None)
        group.is_over = group.is_joining = True
        if len(group.scopes) > group.ended:  # some never came to their end
            group.inner = [inner for inner in self.groups.values() if group.holds(inner.visit.scope)]
            for inner in group.inner:
                del self.groups[inner.path]

    def reopen_group(self, visit: Visit) -> None:
        """Go on with branches whose join had failed: those that did not complete are attempted again.

        Where what they did was undone, all of them are opened anew; their visits are numbered on.
        """
        group = cast("Group", visit.group)
        if group.is_undone:
            self._count_earlier(group.path)
            visit.group = None
            self.ready.append(visit)
            return
        group.visit = visit
        reopened = [group, *(inner for inner in group.inner if not inner.is_joining)]
        self.groups.update({one.path: one for one in (group, *group.inner)})
        group.inner = []
        for one in reopened:
            self._reopen(one)
        for one in reopened:
            self._go_on(one)
        self.close_groups()

    def _count_earlier(self, opener: str) -> None:
        """Note how often branches of a visit came to their steps."""
        for row in self._rows:
            prefix, step_id, number = row[1], row[2], row[3]
            if opener_of(prefix)[0] == opener:
                counts = self.earlier.setdefault(prefix, {})
                counts[step_id] = max(number, counts.get(step_id, 0))

    def _reopen(self, group: Group) -> None:
        parked, group.parked = list(group.parked.values()), {}
        for scope in group.reopen():
            stuck = cast("Visit", scope.stuck)
            scope.stuck = None
            if stuck.group is not None:
                self.reopen_group(stuck)
            else:
                self.ready.append(stuck)
        for one in parked:
            if one.wait is not None and one.answer is None and one.group is None:
                self.waiting[one.path] = one
                cast("Group", one.scope.group).idle += 1
            else:
                self.ready.append(one)
