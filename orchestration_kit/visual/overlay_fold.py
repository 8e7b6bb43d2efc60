"""A run's history becomes an overlay: what to write on each step and how often each edge was taken.

Reads plain history entries and a state; never asks the engine, so that a run of last year, a loaded history
and a run still going are all the same to it.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

from orchestration_kit.visual.model import ENTRY_ID, DiagramModel
from orchestration_kit.visual.overlay import Overlay, StepOverlay, StepState
from orchestration_kit.visual.places import SPAWN, UNDO, Places, opener_of, scope_in, scope_of, undone_by
from orchestration_kit.visual.tallies import CANCELLED, Outcome, Tally
from orchestration_kit.visual.text import one_line
from orchestration_kit.visual.told import left_for_budget, way_told

_ENDED = frozenset({"completed", "failed", "cancelled"})
_PAUSED = frozenset({"waiting", "blocked"})
_GOING: Mapping[StepState, str] = {"running": "under way", "waiting": "waiting", "cancelled": "cancelled"}
"""What branches that have not ended are doing, by the state of the step that opened them."""


def overlay_of(
    history: Iterable[Mapping[str, Any]],
    *,
    state: object = "",
    current_step: str | None = None,
    model: DiagramModel | None = None,
    waiting: Iterable[object] = (),
) -> Overlay:
    """Return the overlay of a run from its history entries, its state and the step it stands at.

    A step's state is that of its last attempt; over several branches it is failed where one of them failed. The
    current step of a run that goes on is running, waiting, or retrying; at the end of a run that reached a terminal
    without a worker, the terminal counts as visited, and shares the fate of the run. `model` is the diagram it is
    for: it says which steps stand where. `waiting` lists what the run waits for (`run.waiting`, or positions).

    >>> entries = [{"step": "draft", "visit": 1, "success": True, "duration_s": 0.5, "next_step": "done"}]
    >>> overlay = overlay_of(entries, state="completed", current_step="done")
    >>> overlay.step("draft").time_s, overlay.step("done").state
    (0.5, 'succeeded')
    """
    fold = Fold(model)
    for entry in history:
        fold.add(entry)
    return fold.overlay(state, current_step, waiting=waiting)


class Fold:
    """Everything that was seen so far. It can be asked for an overlay between entries, as often as one likes.

    >>> fold = Fold()
    >>> fold.overlay("in_progress", "draft").step("draft").state
    'running'
    >>> fold.add({"step": "draft", "success": True, "next_step": "done"})
    >>> fold.overlay("in_progress", "done").step("draft").state
    'succeeded'
    """

    def __init__(self, model: DiagramModel | None = None) -> None:
        self.places, self.state = Places(model), ""
        self.tallies: dict[str, Tally] = {}
        self.traversals: Counter[tuple[str, str, bool]] = Counter()
        self.ways: Counter[tuple[str, str, bool, str]] = Counter()
        edges = () if model is None else model.edges
        self.budget_ends = {edge.target for edge in edges if (edge.source, edge.kind) == (ENTRY_ID, "budget")}
        """Where the run goes when its budget is spent."""
        self.cut: list[list[str]] = []
        """Scopes that were open when the budget was spent."""
        self.last: dict[str, Mapping[str, Any]] = {}
        """The last entry of each scope."""
        self.open: dict[str, list[str]] = {}
        """Scopes that are not joined, by the path of the visit that opened them."""
        self.begun: set[str] = set()
        """Scopes that were seen."""
        self.waiting: Counter[str] = Counter()
        self.undone: Counter[str] = Counter()
        self.at_end = ""

    def add(self, entry: Mapping[str, Any]) -> None:
        """Take in the next entry."""
        scope, where = scope_of(entry), self.places.where(entry)
        name = self.places.step(where, str(entry.get("step", "")))
        previous = self.last.get(scope)
        if not scope and left_for_budget(previous, entry, self.budget_ends):
            self._cut_off(name)
        if scope and scope not in self.begun and not scope.endswith(f"[{UNDO}]/"):
            self._begin(scope, name)
        if (undone := undone_by(entry)) is not None and entry.get("attempt", 1) == 1:
            step = undone.rpartition("]/")[2].rpartition("#")[0]
            self._count(self.places.step(where, step), name, succeeded=True)
            self.undone[self.places.step(where, step)] += 1
        self.tallies.setdefault(name, Tally()).add(entry, where)
        for joined in self.open.pop(str(entry.get("path", "")), ()):
            self._end(joined)
        if previous is not None and _is_retry(previous, entry):
            self._count(name, name, "retry", succeeded=False)
        self._go_on(entry, 1)
        if not scope:
            self.at_end = name if _is_bare_end(previous, entry) else ""
        self.last[scope] = entry

    def place(self, path: str) -> str:
        """Return the id in the diagram that stands for a position."""
        step = path.rpartition("]/")[2]
        return self.places.step(scope_in(path), step.rpartition("#")[0] or step)

    def overlay(
        self,
        state: object = "",
        current_step: str | None = None,
        *,
        waiting: Iterable[object] = (),
        under_way: Iterable[str] = (),
    ) -> Overlay:
        """Return what came of it all by now. `under_way` are positions that are worked on, as a live run knows them."""
        now = copy.copy(self)
        now.state = one_line(getattr(state, "value", state) or "", 40)
        for name in ("traversals", "ways", "cut", "open", "undone"):
            setattr(now, name, copy.copy(getattr(self, name)))
        paths = (one if isinstance(one, str) else getattr(one, "path", None) for one in waiting)
        now.waiting = Counter(self.place(path) for path in paths if isinstance(path, str))
        return now.standing_at(current_step, {self.place(path) for path in under_way})

    def standing_at(self, current_step: str | None, under_way: set[str]) -> Overlay:
        """Take in where the run stands, and return the overlay. Nothing can be added after that."""
        if isinstance(current_step, str):
            self._stand_at(current_step)
        going = self._under_way()
        steps = {name: tally.overlay(going.pop(name, {})) for name, tally in self.tallies.items()}
        if self.at_end:
            steps[self.at_end] = _at_bare_end(steps[self.at_end], self.state)
        for name, outcomes in going.items():
            counts = tuple((number, what) for what, number in outcomes.items())
            steps[name] = StepOverlay("running", counts=counts if sum(outcomes.values()) > 1 else ())
        for scopes in (*self.open.values(), *self.cut):
            self._still_open(scopes, steps, is_cut=scopes in self.cut)
        for name, times in self.undone.items():
            if name in steps:
                steps[name] = replace(steps[name], undone=times)
        for name in self.waiting:
            steps[name] = replace(steps.get(name, StepOverlay()), state="waiting")
        if isinstance(current_step, str):
            tally = self.tallies.get(current_step)
            if current_step not in self.waiting and not self._has_branches(current_step):
                steps[current_step] = _at_current(steps.get(current_step), self.state, tally)
        steps |= _worked_on(steps, under_way - self.waiting.keys())
        taken = {way: times for way, times in self.traversals.items() if times}
        ways = {way: times for way, times in self.ways.items() if times}
        return Overlay(steps, taken, ways, is_over=self.state in _ENDED, state=self.state)

    def _count(self, source: str, target: str, how: str = "", times: int = 1, *, succeeded: bool) -> None:
        self.traversals[source, target, succeeded] += times
        self.ways[source, target, succeeded, how] += times

    def _go_on(self, entry: Mapping[str, Any], times: int) -> None:
        """Count the edge that an entry takes; -1 times where that step was never reached."""
        if isinstance(target := entry.get("next_step"), str):
            where = self.places.where(entry)
            source, to = self.places.step(where, str(entry.get("step", ""))), self.places.step(where, target)
            self._count(source, to, way_told(entry), times, succeeded=entry.get("success") is not False)

    def _cut_off(self, name: str) -> None:
        """The budget of the run is spent: nothing goes on but the step that it leads to."""
        for scope in ("", *(scope for scopes in self.open.values() for scope in scopes)):
            self._go_on(self.last.get(scope, {}), -1)
        self.cut.extend(self.open.values())
        self.open = {}
        self._count(ENTRY_ID, name, succeeded=False)

    def _stand_at(self, current_step: str) -> None:
        """Take in where the run stands: what it did not get to, it did not go to."""
        last = self.last.get("", {})
        planned = last.get("next_step")
        if self.state == "failed":
            gone = {scope for scopes in self.cut for scope in scopes}
            for scope, entry in self.last.items():
                if scope not in gone and (scope or planned != current_step):
                    self._go_on(entry, -1)
        elif self.state not in _ENDED and left_for_budget(last, {"step": current_step}, self.budget_ends):
            self._cut_off(current_step)

    def _begin(self, scope: str, first: str) -> None:
        """A branch was opened, and with it those around it in which nothing else has ended yet."""
        while scope and scope not in self.begun:
            self.begun.add(scope)
            opener, found = self.places.opener(scope), opener_of(scope)
            if opener != first:  # else one box stands for both
                self.open.setdefault(scope[: scope.rfind("[")], []).append(scope)
                key = "" if found is None else found[2]
                self._count(opener, self.places.frame(scope) or first, key, succeeded=True)
            scope, first = "" if found is None else found[0], opener

    def _end(self, scope: str) -> None:
        last = self.last.get(scope)
        if last is not None and last.get("next_step") is None:
            end = self.places.frame(scope) or self.places.step(scope, str(last.get("step", "")))
            self._count(end, self.places.opener(scope), succeeded=True)

    def _has_branches(self, name: str) -> bool:
        return any(self.places.opener(scopes[0]) == name for scopes in self.open.values())

    def _under_way(self) -> dict[str, dict[Outcome, int]]:
        """In how many open branches each step waits, or is being worked on."""
        found: dict[str, dict[Outcome, int]] = {}
        for name, number in self.waiting.items():
            found.setdefault(name, {})["waiting"] = number
        if self.state in _ENDED or self.state in _PAUSED:
            return found
        for scope in (scope for scopes in self.open.values() for scope in scopes):
            target = self.last.get(scope, {}).get("next_step")
            if isinstance(target, str):
                of = found.setdefault(self.places.step(scope, target), {})
                of["under way"] = of.get("under way", 0) + 1
        return found

    def _still_open(self, scopes: list[str], steps: dict[str, StepOverlay], *, is_cut: bool) -> None:
        """What to show on a step whose branches have not been joined."""
        name = self.places.opener(scopes[0])
        seen = steps.get(name) or StepOverlay(visits=1)
        ended = sum(scope in self.last and _has_ended(self.last[scope]) for scope in scopes)
        is_over = is_cut or self.state in _ENDED
        state: StepState = "cancelled" if is_over else "waiting" if self.state in _PAUSED else "running"
        told = Counter(dict[str, int]((what, number) for number, what in seen.counts))
        told.update({"ended": ended, _GOING[state]: len(scopes) - ended})
        counts = tuple((number, what) for what, number in told.items() if number)
        is_spawn = scopes[0].endswith(f"[{SPAWN}]/")
        steps[name] = replace(seen, state=state, counts=() if is_spawn else counts)


def _worked_on(steps: Mapping[str, StepOverlay], names: Iterable[str]) -> dict[str, StepOverlay]:
    found = {name: steps.get(name, StepOverlay()) for name in names}
    return {name: replace(seen, state="running") for name, seen in found.items() if seen.state != "retrying"}


def _has_ended(last: Mapping[str, Any]) -> bool:
    """Whether a branch came to an end with this entry: nothing follows, and nothing cut it off."""
    goes_on = last.get("next_step") is not None or last.get("retry_in_s") is not None
    return not goes_on and last.get("error_type") != CANCELLED


def _at_current(seen: StepOverlay | None, run_state: str, tally: Tally | None) -> StepOverlay:
    if run_state in _ENDED:
        if seen is not None or run_state == "cancelled":
            return seen or StepOverlay("skipped")
        return StepOverlay("succeeded" if run_state == "completed" else "failed", visits=1)
    if run_state in _PAUSED:
        return replace(seen or StepOverlay(), state="waiting")
    if run_state == "initialized":
        return seen or StepOverlay()
    if tally is not None and tally.retry_may_follow:
        return replace(seen or StepOverlay(), state="retrying")
    return replace(seen or StepOverlay(), state="running")


def _is_bare_end(previous: Mapping[str, Any] | None, entry: Mapping[str, Any]) -> bool:
    """Whether an entry is that of a terminal without a worker: nobody worked there, the run only ended."""
    if entry.get("worker", "") is not None or entry.get("success") is False or entry.get("next_step") is not None:
        return False
    if cast("Any", entry.get("detail")):
        return False
    return previous is None or previous.get("next_step") == entry.get("step")


def _at_bare_end(seen: StepOverlay, run_state: str) -> StepOverlay:
    if run_state == "failed":
        return replace(seen, state="failed", ended="failed")
    return seen if run_state else replace(seen, ended="unknown")


def _is_retry(previous: Mapping[str, Any], entry: Mapping[str, Any]) -> bool:
    attempt = entry.get("attempt")
    return (
        isinstance(attempt, int)
        and attempt > 1
        and previous.get("success") is False
        and previous.get("step") == entry.get("step")
    )
