"""What a picture of a workflow says, and how: structure, marks, words, and the room for assistive technology."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from types import SimpleNamespace

import pytest

from orchestration_kit import WorkflowDefinition, WorkflowStep
from orchestration_kit.visual import (
    Diagram,
    DiagramCluster,
    DiagramEdge,
    DiagramModel,
    DiagramNode,
    Renderer,
    visualize,
)
from orchestration_kit.visual.render import has_dot
from tests.visual.models import SVG, build_website, classes, clustered, groups, texts

RENDERERS = [
    "builtin",
    pytest.param("dot", marks=pytest.mark.skipif(not has_dot(), reason="Graphviz is not installed")),
]
both = pytest.mark.parametrize("renderer", RENDERERS)


def dashes(group: ET.Element) -> bool:
    return any(path.get("stroke-dasharray") for path in group.iter(f"{SVG}path"))


@both
def test_both_renderers_draw_the_same_things(renderer: Renderer) -> None:
    diagram = visualize(build_website(), renderer=renderer)
    assert diagram.renderer == renderer
    found = classes(diagram.svg)
    assert (found["ok-node"], found["ok-edge"]) == (6, 8)  # the entry dot and its arrow among them
    assert (found["ok-start"], found["ok-terminal"], found["ok-retry"], found["ok-failure"]) == (1, 2, 1, 3)
    assert {"create_specs", "product_manager", "\N{CHECK MARK} completed", "\N{BALLOT X} failed"} <= set(
        texts(diagram.svg)
    )


@both
def test_failures_are_dashed_and_say_so(renderer: Renderer) -> None:
    for group in groups(visualize(build_website(), renderer=renderer).svg, "failure"):
        assert dashes(group)
        assert [text.text for text in group.iter(f"{SVG}text")] == ["\N{BALLOT X} fails"]
    assert not any(dashes(group) for group in groups(visualize(build_website(), renderer=renderer).svg, "success"))


@both
def test_terminals_have_a_double_border(renderer: Renderer) -> None:
    svg = visualize(build_website(), renderer=renderer).svg
    borders = {g.get("data-step"): len(list(g.iter(f"{SVG}rect"))) for g in groups(svg, "node")}
    assert borders["completed"] == borders["failed"] == 2
    assert borders["create_specs"] == 1


@both
def test_a_picture_has_a_title_a_description_and_a_size_that_follows_the_page(renderer: Renderer) -> None:
    root = ET.fromstring(visualize(build_website(), renderer=renderer).svg)
    title, desc = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None and desc is not None
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == f"{title.get('id')} {desc.get('id')}"
    assert title.text == "Workflow build_website"
    assert "create_specs (product_manager) [start]" in (desc.text or "")
    assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}"
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))


@both
@pytest.mark.parametrize("direction", ["TB", "LR"])
@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_the_same_model_gives_the_same_bytes(renderer: Renderer, direction: str, theme: str) -> None:
    one, other = (
        visualize(build_website(), renderer=renderer, direction=direction, theme=theme).svg  # type: ignore[arg-type]
        for _ in range(2)
    )
    assert one == other


@both
def test_clusters_are_frames_and_fold_into_one_box(renderer: Renderer) -> None:
    diagram = visualize(clustered(), renderer=renderer)
    assert classes(diagram.svg)["ok-cluster"] == 3
    assert "research \N{MIDDLE DOT} parallel" in texts(diagram.svg)
    folded = diagram.fold("r", "s")
    assert classes(folded.svg)["ok-cluster"] == 0
    assert "workflow \N{MIDDLE DOT} 2 steps" in texts(folded.svg)
    assert ("s", "done") in {(g.get("data-source"), g.get("data-target")) for g in groups(folded.svg, "edge")}
    assert folded.unfold().svg == diagram.svg
    assert classes(diagram.fold("s/m").svg)["ok-cluster"] == 2
    with pytest.raises(ValueError, match=r"No cluster 'x'.*'r', 's', 's/m'"):
        diagram.fold("x")


def test_branches_show_their_label_or_condition_and_the_whole_of_it_on_hover() -> None:
    long = "output.kind == 'bug' && output.severity > 3 && data.customer.plan in ['gold', 'platinum']"
    workflow = WorkflowDefinition("branches")
    workflow.add_step(
        WorkflowStep(
            step_id="triage",
            worker_type="t",
            branches=({"when": long, "to": "a"}, {"when": "true", "to": "b", "label": "named"}),  # type: ignore[arg-type]
            on_success="c",
        ),
        is_initial=True,
    )
    for name in "abc":
        workflow.add_step(WorkflowStep(step_id=name, worker_type="t", is_terminal=True))
    svg = visualize(workflow, renderer="builtin").svg
    first, second = groups(svg, "branch")
    label, tip = next(first.iter(f"{SVG}text")).text or "", next(first.iter(f"{SVG}title")).text or ""
    assert label.startswith("output.kind") and label.endswith("\N{HORIZONTAL ELLIPSIS}")
    assert long in tip
    assert next(second.iter(f"{SVG}text")).text == "named"
    assert "else" in texts(svg)


def test_a_callable_condition_shows_its_name() -> None:
    def is_urgent(output: object, context: object) -> bool:
        return bool(output and context)

    workflow = WorkflowDefinition("callable")
    workflow.add_step(
        WorkflowStep(step_id="a", worker_type="t", branches=({"when": is_urgent, "to": "b"},), on_success="b"),  # type: ignore[arg-type]
        is_initial=True,
    )
    workflow.add_step(WorkflowStep(step_id="b", worker_type="t", is_terminal=True))
    assert "is_urgent()" in texts(visualize(workflow, renderer="builtin").svg)


def unsound() -> WorkflowDefinition:
    workflow = WorkflowDefinition("unsound")
    workflow.add_step(WorkflowStep(step_id="draft", worker_type="t", on_success="reviw"), is_initial=True)
    workflow.add_step(WorkflowStep(step_id="review", worker_type="t", on_success="done"))
    workflow.add_step(WorkflowStep(step_id="done", worker_type="t", is_terminal=True))
    return workflow


@both
def test_an_unsound_workflow_is_drawn_with_the_mistake_in_it(renderer: Renderer) -> None:
    diagram = visualize(unsound(), renderer=renderer)
    assert [g.get("data-step") for g in groups(diagram.svg, "missing")] == ["reviw"]
    assert {"? reviw", "missing step"} <= set(texts(diagram.svg))
    marked = {g.get("data-step") for g in groups(diagram.svg, "problem")}
    assert {"reviw", "review", "done"} <= marked
    assert any(text.startswith("\N{WARNING SIGN} review") for text in texts(diagram.svg))
    assert "unreachable" in diagram.outline


def test_a_problem_and_what_to_do_about_it_are_two_sentences() -> None:
    diagram = visualize(unsound(), renderer="builtin")
    problems = [line for line in diagram.outline.splitlines() if line.startswith("  \N{WARNING SIGN}")]
    assert "'reviw' is not a step. Did you mean 'review'?" in problems[0]
    assert "'reviw' is not a step. Did you mean 'review'?" in diagram.svg.replace("&#39;", "'")


@pytest.mark.parametrize(
    ("message", "hint", "expected"),
    [("No b", "Add it", "No b. Add it"), ("Is it b?", "Add it", "Is it b? Add it"), ("No b", "", "No b")],
)
def test_a_full_stop_stands_between_message_and_hint_and_nowhere_else(message: str, hint: str, expected: str) -> None:
    problem = SimpleNamespace(code="c", message=message, hint=hint, steps=("a",))
    workflow = SimpleNamespace(name="w", initial_step=None, steps={}, problems=lambda: [problem])
    assert f"\N{WARNING SIGN} {expected}" in [
        line.strip() for line in visualize(workflow, renderer="builtin").outline.splitlines()
    ]


@both
def test_a_workflow_without_an_initial_step_says_so_at_the_entry(renderer: Renderer) -> None:
    workflow = build_website()
    workflow.initial_step = None
    diagram = visualize(workflow, renderer=renderer)
    assert "\N{WARNING SIGN} no initial step" in texts(diagram.svg)
    assert "no initial step" in diagram.outline.lower()


@both
def test_a_missing_initial_step_is_a_ghost(renderer: Renderer) -> None:
    workflow = build_website()
    workflow.initial_step = "begin"
    assert [g.get("data-step") for g in groups(visualize(workflow, renderer=renderer).svg, "missing")] == ["begin"]


@both
@pytest.mark.parametrize("direction", ["TB", "LR"])
def test_an_empty_workflow_says_so(renderer: Renderer, direction: str) -> None:
    diagram = visualize(WorkflowDefinition("nothing"), renderer=renderer, direction=direction)  # type: ignore[arg-type]
    assert texts(diagram.svg) == ["\N{WARNING SIGN} no steps yet"]
    assert diagram.outline.startswith("Workflow nothing: no steps yet")


@both
def test_odd_names_are_drawn(renderer: Renderer) -> None:
    names = ['say "hi"', "\u05e9\u05dc\u05d5\u05dd", "\U0001f680 launch", "a" * 200, "it's", "\\N"]
    workflow = WorkflowDefinition('a "name"\nin two lines')
    for at, name in enumerate(names):
        after = names[at + 1] if at + 1 < len(names) else None
        step = WorkflowStep(step_id=name, worker_type="t", on_success=after, is_terminal=after is None)
        workflow.add_step(step, is_initial=at == 0)
    svg = visualize(workflow, renderer=renderer).svg
    assert {g.get("data-step") for g in groups(svg, "step")} | {"\\N"} == set(names)
    assert 'say "hi"' in texts(svg)


def test_long_labels_are_short_in_the_picture_and_capped_on_hover() -> None:
    long = "x" * 10_000
    step = SimpleNamespace(step_id=long, worker_type=long, description=long, is_terminal=True)
    svg = visualize(SimpleNamespace(name=long, initial_step=long, steps={long: step}), renderer="builtin").svg
    assert max(map(len, texts(svg))) < 80
    assert all(len(title.text or "") < 3_000 for title in ET.fromstring(svg).iter(f"{SVG}title"))
    assert float(ET.fromstring(svg).get("width", "0")) < 500


def test_compact_shows_names_alone() -> None:
    assert "product_manager" not in texts(visualize(build_website(), detail="compact", renderer="builtin").svg)


def test_a_model_with_an_edge_to_nowhere_is_refused_with_what_to_do() -> None:
    model = DiagramModel("bad", (DiagramNode("a", "a"),), (DiagramEdge("a", "b"),))
    with pytest.raises(ValueError, match="'b', which is neither a node nor a cluster"):
        visualize(model)
    with pytest.raises(ValueError, match="Ids used twice"):
        visualize(DiagramModel("bad", (DiagramNode("a", "a"), DiagramNode("a", "b"))))
    circle = (DiagramCluster("x", "x", (), ("y",)), DiagramCluster("y", "y", (), ("x",)))
    with pytest.raises(ValueError, match="in a circle"):
        visualize(DiagramModel("bad", (), (), circle))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"theme": "neon"}, "light, dark, print"),
        ({"direction": "BT"}, "'TB', 'LR'"),
        ({"detail": "tiny"}, "'full', 'compact'"),
        ({"renderer": "elk"}, "'dot', 'builtin'"),
        ({"overlay": True}, "needs a run"),
    ],
)
def test_a_wrong_choice_names_the_right_ones(options: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        visualize(build_website(), **options)  # type: ignore[arg-type]


def test_what_cannot_be_drawn_is_refused_with_what_can() -> None:
    with pytest.raises(TypeError, match=r"There is nothing to draw in an int.*WorkflowDefinition"):
        visualize(3)


def test_a_diagram_knows_its_text_forms() -> None:
    diagram: Diagram = visualize(build_website(), renderer="builtin")
    assert diagram.mermaid.startswith("flowchart TB\n")
    assert 'n2 -.->|"\N{BALLOT X} fails"|' in diagram.mermaid
    assert diagram.dot.startswith("digraph workflow {")
    assert "peripheries=2" in diagram.dot
    nested = visualize(clustered(), renderer="builtin")
    assert nested.mermaid.count("subgraph") == nested.mermaid.splitlines().count("  end") == 3
    assert nested.dot.count("subgraph cluster_") == 3
