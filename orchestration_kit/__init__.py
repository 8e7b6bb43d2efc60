"""orchestration_kit: the brain is probabilistic, the skeleton is deterministic.

A hub with a rigid state machine routes work between probabilistic workers (LLM agents, models, programs,
people), which never talk to each other; every attempt is on record. The way of the data, a layer importing
only its own or a lower number:

```text
1 definition/   the skeleton as data: steps, workflow, workers, conditions
2 checks/       is it sound?            templates/  ready-made skeletons
3 engine/       run it                  workers/    adapters behind the worker's signature
                                        governance/ rules, lessons, telemetry around a worker
4 journal/      remember it: resume, fork, replay; cassettes
                                        executors/  workers on threads, in processes, on a cluster
5 history/      understand it: pandas   evaluation/ how good is a worker?
6 visual/       see it: diagrams, timelines
                                        reliability/ how likely does it succeed?   scale/ many runs
7 widgets/      touch it: notebooks     service/ from a goal to a pipeline         cli/  from a terminal
```

>>> from orchestration_kit import Orchestrator, WorkerDefinition, create_generic_pipeline
>>> hub = Orchestrator()
>>> hub.register_worker(WorkerDefinition(worker_type="generic", name="reverse", executor=lambda text: text[::-1]))
>>> hub.register_workflow(create_generic_pipeline([("turn", "generic", "Reverse the text")]))
>>> hub.execute_workflow("turn", goal="stressed", verbose=False).data["turn_output"]
'desserts'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestration_kit.checks import Problem
    from orchestration_kit.cli.doctor import doctor
    from orchestration_kit.definition.budgets import Budget
    from orchestration_kit.definition.kinds import ApprovalStep, MapStep, ParallelStep, SubworkflowStep, WaitStep
    from orchestration_kit.definition.steps import Branch, RetryPolicy, WorkflowStep
    from orchestration_kit.definition.workers import WorkerDefinition, WorkerType
    from orchestration_kit.definition.workflow import WorkflowDefinition
    from orchestration_kit.engine.context import WorkflowContext
    from orchestration_kit.engine.limits import RunLimits
    from orchestration_kit.engine.orchestrator import Orchestrator
    from orchestration_kit.engine.outcome import Action, Failure, Spawn
    from orchestration_kit.engine.refusals import ActionRefused, AnswerRefused
    from orchestration_kit.engine.replay import replay
    from orchestration_kit.engine.run import Run
    from orchestration_kit.engine.state import WorkflowState
    from orchestration_kit.errors import OrchestrationError
    from orchestration_kit.evaluation import Case, Criterion, Dataset, Rubric, evaluate
    from orchestration_kit.governance import telemetry
    from orchestration_kit.governance.constraints import ConstraintEngine, create_default_engine
    from orchestration_kit.governance.verdict import Verdict, Violation
    from orchestration_kit.governance.wisdom import Wisdom
    from orchestration_kit.history import (
        actions_frame,
        compare,
        compare_many,
        data_frame,
        history_frame,
        runs_frame,
        transitions_frame,
        usage_frame,
        waiting_frame,
        write_csv,
    )
    from orchestration_kit.journal.cassette import cassette
    from orchestration_kit.journal.codec.registry import register_type
    from orchestration_kit.journal.memory import MemoryJournal
    from orchestration_kit.journal.sqlite import SQLiteJournal
    from orchestration_kit.scale.many import run_many
    from orchestration_kit.scale.run_set import RunSet
    from orchestration_kit.service.creating import OrchestrationService
    from orchestration_kit.templates import (
        create_build_website_workflow,
        create_debate,
        create_evaluator_optimizer,
        create_fallback_cascade,
        create_gated_chain,
        create_generic_pipeline,
        create_human_gate,
        create_map_reduce,
        create_orchestrator_workers,
        create_plan_execute_replan,
        create_reflexion,
        create_routing,
        create_sectioning,
        create_software_pipeline,
        create_voting,
    )
    from orchestration_kit.visual import timeline, visualize
    from orchestration_kit.widgets.approval import ApprovalBox, approvals
    from orchestration_kit.widgets.cells import CellSession, step
    from orchestration_kit.widgets.comparison import Comparison
    from orchestration_kit.widgets.composer import Composer
    from orchestration_kit.widgets.monitor import AlertRules, Monitor
    from orchestration_kit.widgets.player import Player
    from orchestration_kit.workers.adapt import worker_from
    from orchestration_kit.workers.doer import DoerAgent
    from orchestration_kit.workers.patterns import pattern_workers
    from orchestration_kit.workers.person import Person

__version__ = "0.1.0"

_HOMES = {
    "Action": "engine.outcome",
    "ActionRefused": "engine.refusals",
    "AlertRules": "widgets.monitor",
    "AnswerRefused": "engine.refusals",
    "ApprovalBox": "widgets.approval",
    "ApprovalStep": "definition.kinds",
    "Branch": "definition.steps",
    "Budget": "definition.budgets",
    "Case": "evaluation",
    "CellSession": "widgets.cells",
    "Comparison": "widgets.comparison",
    "Composer": "widgets.composer",
    "ConstraintEngine": "governance.constraints",
    "Criterion": "evaluation",
    "Dataset": "evaluation",
    "DoerAgent": "workers.doer",
    "Failure": "engine.outcome",
    "MapStep": "definition.kinds",
    "MemoryJournal": "journal.memory",
    "Monitor": "widgets.monitor",
    "OrchestrationError": "errors",
    "OrchestrationService": "service.creating",
    "Orchestrator": "engine.orchestrator",
    "ParallelStep": "definition.kinds",
    "Person": "workers.person",
    "Player": "widgets.player",
    "Problem": "checks",
    "RetryPolicy": "definition.steps",
    "Rubric": "evaluation",
    "Run": "engine.run",
    "RunSet": "scale.run_set",
    "RunLimits": "engine.limits",
    "SQLiteJournal": "journal.sqlite",
    "Spawn": "engine.outcome",
    "SubworkflowStep": "definition.kinds",
    "Verdict": "governance.verdict",
    "Violation": "governance.verdict",
    "WaitStep": "definition.kinds",
    "Wisdom": "governance.wisdom",
    "WorkerDefinition": "definition.workers",
    "WorkerType": "definition.workers",
    "WorkflowContext": "engine.context",
    "WorkflowDefinition": "definition.workflow",
    "WorkflowState": "engine.state",
    "WorkflowStep": "definition.steps",
    "actions_frame": "history",
    "approvals": "widgets.approval",
    "cassette": "journal.cassette",
    "compare": "history",
    "compare_many": "history",
    "create_build_website_workflow": "templates",
    "create_debate": "templates",
    "create_default_engine": "governance.constraints",
    "create_evaluator_optimizer": "templates",
    "create_fallback_cascade": "templates",
    "create_gated_chain": "templates",
    "create_generic_pipeline": "templates",
    "create_human_gate": "templates",
    "create_map_reduce": "templates",
    "create_orchestrator_workers": "templates",
    "create_plan_execute_replan": "templates",
    "create_reflexion": "templates",
    "create_routing": "templates",
    "create_sectioning": "templates",
    "create_software_pipeline": "templates",
    "create_voting": "templates",
    "data_frame": "history",
    "doctor": "cli.doctor",
    "evaluate": "evaluation",
    "history_frame": "history",
    "pattern_workers": "workers.patterns",
    "register_type": "journal.codec.registry",
    "replay": "engine.replay",
    "run_many": "scale.many",
    "runs_frame": "history",
    "step": "widgets.cells",
    "telemetry": "governance",
    "timeline": "visual",
    "transitions_frame": "history",
    "usage_frame": "history",
    "visualize": "visual",
    "waiting_frame": "history",
    "worker_from": "workers.adapt",
    "write_csv": "history",
}
"""Where each public name lives. Names are loaded when they are first used, so that the import stays quick."""
_MODULES = frozenset({"telemetry"})
"""Those that are modules."""

__all__ = [
    "Action",
    "ActionRefused",
    "AlertRules",
    "AnswerRefused",
    "ApprovalBox",
    "ApprovalStep",
    "Branch",
    "Budget",
    "Case",
    "CellSession",
    "Comparison",
    "Composer",
    "ConstraintEngine",
    "Criterion",
    "Dataset",
    "DoerAgent",
    "Failure",
    "MapStep",
    "MemoryJournal",
    "Monitor",
    "OrchestrationError",
    "OrchestrationService",
    "Orchestrator",
    "ParallelStep",
    "Person",
    "Player",
    "Problem",
    "RetryPolicy",
    "Rubric",
    "Run",
    "RunLimits",
    "RunSet",
    "SQLiteJournal",
    "Spawn",
    "SubworkflowStep",
    "Verdict",
    "Violation",
    "WaitStep",
    "Wisdom",
    "WorkerDefinition",
    "WorkerType",
    "WorkflowContext",
    "WorkflowDefinition",
    "WorkflowState",
    "WorkflowStep",
    "actions_frame",
    "approvals",
    "cassette",
    "compare",
    "compare_many",
    "create_build_website_workflow",
    "create_debate",
    "create_default_engine",
    "create_evaluator_optimizer",
    "create_fallback_cascade",
    "create_gated_chain",
    "create_generic_pipeline",
    "create_human_gate",
    "create_map_reduce",
    "create_orchestrator_workers",
    "create_plan_execute_replan",
    "create_reflexion",
    "create_routing",
    "create_sectioning",
    "create_software_pipeline",
    "create_voting",
    "data_frame",
    "doctor",
    "evaluate",
    "history_frame",
    "pattern_workers",
    "register_type",
    "replay",
    "run_many",
    "runs_frame",
    "step",
    "telemetry",
    "timeline",
    "transitions_frame",
    "usage_frame",
    "visualize",
    "waiting_frame",
    "worker_from",
    "write_csv",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'orchestration_kit' has no attribute {name!r}")
    module = importlib.import_module(f"orchestration_kit.{home}{f'.{name}' if name in _MODULES else ''}")
    value = globals()[name] = module if name in _MODULES else getattr(module, name)
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])


def load_ipython_extension(ip: Any) -> None:
    """Let cells of this notebook be the steps of a workflow: `%load_ext orchestration_kit`."""
    importlib.import_module("orchestration_kit.widgets.cells.extension").load(ip)


def unload_ipython_extension(ip: Any) -> None:
    """Take away what `load_ipython_extension` added."""
    importlib.import_module("orchestration_kit.widgets.cells.extension").unload(ip)
