"""Runs with branches over their diagram: counts over all branches, joins, waits, spawned workflows, undoing."""

from __future__ import annotations

from types import SimpleNamespace as Stub
from typing import Any

import pytest

from orchestration_kit import Orchestrator, WorkerDefinition
from orchestration_kit.definition.kinds import ApprovalStep, MapStep
from orchestration_kit.definition.steps import Branch
from orchestration_kit.engine.outcome import Spawn
from orchestration_kit.visual import Overlay, overlay_of, visualize
from orchestration_kit.visual.from_workflow import model_of
from orchestration_kit.visual.model import FORK, JOIN
from orchestration_kit.visual.places import Places, scope_of
from orchestration_kit.visual.spawned import MOST_SPAWNED
from tests.visual.models import entry, groups, off_the_list, texts
from tests.visual.test_runs import states
from tests.visual.workflows import deep, end, graded, nested, of, reviewed, step, undone


def at(path: str, next_step: str | None = None, **fields: Any) -> dict[str, Any]:
    """The entry of an attempt at a position."""
    name, _, visit = path.rpartition("]/")[2].rpartition("#")
    return entry(name, next_step, path=path, visit=int(visit), **fields)


def joined(path: str, next_step: str | None, **ends: str) -> dict[str, Any]:
    """The entry of a join."""
    return at(
        path,
        next_step,
        worker=None,
        worker_type="map",
        detail={"branches": {key.strip("_"): end for key, end in ends.items()}},
    )


def failed(path: str, next_step: str | None = None, kind: str = "ValueError") -> dict[str, Any]:
    return at(path, next_step, success=False, error="no", error_type=kind)


def over(workflow: Any, history: list[dict[str, Any]], **fields: Any) -> Overlay:
    return overlay_of(history, model=model_of(workflow), **fields)


A_MAP = [
    at("collect#1", "each"),
    at("each#1[0]/grade#1", "comment"),
    at("each#1[0]/comment#1"),
    failed("each#1[1]/grade#1"),
    at("each#1[2]/grade#1", "comment"),
    at("each#1[2]/comment#1"),
]


def test_a_step_in_branches_counts_over_all_of_them() -> None:
    history = [*A_MAP, joined("each#1", "done", _0="completed", _1="failed", _2="completed")]
    overlay = over(graded(), history, state="completed", current_step="done")
    assert overlay.step("grade").words == "2 ok, 1 failed"
    assert overlay.step("grade").state == "failed"
    assert overlay.step("comment").words == "2 ok"
    assert overlay.step("each").words == "2 completed, 1 failed"
    assert overlay.step("each").state == "succeeded"
    assert overlay.traversals["each", "grade", True] == 3
    assert overlay.traversals["grade", "comment", True] == 2
    assert overlay.traversals["comment", "each", True] == 2
    diagram = visualize(Stub(workflow=graded(), history=history, state="completed", current_step="done"))
    assert {"✗ 2 ok \N{MIDDLE DOT} 1 failed", "✓ 2 completed \N{MIDDLE DOT} 1 failed", "each ×3"} <= set(
        texts(diagram.svg)
    )
    frame = next(g for g in groups(diagram.svg, "cluster"))
    assert (frame.get("data-step"), frame.get("data-state")) == ("each", "succeeded")
    assert "2 completed, 1 failed" in diagram.outline


def test_a_map_under_way_says_how_many_branches_ended() -> None:
    overlay = over(graded(), A_MAP[:-1], state="in_progress", current_step="each")
    assert overlay.step("each").words == "2 ended, 1 under way"
    assert overlay.step("each").state == "running"
    assert overlay.step("comment").words == "1 ok, 1 under way"
    assert overlay.step("done").state == "not visited"


def test_a_map_that_was_cut_off_says_so() -> None:
    overlay = over(graded(), A_MAP[:-1], state="cancelled", current_step="each")
    assert (overlay.step("each").state, overlay.step("each").words) == ("cancelled", "2 ended, 1 cancelled")


def test_branches_that_lost_are_cancelled_not_failed() -> None:
    history = [
        at("draft#1", "review"),
        at("review#1[style]/check_style#1"),
        failed("review#1[law]/check_law#1", kind="BranchCancelled"),
        joined("review#1", "done", style="completed", law="cancelled", facts="not started"),
    ]
    overlay = over(reviewed(), history, state="completed", current_step="done")
    assert overlay.step("check_law").state == "cancelled"
    assert overlay.step("check_facts").state == "skipped"
    assert overlay.step("review").words == "1 completed, 1 cancelled, 1 not started"


def test_waiting_steps_are_waiting_wherever_they_are() -> None:
    ask = ApprovalStep(step_id="ask", prompt="Which?")
    sure = Branch(when="output.sure == false", to="ask")
    workflow = of(
        "triage", MapStep(step_id="each", body="look", on_success="done"), step("look", branches=(sure,)), ask, end()
    )
    history = [at("each#1[0]/look#1"), at("each#1[1]/look#1", "ask"), at("each#1[2]/look#1", "ask")]
    asked = [Stub(path="each#1[1]/ask#1"), "each#1[2]/ask#1"]
    overlay = over(workflow, history, state="waiting", current_step="each", waiting=asked)
    assert (overlay.step("ask").state, overlay.step("ask").words) == ("waiting", "2 waiting")
    assert (overlay.step("each").state, overlay.step("each").words) == ("waiting", "1 ended, 2 waiting")
    assert overlay.step("look").state == "succeeded"
    alone = over(of("one", ask), [], state="waiting", current_step="ask", waiting=[Stub(path="ask#1")])
    assert (alone.step("ask").state, alone.step("ask").words) == ("waiting", "waiting")


def test_steps_of_inline_workflows_are_told_apart() -> None:
    history = [
        at("fan#1[legal]/read#1", "good"),
        at("fan#1[vote]/ask#1[a]/m1#1"),
        failed("fan#1[vote]/ask#1[b]/m2#1"),
        at("over#1[7]/a#1"),
    ]
    overlay = over(nested(), history, state="in_progress")
    assert overlay.step("fan[legal]/read").state == "succeeded"
    assert overlay.step("fan[vote]/m2").state == "failed"
    assert overlay.step("fan[vote]/ask").words == "2 ended"
    assert overlay.step("over[each]/a").visits == 1
    assert overlay.traversals["fan", "fan[legal]", True] == 1
    assert overlay.traversals["fan[vote]/ask", "fan[vote]/m1", True] == 1


def test_what_cannot_be_unfolded_adds_up_what_it_hides() -> None:
    workflow = deep(16)
    path = "".join(f"map{level}#1[0]/" for level in range(15, -1, -1)) + "leaf#1"
    diagram = visualize(
        workflow, overlay=[at(path), at(path.replace("#1[0]/map0#", "#1[1]/map0#"))], renderer="builtin"
    )
    assert "✓ 2 ok" in texts(diagram.unfold().svg)


def test_an_end_that_only_branches_came_to_is_a_bad_end_for_them() -> None:
    workflow = graded()
    workflow.add_step(step("grade", on_success="comment", on_failure="bad"), replace=True)
    workflow.add_step(end("bad", outcome="failed"))
    history = [
        failed("each#1[0]/grade#1", "bad"),
        failed("each#1[1]/grade#1", "bad"),
        at("each#1[0]/bad#1"),
        at("each#1[1]/bad#1"),
    ]
    assert "✗ 2 ended here" in texts(visualize(workflow, overlay=history, renderer="builtin").svg)


def test_what_was_undone_says_so_and_shows_by_what() -> None:
    history = [
        at("flight#1", "hotel"),
        at("hotel#1", "car"),
        failed("car#1"),
        at("[undo]/cancel#1", detail={"undoes": "hotel#1"}),
        at("[undo]/cancel#2", detail={"undoes": "flight#1"}),
    ]
    overlay = over(undone(), history, state="failed", current_step="car")
    assert overlay.step("flight").words == overlay.step("hotel").words == "succeeded, undone"
    assert overlay.step("cancel").visits == 2
    assert overlay.traversals["flight", "cancel", True] == overlay.traversals["hotel", "cancel", True] == 1
    alone = visualize(history, renderer="builtin")
    assert {(e.source, e.target) for e in alone.model.edges if e.kind == "compensate"} == {
        ("hotel", "cancel"),
        ("flight", "cancel"),
    }


def test_what_undoes_a_step_of_an_inline_workflow_belongs_to_it() -> None:
    inner = of("inner", step("pay", compensate="back", on_success="ok"), step("back"), end("ok"))
    workflow = of("outer", MapStep(step_id="m", body=inner, is_terminal=True))
    history = [at("m#1[0]/pay#1", "ok"), at("[undo]/back#1", detail={"undoes": "m#1[0]/pay#1"})]
    assert over(workflow, history).step("m[each]/back").visits == 1


def spawning(path: str, workflow: Any) -> dict[str, Any]:
    return at(path, detail={"spawn": {"workflow": workflow.to_dict(), "input": None}})


def test_a_spawned_workflow_is_a_frame_beside_its_step() -> None:
    planner = of("planner", step("plan", on_success="done"), end())
    made = of("made", step("look", on_success="end"), end("end"))
    history = [
        spawning("plan#1", made),
        at("plan#1[spawn]/look#1", "end"),
        at("plan#1[spawn]/end#1"),
        at(
            "plan#1",
            "done",
            worker=None,
            worker_type="workflow",
            attempt=2,
            detail={"branches": {"spawn": "completed"}},
        ),
        at("done#1"),
    ]
    run = Stub(workflow=planner, history=history, state="completed", current_step="done")
    diagram = visualize(run, renderer="builtin")
    (frame,) = diagram.model.clusters
    assert (frame.id, frame.title, frame.kind) == ("plan[spawn]", "made", "spawn")
    seen = states(diagram.svg)
    assert seen["plan[spawn]/look"] == seen["plan[spawn]/end"] == seen["plan"] == "succeeded"
    assert "made \N{MIDDLE DOT} spawned" in texts(diagram.svg)
    assert not any("attempts" in text for text in texts(diagram.svg))  # the end of what it spawned is no attempt
    before = visualize(planner, renderer="builtin").with_overlay(run)  # drawn before anybody knew of it
    assert before.overlay is not None and before.overlay.step("plan").visits


def test_spawned_workflows_that_differ_have_frames_of_their_own_up_to_a_number() -> None:
    looping = of("loop", step("plan", on_success="plan"))
    history: list[dict[str, Any]] = []
    for visit in range(1, MOST_SPAWNED + 4):
        history += [spawning(f"plan#{visit}", of("made", end(f"s{visit}"))), at(f"plan#{visit}[spawn]/s{visit}#1")]
    history += [spawning("plan#99", of("made", end("s1"))), at("plan#99[spawn]/s1#1")]
    diagram = visualize(
        Stub(workflow=looping, history=history, state="in_progress", current_step="plan"), renderer="builtin"
    )
    assert len(diagram.model.clusters) == MOST_SPAWNED + 1
    assert diagram.overlay is not None
    assert diagram.overlay.step("plan[spawn]/s1").visits == 2
    assert diagram.overlay.step(f"plan[spawn {MOST_SPAWNED + 1}]").visits == 3
    assert "more workflows" in diagram.outline


def test_what_was_spawned_inside_what_was_spawned_is_inside_it() -> None:
    planner = of("planner", step("plan", is_terminal=True))
    outer = of("outer", end("again"))
    history = [
        spawning("plan#1", outer),
        spawning("plan#1[spawn]/again#1", of("inner", end("leaf"))),
        at("plan#1[spawn]/again#1[spawn]/leaf#1"),
    ]
    diagram = visualize(Stub(workflow=planner, history=history), renderer="builtin")
    clusters = {one.id: one for one in diagram.model.clusters}
    assert clusters["plan[spawn]"].clusters == ("plan[spawn]/again[spawn]",)
    assert states(diagram.svg)["plan[spawn]/again[spawn]/leaf"] == "succeeded"


def test_a_spawned_workflow_that_cannot_be_read_is_an_empty_frame() -> None:
    history = [at("plan#1", detail={"spawn": {"workflow": {"name": 7, "nonsense": True}}}), at("plan#1[spawn]/x#1")]
    diagram = visualize(Stub(workflow=of("planner", end("plan")), history=history), renderer="builtin")
    assert states(diagram.svg)["plan[spawn]"] == "succeeded"
    assert off_the_list(diagram.svg) == []


def test_a_history_without_its_definition_has_frames_too() -> None:
    history = [*A_MAP, joined("each#1", "done", _0="completed", _1="failed", _2="completed"), at("done#1")]
    history += [spawning("done#2", of("made", end("x"))), at("done#2[spawn]/x#1"), at("p#1[law]/check#1")]
    diagram = visualize(history, renderer="builtin")
    kinds = {one.id: one.kind for one in diagram.model.clusters}
    assert kinds == {"each": "map", "done[spawn]": "spawn", "p": "parallel"}
    assert diagram.overlay is not None
    assert diagram.overlay.step("each[each]/grade").words == "2 ok, 1 failed"
    edges = {(e.source, e.target, e.label) for e in diagram.model.edges}
    assert {("each" + FORK, "each[each]/grade", "each"), ("p" + FORK, "p[law]/check", "law")} <= edges
    assert ("each[each]/comment", "each" + JOIN, "") in edges
    assert states(diagram.svg)["p[law]/check"] == "succeeded"


@pytest.mark.parametrize(
    ("path", "step_id", "scope"),
    [
        ("a#1", "a", ""),
        ("m#1[3.0]/a#2", "a", "m#1[3.0]/"),
        ("m#1[3]/p#2[law]/a#2", "a", "m#1[3]/p#2[law]/"),
        ("odd/[x]/name#2", "odd/[x]/name", ""),
        (None, "a", ""),
        (7, "a", ""),
    ],
)
def test_positions_are_taken_apart(path: object, step_id: str, scope: str) -> None:
    assert scope_of({"path": path, "step": step_id, "visit": 2}) == scope
    assert Places().entry({"path": path, "step": step_id, "visit": 2})


def hub_of(workflow: Any, **workers: Any) -> Orchestrator:
    hub = Orchestrator()
    for kind in ("w", "cars"):
        work = workers.get(kind, lambda data, _: {"ok": True})
        hub.register_worker(WorkerDefinition(worker_type=kind, name=kind, executor=work))
    hub.register_workflow(workflow)
    return hub


def test_real_runs_with_branches_draw_themselves() -> None:
    workflow = graded(failure="continue")
    result = hub_of(workflow, w=lambda data, _: 1 / data if isinstance(data, int) else {"ok": True}).execute_workflow(
        "grade", "g", initial_data={"answers": [1, 0, 2]}, verbose=False
    )
    diagram = visualize(result, renderer="builtin")
    assert {"✗ 2 ok \N{MIDDLE DOT} 1 failed", "✓ 2 completed \N{MIDDLE DOT} 1 failed"} <= set(texts(diagram.svg))
    assert states(visualize(list(result.history), renderer="builtin").svg)["each[each]/comment"] == "succeeded"


def test_a_real_run_shows_what_its_worker_spawned() -> None:
    made = of("made", step("look", worker="cars", on_success="end"), end("end", worker="cars"))
    planner = of("planner", step("plan", on_success="done"), end(worker="cars"))
    result = hub_of(planner, w=lambda data, _: Spawn(made)).execute_workflow("planner", "g", verbose=False)
    assert states(visualize(result, renderer="builtin").svg)["plan[spawn]/look"] == "succeeded"


def test_a_real_run_that_fails_shows_what_was_undone() -> None:
    def no(*_: object) -> None:
        raise ValueError("no car")

    result = hub_of(undone(), cars=no).execute_workflow("trip", "g", verbose=False)
    assert "✓ succeeded, undone" in texts(visualize(result, renderer="builtin").svg)


def test_a_real_run_that_waits_for_a_person_says_so() -> None:
    workflow = of("ask", ApprovalStep(step_id="sign", prompt="Send it?", on_success="done"), end())
    result = hub_of(workflow).execute_workflow("ask", "g", verbose=False)
    assert states(visualize(result, renderer="builtin").svg)["sign"] == "waiting"


def test_a_history_of_any_depth_is_drawn() -> None:
    history = [at("m#1[0]/" * 1_500 + "a#1")]
    assert over(graded(), history).step("a").visits == 1
    assert overlay_of(history).steps
