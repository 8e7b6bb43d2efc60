"""Ready-made workflows, one pattern per file. Definitions only: nothing here runs anything.

Common to all of them but the first two:

- **Who works at a step** is a worker *type* (a text is always a type: `"coder"`), or a `WorkerDefinition`, which means
  that one worker, by its name (for several workers of one type), or a step of any kind, for its retries, time limit or
  schema: `WorkflowStep(step_id="x", worker_type="coder", max_retries=2)`; an `ApprovalStep` puts a person in a worker's
  place, a `SubworkflowStep` another workflow. The template sets its id and its ways on.
- **Several workers** are a mapping by name, `{"first": "coder", "second": "coder"}`; a list names each by its type.
- **The result** is the output of the step `done`. Every failure of a worker leads to `failed`; a bound that is reached
  leads to a step that says so (`no_plans_left`). Nobody needs to be registered for those; a worker of type `"end"`,
  where there is one, is called there.
- **Loops** are bounded by conditions that stand in the workflow, so that they are checked, drawn and on record.
- **Ready workers** that count or keep something have types that begin with `kit.`; register them with
  `for worker in pattern_workers(workflow): hub.register_worker(worker)`, from `orchestration_kit.workers.patterns`.
- What comes out is a `WorkflowDefinition` like any other: change `workflow.steps[...]` before you register it. It can
  be the body of a `MapStep`: `lessons`, `debate`, `agenda` and `results`, where a template writes one of them on the
  data bus, then want a reducer, e.g. `reducer={"lessons": "concat"}`.

| The task | Template |
|---|---|
| the same parts every time, one after the other | `create_gated_chain` |
| of one kind or another | `create_routing` |
| several aspects of one thing | `create_sectioning` |
| one short answer, from workers that err | `create_voting`, `create_debate` |
| the same for each of many | `create_map_reduce` |
| parts that are known only when it is there | `create_orchestrator_workers`, `create_plan_execute_replan` |
| better in every round | `create_evaluator_optimizer`, `create_reflexion` |
| mostly easy | `create_fallback_cascade` |
| somebody's to answer for | `create_human_gate` |
| software | `create_software_pipeline` |
"""

from orchestration_kit.templates.build_website import create_build_website_workflow
from orchestration_kit.templates.debate import create_debate
from orchestration_kit.templates.evaluator_optimizer import create_evaluator_optimizer
from orchestration_kit.templates.fallback_cascade import create_fallback_cascade
from orchestration_kit.templates.gated_chain import create_gated_chain
from orchestration_kit.templates.generic_pipeline import create_generic_pipeline
from orchestration_kit.templates.human_gate import create_human_gate
from orchestration_kit.templates.map_reduce import create_map_reduce
from orchestration_kit.templates.orchestrator_workers import create_orchestrator_workers
from orchestration_kit.templates.plan_execute_replan import create_plan_execute_replan
from orchestration_kit.templates.reflexion import create_reflexion
from orchestration_kit.templates.routing import create_routing
from orchestration_kit.templates.sectioning import create_sectioning
from orchestration_kit.templates.software_pipeline import create_software_pipeline
from orchestration_kit.templates.voting import create_voting

__all__ = [
    "create_build_website_workflow",
    "create_debate",
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
]
