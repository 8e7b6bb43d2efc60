"""Facts of a run become attributes of spans, by the conventions for generative AI where these have a name for them.

Names follow OpenTelemetry's semantic conventions for GenAI agent and framework spans as of v1.41.0: `invoke_workflow`
with `gen_ai.workflow.name`, `invoke_agent` with `gen_ai.agent.name`, `gen_ai.usage.*`, `error.type`
(https://github.com/open-telemetry/semantic-conventions/blob/v1.41.0/docs/gen-ai/gen-ai-agent-spans.md). Since then they
live in a repository of their own, whose v0.1.0 calls a workflow's name `gen_ai.agent.name` too: a run's span has both.
They are marked as in development. What they have no name for is under `orchestration_kit.`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestration_kit.engine.events import (
    Answered,
    AttemptFinished,
    AttemptStarted,
    BranchesOpened,
    EventReceived,
    LimitReached,
    WaitStarted,
)
from orchestration_kit.engine.visits import INTERRUPTS

if TYPE_CHECKING:
    from orchestration_kit.governance.telemetry.cleaning import Cleaner

OPERATION = "gen_ai.operation.name"
WORKFLOW_NAME = "gen_ai.workflow.name"
AGENT_NAME = "gen_ai.agent.name"
INPUT_TOKENS = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
REQUEST_MODEL = "gen_ai.request.model"
RESPONSE_MODEL = "gen_ai.response.model"
ERROR_TYPE = "error.type"
OWN = "orchestration_kit."
RUN_ID = OWN + "run.id"
RUN_STATE = OWN + "run.state"
WORKFLOW = OWN + "workflow"
STEP = OWN + "step"
WORKER = OWN + "worker"
OUTCOME = OWN + "outcome"
PATH, VISIT, ATTEMPT = OWN + "path", OWN + "visit", OWN + "attempt"
WORKER_TYPE, NEXT_STEP = OWN + "worker_type", OWN + "next_step"

_STOPPED = frozenset(INTERRUPTS) | {"BranchCancelled", "RunCancelled"}


def outcome_of(event: AttemptFinished) -> str:
    """Return what came of an attempt: `completed`, `failed`, `retried` (another follows), `cancelled`."""
    if event.error is None:
        return "completed"
    if event.error.type in _STOPPED or (event.detail is not None and "stopped" in event.detail):
        return "cancelled"
    return "failed" if event.retry_in_s is None else "retried"


def run_attributes(run_id: str, workflow: str, cleaner: Cleaner) -> dict[str, Any]:
    """Return what is known of a run before it goes on."""
    name = cleaner.name(workflow)
    return {
        OPERATION: "invoke_workflow",
        WORKFLOW_NAME: name,
        AGENT_NAME: name,
        RUN_ID: cleaner.name(run_id),
    }


def attempt_attributes(event: AttemptStarted | AttemptFinished, path: str, cleaner: Cleaner) -> dict[str, Any]:
    """Return what is known of an attempt before its worker is called. Each attribute costs more than a microsecond."""
    found: dict[str, Any] = {
        STEP: cleaner.name(event.step),
        PATH: cleaner.name(path),
        VISIT: event.visit,
        ATTEMPT: event.attempt,
    }
    if event.worker is not None:
        found[OPERATION] = "invoke_agent"
        found[AGENT_NAME] = cleaner.name(event.worker)
    return found


def outcome_attributes(event: AttemptFinished, outcome: str, cleaner: Cleaner) -> dict[str, Any]:
    """Return what is known of an attempt when it is on record; what is usual is left out (`cached`: false)."""
    found: dict[str, Any] = {
        OUTCOME: outcome,
        WORKER_TYPE: cleaner.name(event.worker_type),
    }
    if event.cached:
        found[OWN + "cached"] = True
    if event.next_step is not None:
        found[NEXT_STEP] = cleaner.name(event.next_step)
    if event.retry_in_s is not None:
        found[OWN + "retry_in_s"] = event.retry_in_s
    if event.error is not None:
        found[ERROR_TYPE] = cleaner.name(event.error.type)
    if event.usage is not None:
        _add_usage(found, event, cleaner)
    if event.detail is not None:
        _add_detail(found, event.detail, cleaner)
    return found


def _add_usage(found: dict[str, Any], event: AttemptFinished, cleaner: Cleaner) -> None:
    usage = event.usage or {}
    if event.worker_type != "workflow":  # else the spans of that run tell it, and sums would count it twice
        found[INPUT_TOKENS], found[OUTPUT_TOKENS] = usage.get("input_tokens", 0), usage.get("output_tokens", 0)
        if usage.get("cost_usd"):
            found[OWN + "cost_usd"] = usage["cost_usd"]
    if usage.get("model"):
        found[REQUEST_MODEL] = found[RESPONSE_MODEL] = cleaner.name(str(usage["model"]))


def _add_detail(found: dict[str, Any], detail: dict[str, Any], cleaner: Cleaner) -> None:
    branches = detail.get("branches")
    if branches:
        found[OWN + "branches"] = len(branches)
    actions = detail.get("actions")
    if actions:
        found[OWN + "actions"] = [cleaner.name(str(one.get("action_type"))) for one in actions][:100]
        refused = sum(not one.get("approved", True) for one in actions)
        if refused:
            found[OWN + "actions_refused"] = refused
    lessons = detail.get("lessons")
    if lessons:
        found[OWN + "lessons"] = [cleaner.name(str(one)) for one in lessons][:100]


def moment_of(event: Any, cleaner: Cleaner) -> tuple[str, dict[str, Any], float] | None:
    """Return what is told of an event at one moment: a name, attributes, seconds since the epoch; None for others."""
    match event:
        case BranchesOpened():
            count = len(event.keys if event.keys is not None else event.inputs or ())
            return "branches_opened", {PATH: cleaner.name(event.path), OWN + "branches": count}, event.opened_at
        case WaitStarted():
            found = {PATH: cleaner.name(event.path), OWN + "wait.kind": event.kind}
            return "wait_started", found, event.asked_at
        case Answered():
            found = {PATH: cleaner.name(event.path), OWN + "answer": event.kind}
            return "answered", found, event.answered_at
        case EventReceived():
            return "event_received", {OWN + "event": cleaner.name(event.name)}, event.received_at
        case LimitReached():
            found = {OWN + "limit": event.limit, OWN + "limit.value": cleaner.text(event.value)}
            return "limit_reached", found, event.reached_at
        case _:
            return None
