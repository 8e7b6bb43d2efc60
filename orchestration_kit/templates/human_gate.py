"""Human gate: nothing goes on before a person has agreed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal, get_args

from orchestration_kit.definition import ApprovalStep, WorkflowDefinition
from orchestration_kit.definition.workflow import AnyStep
from orchestration_kit.templates.parameters import choice, number
from orchestration_kit.templates.parts import AnyWorker, assemble, done, end, failed, step
from orchestration_kit.templates.ready_workers import GOAL, output_of_type

OnTimeout = Literal["fail", "proceed", "escalate"]


def create_human_gate(  # noqa: PLR0913 - the pattern's usual parameters
    prompt: str,
    response_schema: Any = None,
    timeout: timedelta | float | None = None,
    *,
    on_timeout: OnTimeout = "fail",
    escalate_to: AnyWorker | None = None,
    propose: AnyWorker | None = None,
    act: AnyWorker | None = None,
    name: str = "human_gate",
) -> WorkflowDefinition:
    """Return a question to a person, with a worker that proposes before it and one that acts after it as options.

    ```text
    propose --> ask --> act --> done                  (approved)
                 +----> rejected                     (rejected)
                 +----> expired, or overdue          (nobody answered in time)
    ```

    Use it before what cannot be undone or is somebody's to answer for: a payment, a deletion, a letter to a customer.
    Do not use it for what a test can decide, or so often that people stop reading: then route only the doubtful ones
    to a person (`create_routing` with an `ApprovalStep` as `fallback`).

    The run waits in the state `waiting`, also across restarts. Answer with `run.approve(value)` or
    `run.reject(reason)`, then `run.run()`.

    Source: "human in the loop" in Anthropic, Building effective agents (2024).

    Args:
        prompt: What the person is asked. Shown with it: the proposal, or without one the goal.
        response_schema: What may be answered: a JSON Schema, or a type (`bool`, a pydantic model); any value where
            there is none.
        timeout: How long to wait: seconds, or a `timedelta`. None: until somebody answers.
        on_timeout: What happens then. `"fail"`: the run fails at `expired`. `"proceed"`: it goes on at `overdue`
            as if what was shown had been approved. `"escalate"`: `escalate_to` gets it, and decides instead. The step
            `overdue` is a ready worker's: `for worker in pattern_workers(workflow): hub.register_worker(worker)`, from
            `orchestration_kit.workers.patterns`.
        escalate_to: Who that is: another person (`ApprovalStep(step_id="boss", prompt=...)`), or a worker.
        propose: A worker that gets the goal, and makes what is to be approved.
        act: A worker that gets the approved value, and does it. The proposal is `data["propose_output"]`.
        name: The workflow's name.

    The result is the output of `done`: what `act` gave, or the approved value.

    Raises:
        ValueError: an empty prompt, a timeout that is not over 0, `on_timeout` without `timeout`, a schema that is
            none.

    >>> workflow = create_human_gate("Send the refund?", bool, timeout=3600, propose="clerk", act="cashier")
    >>> list(workflow.steps), workflow.validate()
    (['propose', 'ask', 'act', 'done', 'failed', 'rejected', 'expired'], (True, None))
    """
    choice("on_timeout", on_timeout, get_args(OnTimeout))
    timeout_s = _seconds(timeout)
    if timeout_s is None and on_timeout != "fail":
        raise ValueError(f"on_timeout={on_timeout!r} needs timeout: after how many seconds?")
    if (escalate_to is not None) != (on_timeout == "escalate"):
        raise ValueError("on_timeout='escalate' and escalate_to=... go together: give both, or none.")
    after = "done" if act is None else "act"
    late = "expired" if on_timeout == "fail" else "overdue"
    ways: dict[str, Any] = {} if timeout_s is None else {"timeout_s": timeout_s, "on_timeout": late}
    steps: list[AnyStep] = []
    if propose is not None:
        steps.append(step("propose", propose, "Make what is to be approved", on_success="ask", on_failure="failed"))
    ask = ApprovalStep(
        step_id="ask",
        description="A person decides",
        prompt=prompt,
        schema=response_schema,
        on_success=after,
        on_failure="rejected",
        **ways,
    )
    steps.append(ask)
    if on_timeout != "fail":
        again = GOAL if propose is None else output_of_type("propose")
        then = after if escalate_to is None else "escalate"
        steps.append(step("overdue", again, "Take what was shown once more", on_success=then, on_failure="rejected"))
    if escalate_to is not None:
        steps.append(step("escalate", escalate_to, "Decide instead", on_success=after, on_failure="rejected"))
    if act is not None:
        steps.append(step("act", act, "Do what was approved", on_success="done", on_failure="failed"))
    steps.append(done("Approved"))
    if propose is not None or act is not None:
        steps.append(failed())
    steps.append(end("rejected", "It was not approved"))
    if timeout_s is not None and on_timeout == "fail":
        steps.append(end("expired", "Nobody answered in time"))
    return assemble(name, "A person agrees, or it does not happen", prompt, steps)


def _seconds(timeout: timedelta | float | None) -> float | None:
    if timeout is None:
        return None
    seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else number("timeout", timeout)
    if seconds <= 0:
        raise ValueError(f"timeout={timeout!r}: it is over 0. None waits until somebody answers.")
    return seconds
