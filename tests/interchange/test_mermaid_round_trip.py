"""What Mermaid can express comes back: the same steps and transitions, whatever the names; the rest is named."""

from __future__ import annotations

import math

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration_kit.definition import (
    ApprovalStep,
    Branch,
    Budget,
    MapStep,
    ParallelStep,
    SubworkflowStep,
    WaitStep,
    WorkflowDefinition,
    WorkflowStep,
)
from orchestration_kit.interchange import from_mermaid, to_mermaid
from tests.laws import examples

words = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Cf", "Co", "Cn", "Zl", "Zp", "Zs"), exclude_characters="#/[]"), min_size=1, max_size=8
) | st.sampled_from(["end", "start", "a b", "✗ fails", "else", "x;y", '"', "`a`", "a -->|b| c", "%% no", "join: all", "fork", "a · b", "...", "…", "<br>", "&amp;", "#34;", "after 5 s"])  # fmt: skip
step_ids = words.map(lambda text: "".join(c for c in text if c not in "#/[]" and c.isprintable())).filter(bool)
texts = words | st.text(min_size=1, max_size=12).filter(
    lambda text: not any(0xD800 <= ord(c) < 0xE000 or c == "\0" for c in text)
)
conditions = st.sampled_from(
    [
        "output.ok == true",
        "visits < 3",
        'data["a b"].c in ["<br>", "x"]',
        "true",
        'output == "else"',
        "size(data.items) > 2 && !(goal == '')",
    ]
)
seconds = st.floats(0.001, 1e7).filter(math.isfinite)


@st.composite
def workflows(draw, depth=0):
    ids = draw(st.lists(step_ids, min_size=1, max_size=6, unique=True))
    somewhere = st.sampled_from(ids)
    steps = {step_id: draw(steps_of(step_id, somewhere, depth)) for step_id in ids}
    initial = draw(somewhere)
    budget = Budget(on_budget=draw(somewhere)) if draw(st.integers(0, 9)) == 0 else None
    return WorkflowDefinition(name=draw(texts), initial_step=initial, steps=steps, budget=budget)


@st.composite
def steps_of(draw, step_id, somewhere, depth):
    maybe = st.none() | somewhere
    ends = draw(st.booleans())
    ways = {"step_id": step_id, "on_failure": draw(maybe), "compensate": draw(maybe), "is_terminal": ends}
    if ends:
        ways["outcome"] = draw(st.sampled_from(["completed", "failed"]))
    else:
        ways["on_success"] = draw(maybe)
    branch = st.builds(Branch, when=conditions, to=somewhere, label=st.just("") | texts.map(squeezed))
    branches = () if ends else tuple(draw(st.lists(branch, max_size=3)))
    timeout = {"timeout_s": draw(seconds), "on_timeout": draw(somewhere)} if draw(st.booleans()) else {}
    body = somewhere if depth > 1 else somewhere | workflows(depth + 1)
    joining = {"join": draw(st.sampled_from(["all", "any", 2]))}
    match draw(st.sampled_from(["step", "step", "step", "parallel", "map", "workflow", "approval", "wait"])):
        case "step":
            budget = Budget(on_budget=draw(somewhere)) if draw(st.integers(0, 4)) == 0 else None
            return WorkflowStep(
                **ways,
                branches=branches,
                worker_type=draw(texts),
                worker=draw(st.none() | texts),
                max_retries=draw(st.integers(0, 3)),
                budget=budget,
            )
        case "parallel":
            target = body | st.builds(Branch, when=conditions, to=somewhere)
            names = texts.map(squeezed).filter(
                lambda name: name != "undo" and name and name.isprintable() and not set(name) & set("#/[]")
            )
            return ParallelStep(
                **ways,
                **joining,
                branches=draw(st.dictionaries(names, target, min_size=1, max_size=3)),
                max_concurrency=draw(st.none() | st.integers(1, 5)),
            )
        case "map":
            return MapStep(
                **ways,
                **joining,
                branches=branches,
                over=draw(st.sampled_from(["output", "data.items", 'data["a, b"].c'])),
                body=draw(body),
            )
        case "workflow":
            return SubworkflowStep(**ways, branches=branches, workflow=draw(texts), max_retries=draw(st.integers(0, 2)))
        case "approval":
            return ApprovalStep(**ways, **timeout, branches=branches, prompt=draw(texts))
        case _ if timeout or draw(st.booleans()):
            return WaitStep(**ways, **timeout, branches=branches, event=draw(texts))
        case _:
            return WaitStep(**ways, branches=branches, for_s=draw(seconds))


def squeezed(text):
    return text.strip()


def shown(workflow):
    """What a flowchart can express of a workflow, with what stands within its steps."""
    return (
        workflow.name,
        workflow.initial_step,
        workflow.budget.on_budget if workflow.budget else None,
        [
            (
                step.kind,
                step.step_id,
                *(getattr(step, name, None) for name in ("worker_type", "worker", "is_terminal", "outcome", "max_retries", "workflow", "prompt", "event", "for_s", "over", "join", "max_concurrency")),
                [(way.kind, way.target, way.label if way.kind != "timeout" else step.timeout_s) for way in step.transitions()],
                [(when.when, when.label) for when in step.choices] if not step.is_terminal else [],
                {name: shown(body) if isinstance(body, WorkflowDefinition) else body for name, body in step.bodies.items()},
                [text for _, text in step.conditions()] if step.kind == "parallel" else [],
            )
            for step in workflow.steps.values()
        ],
    )  # fmt: skip


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(workflows())
def test_a_workflow_comes_back_with_the_same_steps_and_transitions(workflow):
    again = from_mermaid(to_mermaid(workflow))
    assert shown(again.workflow) == shown(workflow)
    assert to_mermaid(again.workflow).split("%% left out:")[0] == to_mermaid(workflow).split("%% left out:")[0]
