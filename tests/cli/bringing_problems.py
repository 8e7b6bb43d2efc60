"""What brings about each problem that the checks find in a workflow."""

from __future__ import annotations

from typing import Any

from orchestration_kit import ApprovalStep, Branch, Budget, ParallelStep, RetryPolicy, WorkflowDefinition, WorkflowStep
from orchestration_kit.definition import MapStep
from tests.cli.bringing import BRINGING, of


def found_in(code: str, *steps: Any, **changes: Any) -> None:
    """Keep a workflow in which a problem is found, as `orchestration-kit validate` tells it."""

    def bring() -> str:
        workflow = of(*steps)
        for name, value in changes.items():
            setattr(workflow, name, value)
        return told(code, workflow)

    BRINGING[code] = bring


def told(code: str, workflow: WorkflowDefinition) -> str:
    problem = next(one for one in workflow.problems() if one.code == code)
    return f"{problem.severity}: {problem}"


def step(step_id: str, to: str | None = None, **fields: Any) -> WorkflowStep:
    return WorkflowStep(
        **{"step_id": step_id, "worker_type": step_id, "on_success": to, "is_terminal": to is None, **fields}
    )


def look(**fields: Any) -> ParallelStep:
    return ParallelStep(
        **{"step_id": "look", "branches": {"facts": "facts", "style": "style"}, "on_success": "end", **fields}
    )


def better(first: Any, second: Any) -> Any:
    """A reducer takes one list."""


better.__module__ = "__main__"
END = step("end")
LOOKS = (step("facts"), step("style"), END)

found_in("no-initial-step", step("write"), initial_step=None)
found_in("missing-initial-step", step("write"), initial_step="wirte")
found_in("missing-target", step("write", "reviw"), step("review"))
found_in("dead-end", step("write", "review"), step("review", is_terminal=False))
found_in("unreachable", step("write"), step("review"))
found_in("no-way-out", step("write", "review"), step("review", "write"))
found_in("unbounded-loop", step("write", "review"), step("review", "end", on_failure="write"), END)
found_in("failure-without-path", step("write", "review"), step("review"))
found_in("ignored-transition", step("write", "review", is_terminal=True), step("review"))
found_in(
    "shadowed-branch",
    step(
        "review",
        "end",
        branches=[Branch(when="output.score > 0.5", to="end"), Branch(when="output.score > 0.5", to="write")],
    ),
    step("write", "review"),
    END,
)
found_in("bad-condition", step("review", success_when="ouput.score > 0.8"))
found_in("bad-callable", look(reducer={"verdict": better}), *LOOKS)
found_in("read-before-write", step("write", reads=("specs",)))
found_in("never-read", step("write", writes=("draft",)))
found_in("write-conflict", look(), step("facts", writes=("verdict",)), step("style", writes=("verdict",)), END)
found_in("join-never-fires", look(join=3), *LOOKS)
found_in("shared-with-branch", look(), step("facts", "end"), step("style"), END)
found_in("idle-retry-policy", step("write", retry=RetryPolicy(backoff_s=1)))
found_in("misspelt-error", step("write", max_retries=1, retry=RetryPolicy(retry_on=("ConectionError",))))
found_in("idle-budget", step("write", budget=Budget()))
found_in("self-compensation", step("charge", compensate="charge"))
found_in(
    "waiting-compensation",
    step("charge", compensate="ask"),
    ApprovalStep(step_id="ask", prompt="Give it back?", is_terminal=True),
)


def _misnamed() -> str:
    workflow = of(step("write", "review"), step("review"))
    workflow.steps["review"] = step("check")
    return told("misnamed-step", workflow)


def _inner(**fields: Any) -> WorkflowDefinition:
    workflow = of(step("check"), name="legal")
    for name, value in fields.items():
        setattr(workflow, name, value)
    return workflow


BRINGING["ignored-budget"] = lambda: told(
    "ignored-budget", of(look(branches={"legal": _inner(budget=Budget(max_cost_usd=1))}), END)
)


BRINGING["misnamed-step"] = _misnamed


def _within_itself() -> str:
    workflow = WorkflowDefinition(name="publish")
    workflow.add_step(MapStep(step_id="each", over="output", body=workflow, is_terminal=True), is_initial=True)
    return told("endless-recursion", workflow)


BRINGING["endless-recursion"] = _within_itself
