from __future__ import annotations

import pytest

from orchestration_kit import (
    ApprovalStep,
    Branch,
    Budget,
    MapStep,
    Orchestrator,
    ParallelStep,
    SubworkflowStep,
    WaitStep,
    WorkerDefinition,
    WorkflowDefinition,
    WorkflowStep,
    create_build_website_workflow,
)
from orchestration_kit.errors import DefinitionError
from orchestration_kit.widgets.composing.desk import Desk
from orchestration_kit.widgets.composing.fields import FieldRefused
from orchestration_kit.widgets.composing.ways import START


def hub_with(*workers: tuple[str, str]) -> Orchestrator:
    hub = Orchestrator()
    for name, worker_type in workers:
        hub.register_worker(WorkerDefinition(worker_type=worker_type, name=name, executor=lambda given: given))
    return hub


def desk_with(*steps, hub=None) -> Desk:
    return Desk(WorkflowDefinition(name="flow", steps={step.step_id: step for step in steps}, initial_step=steps[0].step_id if steps else None), hub)  # fmt: skip


def plain(step_id: str, **fields) -> WorkflowStep:
    return WorkflowStep(step_id=step_id, worker_type="coder", **fields)


def test_the_first_step_is_where_runs_begin():
    desk = Desk(WorkflowDefinition(name="flow"), None)
    assert [desk.add("kind", "step"), desk.add("kind", "step")] == ["step", "step_2"]
    assert desk.workflow.initial_step == "step"


def test_a_worker_that_its_type_picks_is_named_by_type_alone():
    desk = desk_with(hub=hub_with(("First", "coder"), ("Second", "coder")))
    desk.add("worker", "Second")
    desk.add("worker", "First")
    assert [(step.worker_type, step.worker) for step in desk.workflow.steps.values()] == [
        ("coder", None),
        ("coder", "First"),
    ]


def test_every_kind_of_step_can_be_added():
    hub = hub_with()
    hub.register_workflow(create_build_website_workflow())
    desk = desk_with(hub=hub)
    for kind in ("step", "parallel", "map", "workflow", "approval", "wait"):
        desk.add("kind", kind)
    desk.add("workflow", "build_website")
    kinds = [type(step) for step in desk.workflow.steps.values()]
    assert kinds == [WorkflowStep, ParallelStep, MapStep, SubworkflowStep, ApprovalStep, WaitStep, SubworkflowStep]
    assert desk.workflow.steps["build_website"].workflow == "build_website"


def test_what_is_not_in_the_palette_any_more_is_said():
    with pytest.raises(DefinitionError, match="no worker 'Gone' any more"):
        desk_with(hub=hub_with()).add("worker", "Gone")


@pytest.mark.parametrize(
    ("step", "kind", "field"),
    [
        (plain("a"), "success", "on_success"),
        (plain("a"), "failure", "on_failure"),
        (plain("a"), "branch", "branches[0]"),
        (plain("a"), "budget", "budget.on_budget"),
        (plain("a"), "compensate", "compensate"),
        (ApprovalStep(step_id="a", prompt="?"), "timeout", "on_timeout"),
        (WaitStep(step_id="a", event="e"), "timeout", "on_timeout"),
        (MapStep(step_id="a", body="gone"), "body", "body"),
        (ParallelStep(step_id="a", branches={"one": "gone"}), "body", "branches['one']"),
    ],
)
def test_every_kind_of_way_is_drawn_led_elsewhere_and_taken_away(step, kind, field):
    desk = desk_with(step, plain("b"), plain("c"))
    before = desk.workflow

    def ways() -> dict[str, str]:
        return {t.field: t.target for t in desk.workflow.steps["a"].transitions()}

    desk.connect("a", kind, "b")
    assert ways()[field] == "b"
    desk.lead("a", field, "c")
    assert ways()[field] == "c"
    if kind == "body":
        with pytest.raises(DefinitionError, match="needs a"):
            desk.lead("a", field, None)
    else:
        desk.lead("a", field, None)
        assert field not in ways()
    while desk.undo():
        pass
    assert desk.workflow == before


def test_the_start_leads_to_the_first_step_and_on_when_the_budget_is_spent():
    desk = desk_with(plain("a"), plain("b"))
    desk.connect(START, "success", "b")
    desk.connect(START, "budget", "a")
    assert (desk.workflow.initial_step, desk.workflow.budget) == ("b", Budget(on_budget="a"))
    desk.lead(START, "initial_step", None)
    desk.lead(START, "budget.on_budget", None)
    assert (desk.workflow.initial_step, desk.workflow.budget) == (None, Budget())


def test_a_branch_that_leads_nowhere_yet_is_drawn_first():
    desk = desk_with(ParallelStep(step_id="a", branches={"left": "x", "right": Branch(when="true", to="y")}), plain("b"), plain("c"), plain("d"))  # fmt: skip
    for target in ("b", "c", "d"):
        desk.connect("a", "body", target)
    assert desk.workflow.steps["a"].branches == {"left": "b", "right": Branch(when="true", to="c"), "d": "d"}


def test_a_step_that_has_no_such_way_says_which_it_has():
    desk = desk_with(plain("a"), plain("b"))
    with pytest.raises(DefinitionError, match="no way of the kind 'timeout'.*compensate, branch, success"):
        desk.connect("a", "timeout", "b")
    with pytest.raises(DefinitionError, match="no step 'z'"):
        desk.connect("z", "success", "b")
    with pytest.raises(DefinitionError, match="has no branches"):
        desk.lead("a", "branches[3]", "b")


def test_a_step_that_is_removed_is_led_to_by_none():
    desk = desk_with(
        plain("a", on_success="b", on_failure="b", compensate="b", budget=Budget(on_budget="b"), branches=(Branch(when="true", to="b"), Branch(when="true", to="c"))),
        plain("b"),
        ParallelStep(step_id="c", branches={"x": "b", "y": "a"}),
        MapStep(step_id="d", body="b"),
    )  # fmt: skip
    desk.remove(["b"])
    assert desk.workflow.steps["a"] == plain("a", budget=Budget(), branches=(Branch(when="true", to="c"),))
    assert desk.workflow.steps["c"].branches == {"y": "a"}
    assert desk.workflow.steps["d"].body == "b", "a map needs a body: it is missing now, and said to be"


def test_lines_that_are_removed_together_do_not_shift_one_another():
    branches = tuple(Branch(when="true", to=to) for to in ("b", "c", "b", "c"))
    desk = desk_with(plain("a", branches=branches, on_success="b"), plain("b"), plain("c"))
    desk.remove([], [("a", "branches[0]"), ("a", "on_success"), ("a", "branches[2]")])
    assert [branch.to for branch in desk.workflow.steps["a"].branches] == ["c", "c"]
    assert desk.workflow.steps["a"].on_success is None
    assert desk.undo()
    assert desk.workflow.steps["a"].branches == branches


def test_a_step_that_is_renamed_is_called_so_everywhere():
    desk = desk_with(plain("a", on_success="b"), plain("b", on_success="a", success_when="data.a_output.ok"))
    desk.shown()
    spot = desk.draft.spots["a"]
    desk.select("a")
    desk.put("a", ("step_id",), "first")
    assert desk.workflow.initial_step == "first"
    assert desk.workflow.steps["b"].on_success == "first"
    assert desk.workflow.steps["b"].success_when == 'data["first_output"].ok'
    assert (desk.selected, desk.draft.spots["first"]) == ("first", spot)


def test_who_types_faster_than_messages_travel_loses_nothing():
    desk = desk_with(plain("a"), plain("b"))
    desk.put("a", ("step_id",), "first")
    desk.put("a", ("description",), "meant for the step that was called a")
    desk.connect("a", "success", "b")
    assert desk.workflow.steps["first"].description.startswith("meant for")
    assert desk.workflow.steps["first"].on_success == "b"


@pytest.mark.parametrize("wrong", ["b", "", "a/b", "x" * 201])
def test_an_id_that_cannot_be_is_refused_at_its_field(wrong):
    desk = desk_with(plain("a"), plain("b"))
    with pytest.raises(FieldRefused):
        desk.put("a", ("step_id",), wrong)
    desk.select("a")
    assert [one["path"] for one in desk.shown()[1]["refused"]] == [["step_id"]]
    assert list(desk.workflow.steps) == ["a", "b"]


def test_a_field_that_is_refused_changes_nothing_and_is_shown_with_the_reason():
    desk = desk_with(plain("a"))
    before = desk.draft
    with pytest.raises(FieldRefused, match="greater than or equal to 0"):
        desk.put("a", ("max_retries",), -1)
    assert desk.draft == before
    assert not desk.history.can_undo
    desk.select("a")
    assert desk.shown()[1]["refused"] == [
        {"path": ["max_retries"], "value": -1, "reason": "Input should be greater than or equal to 0"}
    ]
    desk.put("a", ("max_retries",), 2)
    assert desk.shown()[1]["refused"] == []


def test_fields_that_only_fit_together_are_changed_one_after_the_other():
    desk = desk_with(WaitStep(step_id="a", for_s=5.0))
    with pytest.raises(FieldRefused, match="give one of"):
        desk.put("a", ("event",), "paid")
    assert desk.workflow.steps["a"].event is None
    desk.put("a", ("for_s",), None)
    assert (desk.workflow.steps["a"].event, desk.workflow.steps["a"].for_s) == ("paid", None)
    assert desk.undo()
    assert desk.workflow.steps["a"].for_s == 5.0, "both were one step"


def test_what_was_refused_is_tried_again_with_what_makes_it_fit():
    desk = desk_with(plain("a"))
    with pytest.raises(FieldRefused, match="is_terminal=True"):
        desk.put("a", ("outcome",), "failed")
    desk.put("a", ("is_terminal",), True)
    assert desk.workflow.steps["a"].outcome == "failed"


def test_what_was_refused_can_be_dropped():
    desk = desk_with(plain("a"))
    with pytest.raises(FieldRefused):
        desk.put("a", ("outcome",), "failed")
    desk.forget("a", ("outcome",))
    desk.put("a", ("is_terminal",), True)
    assert desk.workflow.steps["a"].outcome == "completed"


def test_fields_of_models_within_are_changed():
    desk = desk_with(plain("a"), plain("b"))
    desk.put("a", ("retry",), {})
    desk.put("a", ("retry", "backoff_s"), 2.5)
    desk.put("a", ("branches", 0), {"when": "output.x", "to": "b"}, "insert")
    desk.put("a", ("branches", 1), {"when": "output.y", "to": "a"}, "insert")
    desk.put("a", ("branches", 1), -1, "shift")
    desk.put("a", ("branches", 0, "label"), "why")
    step = desk.workflow.steps["a"]
    assert step.retry is not None
    assert step.retry.backoff_s == 2.5
    assert step.branches == (Branch(when="output.y", to="a", label="why"), Branch(when="output.x", to="b"))
    desk.put("a", ("branches", 0), None, "drop")
    desk.put("a", ("retry",), None)
    assert desk.workflow.steps["a"] == plain("a", branches=(Branch(when="output.x", to="b"),))


def test_branches_are_named_anew_and_conditions_of_python_stay():
    def check(output, context):
        return True

    desk = desk_with(ParallelStep(step_id="a", branches={"x": Branch(when=check, to="b"), "y": "b"}), plain("b"))
    desk.put("a", ("branches", "x"), "z", "rename")
    assert list(desk.workflow.steps["a"].branches) == ["z", "y"]
    assert desk.workflow.steps["a"].branches["z"].when is check
    with pytest.raises(FieldRefused, match="one called 'y' already"):
        desk.put("a", ("branches", "z"), "y", "rename")


def test_what_is_not_there_any_more_is_said():
    desk = desk_with(plain("a"))
    for path, move in ((("branches", 4, "when"), "put"), (("retry", "jitter", "x"), "put"), (("branches", 0), "drop")):
        with pytest.raises(DefinitionError, match="any more"):
            desk.put("a", path, "x", move)
    with pytest.raises(DefinitionError, match="cannot be changed in a form"):
        desk.put("a", ("kind",), "map")


def test_the_fields_of_the_workflow_are_changed():
    desk = desk_with(plain("a", is_terminal=True))
    desk.put(None, ("name",), "other")
    desk.put(None, ("budget",), {"max_cost_usd": 2.0})
    assert (desk.workflow.name, desk.workflow.budget) == ("other", Budget(max_cost_usd=2.0))
    with pytest.raises(FieldRefused):
        desk.put(None, ("name",), "")
    with pytest.raises(DefinitionError, match="cannot be changed in a form"):
        desk.put(None, ("steps",), {})


def test_copies_lead_to_one_another_and_to_what_both_have():
    desk = desk_with(plain("a", on_success="b", on_failure="c"), plain("b", on_success="a", reads=("a_output",)), plain("c"))  # fmt: skip
    desk.shown()
    assert desk.copy(["a", "b"]) == 2
    assert desk.paste() == ["a_2", "b_2"]
    steps = desk.workflow.steps
    assert (steps["a_2"].on_success, steps["a_2"].on_failure) == ("b_2", "c")
    assert (steps["b_2"].on_success, steps["b_2"].reads) == ("a_2", ("a_2_output",))
    assert desk.paste() == ["a_3", "b_3"]
    assert desk.workflow.initial_step == "a"


def test_copies_in_another_workflow_lead_to_none_of_the_strangers():
    desk = desk_with(plain("a", on_success="b"), plain("b"))
    desk.copy(["a"])
    desk.replace(WorkflowDefinition(name="other"))
    assert desk.paste() == ["a"]
    assert desk.workflow.steps["a"].on_success is None
    assert desk.workflow.initial_step == "a"


def test_nothing_to_paste_is_said():
    with pytest.raises(DefinitionError, match="Nothing was copied"):
        desk_with(plain("a")).paste()
    assert desk_with(plain("a")).copy(["gone"]) == 0
