"""What the writer and the reader of a run's rows both know at a row, so that rows hold only what is new.

That is, for the run itself and for each branch, the input which the coming attempt gets, and the values on the data
bus. It follows from the rows before, which stand in the order of arrival; branches come and go as in the engine, each
with a copy of the data of the scope it was opened in. To take the same event again changes nothing, so that an
interrupt in between does no harm.
"""

from __future__ import annotations

from typing import Any

from orchestration_kit.engine.events import AttemptFinished, BranchesOpened, Event, LimitReached, RunForked, RunStarted
from orchestration_kit.engine.order import SPAWN, UNDO, opener_of, scope_of
from orchestration_kit.journal.known import UNKNOWN, KnownGroup, KnownScope
from orchestration_kit.journal.skeleton import Worker


class Fold:
    """A run's data and coming inputs after its first `at` rows."""

    __slots__ = ("_alike", "_outputs", "at", "groups", "root", "scopes")

    def __init__(self, started: RunStarted) -> None:
        self.at = 0
        self.root = KnownScope(dict(started.data), started.goal if started.input is None else started.input[0])
        self.scopes: dict[str, KnownScope] = {}
        """The branches that there are rows of, by prefix, until they are joined."""
        self.groups: dict[str, KnownGroup] = {}
        """By visit: the branches it opened, until they are joined."""
        self._alike: dict[str, dict[str, Worker]] = {}
        """By shape: who works at each step."""
        self._outputs: dict[tuple[str, str, int], Any] = {}
        """What visits came to: what undoes them gets it."""

    def scope(self, prefix: str) -> KnownScope:
        """Return what is known of the run (""), or of a branch; one that no row was of begins here."""
        return (self.scopes.get(prefix) or self._begun(prefix)) if prefix else self.root

    def _begun(self, prefix: str) -> KnownScope:
        opener, key = opener_of(prefix)
        group = self.groups.get(opener)
        if group is not None and key != UNDO:
            shape = f"{group.shape}[{'' if group.keys is None else key}]/"
            begun = KnownScope(group.above.data.copy(), group.input_of(key), shape, self._workers_in(shape))
        elif group is not None or (opener, key) == ("", UNDO):
            above, shape = (self.root, UNDO) if group is None else (group.above, f"{group.shape}[{UNDO}]/")
            begun = KnownScope(above.data.copy(), UNKNOWN, shape, self._workers_in(shape))
            begun.written = set()
        else:
            begun = KnownScope({}, UNKNOWN)  # nobody opened it: whatever its rows need, they hold
        if group is not None:
            group.prefixes.append(prefix)
        self.scopes[prefix] = begun
        return begun

    def _workers_in(self, shape: str) -> dict[str, Worker]:
        found = self._alike.get(shape)
        if found is None:
            found = self._alike[shape] = {}
        return found

    def coming(self, scope: KnownScope, detail: dict[str, Any] | None) -> Any:
        """Return what the coming attempt of a scope gets, as far as is known."""
        if detail is not None and "undoes" in detail and scope.input is UNKNOWN:
            return self._undone(detail["undoes"])
        return scope.input

    def output_of(self, path: str, key: str) -> Any:
        """Return the last output of a branch that a visit opened; `UNKNOWN` where there is no row of it."""
        scope = self.scopes.get(f"{path}[{key}]/")
        return UNKNOWN if scope is None else scope.output

    def _undone(self, path: Any) -> Any:
        if type(path) is not str:
            return UNKNOWN
        prefix = scope_of(path)
        step, _, number = path[len(prefix) :].rpartition("#")
        return self._outputs.get((prefix, step, int(number)), UNKNOWN) if number.isdecimal() else UNKNOWN

    # --- folding

    def take(self, event: Event, index: int) -> None:
        """Fold the event of row `index` (from 0)."""
        if isinstance(event, AttemptFinished):
            self.take_attempt(event, index)
            return
        if isinstance(event, BranchesOpened):
            self._open(event.path, event.keys, event.inputs)
        elif isinstance(event, RunForked):
            at = self.scope(scope_of(event.at))
            if event.changes is not None:
                event.changes.apply_to(at.data)
            if event.input is not None:
                at.input = event.input[0]
        elif isinstance(event, LimitReached) and event.next_step is not None:
            self.groups.clear()
            self.scopes.clear()
        self.at = index + 1

    def take_attempt(self, record: tuple[Any, ...], index: int) -> None:
        """Fold the attempt of row `index` (from 0)."""
        (
            _, prefix, step, visit, _, worker, worker_type, _, output, error, _, _, next_step, retry_in_s, changes, _,
            _, _, fingerprint, detail,
        ) = record  # fmt: skip
        scope = self.scope(prefix) if prefix else self.root
        if prefix:
            scope.workers[step] = (worker, worker_type, fingerprint)
            scope.output = output
        if detail is not None:
            self._take_detail(AttemptFinished._make(record), scope, index)
        if retry_in_s is None:
            if error is None and changes is not None:
                changes.apply_to(scope.data)
                if scope.written is not None:
                    scope.written.update(changes.updated, changes.removed)
            if detail is None or error is not None or "spawn" not in detail:
                self._outputs[prefix, step, visit] = scope.data[f"{step}_output"] = output
                if error is None or next_step is not None:
                    scope.input = output
                # Else it keeps its input: where the run is resumed, the visit is attempted again.
                if prefix and next_step is None:
                    self._end_branch(scope, has_failed=error is not None)
                if self.groups and (path := f"{prefix}{step}#{visit}") in self.groups:
                    self._join(path, scope, may_go_on=error is not None and next_step is None)
        self.at = index + 1

    def _take_detail(self, record: AttemptFinished, scope: KnownScope, index: int) -> None:
        """Fold what an attempt did besides calling a worker."""
        detail = record.detail or {}
        if "undoes" in detail and scope.input is UNKNOWN:
            scope.input = self._undone(detail["undoes"])
        if record.error is not None:
            return
        if "added" in detail:
            self._add_items(record.scope, detail["added"], index)
        if "spawn" in detail:
            self._open(record.path, (SPAWN,), [detail["spawn"]["input"]])

    def _add_items(self, prefix: str, items: list[Any], index: int) -> None:
        """Add items to the map that a scope is in."""
        adder = ""
        while prefix:
            opener, key = opener_of(prefix)
            group = self.groups.get(opener)
            if group is None or key == UNDO:
                return
            if group.keys is None:
                first = self.scope(prefix).number_added(adder, index, len(items))
                group.items.update({f"{key}.{adder}{first + n}": item for n, item in enumerate(items)})
                return
            adder = f"{group.position_of(key)}-{adder}"
            prefix = scope_of(opener)

    # --- branches

    def _open(self, path: str, keys: tuple[str, ...] | None, inputs: list[Any] | None) -> None:
        self._drop(path)
        prefix = scope_of(path)
        above = self.scope(prefix)
        step = path[len(prefix) :].rpartition("#")[0]
        self.groups[path] = KnownGroup(keys, inputs, above.input, above, step)
        if path not in above.openers:
            above.openers.append(path)

    def _end_branch(self, scope: KnownScope, *, has_failed: bool) -> None:
        if scope.written is not None:
            scope.input = UNKNOWN  # the next that it undoes begins with an output of its own
        elif not has_failed:
            scope.data = {}  # it is over: nothing of it is needed any more, apart from its output

    def _join(self, path: str, scope: KnownScope, *, may_go_on: bool) -> None:
        """Forget the branches of a visit; what was undone of them stays undone."""
        undoing = f"{path}[{UNDO}]/"
        undo = self.scopes.get(undoing)
        if undo is not None and undo.written:
            for key in undo.written:
                if key in undo.data:
                    scope.data[key] = undo.data[key]
                else:
                    scope.data.pop(key, None)
            if scope.written is not None:
                scope.written |= undo.written
        if not may_go_on:
            self._drop(path)
        elif undo is not None:
            self._forget(undoing)

    def _drop(self, path: str) -> None:
        """Forget the branches that a visit opened."""
        left = [path]
        while left:
            group = self.groups.pop(left.pop(), None)
            for prefix in () if group is None else group.prefixes:
                left += self._forget(prefix)

    def _forget(self, prefix: str) -> list[str]:
        """Forget a branch; return the visits in it that opened branches."""
        scope = self.scopes.pop(prefix, None)
        return [] if scope is None else scope.openers
