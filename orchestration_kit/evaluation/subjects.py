"""What is evaluated, a callable, a worker or a workflow, becomes something that can be run on a case by a hub."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from orchestration_kit.definition.steps import WorkflowStep
from orchestration_kit.definition.workers import WorkerDefinition
from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.evaluation.dataset import Case
from orchestration_kit.workers.adapt import worker_from

if TYPE_CHECKING:
    from orchestration_kit.engine.context import WorkflowContext
    from orchestration_kit.engine.orchestrator import Orchestrator
    from orchestration_kit.engine.run import Run

OutputOf = str | Callable[["WorkflowContext"], Any] | None
_GIVE, _WORK, _GIVER = "case", "answer", "kit.case"
"""The steps around a worker: the first hands on what is given, as the goal of a run can only be text."""
MAX_GOAL = 1_000
"""Characters of an input that are the goal of a worker's run."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Something that a hub can run on a case."""

    hub: Orchestrator
    workflow: str
    title: str
    output: OutputOf
    is_worker: bool = False
    stand_ins: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The workers, where the hub is somebody else's: nobody's place is taken there."""

    def start(self, case: Case, *, tags: dict[str, str], **options: Any) -> Run:
        """Return a run on a case, not begun yet. Its random numbers are the same whenever it is evaluated again."""
        goal, data = self._given(case)
        seed = hashlib.sha256("|".join([self.workflow, *(tags[k] for k in ("case", "repeat"))]).encode()).hexdigest()
        return self.hub.start(
            self.workflow, goal, data, tags=tags, seed=int(seed[:8], 16), workers=self.stand_ins or None, **options
        )

    def output_of(self, context: WorkflowContext) -> Any:
        """Return what came out of a run.

        Raises:
            MissingEntry: the data bus has no such entry.
        """
        if callable(self.output):
            return self.output(context)
        return context.get_last_output() if self.output is None else context.data[self.output]

    def _given(self, case: Case) -> tuple[str, dict[str, Any]]:
        given = case.input
        if self.is_worker:
            is_goal = isinstance(given, str) and given.strip()
            return (given[:MAX_GOAL] if is_goal else case.name), {"input": given}
        if isinstance(given, str) and given.strip():
            return given, {}
        if isinstance(given, Mapping):
            data = dict(cast("Mapping[str, Any]", given))
            goal = data.pop("goal", None)
            return (goal if goal is not None else case.name), data
        return case.name, {"input": given}


def subject_of(thing: Any, hub: Orchestrator | None, output: OutputOf) -> Subject:
    """Return what can be run: a workflow by name, a workflow, a worker, or anything that `worker_from` takes.

    Raises:
        TypeError: a workflow comes without the hub that has its workers, or it is nothing of that.
        UnknownWorkflow: the hub has no workflow of that name.
    """
    from orchestration_kit.engine.orchestrator import Orchestrator

    if hub is not None and not isinstance(hub, Orchestrator):
        raise TypeError(f"hub is an Orchestrator, not {hub!r:.80}.")
    is_name = isinstance(thing, str) and not thing.startswith(("http://", "https://"))
    if is_name or isinstance(thing, WorkflowDefinition):
        name = thing if isinstance(thing, str) else thing.name
        if hub is None:
            raise TypeError(
                f"The workflow {name!r} needs the hub that has its workers: "
                f"evaluate({name!r}, dataset, rubric, hub=hub)."
            )
        if isinstance(thing, WorkflowDefinition) and hub.workflows.get(name) is not thing:
            hub.register_workflow(thing)
        _ = hub.current_plan(name)  # raises where there is none, or a worker is missing
        return Subject(hub, name, name, output)
    worker = thing if isinstance(thing, WorkerDefinition) else worker_from(thing)
    flow = WorkflowDefinition(name=f"evaluate {worker.name}"[:200], description=f"One answer of {worker.name}")
    giver = WorkerDefinition(worker_type=_GIVER, name=_GIVER, executor=_give)
    flow.add_step(WorkflowStep(step_id=_GIVE, worker_type=_GIVER, on_success=_WORK), is_initial=True)
    flow.add_step(WorkflowStep(step_id=_WORK, worker_type=worker.worker_type, worker=worker.name, is_terminal=True))
    if hub is not None:
        hub.register_workflow(flow)
        return Subject(hub, flow.name, worker.name, output, is_worker=True, stand_ins={_GIVE: giver, _WORK: worker})
    hub = Orchestrator()
    for one in (giver, worker):
        hub.register_worker(one)
    hub.register_workflow(flow)
    return Subject(hub, flow.name, worker.name, output, is_worker=True)


def _give(_goal: Any, context: WorkflowContext) -> Any:
    """Hand on what the case gives."""
    return context.data["input"]
