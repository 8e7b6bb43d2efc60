"""A workflow that a worker made: it is looked at by every check before a step of it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.engine.order import SPAWN
from orchestration_kit.engine.outcome import Spawn
from orchestration_kit.engine.refusals import SpawnRefused
from orchestration_kit.engine.values import isolate
from orchestration_kit.errors import DefinitionError

if TYPE_CHECKING:
    from orchestration_kit.engine.driven import Driven
    from orchestration_kit.engine.visits import Visit

MAX_DEPTH = 8
"""How many spawned workflows may stand within one another."""
MAX_STEPS = 1_000
"""How many steps one may have."""


def spawned(run: Driven, visit: Visit, spawn: Spawn) -> dict[str, Any]:
    """Look at a workflow that a worker made, note it on the visit, and return what goes on record as output.

    Raises:
        SpawnRefused: it is no workflow, too large, nested too deeply, unsound, or a check of the hub refused it.
        MissingWorkers: it needs workers that are not registered.
        NotSerializable: it holds Python callables.
    """
    workflow: Any = spawn.workflow
    if not isinstance(workflow, WorkflowDefinition):
        raise SpawnRefused(type(workflow).__name__, "it is no WorkflowDefinition", ())
    if visit.scope.prefix.count(f"[{SPAWN}]/") >= MAX_DEPTH:
        reason = f"it would stand within {MAX_DEPTH} others, and no more are allowed"
        raise SpawnRefused(workflow.name, reason, ())
    if len(workflow.steps) > MAX_STEPS:
        raise SpawnRefused(workflow.name, f"it has {len(workflow.steps):,} steps, over {MAX_STEPS:,}", ())
    errors = tuple(problem for problem in workflow.problems() if problem.severity == "error")
    if errors:
        raise SpawnRefused(workflow.name, "it is not sound", tuple(str(problem) for problem in errors))
    definition = workflow.to_dict()
    scrub = run.machine.plan.services.scrub
    given = isolate(spawn.input_or(visit.given))
    if scrub is not None:
        cleaned, given = scrub(definition), scrub(given)
        if cleaned is not definition:
            definition, workflow = cleaned, _without_secrets(workflow.name, cleaned)
    run.machine.plan.steps_of(workflow)
    for check in () if run.hub is None else run.hub.spawn_checks:
        try:
            refused = check(WorkflowDefinition.from_dict(definition))
        except Exception as error:
            raise SpawnRefused(
                workflow.name, f"a check of the hub raised {type(error).__name__}: {error}", ()
            ) from error
        if refused:
            raise SpawnRefused(workflow.name, "a check of the hub refused it", (str(refused),))
    visit.detail = {"spawn": {"workflow": definition, "input": given}}
    return {"spawned": workflow.name}


def _without_secrets(name: str, cleaned: dict[str, Any]) -> WorkflowDefinition:
    try:
        return WorkflowDefinition.from_dict(cleaned)
    except DefinitionError as error:
        raise SpawnRefused(name, "it holds a secret where nothing else can stand", (str(error),)) from None
