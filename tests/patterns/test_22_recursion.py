from __future__ import annotations

from orchestration_kit import Branch, SubworkflowStep
from orchestration_kit.engine.subruns import MAX_DEPTH
from tests.branches.doors import check_record, flow_of, hub_of, paths, through
from tests.support import step

FACTORIAL = flow_of(
    step("look", "again", branches=(Branch(when="output <= 1", to="base"),)),
    SubworkflowStep(step_id="again", workflow="factorial", input="data.less", on_success="times"),
    step("times"),
    step("base"),
    name="factorial",
)


def look(given, context):
    number = int(given)
    context.data["number"], context.data["less"] = number, number - 1
    return number


WORKERS = {"look": look, "base": lambda _: 1, "times": lambda below, context: below * context.data["number"]}


def test_22_a_workflow_runs_itself_down_to_its_base_case(door):
    run = through(door, hub_of(FACTORIAL, WORKERS).start("factorial", "5", run_id="r"))
    assert run.state == "completed"
    assert run.context.data["times_output"] == 120
    assert paths(run) == ["look#1", "again#1", "times#1"]
    ids, within = [], run
    while within.children:
        within = within.children["again#1"]
        check_record(within)
        ids.append(within.run_id)
    assert ids == ["r/again#1", "r/again#1/again#1", "r/again#1/again#1/again#1", "r/again#1/again#1/again#1/again#1"]
    assert paths(within) == ["look#1", "base#1"]


def test_22_the_depth_is_capped(door):
    run = through(door, hub_of(FACTORIAL, WORKERS).start("factorial", str(MAX_DEPTH + 2), run_id="r"))
    assert run.state == "failed"
    deepest, depth = run, 0
    while deepest.children:
        deepest, depth = deepest.children["again#1"], depth + 1
    assert depth == MAX_DEPTH
    assert deepest.history[-1]["error_type"] == "SubworkflowFailed"
    assert f"it would stand within {MAX_DEPTH} runs, and no more are allowed" in deepest.history[-1]["error"]
    assert through(door, hub_of(FACTORIAL, WORKERS).start("factorial", str(MAX_DEPTH + 1))).state == "completed"
