"""A cell whose turn it is not: what the run stands before, and what a person can do about it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from orchestration_kit.widgets.cells.ahead import coming, first, vacant
from orchestration_kit.widgets.cells.errors import BadCommand, NoCell, OutOfOrder
from orchestration_kit.widgets.cells.turns import turns_of
from orchestration_kit.widgets.cells.vacancies import is_vacant

if TYPE_CHECKING:
    from orchestration_kit.definition.workflow import WorkflowDefinition
    from orchestration_kit.engine.run import Run


def out_of_order(run: Run, step: str) -> OutOfOrder:
    """Return the error for a cell of a step that the run has not come to, with the choice there is."""
    found = coming(run)
    one, lacking = first(found), vacant(found)
    if run.is_finished and one is None and lacking is None:
        turns = turns_of(run)
        back = [(f"%goto {turn.records[0].path}", "goes back to that visit, in a fork") for turn in turns[-3:]]
        name = run.workflow.name
        return OutOfOrder(
            step, f"the run is {run.state}", (*back, (f'%workflow {name} --goal "..."', "begins another run"))
        )
    if one is None and lacking is None:
        asked = [request for request in run.waiting if request.kind == "approval"]
        ways = (("%approve", "says yes"), ("%reject WHY", "says no")) if asked else ()
        paths = ", ".join(request.path for request in run.waiting) or "somebody"
        return OutOfOrder(step, f"the run waits for {paths}", ways)
    head = one or lacking
    name = "" if head is None else head.step.step_id
    missing = _without_workers(run, name, step)
    if missing:
        ways = tuple((f"#| step {other}", "write and run this cell first: nobody works there") for other in missing)
    else:
        ways = (
            (f"%run_until {step}", "runs what comes before it; then run this cell again"),
            ("%run_next", f"runs {name} alone"),
        )
    return OutOfOrder(step, f"the run stands before {name!r}", ways)


def nothing_to_run(run: Run) -> BadCommand | NoCell:
    """Return the error for a run that nobody can go on with, and what would help."""
    lacking = vacant(coming(run))
    if lacking is not None:
        return NoCell(lacking.step.step_id, lacking.step.worker_type)
    if run.is_finished:
        turns = turns_of(run)
        visit = turns[-1].records[0].path if turns else "VISIT"
        return BadCommand(
            f"The run is {run.state}: nothing is left to run.", f"%goto {visit}   to go back there, in a fork"
        )
    asked = [request for request in run.waiting if request.kind == "approval"]
    if asked:
        return BadCommand(
            f"The run waits for an answer: {asked[0].path} asks for approval.", "%approve   or   %reject WHY"
        )
    events = [request.event for request in run.waiting if request.event]
    name = events[0] if events else "NAME"
    return BadCommand("The run waits for an event.", f"session.run.send({name!r}, ...)   then   %run_next")


def _without_workers(run: Run, start: str, step: str) -> list[str]:
    """Return the steps on the shortest way to a step that have no worker, the first included."""
    way = _shortest(run.workflow, start, step)
    planned = run.machine.plan.steps
    return [name for name in way if name in planned and is_vacant(planned[name])]


def _shortest(workflow: WorkflowDefinition, start: str, step: str) -> list[str]:
    """Return the steps from one to before another; the first alone where there is no way between them."""
    came: dict[str, str] = {start: ""}
    queue = deque([start])
    while queue:
        at = queue.popleft()
        if at == step:
            break
        found = workflow.steps.get(at)
        for way in () if found is None else found.transitions():
            if way.target not in came:
                came[way.target] = at
                queue.append(way.target)
    if step not in came:
        return [start]
    line: list[str] = []
    at = came[step]
    while at:
        line.append(at)
        at = came[at]
    return line[::-1]
