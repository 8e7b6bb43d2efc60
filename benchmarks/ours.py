"""The workloads in orchestration_kit, as its README would write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.harness import Build, Case, Outcome, WrongResult, counting_worker
from orchestration_kit import (
    Branch,
    Orchestrator,
    RunLimits,
    WorkerDefinition,
    WorkflowContext,
    WorkflowDefinition,
    WorkflowStep,
)

LIMITS = RunLimits(max_steps=1_000_000)


def chain(size: int) -> Case:
    """Steps s0 -> s1 -> ... in a row."""
    work, reset = counting_worker()
    orchestrator = _hub(work)
    orchestrator.register_workflow(_chain(size))

    def run() -> WorkflowContext:
        reset()
        return orchestrator.execute_workflow("chain", "goal", verbose=False, limits=LIMITS)

    return Case(run, _outcome_of(f"s{size - 1}_output"))


def async_chain(size: int) -> Case:
    """The same with an async worker and the async door."""
    work, reset = counting_worker()

    async def work_async(value: object) -> int:
        return work(value)

    orchestrator = _hub(work_async)
    orchestrator.register_workflow(_chain(size))

    async def run() -> WorkflowContext:
        reset()
        return await orchestrator.aexecute_workflow("chain", "goal", verbose=False, limits=LIMITS)

    return Case(run, _outcome_of(f"s{size - 1}_output"), is_async=True)


def ping_pong(size: int) -> Case:
    """Two steps in a loop, left by a branch when the worker has counted to `size`."""
    work, reset = counting_worker()
    orchestrator = _hub(work)
    enough = Branch(when=lambda output, _context: output >= size, to="done", label="enough")
    orchestrator.register_workflow(
        _workflow(
            "ping_pong",
            WorkflowStep(step_id="ping", worker_type="generic", on_success="pong"),
            WorkflowStep(step_id="pong", worker_type="generic", branches=[enough], on_success="ping"),
            WorkflowStep(step_id="done", worker_type="nobody", is_terminal=True),
        )
    )

    def run() -> WorkflowContext:
        reset()
        return orchestrator.execute_workflow("ping_pong", "goal", verbose=False, limits=LIMITS)

    return Case(run, _outcome_of("pong_output"))


def review(size: int) -> Case:
    """Let a reviewer turn a coder down `size` times: his output says so."""

    def look(_input: object, context: WorkflowContext) -> dict[str, bool]:
        return {"approved": context.data["code_output"] > size}

    return _review(look, success_when=lambda output, _context: output["approved"])


def review_raising(size: int) -> Case:
    """Let a reviewer turn a coder down `size` times: he raises."""

    def look(_input: object, context: WorkflowContext) -> bool:
        if context.data["code_output"] <= size:
            raise ValueError("not yet")
        return True

    return _review(look)


def retry(size: int) -> Case:
    """One step that raises at each of its `size` attempts but the last."""
    work, reset = counting_worker()

    def attempt(value: object) -> int:
        calls = work(value)
        if calls < size:
            raise ValueError("try again")
        return calls

    orchestrator = _hub(attempt)
    only = WorkflowStep(step_id="try", worker_type="generic", is_terminal=True, max_retries=size - 1)
    orchestrator.register_workflow(_workflow("retry", only))

    def run() -> WorkflowContext:
        reset()
        return orchestrator.execute_workflow("retry", "goal", verbose=False, limits=LIMITS)

    return Case(run, _outcome_of("try_output"))


def compile_chain(size: int) -> Case:
    """Define a chain, check it and compile it, from nothing to ready to run."""
    work, _reset = counting_worker()

    def run() -> WorkflowDefinition:
        definition = _chain(size)
        _hub(work).register_workflow(definition)
        return definition

    return Case(run, lambda definition: Outcome(len(definition.steps)))


def _review(look: Callable[..., object], **judged: Any) -> Case:
    work, reset = counting_worker()
    orchestrator = Orchestrator()
    orchestrator.register_worker(WorkerDefinition(worker_type="coder", name="coder", description="", executor=work))
    orchestrator.register_worker(
        WorkerDefinition(worker_type="reviewer", name="reviewer", description="", executor=look)
    )
    orchestrator.register_workflow(
        _workflow(
            "review",
            WorkflowStep(step_id="code", worker_type="coder", on_success="review"),
            WorkflowStep(step_id="review", worker_type="reviewer", on_success="done", on_failure="code", **judged),
            WorkflowStep(step_id="done", worker_type="nobody", is_terminal=True),
        )
    )

    def run() -> WorkflowContext:
        reset()
        return orchestrator.execute_workflow("review", "goal", verbose=False, limits=LIMITS)

    return Case(run, _outcome_of("code_output"))


def _hub(worker: Callable[..., object]) -> Orchestrator:
    orchestrator = Orchestrator()
    orchestrator.register_worker(
        WorkerDefinition(worker_type="generic", name="counter", description="", executor=worker)
    )
    return orchestrator


def _chain(size: int) -> WorkflowDefinition:
    last = size - 1
    return _workflow(
        "chain",
        *(WorkflowStep(step_id=f"s{i}", worker_type="generic", on_success=f"s{i + 1}") for i in range(last)),
        WorkflowStep(step_id=f"s{last}", worker_type="generic", is_terminal=True),
    )


def _workflow(name: str, *steps: WorkflowStep) -> WorkflowDefinition:
    definition = WorkflowDefinition(name=name, description="", goal="")
    for position, step in enumerate(steps):
        definition.add_step(step, is_initial=position == 0)
    return definition


def _outcome_of(key: str) -> Callable[[WorkflowContext], Outcome]:
    def outcome(context: WorkflowContext) -> Outcome:
        if context.state != "completed":
            raise WrongResult(f"the run ended {context.state}")
        return Outcome(context.data[key], len(context.history))

    return outcome


CASES: dict[str, Build] = {
    "chain": chain,
    "async_chain": async_chain,
    "ping_pong": ping_pong,
    "review": review,
    "review_raising": review_raising,
    "retry": retry,
    "compile": compile_chain,
}
