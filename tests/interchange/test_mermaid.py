"""Flowcharts that people draw become workflows."""

from __future__ import annotations

import random
import re

import pytest

from orchestration_kit import WorkflowDefinition, create_build_website_workflow, visualize
from orchestration_kit.definition import (
    ApprovalStep,
    Branch,
    MapStep,
    ParallelStep,
    RetryPolicy,
    WaitStep,
    WorkflowStep,
)
from orchestration_kit.errors import ConditionSyntaxError
from orchestration_kit.interchange import from_mermaid, to_mermaid
from tests.templates.grid import grid


def ways(made, step_id):
    return [(way.kind, way.target, way.label) for way in made.workflow.steps[step_id].transitions()]


def codes(made):
    return [note.code for note in made.notes]


DECISION = """
---
title: Reviewing an article
---
flowchart TD
    %% drawn at the whiteboard
    Start([Start]) --> draft[Draft an article]
    draft --> check{Good enough?}
    check -->|yes| publish(Publish)
    check -- no --> draft
    draft -. failure .-> stop((Give up))
    classDef blue fill:#00f
    class draft blue;
    style check stroke:#333
    linkStyle 0 stroke:red
"""


def test_a_decision_that_somebody_drew():
    made = from_mermaid(DECISION)
    assert made.workflow.name == "Reviewing an article"
    assert made.workflow.validate() == (True, None)
    assert made.workflow.initial_step == "Draft an article"
    assert list(made.workflow.steps) == ["Draft an article", "Good enough?", "Publish", "Give up"]
    assert ways(made, "Draft an article") == [("success", "Good enough?", ""), ("failure", "Give up", "")]
    assert ways(made, "Good enough?") == [("branch", "Publish", "yes"), ("success", "Draft an article", "")]
    assert made.workflow.steps["Good enough?"].branches[0].when == 'output.next == "yes"'
    assert made.workflow.steps["Publish"].is_terminal
    assert [str(note) for note in made.notes] == [
        "The labels after 'Good enough?' are no conditions. Its worker puts at output.next which of them it is: 'yes', 'no'. Anything else counts as 'no'."
    ]


def test_labels_that_are_conditions_are_conditions():
    made = from_mermaid('graph LR; a -->|"output.score > 0.8"| b; a -->|"low<br/>visits < 3"| a; a -->|else| c')
    assert ways(made, "a") == [("branch", "b", "output.score > 0.8"), ("branch", "a", "low"), ("success", "c", "")]
    assert made.workflow.steps["a"].branches[1].when == "visits < 3"
    assert codes(made) == []
    made = from_mermaid("graph LR; a -->|true| b; a -->|false| c")
    assert made.workflow.steps["a"].branches[0].when == 'output.next == "true"', "it looks at nothing: it is a label"


@pytest.mark.parametrize("route", ["output", "data.decision", 'output["next step"]'])
def test_where_workers_say_it_can_be_chosen(route):
    made = from_mermaid("graph LR; a -->|yes| b; a -->|no| c", route=route)
    assert made.workflow.steps["a"].branches[0].when == f'{route} == "yes"'
    with pytest.raises(ConditionSyntaxError):
        from_mermaid("graph LR; a --> b", route="next")


@pytest.mark.parametrize(
    ("arrow", "label"),
    [
        ("-->", ""), ("---", ""), ("--->", ""), ("==>", ""), ("--x", ""), ("--o", ""), ("-->|text|", "text"), ('-->|"te;xt"|', "te;xt"),
        ("-- text -->", "text"), ('-- "te-->xt" -->', "te-->xt"), ("== text ==>", "text"), ("-. text .->", "text"), ("-->|a<br/>b|", "a b"),
        ("<-->", ""), ("e1@-->", ""), ("x--x", ""), ("--text-->", "text"), ("-->|`text`|", "text"), ("---|text|", "text"),
    ],
)  # fmt: skip
def test_arrows_of_every_kind(arrow, label):
    made = from_mermaid(
        f"graph TD\n  a {arrow} b\n  a -->|other| c\n  a --> d" if label else f"graph TD\n  a {arrow} b"
    )
    first = made.workflow.steps["a"].transitions()[0]
    assert (first.target, first.label) == ("b", label)
    if arrow == "<-->":
        assert ways(made, "b") == [("success", "a", "")]


@pytest.mark.parametrize(
    "shape",
    ["[Text]", "(Text)", "([Text])", "[[Text]]", "[(Text)]", "((Text))", "(((Text)))", ">Text]", "{Text}", "{{Text}}", "[/Text/]", "[\\Text\\]", "[/Text\\]", "[\\Text/]", '["Text"]', '["`Text`"]', '@{ shape: rect, label: "Text" }', "[Text]:::warm", '["<b>Text</b>"]', "[ Text ]"],
)  # fmt: skip
def test_boxes_of_every_shape(shape):
    made = from_mermaid(f"flowchart LR\n  a --> b{shape}\n  b --> c")
    assert list(made.workflow.steps) == ["a", "Text", "c"]
    assert made.workflow.steps["Text"].worker_type == "generic"


def test_the_second_line_of_a_box_is_its_worker_and_others_can_be_given():
    made = from_mermaid(
        'graph TD; a["Draft<br/>coder"] --> b["Check<br>Ada · reviewer"] --> c', workers={"c": "deployer", "Draft": "x"}
    )
    assert [step.worker_type for step in made.workflow.steps.values()] == ["coder", "reviewer", "deployer"]
    assert made.workflow.steps["Check"].worker == "Ada"


def test_chains_and_ampersands():
    made = from_mermaid("graph TD; a --> b & c --> d; d --> e")
    step = made.workflow.steps["a.branches"]
    assert (step.branches, step.on_success) == ({"b": "b", "c": "c"}, "d")
    assert made.workflow.validate() == (True, None)
    assert codes(made) == []


def test_subgraphs_are_not_kept_and_arrows_to_them_mean_what_is_inside():
    made = from_mermaid("""
flowchart TB
  subgraph one [Preparation]
    direction LR
    a1 --> a2
  end
  subgraph Work to do
    b1 --> b2
  end
  a2 --> b1
  b2 --> c
""")
    assert made.workflow.validate() == (True, None)
    assert codes(made) == ["group"]
    assert "'Preparation', 'Work to do'" in str(made.notes[0])
    made = from_mermaid(
        "flowchart TB\n subgraph one\n a --> b\n end\n subgraph two\n c --> d\n end\n one --> two\n two --> e"
    )
    assert [(s, step.on_success) for s, step in made.workflow.steps.items()] == [
        ("a", "b"),
        ("b", "c"),
        ("c", "d"),
        ("d", "e"),
        ("e", None),
    ]


def test_names_that_no_step_can_have_and_names_used_twice_are_changed_and_told():
    made = from_mermaid('graph TD; a["A/B test"] --> b["Check"] --> c["Check"]')
    assert list(made.workflow.steps) == ["A-B test", "Check", "Check-2"]
    assert codes(made) == ["name", "name"]


def test_a_label_on_the_only_way_on_is_told():
    made = from_mermaid("graph TD; A[Christmas] -->|Get money| B(Go shopping)")
    assert ways(made, "Christmas") == [("success", "Go shopping", "")]
    assert codes(made) == ["label"]


EVERYTHING = WorkflowDefinition(
    name="everything",
    initial_step="plan",
    steps={
        "plan": WorkflowStep(step_id="plan", worker_type="planner", worker="Ada", max_retries=2, on_success="both", on_failure="failed", retry=RetryPolicy(backoff_s=1)),
        "both": ParallelStep(step_id="both", join="any", branches={"style": "style", "law": Branch(when="data.is_public == true", to="law"), "own": WorkflowDefinition.from_edges("own one", [("x", "y")])}, on_success="each"),
        "style": WorkflowStep(step_id="style", worker_type="style"),
        "law": WorkflowStep(step_id="law", worker_type="law"),
        "each": MapStep(step_id="each", over="data.items", body="one", on_success="sign"),
        "one": WorkflowStep(step_id="one", worker_type="one", compensate="undo"),
        "undo": WorkflowStep(step_id="undo", worker_type="undo"),
        "sign": ApprovalStep(step_id="sign", prompt="Really?", timeout_s=90, on_timeout="failed", on_success="paid"),
        "paid": WaitStep(step_id="paid", event="paid", branches=(Branch(when="output.amount > 10", to="done", label="much"),), on_success="failed"),
        "done": WorkflowStep(step_id="done", worker_type="generic", is_terminal=True),
        "failed": WorkflowStep(step_id="failed", worker_type="generic", is_terminal=True, outcome="failed"),
    },
)  # fmt: skip


def test_what_visualize_draws_is_read_with_all_that_it_shows():
    made = from_mermaid(visualize(EVERYTHING, renderer="builtin").mermaid, name="everything").workflow
    assert made.initial_step == "plan"
    assert set(made.steps) == set(EVERYTHING.steps)
    assert (made.steps["plan"].worker, made.steps["plan"].worker_type, made.steps["plan"].max_retries) == (
        "Ada",
        "planner",
        2,
    )
    both = made.steps["both"]
    assert (both.kind, both.join, set(both.branches), both.on_success) == (
        "parallel",
        "any",
        {"style", "law", "own"},
        "each",
    )
    assert both.branches["law"] == Branch(when="data.is_public == true", to="law")
    own = both.branches["own"]
    assert (own.name, list(own.steps), own.initial_step, own.steps["y"].is_terminal) == (
        "own one",
        ["x", "y"],
        "x",
        True,
    )
    each = made.steps["each"]
    assert (each.kind, each.over, each.body, each.max_concurrency, each.on_success) == (
        "map",
        "data.items",
        "one",
        10,
        "sign",
    )
    assert made.steps["one"].compensate == "undo"
    assert made.steps["failed"].outcome == "failed"
    assert (made.steps["paid"].event, made.steps["paid"].on_success) == ("paid", "failed")
    assert made.validate() == (True, None)


def test_an_approval_that_visualize_drew_says_not_what_it_asks():
    made = from_mermaid(visualize(EVERYTHING, renderer="builtin").mermaid)
    assert made.workflow.steps["sign"].kind == "approval"
    assert made.workflow.steps["sign"].timeout_s == 90
    assert "prompt" in [note.code for note in made.notes]


GRID = {"website": create_build_website_workflow()} | {
    name: make(*arguments, **options) for name, (make, arguments, options) in grid().items()
}


@pytest.mark.parametrize("name", GRID)
def test_templates_come_back_from_both_drawings(name):
    workflow = GRID[name]
    exact = from_mermaid(to_mermaid(workflow)).workflow
    assert [(s, step.kind, step.transitions()) for s, step in exact.steps.items()] == [
        (s, step.kind, [way for way in step.transitions() if way.target in workflow.steps])
        for s, step in workflow.steps.items()
    ]
    drawn = from_mermaid(visualize(workflow, renderer="builtin").unfold().mermaid).workflow
    assert {step_id: step.kind for step_id, step in drawn.steps.items()} == {
        step_id: step.kind for step_id, step in workflow.steps.items()
    }
    assert drawn.initial_step == workflow.initial_step
    for step_id, step in workflow.steps.items():
        assert {way.target for way in drawn.steps[step_id].transitions()} == {way.target for way in step.transitions()}
        assert drawn.steps[step_id].is_terminal == step.is_terminal


def test_a_frame_that_is_drawn_folded_is_one_step_and_that_is_told():
    made = from_mermaid(visualize(EVERYTHING, renderer="builtin").fold("both").mermaid)
    assert made.workflow.steps["both"].kind == "step"
    assert made.workflow.steps["both"].on_success == "each"
    assert "'both' is no step of the kind 'parallel'" in str(next(note for note in made.notes if note.code == "kind"))


def test_what_a_flowchart_cannot_say_is_named_in_it_and_in_the_notes():
    text = to_mermaid(EVERYTHING)
    assert "%% left out: plan: retry" in text
    made = from_mermaid(text)
    assert [note.message for note in made.notes] == ["The chart leaves out plan: retry"]
    by_hand = WorkflowDefinition(name="w")
    by_hand.add_step(
        WorkflowStep(
            step_id="a",
            worker_type="x",
            branches=(Branch(when=lambda output, context: True, to="nowhere"),),
            success_when="output.ok == true",
        )
    )
    text = to_mermaid(by_hand)
    assert "%% left out: a: success_when, code of a condition, branches[0] (no such step)" in text
    assert from_mermaid(text).workflow.steps["a"].branches == ()


def test_a_left_to_right_chart_of_the_demo_is_readable():
    text = to_mermaid(create_build_website_workflow(), direction="LR")
    assert text.splitlines()[0] == "flowchart LR"
    assert '  review_code -.->|"✗ fails"| implement_code' in text.splitlines()
    assert "  class failed failed" in text.splitlines()


def test_shuffled_arrows_open_the_same_branches():
    lines = ["a --> b", "a --> c", "b --> b2", "b2 --> d", "c --> d", "d --> e"]
    expected = {
        step_id: step.on_success
        for step_id, step in from_mermaid("graph TD\n" + "\n".join(lines)).workflow.steps.items()
    }
    for seed in range(20):
        random.Random(seed).shuffle(lines)
        made = from_mermaid("graph TD\n" + "\n".join(["a", *lines])).workflow
        assert {step_id: step.on_success for step_id, step in made.steps.items()} == expected
        assert re.search(r"initial_step='a'", repr(made))
