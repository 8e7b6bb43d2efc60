"""What brings about the errors of attempts, which are on record."""

from __future__ import annotations

import threading
from typing import Any

import pydantic

from orchestration_kit import (
    Action,
    ApprovalStep,
    Budget,
    ConstraintEngine,
    MapStep,
    ParallelStep,
    Spawn,
    SubworkflowStep,
    WorkerDefinition,
    WorkflowStep,
)
from orchestration_kit.engine.refusals import WaitTimeout
from orchestration_kit.errors import StepTimeout
from orchestration_kit.governance.rules import ToolRule
from tests.cli.bringing import at_one_step, brings, hub_of, of, on_record, write


class Page(pydantic.BaseModel):
    title: str


@brings("AttemptError")
def _attempt():
    return at_one_step(write, success_when="output.text == 'A poem'")


@brings("ConditionError")
def _condition():
    return at_one_step(write, success_when="output.score > 0.8")


@brings("OutputRejected")
def _rejected():
    return at_one_step(write, success_when="output.text == 'A poem'")


@brings("OutputInvalid")
def _invalid():
    worker = WorkerDefinition(worker_type="writer", name="Ada", executor=write, output_schema=Page)
    return at_one_step(None, worker)


@brings("StepTimeout")
def _timeout():
    return StepTimeout("write", 30.0)


@brings("TransformerError")
def _transformer():
    worker = WorkerDefinition(
        worker_type="writer", name="Ada", executor=write, input_transformer=lambda given, context: context.data["title"]
    )
    return at_one_step(None, worker)


@brings("ValueTooDeep")
def _deep():
    def deep(given: Any) -> Any:
        value: list[Any] = []
        value.append(value)
        return value

    return at_one_step(deep)


def _branches(first: Any, second: Any) -> str:
    looks = {name: name for name in ("facts", "style")}
    steps = [WorkflowStep(step_id=name, worker_type=name, is_terminal=True) for name in looks]
    look = ParallelStep(step_id="look", branches=looks, is_terminal=True)
    return on_record(hub_of(of(look, *steps), facts=first, style=second))


@brings("JoinFailed")
def _join():
    def fails(given: Any) -> Any:
        raise ValueError("no source for the second claim")

    return _branches(fails, write)


@brings("MergeConflict")
def _merge():
    def note(word: str) -> Any:
        def worker(given: Any, context: Any) -> str:
            context.data["verdict"] = word
            return word

        return worker

    return _branches(note("good"), note("bad"))


@brings("NotAList")
def _no_list():
    each = MapStep(step_id="each", over="goal", body="one", is_terminal=True)
    return on_record(
        hub_of(of(each, WorkflowStep(step_id="one", worker_type="writer", is_terminal=True)), writer=write)
    )


@brings("SubworkflowFailed")
def _sub():
    def fails(given: Any) -> Any:
        raise ValueError("the press is closed")

    hub = hub_of(
        of(WorkflowStep(step_id="print", worker_type="printer", is_terminal=True), name="printing"), printer=fails
    )
    hub.register_workflow(of(SubworkflowStep(step_id="print", workflow="printing", is_terminal=True)))
    return on_record(hub, run_id="tuesday")


@brings("SpawnRefused")
def _spawn():
    made = of(WorkflowStep(step_id="draft", worker_type="writer", on_success="revise"), name="made")
    return at_one_step(lambda given: Spawn(made))


@brings("ApprovalRejected")
def _no():
    run = hub_of(of(ApprovalStep(step_id="release", prompt="Publish it?", is_terminal=True))).start(
        "publish", "A slogan"
    )
    run.run()
    run.reject("The second claim has no source")
    run.run()
    return f"{run.history[-1]['error_type']}: {run.history[-1]['error']}"


@brings("ActionRefused")
def _action():
    hub = hub_of(
        of(WorkflowStep(step_id="act", worker_type="agent", is_terminal=True)),
        agent=lambda given: Action("send_email", {"to": "everybody@mail.test"}),
        hub={"constraints": ConstraintEngine([ToolRule()])},
    )
    return on_record(hub)


@brings("WaitTimeout")
def _wait():
    return WaitTimeout("paid#1", 3600.0, "the event 'payment'")


@brings("BudgetSpent")
def _budget():
    def dear(given: Any, context: Any) -> Any:
        context.add_usage(cost_usd=0.02)
        raise ValueError("no such topic")

    return at_one_step(dear, max_retries=2, budget=Budget(max_cost_usd=0.03, reserve_usd=0.02))


@brings("NotRecordable")
def _recordable():
    hub = hub_of(
        of(WorkflowStep(step_id="write", worker_type="writer", is_terminal=True)),
        writer=lambda given: threading.Lock(),
        hub={"journal": "runs.db"},
    )
    try:
        return on_record(hub)
    finally:
        hub.journal.close()
