"""A planner, such as a language model, drafts a workflow as data; the checks say what is wrong, until it is sound.

What it says is never run unchecked, and never evaluated: it is parsed as JSON, held against the schema and the checks,
and may name none but the workers who are there. What is wrong goes back to it as `context.last_error`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from orchestration_kit.definition.kinds import MapStep, ParallelStep, SubworkflowStep
from orchestration_kit.definition.steps import WorkflowStep
from orchestration_kit.definition.workers import WorkerDefinition
from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.engine.orchestrator import Orchestrator
from orchestration_kit.errors import did_you_mean, listed
from orchestration_kit.service.errors import PlannerFailed
from orchestration_kit.workers.adapt import worker_from

if TYPE_CHECKING:
    from orchestration_kit.journal.port import Journal

MAX_STEPS = 200
MAX_TEXT = 200_000
_TASK = (
    "Draft a workflow that reaches the goal, as one JSON object that fits the schema, and nothing else. "
    "Steps may ask only for these workers, by worker_type, or by name with worker. "
    "Every way has to come to an end; a loop needs a way out."
)


def plan_by(
    planner: Any,
    goal: str,
    workers: Sequence[WorkerDefinition],
    *,
    attempts: int = 4,
    journal: Journal | None = None,
) -> WorkflowDefinition:
    """Return the workflow that a planner drafts for a goal.

    Args:
        planner: A function, or anything else that `worker_from` takes: it is given a dict with `task`, `goal`,
            `workers` (name, worker_type and description of each) and `schema` (JSON Schema of a workflow), and returns
            a definition as a dict, or as JSON text.
        goal: What the workflow is for: data, as all that comes from people.
        workers: Who may work in it.
        attempts: How often it may try.
        journal: Where its attempts are kept.

    Raises:
        PlannerFailed: no draft was sound; it says what was wrong with the last one.
        NotAWorker: it cannot be called.
    """
    if isinstance(attempts, bool) or not isinstance(attempts, int) or not 1 <= attempts <= 100:
        raise ValueError(f"attempts is a whole number from 1 to 100, not {attempts!r:.80}.")
    hub = Orchestrator(journal=journal)
    made = worker_from(planner, worker_type="planner")
    request = _request(goal, workers)

    def asked(_context: Any) -> dict[str, Any]:
        return request

    def checked(said: Any) -> dict[str, Any]:
        return draft_of(said, workers).to_dict()

    hub.register_worker(made.model_copy(update={"input_transformer": asked, "output_transformer": checked}))
    step = WorkflowStep(step_id="plan", worker_type="planner", max_retries=attempts - 1, is_terminal=True)
    planning = WorkflowDefinition(name="plan a workflow")
    planning.add_step(step, is_initial=True)
    hub.register_workflow(planning)
    context = hub.execute_workflow("plan a workflow", goal, verbose=False)
    if context.state != "completed":
        raise PlannerFailed(goal, len(context.history), str(context.history[-1]["error"]))
    return WorkflowDefinition.from_dict(context.get_last_output())


def _request(goal: str, workers: Sequence[WorkerDefinition]) -> dict[str, Any]:
    known = [{"name": one.name, "worker_type": str(one.worker_type), "description": one.description} for one in workers]
    return {"task": _TASK, "goal": goal, "workers": known, "schema": WorkflowDefinition.json_schema()}


def draft_of(said: Any, workers: Sequence[WorkerDefinition]) -> WorkflowDefinition:
    """Return the workflow that a planner said, if it is sound and asks for nobody else.

    >>> ada = WorkerDefinition(worker_type="writer", name="Ada", executor=str)
    >>> draft_of({"name": "news", "initial_step": "write", "steps": {"write": {"step_id": "write",
    ...     "worker_type": "writer", "is_terminal": True}}}, [ada]).name
    'news'

    Raises:
        ValueError: it is none; it says what to change.
    """
    workflow = WorkflowDefinition.from_dict(_parsed(said))
    if len(workflow.steps) > MAX_STEPS:
        raise ValueError(f"the workflow has {len(workflow.steps)} steps; draft one of at most {MAX_STEPS}.")
    strange = _strangers(workflow, workers)
    if strange:
        raise ValueError(" ".join(strange))
    errors = [problem for problem in workflow.problems() if problem.severity == "error"]
    if errors:
        told = "; ".join(f"{one.message} {one.hint}".strip() for one in errors)
        raise ValueError(f"the workflow is not sound: {told}")
    return workflow


def _parsed(said: Any) -> Any:
    if isinstance(said, WorkflowDefinition):
        return said.to_dict()
    if not isinstance(said, str):
        return said
    text = said.strip()
    if len(text) > MAX_TEXT:
        raise ValueError(f"the draft has {len(text):,} characters; at most {MAX_TEXT:,} are read.")
    if text.startswith("```"):  # models like to fence what they say
        text = text.strip("`").removeprefix("json").strip()
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the draft is no JSON ({error}). Say one JSON object, and nothing else.") from None


def _strangers(workflow: WorkflowDefinition, workers: Sequence[WorkerDefinition], where: str = "") -> list[str]:
    """Say which steps ask for somebody who is not there, at any depth."""
    types = {str(worker.worker_type) for worker in workers}
    names = {worker.name: str(worker.worker_type) for worker in workers}
    found: list[str] = []
    for step_id, step in workflow.steps.items():
        at = f"step {step_id!r}{where}"
        if isinstance(step, SubworkflowStep):
            found.append(f"{at} runs the workflow {step.workflow!r}, and there is none to run.")
        elif isinstance(step, (ParallelStep, MapStep)):
            for name, body in step.bodies.items():
                if isinstance(body, WorkflowDefinition):
                    found += _strangers(body, workers, f" in {name or 'the body'} of {step_id!r}{where}")
        elif isinstance(step, WorkflowStep):
            found += _stranger(step, at, types, names)
    return found


def _stranger(step: WorkflowStep, at: str, types: set[str], names: Mapping[str, str]) -> list[str]:
    if step.worker is not None and step.worker not in names:
        hint = did_you_mean(step.worker, names)
        return [f"{at} asks for the worker {step.worker!r}.{hint} There is: {listed(names)}."]
    wanted = str(step.worker_type)
    if step.worker is not None and names[step.worker] != wanted:
        return [f"{at} asks for the worker {step.worker!r} as a {wanted!r}, who is a {names[step.worker]!r}."]
    if wanted not in types and not (step.is_terminal and step.worker is None):
        hint = did_you_mean(wanted, types)
        return [f"{at} asks for a worker of type {wanted!r}.{hint} There is: {listed(sorted(types))}."]
    return []
