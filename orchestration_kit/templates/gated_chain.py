"""A chain of steps with gates between them: what does not pass a gate goes no further."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args

from orchestration_kit.definition import Branch, WorkflowDefinition
from orchestration_kit.definition.workflow import AnyStep
from orchestration_kit.templates.parameters import choice, condition, whole
from orchestration_kit.templates.parts import Workers, assemble, done, end, failed, known_names, several, step

GateFailure = Literal["fail", "stop", "redo"]


def create_gated_chain(
    steps: Workers,
    gates: Mapping[str, Any] | None = None,
    on_gate_fail: GateFailure = "fail",
    *,
    max_redos: int = 2,
    name: str = "gated_chain",
) -> WorkflowDefinition:
    """Return steps in a row, each of which gets the output of the one before it, with gates on the way.

    ```text
    outline --(gate)--> draft --(gate)--> polish --> done
                 |                 |
                 +-----------------+--> gate_closed, stopped, or the step once more
    ```

    Use it where a task falls into the same few parts every time, and a plain test can tell early that it went wrong:
    each part is easier than the whole. Do not use it where the parts depend on the input
    (`create_orchestrator_workers`, `create_plan_execute_replan`), or where a judgement has to go back to the maker
    (`create_evaluator_optimizer`).

    Source: "prompt chaining" in Anthropic, Building effective agents (2024).

    Args:
        steps: Who works at each step, in order: `{"outline": "writer", "draft": "writer"}`. The first gets the goal,
            each other one the output of the step before it.
        gates: By step, what its output has to fulfil: CEL text, or a callable `(output, context) -> bool`. A test that
            is more work is a step of its own, with the worker `gate(check)` of `orchestration_kit.workers.patterns`.
        on_gate_fail: What happens at a gate that stays closed. `"fail"`: the run fails at `gate_closed`. `"stop"`: it
            is completed at `stopped`, with what did not pass as its output. `"redo"`: the step is attempted again on
            the same input (its worker sees why in `context.last_error`), and then the run fails.
        max_redos: How many further attempts `"redo"` allows.
        name: The workflow's name.

    The result is the output of `done`: what the last step gave.

    Raises:
        ValueError: no steps, a gate at no step, or an `on_gate_fail` that there is not.
        ConditionSyntaxError: (a ValueError) a gate that is no condition.

    >>> workflow = create_gated_chain(
    ...     {"outline": "writer", "draft": "writer"}, gates={"outline": "size(output.sections) >= 3"}
    ... )
    >>> list(workflow.steps), workflow.validate()
    (['outline', 'draft', 'done', 'failed', 'gate_closed'], (True, None))
    """
    workers = several("steps", steps, taken=("done", "failed", "gate_closed", "stopped"))
    tests = {} if gates is None else dict(gates)
    known_names("gates", tests, workers)
    for step_id, test in tests.items():
        condition(f"gates[{step_id!r}]", test)
    choice("on_gate_fail", on_gate_fail, get_args(GateFailure))
    whole("max_redos", max_redos)

    def chain() -> Iterator[AnyStep]:
        closed = "stopped" if on_gate_fail == "stop" else "gate_closed"
        following = [*list(workers)[1:], "done"]
        for (step_id, worker), after in zip(workers.items(), following, strict=True):
            ways: dict[str, Any] = {"on_success": after}
            if step_id in tests and on_gate_fail == "redo":
                ways |= {"success_when": tests[step_id], "max_retries": max_redos}
            elif step_id in tests:
                ways = {"branches": (Branch(when=tests[step_id], to=after),), "on_success": closed}
            yield step(step_id, worker, "One part of the chain", on_failure="failed", **ways)
        yield done("Every gate was passed")
        yield failed()
        if tests and on_gate_fail == "fail":
            yield end("gate_closed", "An output did not pass its gate")
        elif tests and on_gate_fail == "stop":
            yield end("stopped", "An output did not pass its gate; the chain ends with it", "completed")

    return assemble(
        name, "Steps in a row, with gates between them", "Take each step, if the one before it is good", chain()
    )
