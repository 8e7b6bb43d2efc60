"""Orchestrator and workers: a planner takes a task apart, and says who does which part."""

from __future__ import annotations

from typing import get_args

from orchestration_kit.definition import Branch, MapStep, WorkflowDefinition
from orchestration_kit.definition.kinds import FailureMode
from orchestration_kit.definition.workflow import AnyStep
from orchestration_kit.templates.parameters import choice, quoted, whole
from orchestration_kit.templates.parts import AnyWorker, Workers, assemble, done, end, failed, several, step
from orchestration_kit.templates.ready_workers import HAND_ON

_TAKEN = ("plan", "tasks", "assign", "synthesize", "done", "failed", "no_plans_left")


def create_orchestrator_workers(  # noqa: PLR0913 - the pattern's usual parameters
    planner: AnyWorker,
    workers: Workers,
    synthesizer: AnyWorker,
    *,
    max_plans: int = 1,
    max_concurrency: int = 10,
    max_tasks: int = 100,
    failure_mode: FailureMode = "continue",
    name: str = "orchestrator_workers",
) -> WorkflowDefinition:
    """Return a planner, workers for the tasks it makes up, and a synthesizer of their outputs.

    ```text
    plan --> tasks --> assign --> coder | searcher (each task, at once) --> synthesize --> done
     ^                                                                          |
     +--------------------------------- replan, max_plans ----------------------+
    ```

    Use it where which parts a task has can be told only when it is there: a change that touches some files, a
    question that needs some searches. Do not use it where the parts are always the same (`create_sectioning`,
    `create_gated_chain`), where each needs the ones before it (`create_plan_execute_replan`), or where all go to the
    same worker (`create_map_reduce`).

    The planner names a worker and never calls one; who is unknown fails that task. Tasks are assigned by the ready
    worker `hand_on()` of `orchestration_kit.workers.patterns`; register it, or all that a workflow needs: `for worker
    in pattern_workers(workflow): hub.register_worker(worker)`.

    Source: "orchestrator-workers" in Anthropic, Building effective agents (2024).

    Args:
        planner: Gets the goal, and for a further plan the synthesizer's output. Gives a list of tasks, each a mapping
            with `"worker"` (a name of `workers`) and whatever that worker needs.
        workers: By name, who can be given a task: `{"coder": "coder", "searcher": "search"}`. Each gets its task.
        synthesizer: Gets the list of the outputs, in the order of the tasks (these are `data["plan_output"]`). Gives
            the result; or, where it wants another plan, a mapping with `"replan": true`.
        max_plans: Plans in all. Where another is wanted after the last, the run fails at `no_plans_left`.
        max_concurrency: Tasks under way at once.
        max_tasks: A plan of more tasks fails the run before one is worked on.
        failure_mode: `"continue"`: a task that fails is `{"error": message}` to the synthesizer. `"fail_fast"`: it
            fails the run. `"all_or_nothing"`: and what was done is undone (`compensate=`).
        name: The workflow's name.

    The result is the output of `done`: what the synthesizer gave.

    Raises:
        ValueError: no workers, one called like a step of the template, or a number under 1.

    >>> workflow = create_orchestrator_workers("planner", ["coder", "searcher"], "writer", max_plans=2)
    >>> list(workflow.steps)
    ['plan', 'tasks', 'assign', 'coder', 'searcher', 'synthesize', 'done', 'failed', 'no_plans_left']
    >>> workflow.validate()
    (True, None)
    """
    named = several("workers", workers, taken=_TAKEN)
    whole("max_plans", max_plans)
    whole("max_concurrency", max_concurrency)
    whole("max_tasks", max_tasks)
    choice("failure_mode", failure_mode, get_args(FailureMode))
    again = "has(output.replan) && output.replan == true"
    another = (Branch(when=f"{again} && visits < {max_plans}", to="plan", label="replan"),) if max_plans > 1 else ()
    steps: list[AnyStep] = [
        step("plan", planner, "Make a list of tasks, each with its worker", on_success="tasks", on_failure="failed"),
        MapStep(
            step_id="tasks",
            description="One branch for each task",
            body="assign",
            max_concurrency=max_concurrency,
            max_items=max_tasks,
            failure=failure_mode,
            on_success="synthesize",
            on_failure="failed",
        ),
        _assign(list(named)),
        *(step(worker_name, worker, "Do a task") for worker_name, worker in named.items()),
        step(
            "synthesize",
            synthesizer,
            "Make one of the outputs",
            branches=(*another, Branch(when=again, to="no_plans_left", label="no plan left")),
            on_success="done",
            on_failure="failed",
        ),
        done("Of all tasks, the whole"),
        failed(),
        end("no_plans_left", "Another plan was wanted, and there is none left"),
    ]
    return assemble(name, "A planner, workers for its tasks, a synthesizer", "Take a task apart, and do it", steps)


def _assign(names: list[str]) -> AnyStep:
    """Return the step that leads each task to its worker, and refuses one that there is not."""
    *others, last = names
    return step(
        "assign",
        HAND_ON,
        "Give the task to its worker",
        success_when=f"output.worker in [{', '.join(map(quoted, names))}]",
        branches=tuple(Branch(when=f"output.worker == {quoted(one)}", to=one, label=one) for one in others),
        on_success=last,
    )
