from __future__ import annotations

import json

from hypothesis import given, settings

from orchestration_kit import (
    Branch,
    MapStep,
    ParallelStep,
    WorkflowDefinition,
    WorkflowStep,
    create_build_website_workflow,
)
from orchestration_kit.visual.theme import THEMES
from orchestration_kit.widgets.composing.desk import Desk
from orchestration_kit.widgets.composing.form import form_of, forms
from orchestration_kit.widgets.composing.palette import KINDS
from orchestration_kit.widgets.composing.view import colours
from orchestration_kit.widgets.composing.ways import START
from tests.hostile import PAYLOADS
from tests.kinds_support import workflows
from tests.laws import examples


@given(workflows())
@settings(max_examples=examples(30), deadline=None)
def test_every_transition_is_a_line_that_knows_its_field(workflow):
    canvas, _ = Desk(workflow, None).shown()
    lines = {(line["source"], line["field"], line["target"]) for line in canvas["edges"] if line["field"] and line["source"] != START}  # fmt: skip
    assert lines == {(key, t.field, t.target) for key, step in workflow.steps.items() for t in step.transitions()}
    kinds = {(line["source"], line["field"]): line["kind"] for line in canvas["edges"]}
    for key, step in workflow.steps.items():
        for transition in step.transitions():
            assert kinds[key, transition.field] == transition.kind


def test_what_is_wrong_is_shown_at_the_steps_with_what_to_do():
    step = WorkflowStep(step_id="a", worker_type="coder", on_success="gone", branches=(Branch(when="", to="a"),))
    canvas, _ = Desk(WorkflowDefinition(name="flow", steps={"a": step}, initial_step="a"), None).shown()
    boxes = {box["id"]: box for box in canvas["nodes"]}
    assert boxes["a"]["paint"] == "problem"
    assert boxes["a"]["title"] == "⚠ a"
    assert "missing target" in boxes["a"]["problem"]
    assert boxes["gone"]["kind"] == "missing"
    assert all(problem["hint"] or "Write for example" in problem["message"] for problem in canvas["problems"])
    assert not canvas["is_sound"]


def test_an_empty_workflow_says_what_is_missing():
    canvas, panel = Desk(WorkflowDefinition(name="flow"), None).shown()
    assert [box["id"] for box in canvas["nodes"]] == [START]
    assert "no steps yet" in canvas["nodes"][0]["title"]
    assert panel["kind"] == "definition"


def test_steps_with_branches_are_boxes_with_a_frame_behind_them():
    steps = [ParallelStep(step_id="p", branches={"l": "a", "r": "m"}, on_success="end"), WorkflowStep(step_id="a", worker_type="coder"), MapStep(step_id="m", body="b"), WorkflowStep(step_id="b", worker_type="coder"), WorkflowStep(step_id="end", worker_type="coder", is_terminal=True)]  # fmt: skip
    workflow = WorkflowDefinition(name="flow", steps={s.step_id: s for s in steps}, initial_step="p")
    canvas, _ = Desk(workflow, None).shown()
    frames = {frame["step"]: set(frame["members"]) for frame in canvas["frames"]}
    assert frames == {"p": {"p", "a", "m", "b"}, "m": {"m", "b"}}
    assert [frame["step"] for frame in canvas["frames"]] == ["p", "m"], "the inner one is drawn over the outer one"
    assert canvas["is_sound"], canvas["problems"]


def test_a_workflow_in_a_step_is_checked_as_one_that_may_end_anywhere():
    inner = WorkflowDefinition(name="in", steps={"x": WorkflowStep(step_id="x", worker_type="coder")}, initial_step="x")
    outer = WorkflowDefinition(name="flow", steps={"m": MapStep(step_id="m", body=inner, is_terminal=True)}, initial_step="m")  # fmt: skip
    desk = Desk(outer, None)
    desk.open("m", "each")
    canvas, _ = desk.shown()
    assert canvas["scope"] == [["m", "each"]]
    assert [box["problem"] for box in canvas["nodes"]] == ["", ""]


def test_hostile_texts_are_plain_data():
    for payload in PAYLOADS:
        step = WorkflowStep(step_id="a", worker_type="coder", description=payload, success_when=payload)
        desk = Desk(WorkflowDefinition(name="flow", goal=payload, steps={"a": step}, initial_step="a"), None)
        desk.select("a")
        canvas, panel = desk.shown()
        assert panel["values"]["description"] == payload.encode("utf-8", "replace").decode()
        assert json.loads(json.dumps([canvas, panel], ensure_ascii=False).encode()) == [canvas, panel]
        assert max(len(box["tooltip"]) for box in canvas["nodes"]) <= 1_200


def test_functions_are_named_and_not_shown_as_text():
    step = WorkflowStep(step_id="a", worker_type="coder", success_when=lambda output, context: True)
    desk = Desk(WorkflowDefinition(name="flow", steps={"a": step}), None)
    desk.select("a")
    assert "$python" in desk.shown()[1]["values"]["success_when"]


def test_the_form_has_a_control_for_every_field_of_every_kind():
    known = {"text", "long", "condition", "path", "step", "number", "integer", "flag", "choice", "lines", "json", "body", "object", "list", "mapping", "either"}  # fmt: skip
    for name, kind in KINDS.items():
        controls = {control["name"]: control for control in forms()[name]}
        assert controls.keys() == kind.model.model_fields.keys() - {"kind"}
        assert {control["type"] for control in controls.values()} <= known
    assert {control["name"] for control in forms()["definition"]} == WorkflowDefinition.model_fields.keys() - {"steps"}
    assert json.dumps(forms())


def test_controls_say_what_their_fields_are():
    controls = {control["name"]: control for control in form_of(WorkflowStep)}
    assert controls["on_success"]["type"] == "step"
    assert controls["success_when"]["type"] == "condition"
    assert controls["branches"]["fields"][0]["type"] == "condition"
    assert controls["retry"]["optional"]
    assert "before `on_failure` is taken" in controls["max_retries"]["help"]
    assert "coder" in controls["worker_type"]["words"]
    join = {control["name"]: control for control in form_of(ParallelStep)}["join"]
    assert [variant["type"] for variant in join["variants"]] == ["choice", "integer"]


def test_colours_are_those_of_the_static_diagram():
    assert colours()["dark"]["completed-fill"] == THEMES["dark"].completed.fill
    assert colours()["light"]["failure"] == THEMES["light"].failure
    canvas, _ = Desk(create_build_website_workflow(), None).shown()
    paints = {box["id"]: box["paint"] for box in canvas["nodes"]}
    assert (paints["create_specs"], paints["completed"], paints["failed"]) == ("start", "completed", "failed")
