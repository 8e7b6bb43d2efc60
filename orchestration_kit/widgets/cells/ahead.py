"""What comes next in a run that is worked on cell by cell. Looks only: nothing is driven here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from orchestration_kit.engine.plan import PlannedStep
from orchestration_kit.engine.visits import Visit
from orchestration_kit.widgets.cells.vacancies import is_vacant

if TYPE_CHECKING:
    from orchestration_kit.engine.run import Run

Kind = Literal["work", "pass", "auto", "ask", "time"]


@dataclass(frozen=True, slots=True)
class Coming:
    """Something that is ready to be done."""

    step: PlannedStep
    path: str | None
    """Its position; None for the first steps of branches that are not open yet."""
    kind: Kind
    """`work`: a worker is called; `pass`: a terminal step without one; `auto`: branches are joined, or an answer is
    there; `ask`: somebody is asked; `time`: a time is waited for."""

    @property
    def is_vacant(self) -> bool:
        """Whether nobody works there yet."""
        return is_vacant(self.step)

    @property
    def stands_aside(self) -> bool:
        """Whether others are worked on before it: it lacks a worker, or somebody is asked."""
        return self.is_vacant or self.kind == "ask"


def coming(run: Run) -> list[Coming]:
    """Return what is ready in a run, in the order in which it would be done; also where an interrupt ended the run."""
    machine = run.machine
    visits = list(machine.ready)
    if machine.finished is not None:
        left = machine.coming()
        visits = [] if left is None else [left]
    visits += [visit for visit in machine.waiting.values() if visit.wait is None and visit.path not in run.children]
    return [one for visit in visits for one in _of(visit)]


def first(found: list[Coming], cell: str | None = None) -> Coming | None:
    """Return what would be done next, past what stands aside; None where there is nothing else.

    With `cell`, somebody works at that step.
    """
    return next((one for one in found if one.step.step_id == cell or not one.stands_aside), None)


def vacant(found: list[Coming]) -> Coming | None:
    """Return the first thing that waits for a cell."""
    return next((one for one in found if one.is_vacant), None)


def _of(visit: Visit) -> Iterator[Coming]:
    step = visit.step
    if visit.group is not None:
        yield Coming(step, visit.path, "auto")
    elif step.opens is not None:
        yield from _opened(step, visit.scope.steps, visit.path)
    elif visit.answer is not None:
        yield Coming(step, visit.path, "auto")
    else:
        yield Coming(step, visit.path, _kind(step))


def _opened(step: PlannedStep, steps: Mapping[str, PlannedStep], path: str | None) -> Iterator[Coming]:
    """Return what the branches of a step begin with."""
    targets = () if step.opens is None else step.opens.targets.values()
    for target in targets:
        inner = steps if target.plan is None else target.plan.steps
        one = inner[target.initial]
        if one.opens is not None:
            yield from _opened(one, inner, None)
        else:
            yield Coming(one, None, _kind(one))
    if not targets:
        yield Coming(step, path, "auto")


def _kind(step: PlannedStep) -> Kind:
    if step.is_special:
        return "time" if step.worker_type == "wait" and step.event is None else "ask"
    return "pass" if step.worker is None else "work"
