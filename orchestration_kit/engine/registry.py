"""Who works and what can be run: the workers and workflows that are registered with a hub."""

from __future__ import annotations

from dataclasses import replace

from orchestration_kit.definition.kinds import SubworkflowStep
from orchestration_kit.definition.workers import WorkerDefinition, WorkerType
from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.engine.around import WATCHING, lent
from orchestration_kit.engine.calls import BoundWorker, bind_worker, subworkflow_worker
from orchestration_kit.engine.elsewhere import Place
from orchestration_kit.engine.plan import Plan, PlannedStep, bind, compile_plan
from orchestration_kit.engine.services import NO_SERVICES, Services
from orchestration_kit.engine.stand_ins import StandIns
from orchestration_kit.errors import UnknownWorkflow, listed


class Registry:
    """Workers by type and by name, workflows by name."""

    def __init__(self) -> None:
        self.workers: dict[WorkerType | str, WorkerDefinition] = {}
        """By type: the worker registered last for each."""
        self.workflows: dict[str, WorkflowDefinition] = {}
        """By name, as they were registered."""
        self._by_type: dict[str, BoundWorker] = {}
        self._by_name: dict[str, BoundWorker] = {}
        self._definitions: dict[str, WorkerDefinition] = {}
        self._replaced: dict[str, str] = {}
        """By name: the type of the worker whose place was taken by one of another type."""
        self._plans: dict[str, Plan] = {}
        self._bound: dict[str, Plan] = {}
        self._watching = WATCHING.changes
        self.services: Services = NO_SERVICES
        """What is lent to workers."""
        self.place: Place | None = None
        """Where workers are called; None: by the hub itself."""

    def __repr__(self) -> str:
        workers = listed(f"{worker.name} ({worker.worker_type})" for worker in self._by_name.values())
        return f"<Orchestrator: workflows {listed(self._plans)}; workers {workers}>"

    def register_worker(self, worker: WorkerDefinition) -> None:
        """Register a worker. One of the same name is replaced; of several of one type, the last is used by type.

        Raises:
            InvalidWorker: it is not callable, or takes the wrong parameters.
        """
        if not isinstance(worker, WorkerDefinition):
            raise TypeError(
                f"register_worker takes a WorkerDefinition, not {worker!r:.80}. "
                "Write register_worker(worker_from(...)), or "
                'register_worker(WorkerDefinition(worker_type="generic", name="...", executor=...)).'
            )
        bound = bind_worker(worker)
        before = self._by_name.get(bound.name)
        if before is not None and self._by_type.get(before.worker_type) is before:
            del self._by_type[before.worker_type]
            self.workers.pop(before.worker_type, None)
        if before is not None and before.worker_type != bound.worker_type:
            self._replaced[bound.name] = before.worker_type
        self.workers[worker.worker_type] = worker
        self._by_type[bound.worker_type] = bound
        self._by_name[bound.name] = bound
        self._definitions[bound.name] = worker
        self._bound.clear()

    def register_workflow(self, workflow: WorkflowDefinition) -> None:
        """Check, compile and register a workflow. One of the same name is replaced.

        Raises:
            InvalidWorkflow: (a ValueError) the checks found errors; it names them all.
        """
        if not isinstance(workflow, WorkflowDefinition):
            is_imported = isinstance(getattr(workflow, "workflow", None), WorkflowDefinition)
            hint = f" It holds one: give .workflow of the {type(workflow).__name__}." if is_imported else ""
            raise TypeError(f"register_workflow takes a WorkflowDefinition, not {workflow!r:.80}.{hint}")
        plan = compile_plan(workflow)
        self._plans[workflow.name] = plan
        self.workflows[workflow.name] = plan.definition
        self._bound.pop(workflow.name, None)

    def register_all_of(self, other: Registry) -> None:
        """Register what another hub has, without looking at it once more."""
        for name in ("workers", "workflows", "_by_type", "_by_name", "_definitions", "_replaced", "_plans"):
            getattr(self, name).update(getattr(other, name))
        self._bound.clear()

    def definition_of(self, worker: str) -> WorkerDefinition:
        """Return a worker as it was registered, by its name."""
        return self._definitions[worker]

    def named_workers(self) -> dict[str, str]:
        """Return the worker type of each registered worker, by name."""
        return {name: worker.worker_type for name, worker in self._by_name.items()}

    def plan_of(self, workflow_name: str, stand_ins: StandIns | None = None) -> Plan:
        """Return a registered workflow, compiled, with the workers that are registered now, or stand in for them.

        Raises:
            UnknownWorkflow: no such workflow is registered.
            MissingWorkers: naming all that are missing.
        """
        if self._watching != WATCHING.changes:
            self._watching = WATCHING.changes
            self._bound.clear()
        if stand_ins:
            return self._bind(workflow_name, stand_ins)
        bound = self._bound.get(workflow_name)
        if bound is None:
            bound = self._bound[workflow_name] = self._bind(workflow_name, {})
        return bound

    def _bind(self, workflow_name: str, stand_ins: StandIns) -> Plan:
        plan = self._plans.get(workflow_name)
        if plan is None:
            raise UnknownWorkflow(str(workflow_name), list(self._plans))
        known = [self._told(worker) for worker in self._by_name.values()]
        acts = self.services.lends

        def find(step: PlannedStep) -> BoundWorker | None:
            worker = stand_ins.get(step.step_id) or self._find(step)
            if worker is not None and self.place is not None:
                worker = self.place.placed(worker)
            return None if worker is None else lent(worker, acts=acts)

        return replace(bind(plan, find, known), services=self.services)

    def _told(self, worker: BoundWorker) -> str:
        before = self._replaced.get(worker.name)
        if before is None or before in self._by_type:
            return f"{worker.name} ({worker.worker_type})"
        return f"{worker.name} ({worker.worker_type}; it replaced a {before} of that name: name= tells them apart)"

    def _find(self, step: PlannedStep) -> BoundWorker | None:
        if isinstance(step.definition, SubworkflowStep):
            return subworkflow_worker(step.definition) if step.definition.workflow in self._plans else None
        return self._by_name.get(step.wanted) if step.wanted is not None else self._by_type.get(step.worker_type)
