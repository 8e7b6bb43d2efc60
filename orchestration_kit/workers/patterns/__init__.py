"""The plain workers that templates need: they count, keep, and take the next; no brains, the same every time.

    workflow = create_voting(5, voters="classifier")
    for worker in pattern_workers(workflow):
        hub.register_worker(worker)

Each is a factory that returns a `WorkerDefinition`, and none has parameters that the workflow does not name as well:
what decides (a threshold, a number of rounds) stands in the workflow's conditions, where it is seen and on record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from orchestration_kit.definition import Step, WorkerDefinition, WorkflowDefinition, WorkflowStep
from orchestration_kit.templates import ready_workers
from orchestration_kit.workers.patterns.debating import debate_round
from orchestration_kit.workers.patterns.lessons import top_lessons
from orchestration_kit.workers.patterns.passing import gate, goal, hand_on, output_of
from orchestration_kit.workers.patterns.planning import first_task, next_task, replan
from orchestration_kit.workers.patterns.rating import keep_best, keep_last
from orchestration_kit.workers.patterns.voting import majority_vote

_MAKERS: dict[str, Callable[[], WorkerDefinition]] = {
    ready_workers.HAND_ON: hand_on,
    ready_workers.GOAL: goal,
    ready_workers.MAJORITY_VOTE: majority_vote,
    ready_workers.KEEP_BEST: keep_best,
    ready_workers.KEEP_LAST: keep_last,
    ready_workers.FIRST_TASK: first_task,
    ready_workers.NEXT_TASK: next_task,
    ready_workers.REPLAN: replan,
    ready_workers.DEBATE_ROUND: debate_round,
}


def pattern_workers(workflow: WorkflowDefinition) -> list[WorkerDefinition]:
    """Return the ready workers that a workflow, or one within it, names by their types; in the order of its steps.

    Where one is to count or keep differently, register your own of that type, or e.g. `majority_vote(answer_of=...)`,
    after these.

    >>> from orchestration_kit.templates import create_voting
    >>> [worker.name for worker in pattern_workers(create_voting(5, voters="classifier"))]
    ['kit.majority_vote']
    """
    types = dict.fromkeys(
        str(step.worker_type) for step in _steps(workflow) if isinstance(step, WorkflowStep) and step.worker is None
    )
    found: list[WorkerDefinition] = []
    for worker_type in types:
        if (top_k := ready_workers.top_k_of(worker_type)) is not None:
            found.append(top_lessons(top_k))
        elif (step_id := ready_workers.step_id_of(worker_type)) is not None:
            found.append(output_of(step_id))
        elif worker_type in _MAKERS:
            found.append(_MAKERS[worker_type]())
    return found


def _steps(workflow: WorkflowDefinition) -> Iterator[Step]:
    """Every step, those of workflows within its steps included."""
    for step in workflow.steps.values():
        yield step
        for body in step.bodies.values():
            if isinstance(body, WorkflowDefinition):
                yield from _steps(body)


__all__ = [
    "debate_round",
    "first_task",
    "gate",
    "goal",
    "hand_on",
    "keep_best",
    "keep_last",
    "majority_vote",
    "next_task",
    "output_of",
    "pattern_workers",
    "replan",
    "top_lessons",
]
