"""Text from workers, files and goals never becomes markup, whatever it says and whoever draws it."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from types import SimpleNamespace

import pytest

from orchestration_kit.visual import (
    DiagramCluster,
    DiagramEdge,
    DiagramModel,
    DiagramNode,
    Overlay,
    StepOverlay,
    mimebundle,
    visualize,
)
from orchestration_kit.visual.model import EdgeKind, NodeKind
from orchestration_kit.visual.render import has_dot, run_dot
from tests.hostile import PAYLOADS, one_in
from tests.visual.models import entry, groups, off_the_list

needs_dot = pytest.mark.skipif(not has_dot(), reason="Graphviz is not installed")

_LABEL = r'"[^"\n]*"'
_MERMAID_LINE = re.compile(
    rf"""flowchart\ (TB|LR)
    | \ \ n\d+ (\(\({_LABEL}\)\) | \(\[{_LABEL}\]\) | \[\[{_LABEL}\]\] | \[/{_LABEL}/\] | \{{\{{{_LABEL}\}}\}} | \[{_LABEL}\])
    | \ \ [nc]\d+\ (-->|-\.->|==>) (\|{_LABEL}\|)?\ [nc]\d+
    | \ \ subgraph\ c\d+\[{_LABEL}\] | \ \ \ \ n\d+ | \ \ end
    | \ \ classDef\ \w+\ [\w:\#,-]+ | \ \ class\ [n\d,]+\ \w+""",
    re.VERBOSE,
)


NEW_KINDS: tuple[NodeKind, ...] = ("parallel", "map", "workflow", "approval", "wait", "fork", "join")
NEW_WAYS: tuple[EdgeKind, ...] = ("body", "join", "timeout", "budget", "compensate")


def saying(payload: str) -> DiagramModel:
    """A model that says a payload in every place it can."""
    here = f"id {payload}"
    nodes = (
        DiagramNode(here, payload, payload, payload, is_start=True, tooltip=payload),
        DiagramNode("wrong", payload, payload, problem=payload),
        DiagramNode("inner", payload, note=payload, kind="group", marks=payload),
        *(DiagramNode(kind, payload, payload, payload, kind, tooltip=payload, marks=payload) for kind in NEW_KINDS),
    )
    edges = (
        DiagramEdge(here, "wrong", "branch", payload, payload),
        DiagramEdge(here, here, "retry", payload),
        DiagramEdge("wrong", "inner", "failure", payload),
        *(
            DiagramEdge("wrong", target, kind, payload, payload)
            for target, kind in zip(NEW_KINDS, NEW_WAYS, strict=False)
        ),
    )
    clusters = (
        DiagramCluster("c" + payload, payload, ("inner",), note=payload, tooltip=payload),
        DiagramCluster("s" + payload, payload, ("fork", "join"), kind="map", subtitle=payload, tooltip=payload),
        DiagramCluster("p" + payload, payload, ("wait",), kind="spawn", subtitle=payload, problem=payload),
    )
    return DiagramModel(payload, nodes, edges, clusters, payload, (payload,))


def happening(payload: str) -> Overlay:
    seen = StepOverlay("failed", 1, 2, error=payload)
    counted = StepOverlay("failed", 1, 2, error=payload, counts=((3, payload),))
    return Overlay({f"id {payload}": seen, "approval": counted, f"s{payload}": counted}, state=payload)


def test_the_corpus_is_large_and_holds_nothing_twice() -> None:
    assert len(PAYLOADS) >= 150
    assert len(set(PAYLOADS)) == len(PAYLOADS)


@pytest.mark.parametrize("at", one_in(3))
def test_the_builtin_picture_holds_nothing_off_the_list(at: int) -> None:
    payload = PAYLOADS[at]
    said = replace(saying(payload), detail="full" if at % 2 else "compact")
    diagram = visualize(said, renderer="builtin", overlay=happening(payload))
    assert off_the_list(diagram.svg) == []
    ET.fromstring(diagram.svg)  # well-formed XML as well
    assert len(groups(diagram.svg, "node")) == 3 + len(NEW_KINDS)
    assert len(groups(diagram.svg, "edge")) == 3 + len(NEW_WAYS)
    assert len(groups(diagram.svg, "cluster")) == 3


@pytest.mark.parametrize("at", range(len(PAYLOADS)))
def test_text_forms_keep_their_grammar(at: int) -> None:
    diagram = visualize(saying(PAYLOADS[at]), renderer="builtin", overlay=happening(PAYLOADS[at]))
    for line in diagram.mermaid.rstrip("\n").split("\n"):
        assert _MERMAID_LINE.fullmatch(line), line
    assert re.search(r"[\x00-\x09\x0b-\x1f\x7f\ud800-\udfff\u202a-\u202e]", diagram.outline) is None
    assert all(len(line) < 1_000 for line in diagram.outline.split("\n"))


@pytest.mark.parametrize("at", one_in(8))
def test_a_workflow_and_a_history_that_say_it_show_it_as_text(at: int) -> None:
    payload = PAYLOADS[at]
    branch = SimpleNamespace(when=payload, to=payload, label=payload)
    step = SimpleNamespace(
        step_id=payload, worker_type=payload, worker=payload, description=payload, branches=[branch],
        on_success=payload + "!", on_failure="missing" + payload, is_terminal=False, max_retries=2,
        success_when=payload, timeout_s=1.0, outcome="completed",
    )  # fmt: skip
    workflow = SimpleNamespace(
        name=payload, goal=payload, description=payload, initial_step=payload, steps={payload: step}
    )
    history = [entry(payload, payload + "!", success=False, error=payload, worker=payload)]
    run = SimpleNamespace(workflow=workflow, history=history, state=payload, current_step=payload)
    for subject in (workflow, run, history):
        svg = visualize(subject, renderer="builtin").svg
        assert off_the_list(svg) == []
        ET.fromstring(svg)
    assert off_the_list(mimebundle(workflow)["image/svg+xml"]) == []


def saying_everywhere(payload: str) -> SimpleNamespace:
    """A workflow with every kind of step, which says a payload in every field of text that it has."""
    limits = {
        "lock": payload,
        "rate": payload,
        "compensate": f"undo {payload}",
        "description": payload,
        "label": payload,
    }
    onward = {"on_success": payload + "!", "on_failure": payload + "?", "on_timeout": payload + "?", "timeout_s": 1.0}

    def step(name: str, kind: str, **fields: object) -> SimpleNamespace:
        return SimpleNamespace(step_id=name, kind=kind, is_terminal=False, **limits, **onward, **fields)

    inner = SimpleNamespace(
        name=payload, goal=payload, initial_step=payload, steps={payload: step(payload, "step", worker_type=payload)}
    )
    when = SimpleNamespace(when=payload, to=payload + "s")
    steps = [
        step(
            payload,
            "parallel",
            branches={payload: inner, "b" + payload: when, "c": payload + "w"},
            join=payload,
            failure=payload,
        ),
        step(payload + "!", "map", over=payload, body=payload + "a", max_concurrency=3, join="any"),
        step(payload + "m", "map", over=payload, body=inner),
        step(payload + "a", "approval", prompt=payload, show=(payload,), schema={payload: payload}),
        step(payload + "w", "wait", event=payload),
        step(payload + "s", "workflow", workflow=payload, input=payload, output=payload),
    ]
    return SimpleNamespace(name=payload, goal=payload, initial_step=payload, steps={one.step_id: one for one in steps})


@pytest.mark.parametrize("at", one_in(13))
def test_every_kind_of_step_shows_it_as_text(at: int) -> None:
    workflow = saying_everywhere(PAYLOADS[at])
    detail = {"branches": {PAYLOADS[at]: PAYLOADS[at]}, "undoes": PAYLOADS[at]}
    spawn = {"spawn": {"workflow": {"name": PAYLOADS[at], "steps": {}}}}
    history = [
        entry(PAYLOADS[at], PAYLOADS[at], path=f"m#1[{PAYLOADS[at]}]/{PAYLOADS[at]}#1", detail=spawn),
        entry(PAYLOADS[at], PAYLOADS[at], path=f"{PAYLOADS[at]}#1", detail=detail, error=PAYLOADS[at], success=False),
        entry("x", None, path=f"[undo]/{PAYLOADS[at]}#1", detail=detail),
    ]
    run = SimpleNamespace(workflow=workflow, history=history, state="waiting", current_step="x", waiting=[PAYLOADS[at]])
    drawn = visualize(run, renderer="builtin", detail="full" if at % 2 else "compact")
    assert len(PAYLOADS[at]) > 1_000 or off_the_list(drawn.svg) == []  # the parser of HTML takes seconds for megabytes
    # What a run is drawn from is the workflow and the history: by themselves, each is looked at for one in twenty-six.
    alone = [visualize(one, renderer="builtin") for one in (workflow, history) if at % 26 == 0]
    for diagram in (drawn, *alone):
        ET.fromstring(diagram.svg)
        for line in diagram.mermaid.rstrip("\n").split("\n"):
            assert _MERMAID_LINE.fullmatch(line), line
        assert re.search(r"[\x00-\x09\x0b-\x1f\x7f\ud800-\udfff\u202a-\u202e]", diagram.outline) is None


@needs_dot
def test_dot_reads_every_kind_of_step_as_text() -> None:
    for payload in PAYLOADS[::7]:
        svg = run_dot(visualize(saying_everywhere(payload), renderer="builtin").dot, "-Tsvg", wanted="A test").decode()
        assert {str(one.tag).rpartition("}")[2] for one in ET.fromstring(svg).iter()} <= {
            "svg", "g", "title", "polygon", "polyline", "path", "text", "a", "ellipse",
        }  # fmt: skip


@pytest.fixture(scope="module")
def crowd() -> DiagramModel:
    """All payloads in one model: one call of `dot` for all of them."""
    kinds, ways = ("step", *NEW_KINDS), ("branch", *NEW_WAYS)
    nodes = tuple(
        DiagramNode(
            f"{at}", payload, payload, payload, kinds[at // 9 % len(kinds)], tooltip=payload, marks=payload,
            outcome="failed" if at % 2 else "",
        )
        for at, payload in enumerate(PAYLOADS)
    )  # fmt: skip
    edges = tuple(
        DiagramEdge(f"{at}", f"{at + 1}", ways[at % len(ways)], text, text) for at, text in enumerate(PAYLOADS[:-1])
    )
    clusters = tuple(
        DiagramCluster(f"c{at}", text, (f"{at}",), tooltip=text, subtitle=text if at % 2 else "")
        for at, text in enumerate(PAYLOADS)
        if at % 9 == 0
    )
    return DiagramModel(PAYLOADS[0], nodes, edges, clusters)


@needs_dot
def test_the_picture_laid_out_by_dot_holds_nothing_off_the_list(crowd: DiagramModel) -> None:
    diagram = visualize(crowd, renderer="dot")
    assert off_the_list(diagram.svg) == []
    assert diagram.renderer == "dot"
    assert len(groups(diagram.svg, "node")) == len(PAYLOADS)


@needs_dot
def test_dot_itself_reads_our_dot_text_as_text(crowd: DiagramModel) -> None:
    svg = run_dot(visualize(crowd, renderer="builtin").dot, "-Tsvg", wanted="A test").decode()
    names: set[str] = set()
    for element in ET.fromstring(svg).iter():
        names.add(str(element.tag).rpartition("}")[2])
        attributes = {name.rpartition("}")[2] for name in element.attrib}
        assert "href" not in attributes
        assert not any(name.startswith("on") for name in attributes)
        assert element.get("font-family") in (None, "Arial")
    assert names <= {"svg", "g", "title", "polygon", "polyline", "path", "text", "a"}
    drawn = " ".join(text.text or "" for text in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text"))
    for literal in (
        "\\N",
        "<b>looks like HTML</b>",
        "&lt;script&gt;pwned()&lt;/script&gt;",
        "{a|b|{c|<port>d}}",
    ):
        assert literal in drawn


@needs_dot
def test_a_png_of_all_of_it_is_drawn(crowd: DiagramModel) -> None:
    diagram = visualize(replace(crowd, nodes=crowd.nodes[::6], edges=(), clusters=()), renderer="builtin")
    assert diagram.png.startswith(b"\x89PNG")
    assert diagram.pdf.startswith(b"%PDF")
