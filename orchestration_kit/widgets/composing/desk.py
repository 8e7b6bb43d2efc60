"""The desk of a composer: the draft and its history, what is open and selected, what was refused. No browser in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from orchestration_kit.definition.renaming import copied_workflow
from orchestration_kit.definition.steps import WorkflowStep
from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.engine.orchestrator import Orchestrator
from orchestration_kit.errors import DefinitionError
from orchestration_kit.widgets.composing import fields, fragments, ways
from orchestration_kit.widgets.composing.draft import Draft, Spot, add_step, missing_ids, remove_steps
from orchestration_kit.widgets.composing.flat import Flat, Laid, flat_of, laid_out, name_of, problems_of
from orchestration_kit.widgets.composing.history import History
from orchestration_kit.widgets.composing.palette import new_step
from orchestration_kit.widgets.composing.scopes import Scope, inner, nearest, place_in, within
from orchestration_kit.widgets.composing.view import canvas_of, free_spot, panel_of, plain, with_new_spots

BOX = (176.0, 66.0)
"""The size of most boxes."""
BESIDE = 40.0
"""How far from what was copied the copies stand."""
ABOVE = (81.0, -51.0)
"""Where the dot stands before the first step, seen from that."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A change that did not fit, with what was said of it; it is tried again with the next one."""

    path: fields.Path
    move: str
    value: Any
    reason: str


class Desk:
    """What is composed, and how things stand around it.

    >>> desk = Desk(WorkflowDefinition(name="news"), None)
    >>> desk.add("kind", "step"), desk.add("kind", "approval")
    ('step', 'approval')
    >>> desk.connect("step", "success", "approval")
    >>> desk.workflow.steps["step"].on_success, desk.undo(), desk.workflow.steps["step"].on_success
    ('approval', True, None)
    """

    def __init__(self, workflow: WorkflowDefinition, hub: Orchestrator | None) -> None:
        self.hub = hub
        self.history: History[Draft] = History(Draft(copied_workflow(workflow)))
        self.scope: Scope = ()
        """Which workflow is on the canvas: the whole, or one that stands in a step of it."""
        self.turn = 0
        """Counts forms: it stays the same while a form is that of one thing, also when that gets another name."""
        self._selected: str | None = None
        self._picked: str | None = None
        self.clipboard: fragments.Fragment | None = None
        self._refused: dict[tuple[Scope, str | None], list[Refused]] = {}
        self._later_names: dict[str, str] = {}
        """What steps are called now, by earlier ids: somebody who types fast is faster than a message."""

    @property
    def draft(self) -> Draft:
        """How it stands now."""
        return self.history.now

    @property
    def workflow(self) -> WorkflowDefinition:
        """The whole, not to be changed in place."""
        return self.draft.workflow

    @property
    def here(self) -> WorkflowDefinition:
        """The workflow on the canvas."""
        return inner(self.workflow, self.scope)

    @property
    def selected(self) -> str | None:
        """The step whose form is shown; None for the workflow."""
        return self._selected

    @selected.setter
    def selected(self, step_id: str | None) -> None:
        self.turn += step_id != self._selected
        self._selected = step_id

    def add(self, group: str, name: str, at: Spot | None = None) -> str:
        """Add something of the palette, select it, and return its id.

        Without a spot it stands below what is selected, or below the last step.
        """
        step = new_step(self.hub, group, name, self.here)
        at = self._below() if at is None else at
        spots = {} if at is None else {step.step_id: at}
        if at is not None and not self.here.steps:
            spots[ways.START] = (at[0] + ABOVE[0], at[1] + ABOVE[1])
        self._edit(lambda workflow: add_step(workflow, step), spots)
        self.selected = step.step_id
        return step.step_id

    def add_missing(self, step_id: str) -> None:
        """Make a step of an id that is named and missing."""
        if step_id not in missing_ids(self.here):
            raise DefinitionError(f"{step_id!r:.80} is not missing any more.")
        step = WorkflowStep(step_id=step_id, worker_type="generic")
        self._edit(lambda workflow: add_step(workflow, step))
        self.selected = step_id

    def connect(self, source: str, kind: str, target: str) -> None:
        """Draw a line from a handle of a box to another box."""
        begin, end = self.called_now(source), self.called_now(target)
        self._edit(lambda workflow: ways.connect(workflow, begin, kind, end))

    def lead(self, source: str, field: str, target: str | None) -> None:
        """Draw the end of a line to another box; with None, take the line away."""
        begin, end = self.called_now(source), target and self.called_now(target)
        self._edit(lambda workflow: ways.lead(workflow, begin, field, end))

    def remove(self, steps: Iterable[str], lines: Iterable[tuple[str, str]] = ()) -> None:
        """Take steps and lines away, in one step back."""
        gone = [step_id for step_id in steps if step_id in self.here.steps]
        # The last branch of a list first, so that the numbers of the others stay what they are.
        left = sorted((line for line in lines if line[0] not in gone), key=_number, reverse=True)

        def change(workflow: WorkflowDefinition) -> WorkflowDefinition:
            for source, field in left:
                workflow = ways.lead(workflow, source, field, None)
            return remove_steps(workflow, gone)

        self._edit(change)

    def select(self, step_id: str | None, pick: str | None = None) -> None:
        """Show the form of a step, or of the workflow (None). `pick` names the selection for whoever made it."""
        self._picked = pick
        self.selected = step_id and self.called_now(step_id)

    def called_now(self, step_id: str) -> str:
        """Return what a step is called now that was called so before."""
        seen: set[str] = set()
        while step_id not in self.here.steps and step_id in self._later_names and step_id not in seen:
            seen.add(step_id)
            step_id = self._later_names[step_id]
        return step_id

    def put(self, subject: str | None, path: fields.Path, value: Any, move: str = "put") -> None:
        """Change a field of a step, or of the workflow (None).

        What does not fit is kept aside, and tried together with the next change: two fields that only fit together can
        so be changed one after the other.

        Raises:
            FieldRefused: it does not fit; nothing was changed.
        """
        subject = subject and self.called_now(subject)
        waiting = self._refused.setdefault((self.scope, subject), [])
        waiting[:] = [one for one in waiting if one.path != path or one.move != "put"]
        try:
            self._edit(lambda workflow: self._with(workflow, subject, [(path, move, value)]))
        except fields.FieldRefused as error:
            together = [*((one.path, one.move, one.value) for one in waiting), (path, move, value)]
            if not waiting or path == ("step_id",) or not self._fits(subject, together):
                if move == "put":
                    waiting.append(Refused(path, move, value, error.reason))
                raise
            waiting.clear()
        else:
            if waiting and self._fits(subject, [(one.path, one.move, one.value) for one in waiting]):
                waiting.clear()
        if path == ("step_id",) and subject is not None:
            self._called(subject, value)

    def forget(self, subject: str | None, path: fields.Path) -> None:
        """Drop a change that was refused."""
        waiting = self._refused.get((self.scope, subject), [])
        waiting[:] = [one for one in waiting if one.path != path]

    def move(self, spots: Mapping[str, Spot]) -> None:
        """Put boxes elsewhere."""
        known = {ways.START, *self.here.steps, *missing_ids(self.here)}
        self._edit(lambda workflow: workflow, {key: spot for key, spot in spots.items() if key in known})

    def tidy(self) -> None:
        """Put all boxes where the static diagram has them."""
        laid, place = (
            laid_out(flat_of(self.here, problems_of(self.here, is_body=bool(self.scope)))),
            place_in(self.scope),
        )
        spots = {place + key: spot for key, spot in laid.spots.items()}
        made = self.draft.moved(spots).drawn(place, laid.tracks)
        if made != self.draft:
            self.history.do(made)

    def copy(self, steps: Iterable[str]) -> int:
        """Keep steps to be pasted, and return how many."""
        place = place_in(self.scope)
        spots = {key: self.draft.spots[place + key] for key in self.here.steps if place + key in self.draft.spots}
        fragment = fragments.cut_out(self.here, steps, spots)
        if fragment.steps:
            self.clipboard = fragment
        return len(fragment.steps)

    def paste(self) -> list[str]:
        """Add copies of what was copied, and return their ids."""
        if self.clipboard is None:
            raise DefinitionError("Nothing was copied yet. Select steps and copy them first.")
        fragment = self.clipboard
        names: dict[str, str] = fragments.paste(self.here, fragment)[1]
        spots = {names[key]: (x + BESIDE, y + BESIDE) for key, (x, y) in fragment.spots.items()}
        self._edit(lambda workflow: fragments.paste(workflow, fragment)[0], spots)
        self.clipboard = fragments.Fragment(
            fragment.steps, {key: (x + BESIDE, y + BESIDE) for key, (x, y) in fragment.spots.items()}
        )
        self.selected = next(iter(names.values()), None)
        return list(names.values())

    def replace(self, workflow: WorkflowDefinition, spots: Mapping[str, Spot] | None = None) -> None:
        """Put another workflow on the desk; undo brings back the one before."""
        self.history.do(Draft(copied_workflow(workflow)).moved(spots or {}))
        self.scope, self.selected = (), None
        self._refused.clear()

    def open(self, step_id: str, name: str) -> None:
        """Put the workflow that stands in a step on the canvas."""
        inner(self.here, ((step_id, name),))
        self.scope, self.selected = (*self.scope, (step_id, name)), None

    def leave(self, depth: int) -> None:
        """Go back to an outer workflow: 0 is the whole."""
        self.scope, self.selected = self.scope[: max(0, depth)], None

    def undo(self) -> bool:
        """Go back by one edit."""
        return self._went(self.history.undo())

    def redo(self) -> bool:
        """Go forward by one edit."""
        return self._went(self.history.redo())

    def shown(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what the canvas and the form show. New boxes find a spot, which the draft keeps."""
        here = self.here
        problems = problems_of(here, is_body=bool(self.scope))
        flat = flat_of(here, problems)
        canvas = canvas_of(here, flat, problems, self._settled(flat))
        canvas |= {
            "scope": [list(step) for step in self.scope],
            "name": self.workflow.name,
            "is_sound": not any(
                one.severity == "error" for one in (problems if not self.scope else self.workflow.problems())
            ),
            "can_undo": self.history.can_undo,
            "can_redo": self.history.can_redo,
            "can_paste": self.clipboard is not None,
            "selected": self.selected,
            "picked": self._picked,
        }
        subject = self.selected if self.selected in here.steps else None
        panel = panel_of(here if subject is None else here.steps[subject], subject)
        refused = self._refused.get((self.scope, subject), [])
        panel["turn"] = self.turn
        panel["refused"] = [
            {"path": list(one.path), "value": plain(one.value), "reason": one.reason} for one in refused
        ]
        return canvas, panel

    def _below(self) -> Spot | None:
        """A free spot below what is selected, or below the last step; None where nothing stands yet."""
        place = place_in(self.scope)
        names = [ways.START, *self.here.steps, *missing_ids(self.here)]
        taken = {name: self.draft.spots[place + name] for name in names if place + name in self.draft.spots}
        last = (
            self.selected
            if self.selected in taken
            else next((s for s in reversed(self.here.steps) if s in taken), None)
        )
        if last is None:
            return None
        x, y = taken[last]
        return free_spot((x, y + BOX[1] + BESIDE), BOX, taken, dict.fromkeys(taken, BOX))

    def _settled(self, flat: Flat) -> Laid:
        place, draft = place_in(self.scope), self.draft
        names = [name_of(node.id) for node in flat.model.nodes]
        placed = {name: draft.spots[place + name] for name in names if place + name in draft.spots}
        if len(placed) < len(names):
            laid = laid_out(flat)
            if not placed:
                draft = draft.drawn(place, laid.tracks)
            placed = with_new_spots(flat, placed, laid.spots)
            self.history.amend(draft.moved({place + key: spot for key, spot in placed.items()}))
        tracks = {ends: track for (where, ends), track in self.draft.tracks.items() if where == place}
        return Laid(placed, tracks)

    def _edit(
        self, change: Callable[[WorkflowDefinition], WorkflowDefinition], spots: Mapping[str, Spot] | None = None
    ) -> None:
        """Make an edit of the workflow on the canvas; one that changes nothing leaves no step back."""
        made = within(self.workflow, self.scope, change)
        place = place_in(self.scope)
        draft = replace(self.draft, workflow=made).moved({place + key: spot for key, spot in (spots or {}).items()})
        if draft != self.draft:
            self.history.do(draft)

    def _with(
        self, workflow: WorkflowDefinition, subject: str | None, changes: Sequence[tuple[fields.Path, str, Any]]
    ) -> WorkflowDefinition:
        if len(changes) == 1 and subject is not None:
            return fields.change_step(workflow, subject, *changes[0])
        if subject is None:
            return fields.change_workflow(workflow, changes)
        return fields.change_fields(workflow, subject, changes)

    def _fits(self, subject: str | None, changes: Sequence[tuple[fields.Path, str, Any]]) -> bool:
        try:
            self._edit(lambda workflow: self._with(workflow, subject, changes))
        except (DefinitionError, ValidationError):
            return False
        return True

    def _called(self, old: str, new: str) -> None:
        """What was kept for a step is kept for it under its new id."""
        place = place_in(self.scope)
        moved = {
            place + new + key.removeprefix(place + old): spot
            for key, spot in self.draft.spots.items()
            if key == place + old or key.startswith(f"{place}{old}[")
        }
        self.history.amend(self.draft.moved(moved))
        self._refused.pop((self.scope, old), None)
        self._later_names[old] = new
        self._later_names.pop(new, None)
        if self.selected == old:
            self._selected = new

    def _went(self, has_gone: bool) -> bool:  # noqa: FBT001 - what the history said
        self.scope = nearest(self.workflow, self.scope)
        self._refused.clear()
        if self.selected not in self.here.steps:
            self.selected = None
        return has_gone


def _number(line: tuple[str, str]) -> tuple[int, str]:
    number = line[1].removeprefix("branches[").removesuffix("]")
    return (int(number) if number.isdigit() else -1, line[1])
