"""What will happen on an answer: the ways that a workflow leads on from a step that asks, in words."""

from __future__ import annotations

from typing import Any

from orchestration_kit.definition.steps import Step
from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.visual.step_text import worker_text

Outlook = dict[str, list[dict[str, Any]]]
_FAR = 5
"""So many steps are told of a way that needs no decision."""


def outlook(workflow: WorkflowDefinition, step: Step, path: str = "") -> Outlook:
    """Return the ways on `approve`, on `reject` and on `timeout`, as plain data.

    A way has `when` (its condition, empty where it is taken without one), `steps` (each with `step` and `about`, as
    far as no decision is needed), and `end`: what happens after the last of them, in words.

    >>> from orchestration_kit.definition.kinds import ApprovalStep
    >>> from orchestration_kit.definition.steps import WorkflowStep
    >>> workflow = WorkflowDefinition(name="refund")
    >>> sign = ApprovalStep(step_id="sign", prompt="Pay?", on_success="pay")
    >>> workflow.add_step(sign, is_initial=True)
    >>> workflow.add_step(WorkflowStep(step_id="pay", worker_type="generic", description="Pays", is_terminal=True))
    >>> ways = outlook(workflow, sign)
    >>> ways["approve"][0]["steps"], ways["approve"][0]["end"], ways["reject"][0]["end"]
    ([{'step': 'pay', 'about': 'Pays (generic)'}], 'the run ends: completed', 'the run fails')
    """
    inside = "]/" in path
    found = no_outlook()
    for way in step.transitions():
        if way.kind in ("branch", "success"):
            when = way.label if way.kind == "branch" else "otherwise" if found["approve"] else ""
            found["approve"].append(_way(workflow, way.target, when, inside=inside))
        elif way.kind == "failure":
            found["reject"].append(_way(workflow, way.target, "", inside=inside))
        elif way.kind == "timeout":
            found["timeout"].append(_way(workflow, way.target, "", inside=inside))
    if not any(way["when"] in ("", "otherwise") for way in found["approve"]):
        end = f"the run ends: {step.outcome}" if step.is_terminal else "this branch ends" if inside else "the run ends"
        found["approve"].append({"when": "otherwise" if found["approve"] else "", "steps": [], "end": end})
    if not found["reject"]:
        found["reject"].append({"when": "", "steps": [], "end": _failed(workflow, inside=inside)})
    return found


def no_outlook() -> Outlook:
    """Return the ways of a step of which nothing is known."""
    return {"approve": [], "reject": [], "timeout": []}


def _failed(workflow: WorkflowDefinition, *, inside: bool) -> str:
    undone = [step.step_id for step in workflow.steps.values() if step.compensate is not None]
    what = "this branch fails" if inside else "the run fails"
    return f"{what}, and what was done at {', '.join(undone[:5])} is undone" if undone else what


def _way(workflow: WorkflowDefinition, target: str, when: str, *, inside: bool) -> dict[str, Any]:
    told: list[dict[str, str]] = []
    at, end = workflow.steps.get(target), ""
    seen: set[str] = set()
    while at is not None:
        if at.step_id in seen:
            end = f"then {at.step_id} again"
            break
        seen.add(at.step_id)
        told.append({"step": at.step_id, "about": _about(at)})
        on = [way.target for way in at.transitions() if way.kind in ("branch", "success")]
        if at.is_terminal or not on:
            end = "this branch ends" if inside and not at.is_terminal else f"the run ends: {at.outcome}"
            break
        if len(on) > 1 or len(told) == _FAR:
            end = "then it depends on what comes out" if len(on) > 1 else "and so on"
            break
        at = workflow.steps.get(on[0])
    return {"when": when, "steps": told, "end": end}


def _about(step: Step) -> str:
    who = worker_text(step)
    return f"{step.description} ({who})" if step.description and who else step.description or who
