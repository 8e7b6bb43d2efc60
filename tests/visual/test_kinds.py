"""Every kind of step and of way on is drawn: with words, a sign, a frame, a fork and a join."""

from __future__ import annotations

from types import SimpleNamespace as Stub

import pytest

from orchestration_kit import WorkflowDefinition
from orchestration_kit.definition.budgets import Budget
from orchestration_kit.definition.kinds import MapStep, ParallelStep
from orchestration_kit.visual import Renderer, visualize
from orchestration_kit.visual.frames import MOST_BRANCHES, MOST_DEPTH, OPEN_DEPTH
from orchestration_kit.visual.from_workflow import model_of
from orchestration_kit.visual.model import FORK, JOIN, DiagramModel, check_model
from orchestration_kit.visual.render import has_dot, run_dot
from orchestration_kit.visual.step_text import join_text, worker_text
from tests.visual.models import SVG, classes, groups, off_the_list, texts
from tests.visual.workflows import ALL, deep, end, graded, nested, of, refund, reviewed, shared, step, undone

needs_dot = pytest.mark.skipif(not has_dot(), reason="Graphviz is not installed")
RENDERERS = ["builtin", pytest.param("dot", marks=needs_dot)]
both = pytest.mark.parametrize("renderer", RENDERERS)


def ways(model: DiagramModel, kind: str) -> list[tuple[str, str, str]]:
    return [(edge.source, edge.target, edge.label) for edge in model.edges if edge.kind == kind]


def frame(model: DiagramModel, name: str) -> set[str]:
    (found,) = [one for one in model.clusters if one.id == name]
    return {*found.nodes, *found.clusters} - {name + FORK, name + JOIN}


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("direction", ["TB", "LR"])
@pytest.mark.parametrize("detail", ["full", "compact"])
@both
def test_every_kind_is_drawn_by_both_layouts(name: str, direction: str, detail: str, renderer: Renderer) -> None:
    workflow = ALL[name]()
    assert workflow.validate() == (True, None)
    diagram = visualize(workflow, direction=direction, detail=detail, renderer=renderer)  # type: ignore[arg-type]
    check_model(diagram.model)
    found = classes(diagram.svg)
    assert found["ok-node"] == len(diagram.model.nodes)
    assert found["ok-edge"] == len(diagram.model.edges)
    assert found["ok-cluster"] == len(diagram.model.clusters)
    assert found["ok-problem"] == 0
    assert off_the_list(diagram.svg) == []
    assert diagram.svg == visualize(ALL[name](), direction=direction, detail=detail, renderer=renderer).svg  # type: ignore[arg-type]
    assert diagram.mermaid.count("subgraph") == diagram.mermaid.splitlines().count("  end") == found["ok-cluster"]
    assert diagram.outline


@needs_dot
@pytest.mark.parametrize("name", ALL)
def test_dot_reads_our_text_of_every_kind(name: str) -> None:
    svg = run_dot(visualize(ALL[name](), renderer="builtin").dot, "-Tsvg", wanted="A test").decode()
    assert svg.count('class="cluster"') == len(visualize(ALL[name](), renderer="builtin").model.clusters)


def test_a_step_with_branches_is_a_frame_around_what_only_its_branches_lead_to() -> None:
    model = model_of(reviewed())
    assert frame(model, "review") == {"check_style", "check_law", "check_facts", "cite"}
    opened = [("review" + FORK, "check_" + name, name) for name in ("style", "law", "facts")]
    assert ways(model, "body") == opened
    ends = {source for source, target, _ in ways(model, "join") if target == "review" + JOIN}
    assert ends == {"check_style", "check_law", "cite"}
    assert ("draft", "review", "") in ways(model, "success")
    assert ("review", "done", "") in ways(model, "success")


def test_a_map_says_over_what_and_how_many_at_a_time() -> None:
    diagram = visualize(graded(max_concurrency=4), renderer="builtin")
    assert frame(diagram.model, "each") == {"grade", "comment"}
    assert {"map over data.answers, 4 at a time", "each", "join: all"} <= set(texts(diagram.svg))


@pytest.mark.parametrize(
    ("fields", "words", "joined"),
    [
        ({}, "parallel, all", "join: all"),
        ({"join": "any"}, "parallel, any one", "join: any one"),
        ({"join": 2, "max_concurrency": 1}, "parallel, 2 of 3, 1 at a time", "join: 2 of 3"),
        ({"failure": "continue"}, "parallel, all", "join: all, failed or not"),
        ({"failure": "all_or_nothing"}, "parallel, all", "join: all or nothing"),
        ({"failure": "all_or_nothing", "join": 2}, "parallel, 2 of 3", "join: 2 of 3, or nothing"),
    ],
)
def test_a_join_says_what_it_waits_for(fields: dict[str, object], words: str, joined: str) -> None:
    split = ParallelStep(step_id="p", branches={"a": "x", "b": "y", "c": "z"}, **fields)  # type: ignore[arg-type]
    assert (worker_text(split), join_text(split)) == (words, joined)


def test_the_first_so_many_of_a_map_are_no_share_of_all() -> None:
    assert join_text(MapStep(step_id="m", body="x", join=5)) == "join: first 5"


def test_what_waits_says_for_what_and_has_a_sign() -> None:
    diagram = visualize(refund(), renderer="builtin")
    said = set(texts(diagram.svg))
    assert {"asks a person", "Send it?", "waits for payment_received", "waits 30 s", "run of shipping"} <= said
    boxes = {g.get("data-step"): len(list(g.iter(f"{SVG}rect"))) for g in groups(diagram.svg, "node")}
    assert boxes["sign"] > 1 and boxes["paid"] > 1 and boxes["ship"] > 1
    assert boxes["charge"] == 1


def test_ways_aside_have_a_label_and_a_line_of_their_own() -> None:
    model = model_of(refund())
    assert ways(model, "timeout") == [("sign", "remind", "after 24 h"), ("paid", "no", "after 10 min")]
    assert ways(model, "budget") == [("charge", "no", "budget spent")]
    assert ways(model, "compensate") == [("charge", "give_back", "undone by")]
    svg = visualize(refund(), renderer="builtin").svg
    dashes = {
        kind: {path.get("stroke-dasharray") for group in groups(svg, kind) for path in group.iter(f"{SVG}path")}
        - {None}
        for kind in ("success", "failure", "timeout", "budget", "compensate")
    }
    assert dashes["success"] == set()
    assert dashes["timeout"] == dashes["budget"] != dashes["failure"]
    assert all(len(dashes[kind]) == 1 for kind in ("failure", "timeout", "compensate"))


def test_limits_are_marked_only_where_set() -> None:
    said = set(texts(visualize(reviewed(), renderer="builtin").svg))
    assert {"lock law_db \N{MIDDLE DOT} 10/s", "≤ $1.00 \N{MIDDLE DOT} ≤ 10k tok \N{MIDDLE DOT} ≤ 1 min"} <= said
    marks = {node.id: node.marks for node in model_of(refund()).nodes if node.marks}
    assert marks == {"charge": "≤ $5.00", "ship": "≤ 30 s"}  # the others have an edge that says it
    tips = {node.id: node.tooltip for node in model_of(reviewed()).nodes}
    assert "lock: law_db" in tips["check_law"] and "rate: at most 10/s" in tips["check_law"]
    assert "undone by: give_back" in {n.id: n.tooltip for n in model_of(refund()).nodes}["charge"]


def test_inline_workflows_are_frames_with_steps_of_their_own() -> None:
    model = model_of(nested())
    assert frame(model, "fan") == {"fan[legal]", "fan[vote]", "short_cut"}
    assert frame(model, "fan[vote]") == {"fan[vote]/ask", "fan[vote]/tally"}
    assert frame(model, "fan[vote]/ask") == {"fan[vote]/m1", "fan[vote]/m2", "fan[vote]/m3"}
    assert ("fan" + FORK, "short_cut", "quick if data.amount < 100") in ways(model, "body")
    assert ("fan[legal]", "fan" + JOIN, "") in ways(model, "join")
    assert {one.id for one in model.nodes if one.is_start} == {"fan[legal]/read", "over[each]/a"}


def test_a_body_of_two_maps_stands_in_neither_and_leads_back_to_both() -> None:
    model = model_of(shared())
    assert model.clusters == ()
    assert {one.id: one.kind for one in model.nodes}["first"] == "map"
    assert ways(model, "body") == [("first", "work", "each"), ("second", "work", "each")]
    assert [(source, target) for source, target, _ in ways(model, "join")] == [("tidy", "first"), ("tidy", "second")]


def test_an_end_of_the_run_that_a_branch_may_reach_leads_nowhere_back() -> None:
    assert not [way for way in ways(model_of(reviewed()), "join") if way[0] == "failed"]


def test_deep_nesting_is_folded_and_can_be_unfolded() -> None:
    diagram = visualize(deep(6), renderer="builtin")
    open_frames = [one for one in diagram.model.clusters if not one.folded and one.kind == "workflow"]
    assert len(open_frames) == OPEN_DEPTH
    assert classes(diagram.svg)["ok-group"] == 1
    assert classes(diagram.unfold().svg)["ok-group"] == 0
    bottomless = visualize(deep(MOST_DEPTH + 4), renderer="builtin").unfold()
    assert classes(bottomless.svg)["ok-group"] == 1  # what is below that cannot be unfolded
    assert "1 step" in texts(bottomless.svg)


def test_more_branches_than_a_picture_has_room_for_are_folded() -> None:
    many = {f"b{at}": f"s{at}" for at in range(MOST_BRANCHES + 1)}
    steps = [step(name) for name in many.values()]
    diagram = visualize(of("wide", ParallelStep(step_id="p", branches=many, on_success="done"), *steps, end()))
    assert f"parallel, all \N{MIDDLE DOT} {MOST_BRANCHES + 1} steps" in texts(diagram.svg)
    assert classes(diagram.unfold().svg)["ok-body"] == MOST_BRANCHES + 1


def test_a_folded_frame_says_what_its_step_does() -> None:
    folded = visualize(graded(), renderer="builtin").fold()
    assert "map over data.answers, 10 at a time \N{MIDDLE DOT} 2 steps" in texts(folded.svg)
    assert "fork" not in folded.outline


def test_the_budget_of_the_run_leads_from_the_start() -> None:
    workflow = of("poor", end("a"), end("b"), budget=Budget(max_cost_usd=1, on_budget="b"))
    diagram = visualize(workflow, renderer="builtin")
    assert [label for _, _, label in ways(diagram.model, "budget")] == ["run's budget spent"]
    assert classes(diagram.svg)["ok-problem"] == 0


def test_the_mistakes_of_steps_with_branches_are_drawn_where_they_are() -> None:
    gone = of("gone", ParallelStep(step_id="p", branches={"a": "missing", "b": "here"}, on_success="end"), step("here"))
    model = model_of(gone)
    assert frame(model, "p") == {"missing", "here"}
    assert {one.id: one.kind for one in model.nodes}["missing"] == "missing"
    lost = of("lost", end("a"), MapStep(step_id="m", body="b", is_terminal=True), step("b"))
    (cluster,) = model_of(lost).clusters
    assert "unreachable" in cluster.problem
    for renderer in ("builtin", *(["dot"] if has_dot() else [])):
        svg = visualize(lost, renderer=renderer).svg  # type: ignore[arg-type]
        assert any(text.startswith("\N{WARNING SIGN} m") for text in texts(svg))


def test_an_inline_workflow_without_a_beginning_is_drawn() -> None:
    empty = WorkflowDefinition(name="empty")
    diagram = visualize(of("o", MapStep(step_id="m", body=empty, is_terminal=True)), renderer="builtin")
    assert "m[each]" in {group.get("data-step") for group in groups(diagram.svg, "node")}
    assert "no initial step" in diagram.outline


def test_a_branch_that_loops_back_to_its_own_step_is_drawn() -> None:
    again = of(
        "again", ParallelStep(step_id="p", branches={"a": "x"}, on_success="done"), step("x", on_failure="p"), end()
    )
    for renderer in ("builtin", *(["dot"] if has_dot() else [])):
        assert classes(visualize(again, renderer=renderer).svg)["ok-failure"] == 1  # type: ignore[arg-type]


def test_the_outline_is_indented_as_the_frames_are() -> None:
    lines = visualize(nested(), renderer="builtin").outline.splitlines()
    at = {line.strip().split(" (")[0]: len(line) - len(line.lstrip()) for line in lines}
    assert "  1. fan (parallel, any one) [start]" in lines
    assert any(line.strip() == "⇒ quick if data.amount < 100: short_cut" for line in lines)
    assert any(line.strip() == "join: any one" for line in lines)
    assert at["1. fan"] < at["- workflow vote"] < at["4. ask"] < at["5. m1"]


def test_mermaid_has_a_shape_per_kind() -> None:
    text = visualize(refund(), renderer="builtin").mermaid
    for shape in ('[/"sign<br/>asks a person"/]', '{{"paid<br/>waits', '[["ship<br/>run of shipping'):
        assert shape in text
    assert "==>" in visualize(graded(), renderer="builtin").mermaid


def test_a_step_of_a_kind_from_another_release_is_still_drawn() -> None:
    strange = Stub(step_id="a", kind="teleport", on_success=None, is_terminal=True)
    assert "a" in {
        g.get("data-step")
        for g in groups(visualize(Stub(name="w", initial_step="a", steps={"a": strange})).svg, "node")
    }


def test_what_undoes_two_steps_is_one_node() -> None:
    assert ways(model_of(undone()), "compensate") == [
        ("flight", "cancel", "undone by"),
        ("hotel", "cancel", "undone by"),
    ]


def test_a_body_may_end_at_any_step() -> None:
    body = of("b", step("x", on_success="y"), step("y"))
    diagram = visualize(of("w", MapStep(step_id="m", body=body, on_success="done"), end()))
    assert not any(one.problem for one in (*diagram.model.nodes, *diagram.model.clusters))
    assert diagram.model.problems == ()
    assert "\N{WARNING SIGN}" not in diagram.outline + diagram.mermaid


def test_what_is_wrong_in_a_body_is_marked_there_and_told_once() -> None:
    body = of("b", step("x", on_success="nowhere"), step("lost"))
    model = visualize(of("w", MapStep(step_id="m", body=body, on_success="done"), end())).model
    problems = {one.id: one.problem for one in (*model.nodes, *model.clusters) if one.problem}
    assert problems == {
        "m[each]/x": "missing target", "m[each]/lost": "unreachable", "m[each]/nowhere": "missing step",
    }  # fmt: skip
    assert [text.split(":")[0] for text in model.problems] == ["In the body of step 'm'"] * 2
