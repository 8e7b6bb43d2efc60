"""A run is begun for a session, or found on record and made ready to be gone on with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from orchestration_kit.engine.arguments import check_id
from orchestration_kit.engine.values import isolate, same
from orchestration_kit.errors import UnknownRun
from orchestration_kit.history.texts import short_text
from orchestration_kit.widgets.cells.editions import newest
from orchestration_kit.widgets.cells.errors import BadCommand, OtherRun
from orchestration_kit.widgets.cells.vacancies import vacancies

if TYPE_CHECKING:
    from orchestration_kit.engine.limits import RunLimits
    from orchestration_kit.engine.orchestrator import Orchestrator
    from orchestration_kit.engine.run import Run


def begin(  # noqa: PLR0913 - what a run is begun with
    hub: Orchestrator,
    workflow: str,
    goal: str | None,
    *,
    data: Mapping[str, Any] | None = None,
    run_id: str | None = None,
    seed: int | None = None,
    limits: RunLimits | None = None,
) -> Run:
    """Return the run of this id, its newest edition; a new one where there is none, or no id is given.

    Raises:
        OtherRun: that run has another goal, other data, or is of another workflow.
        BadCommand: a new one has no goal.
        UnknownWorkflow: no such workflow is registered.
    """
    nobody = vacancies(hub, workflow)
    if run_id is not None:
        check_id(run_id)
        found = newest(hub, run_id)
        if found is not None:
            check_same(found, workflow, goal, data)
            return ready(found, hub)
    if goal is None:
        usage = f'%workflow {workflow} --goal "..."   or   CellSession(hub, "{workflow}", goal="...")'
        raise BadCommand("A new run needs a goal.", usage)
    given = None if data is None else dict(data)
    return hub.start(workflow, goal, given, run_id=run_id, seed=seed, limits=limits, workers=nobody)


def last_of(hub: Orchestrator, workflow: str) -> str:
    """Return the id of the run of a workflow that was begun last.

    Raises:
        UnknownRun: there is none on record.
    """
    vacancies(hub, workflow)  # a name that is not registered is told first
    found = [summary for summary in hub.runs(workflow=workflow) if summary.parent is None or summary.forked_at]
    if not found:
        raise UnknownRun(f"of {workflow}", [summary.run_id for summary in hub.runs(limit=12)])
    return found[0].run_id


def ready(run: Run, hub: Orchestrator) -> Run:
    """Return a run of the record with somebody at each step. It is not driven, and nothing is put on record.

    Raises:
        DefinitionChanged: the workflow that is registered now does not lead where it went.
    """
    nobody = vacancies(hub, run.machine.started.workflow)
    run.use_all({step: worker for step, worker in nobody.items() if step not in run.stand_ins})
    return run


def check_same(run: Run, workflow: str, goal: str | None, data: Mapping[str, Any] | None) -> None:
    """See that a run on record was begun as it would be now.

    Raises:
        OtherRun: it was not.
    """
    started = run.machine.started
    if started.workflow != workflow:
        raise OtherRun(run.run_id, "workflow", repr(started.workflow), repr(workflow))
    if goal is not None and goal != started.goal:
        raise OtherRun(run.run_id, "goal", short_text(started.goal, 80), short_text(goal, 80))
    if data is not None and not same(isolate(dict(data)), started.data):
        raise OtherRun(run.run_id, "data", short_text(started.data, 80), short_text(dict(data), 80))
