"""Workflows within steps, branches and frames, as edits of a draft."""

from __future__ import annotations

import pytest

from orchestration_kit import (
    ApprovalStep,
    MapStep,
    ParallelStep,
    SubworkflowStep,
    WaitStep,
    WorkflowDefinition,
    create_build_website_workflow,
)
from orchestration_kit.errors import DefinitionError
from orchestration_kit.widgets.composing.desk import Desk
from orchestration_kit.widgets.composing.ways import ways_of
from tests.widgets.composing.test_edits import desk_with, plain


def test_a_workflow_in_a_step_is_opened_edited_and_put_back():
    body = WorkflowDefinition(name="inner", steps={"x": plain("x")}, initial_step="x")
    desk = desk_with(MapStep(step_id="m", body=body), ParallelStep(step_id="p", branches={"q": body}))
    desk.open("m", "each")
    desk.add("kind", "step")
    desk.put("x", ("description",), "inside")
    desk.leave(0)
    assert list(desk.workflow.steps["m"].body.steps) == ["x", "step"]
    assert desk.workflow.steps["m"].body.steps["x"].description == "inside"
    assert desk.workflow.steps["p"].branches["q"] == body
    desk.open("p", "q")
    desk.remove(["x"])
    assert not desk.workflow.steps["p"].branches["q"].steps
    while desk.undo():
        pass
    assert desk.scope == (("p", "q"),)
    assert desk.here == body


def test_a_workflow_that_is_undone_away_is_left():
    desk = desk_with(MapStep(step_id="m", body="x"))
    desk.put("m", ("body",), {"name": "inner"})
    desk.open("m", "each")
    assert desk.undo()
    assert desk.scope == ()
    with pytest.raises(DefinitionError, match="No workflow stands in 'm'"):
        desk.open("m", "each")


def test_an_edit_that_changes_nothing_is_no_step_back():
    desk = desk_with(plain("a", on_success="a"))
    desk.shown()
    desk.connect("a", "success", "a")
    desk.move({"a": desk.draft.spots["a"], "nobody": (1.0, 2.0)})
    desk.remove(["nobody"])
    assert not desk.history.can_undo


def test_a_missing_step_is_made():
    desk = desk_with(plain("a", on_success="later"))
    desk.add_missing("later")
    assert desk.workflow.steps["later"].worker_type == "generic"
    with pytest.raises(DefinitionError, match="not missing any more"):
        desk.add_missing("later")


def test_boxes_keep_their_places_and_new_ones_cover_none():
    desk = desk_with(plain("a", on_success="b"), plain("b", is_terminal=True))
    desk.shown()
    before = dict(desk.draft.spots)
    for _ in range(6):
        desk.add("kind", "step")
        desk.shown()
    spots = desk.draft.spots
    assert {key: spots[key] for key in before} == before
    boxes = desk.shown()[0]["nodes"]
    for one in boxes:
        for other in boxes:
            apart_x = abs(one["x"] - other["x"]) >= min(one["width"], other["width"])
            assert one is other or apart_x or abs(one["y"] - other["y"]) >= min(one["height"], other["height"]), (one, other)  # fmt: skip


def test_tidy_puts_boxes_where_the_static_diagram_has_them_and_is_undone():
    from orchestration_kit import visualize

    workflow = create_build_website_workflow()
    desk = Desk(workflow, None)
    desk.shown()
    desk.move({"review_code": (900.0, 900.0)})
    desk.tidy()
    layout = visualize(workflow).layout
    for step_id in workflow.steps:
        assert desk.draft.spots[step_id] == pytest.approx((layout.nodes[step_id].left, layout.nodes[step_id].top), abs=0.1)  # fmt: skip
    assert all("track" in edge for edge in desk.shown()[0]["edges"])
    assert desk.undo()
    assert desk.draft.spots["review_code"] == (900.0, 900.0)
    tracked = {edge["id"] for edge in desk.shown()[0]["edges"] if "track" in edge}
    assert "create_specs→on_success" in tracked, "lines between boxes that stand still stay as they were"
    assert "review_code→on_success" not in tracked


def test_ways_of_every_kind_have_success_in_the_middle_of_their_handles():
    for step in (plain("a"), ApprovalStep(step_id="a", prompt="?"), WaitStep(step_id="a", for_s=1), MapStep(step_id="a", body="b"), ParallelStep(step_id="a", branches={"b": "c"}), SubworkflowStep(step_id="a", workflow="w")):  # fmt: skip
        assert "success" in ways_of(step)
        assert len(set(ways_of(step))) == len(ways_of(step))


def test_steps_that_are_added_by_key_stand_below_one_another():
    desk = Desk(WorkflowDefinition(name="flow"), None)
    for _ in range(3):
        desk.add("kind", "step")
        desk.shown()
    spots = [desk.draft.spots[name] for name in ("step", "step_2", "step_3")]
    assert len({x for x, _ in spots}) == 1
    assert [y for _, y in spots] == sorted(y for _, y in spots)
    desk.select("step")
    desk.add("kind", "wait")
    assert desk.draft.spots["wait"][1] > desk.draft.spots["step_3"][1], "the spot below `step` is taken"
