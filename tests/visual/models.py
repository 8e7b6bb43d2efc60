"""Diagram models and histories written by hand, and what tests ask of an SVG."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from typing import Any

import html5lib

from orchestration_kit import WorkflowDefinition, WorkflowStep
from orchestration_kit.visual import DiagramCluster, DiagramEdge, DiagramModel, DiagramNode
from orchestration_kit.visual.svg import ALLOWED, ROOT_STYLE

SVG = "{http://www.w3.org/2000/svg}"


def build_website() -> WorkflowDefinition:
    """The workflow of the mission."""
    workflow = WorkflowDefinition("build_website", "Build a website", "A website")
    workflow.add_step(
        WorkflowStep(
            step_id="create_specs",
            worker_type="product_manager",
            on_success="implement_code",
            on_failure="failed",
        ),
        is_initial=True,
    )
    workflow.add_step(
        WorkflowStep(
            step_id="implement_code",
            worker_type="coder",
            on_success="review_code",
            on_failure="failed",
            max_retries=1,
        )
    )
    workflow.add_step(
        WorkflowStep(step_id="review_code", worker_type="reviewer", on_success="completed", on_failure="implement_code")
    )
    workflow.add_step(WorkflowStep(step_id="completed", worker_type="generic", is_terminal=True))
    workflow.add_step(WorkflowStep(step_id="failed", worker_type="generic", is_terminal=True, outcome="failed"))
    return workflow


def entry(step: str, next_step: str | None, **fields: Any) -> dict[str, Any]:
    """One history entry: a successful first attempt unless said otherwise."""
    plain = {
        "seq": 1, "timestamp": 0.0, "path": step, "step": step, "visit": 1, "attempt": 1, "worker": "w",
        "worker_type": "t", "input": None, "output": None, "success": True, "error": None, "duration_s": 0.5,
        "next_step": next_step, "usage": None,
    }  # fmt: skip
    return {**plain, **fields}


def a_run() -> list[dict[str, Any]]:
    """A run of `build_website` with a retry and a refused review."""
    return [
        entry(
            "create_specs",
            "implement_code",
            usage={"input_tokens": 900, "output_tokens": 300, "cost_usd": 0.012},
        ),
        entry("implement_code", None, success=False, error="SyntaxError: <b>no</b>"),
        entry("implement_code", "review_code", attempt=2),
        entry("review_code", "implement_code", success=False, error="not approved"),
        entry("implement_code", "review_code", visit=2),
        entry("review_code", "completed", visit=2),
    ]


def clustered(**fields: Any) -> DiagramModel:
    """A model with a parallel cluster, a map inside a sub-workflow, and every kind of edge."""
    nodes = (
        DiagramNode("plan", "plan", worker="planner", is_start=True),
        DiagramNode("r/web", "search_web", worker="researcher"),
        DiagramNode("r/papers", "read_papers", worker="researcher"),
        DiagramNode("s/m/check", "check_claim", worker="checker"),
        DiagramNode("s/report", "report"),
        DiagramNode("done", "done", kind="terminal", outcome="completed"),
        DiagramNode("failed", "failed", kind="terminal", outcome="failed"),
    )
    edges = (
        DiagramEdge("plan", "r"),
        DiagramEdge("r", "s"),
        DiagramEdge("s/m", "s/report"),
        DiagramEdge("s", "done"),
        DiagramEdge("s", "plan", "failure", "\N{BALLOT X} fails"),
        DiagramEdge("r/web", "failed", "failure", "\N{BALLOT X} fails"),
        DiagramEdge("plan", "plan", "retry", "retry \N{MULTIPLICATION SIGN}2"),
        DiagramEdge("plan", "done", "branch", "output.skip == true"),
    )
    clusters = (
        DiagramCluster("r", "research", ("r/web", "r/papers")),
        DiagramCluster("s", "write", ("s/report",), ("s/m",), kind="workflow"),
        DiagramCluster("s/m", "each claim", ("s/m/check",), kind="map"),
    )
    return DiagramModel("clustered", nodes, edges, clusters, **fields)


def classes(svg: str) -> Counter[str]:
    """How many groups carry each class."""
    return Counter(name for group in ET.fromstring(svg).iter(f"{SVG}g") for name in group.get("class", "").split())


def groups(svg: str, kind: str) -> list[ET.Element]:
    """The groups of the nodes, edges or clusters of a picture."""
    return [g for g in ET.fromstring(svg).iter(f"{SVG}g") if f"ok-{kind}" in g.get("class", "").split()]


def texts(svg: str) -> list[str]:
    """What is written in a picture."""
    return [one.text or "" for one in ET.fromstring(svg).iter(f"{SVG}text")]


def off_the_list(svg: str) -> list[str]:
    """Every element and attribute that a browser sees in the picture and the painter does not promise."""
    found: list[str] = []
    names = {name.lower(): {a.lower() for a in attributes} for name, attributes in ALLOWED.items()}
    tree = html5lib.parseFragment(svg, treebuilder="etree", namespaceHTMLElements=True)
    for element in tree.iter():
        if element is tree:
            continue
        namespace, _, name = str(element.tag).rpartition("}")
        if name.lower() not in names or not namespace.endswith("/svg"):
            found.append(str(element.tag))
            continue
        for full_name, value in element.attrib.items():
            attribute = "xmlns" if full_name == "{http://www.w3.org/2000/xmlns/}xmlns" else full_name
            if attribute.lower() not in names[name.lower()]:
                found.append(f"{name} {attribute}")
            elif attribute == "style" and value != ROOT_STYLE:
                found.append(f"{name} style={value}")
    return found
