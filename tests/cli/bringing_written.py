"""What brings about errors of workflows as they are written, and of what surrounds one."""

from __future__ import annotations

from typing import Any

from orchestration_kit import ConstraintEngine, Person, WorkflowDefinition, WorkflowStep, worker_from
from orchestration_kit.definition.conditions import compile_condition
from orchestration_kit.governance.rule_files import load_rules
from orchestration_kit.governance.rules import SqlRule
from orchestration_kit.interchange import from_langgraph, from_mermaid
from orchestration_kit.widgets.composing.fields import change_step
from tests.cli.bringing import brings, hub_of, of, publish, write


@brings("OrchestrationError")
def _any():
    return hub_of(publish()).execute_workflow("publsh", "A slogan", verbose=False)


@brings("DefinitionError")
def _definition():
    return publish().add_step(WorkflowStep(step_id="write", worker_type="editor"))


@brings("InvalidWorkflow")
def _unsound():
    workflow = of(
        WorkflowStep(step_id="write", worker_type="writer", on_success="reviw"),
        WorkflowStep(step_id="review", worker_type="reviewer", is_terminal=True),
    )
    return hub_of(workflow)


@brings("DuplicateStep")
def _twice():
    return publish().add_step(WorkflowStep(step_id="write", worker_type="editor"))


@brings("WorkflowFileError")
def _file():
    return WorkflowDefinition.from_yaml("name: publish\nsteps: !!python/object:os.system {}\n")


@brings("NotSerializable")
def _callable():
    def is_good(output: Any, data: Any) -> bool:
        return output["score"] > 0.8

    is_good.__module__, is_good.__qualname__ = "__main__", "is_good"  # as in a notebook
    workflow = of(WorkflowStep(step_id="review", worker_type="reviewer", is_terminal=True, success_when=is_good))
    return workflow.to_yaml()


@brings("ConditionSyntaxError")
def _condition():
    return compile_condition("ouput.score > 0.8")


@brings("InvalidWorker")
def _worker():
    def write_well(given, context, style):
        """Takes one thing too many."""

    write_well.__module__, write_well.__qualname__ = "__main__", "write_well"
    return hub_of(publish(), writer=write_well)


@brings("NotAWorker")
def _no_worker():
    return worker_from(Person)


@brings("MissingWorkers")
def _nobody():
    return hub_of(publish(), reviewer=write).execute_workflow("publish", "A slogan", verbose=False)


@brings("UnknownWorkflow")
def _workflow():
    return hub_of(publish()).execute_workflow("publsh", "A slogan", verbose=False)


@brings("UnknownStep")
def _step():
    return hub_of(publish()).start("publish", "A slogan").run_until("reviw")


@brings("InvalidRule")
def _rule():
    return ConstraintEngine([SqlRule(on_violation="shout")])


@brings("RuleFileError")
def _rules():
    return load_rules("rules:\n  - kind: sqll\n")


@brings("NotImportable")
def _import():
    return from_langgraph(publish())


@brings("MermaidError")
def _mermaid():
    return from_mermaid("sequenceDiagram\n  A->>B: hello")


@brings("FieldRefused")
def _field():
    return change_step(publish(), "write", ("max_retries",), "put", -1)
