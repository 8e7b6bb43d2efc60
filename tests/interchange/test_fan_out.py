"""Where ways meet again is where branches join, in any graph; what is too tangled for branches is still all there."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_kit.interchange.building import workflow_of
from orchestration_kit.interchange.fan_out import open_fan_outs
from orchestration_kit.interchange.shape import END, Shape, Way, free_id, literal


def shape_of(*pairs, start="a"):
    nodes = dict.fromkeys([start, *(name for pair in pairs for name in pair if name != END)])
    return Shape("w", {name: {"worker_type": name} for name in nodes}, [Way(*pair) for pair in pairs], [start])


names = st.sampled_from("abcdefg")


@given(st.lists(st.tuples(names, st.sampled_from(["b", "c", "d", "e", "f", "g", END])), max_size=12, unique=True))
def test_every_graph_becomes_a_workflow_that_still_leads_wherever_it_led(pairs):
    shape = shape_of(*pairs)
    direct = {name: {t for s, t in pairs if s == name and t != END} for name in shape.nodes}
    open_fan_outs(shape)
    workflow = workflow_of(shape)
    assert set(direct) <= set(workflow.steps)
    for source, targets in direct.items():
        assert targets <= reached(workflow, source) | {source}, (source, targets)
    codes = {problem.code for problem in workflow.problems() if problem.severity == "error"}
    assert codes <= {"unreachable", "no-way-out"}, codes


def reached(workflow, start):
    """What a run can come to after a step: through its branches, and from the ends of these through the join."""
    owners = [step_id for step_id, step in workflow.steps.items() if step.bodies]
    found, stack = set(), [start]
    while stack:
        step = workflow.steps[stack.pop()]
        onwards = [way.target for way in step.transitions()]
        if not any(way.kind == "success" for way in step.transitions()):
            onwards += [workflow.steps[owner].on_success for owner in owners if workflow.steps[owner].on_success]
        for target in onwards:
            if target not in found:
                found.add(target)
                stack.append(target)
    return found


@given(st.integers(2, 5), st.integers(1, 4), st.booleans())
def test_branches_of_any_number_and_length_come_together(width, length, comes_together):
    pairs = []
    for branch in range(width):
        chain = [f"b{branch}.{at}" for at in range(length + branch % 2)]
        pairs += [("a", chain[0]), *pairwise(chain), (chain[-1], "z" if comes_together else END)]
    shape = shape_of(*pairs)
    (found,) = open_fan_outs(shape)
    assert found.join == ("z" if comes_together else END)
    assert sum(len(inside) for inside in found.regions.values()) == sum(length + branch % 2 for branch in range(width))
    workflow = workflow_of(shape)
    assert workflow.validate() == (True, None)
    assert [step_id for step_id, step in workflow.steps.items() if step.is_terminal] == [
        "z" if comes_together else "a.branches"
    ]


def test_an_edge_past_a_step_comes_after_it():
    shape = shape_of(("a", "b"), ("a", "c"), ("b", "c"))
    assert open_fan_outs(shape) == []
    assert [(way.source, way.target) for way in shape.ways] == [("a", "b"), ("b", "c")]
    assert "Here 'c' comes once, after 'b'" in str(shape.notes[0])
    shape = shape_of(("a", "b"), ("a", END))
    assert open_fan_outs(shape) == []
    assert shape.notes == [], "to end and to go on at once is to go on"


@pytest.mark.parametrize(
    ("pairs", "reason"),
    [
        ([("a", "b"), ("a", "c"), ("b", "b")], "what begins at 'b' never ends"),
        ([("a", "b"), ("a", "c"), ("b", "c"), ("c", "b")], "never ends"),
        ([("s", "a"), ("a", "b"), ("a", "c"), ("s", "c")], "which is no part of a branch, leads into it"),
    ],
)
def test_why_branches_cannot_be_told_apart_is_said(pairs, reason):
    shape = shape_of(*pairs, start=pairs[0][0])
    open_fan_outs(shape)
    assert reason in " ".join(map(str, shape.notes))


def test_a_branch_for_each_item_that_also_leads_elsewhere_is_a_choice():
    shape = shape_of(("a", "c"), ("b", "d"), ("c", END))
    shape.ways.append(Way("a", "b", "each", "output"))
    assert open_fan_outs(shape) == []
    assert "besides the branch for each item, it leads elsewhere" in str(shape.notes[0])
    assert workflow_of(shape).validate() == (True, None)


def test_ids_are_free_and_as_short_as_they_may_be():
    assert free_id("a\n[b]", []) == "a--b-"
    assert free_id("", []) == "step"
    assert len(free_id("x" * 500, ["x" * 200])) <= 200
    assert free_id("a", ["a", "a-2"]) == "a-3"
    with pytest.raises(ValueError, match="CEL has no way to write"):
        literal(float("nan"))
