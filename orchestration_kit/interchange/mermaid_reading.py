"""A Mermaid flowchart becomes a workflow definition: boxes are steps, arrows are transitions, text is data."""

from __future__ import annotations

from collections.abc import Mapping

from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.errors import listed
from orchestration_kit.interchange.building import workflow_of
from orchestration_kit.interchange.fan_out import open_fan_outs
from orchestration_kit.interchange.imported import Imported, in_order
from orchestration_kit.interchange.mermaid_chart import Chart, decoded
from orchestration_kit.interchange.mermaid_lines import parse_chart
from orchestration_kit.interchange.mermaid_scopes import Scope, scopes_of
from orchestration_kit.interchange.mermaid_steps import add_nodes, add_ways
from orchestration_kit.interchange.mermaid_words import HEADER, LEFT_OUT
from orchestration_kit.interchange.shape import ROUTE, Shape, checked_route


def from_mermaid(
    text: str, *, name: str | None = None, workers: Mapping[str, str] | None = None, route: str = ROUTE
) -> Imported:
    r"""Return a Mermaid flowchart as a workflow, with notes on what could not be carried over.

    The first line of a box is the id of the step, the second, if there is one, the type of its worker ("generic"
    without one). An arrow without a label, or with `else`, leads on after a success, `fails` after a failure; a label
    that is CEL, such as `output.approved == true`, is a condition. Any other label is what the worker says to go that
    way: in `{"next": "yes"}`, which the condition `output.next == "yes"` reads; the last of such labels is taken where
    no other was named. Several arrows without a label begin branches at once, which come together at a join. A dot
    or a pill called start is where a run begins, else the first box that no arrow leads to. What leads nowhere ends
    the run. `to_mermaid(workflow)` and `visualize(workflow).mermaid` are read with all that they show.

    Nothing in the text does anything: links, callbacks, directives and HTML are left alone.

    Args:
        text: a `flowchart` or `graph`.
        name: of the workflow; without it, the chart's title, or "flowchart".
        workers: by step id the type of its worker, where the chart does not say it.
        route: the path at which workers say where to go, e.g. "data.decision".

    >>> made = from_mermaid('''flowchart TD
    ...     draft["Draft<br/>coder"] --> check{Good?}
    ...     check -->|yes| publish([Publish])
    ...     check -->|no| draft
    ... ''', workers={"Good?": "reviewer"})
    >>> [(way.target, way.label) for way in made.workflow.steps["Good?"].transitions()]
    [('Publish', 'yes'), ('Draft', '')]

    Raises:
        MermaidError: the text is no flowchart, or over a cap; it names the line.
        ConditionSyntaxError: `route` is no path.
    """
    checked_route(route)
    chart = parse_chart(text)
    headers = [one.removeprefix(HEADER).strip() for one in chart.comments if one.startswith(HEADER)]
    title = decoded("".join(headers[:1])) or chart.title
    reader = _Reader(scopes_of(chart, exact=bool(headers)), workers or {}, route)
    workflow = reader.read(None, name or title)
    if chart.description:
        workflow = workflow.model_copy(update={"description": chart.description})
    _note_rest(chart, reader.scopes, reader.notes)
    return Imported(workflow, in_order(reader.notes.notes, workflow))


class _Reader:
    """Makes a workflow of each scope of a chart, and gathers what there is to say."""

    def __init__(self, scopes: Mapping[str | None, Scope], workers: Mapping[str, str], route: str) -> None:
        self.scopes, self.workers, self.route = scopes, workers, route
        self.notes = Shape("notes")

    def read(self, group: str | None, name: str) -> WorkflowDefinition:
        """Return the workflow of the chart, or of a group that is the body of a step."""
        scope = self.scopes[group]
        shape = Shape(name or "flowchart", notes=self.notes.notes)
        ids = add_nodes(shape, scope, self.workers)
        inner = {one: self.read(one, self.scopes[one].name) for one in scope.inline}
        budget = add_ways(shape, scope, ids, route=self.route, inner=inner)
        if not scope.chart_is_exact:
            open_fan_outs(shape, self.route)
        made = workflow_of(shape)
        return made if budget is None else made.model_copy(update={"budget": budget})


def _note_rest(chart: Chart, scopes: Mapping[str | None, Scope], notes: Shape) -> None:
    for comment in chart.comments:
        if comment.startswith(LEFT_OUT):
            notes.note(
                "left-out",
                (),
                f"The chart leaves out {decoded(comment.removeprefix(LEFT_OUT).strip())}",
                "Set it again; workflow.to_yaml() keeps everything.",
            )
    if chart.ignored:
        lines = listed(f"{word} (line {line:,})" for line, word in chart.ignored)
        notes.note(
            "interaction", (), f"What a click does is left out: {lines}", "A definition does nothing in a browser."
        )
    known = {*scopes, *(name for scope in scopes.values() for name in scope.frames)}
    if plain := [group.title for group in chart.groups.values() if group.name not in known]:
        notes.note(
            "group",
            (),
            f"These subgraphs are not kept: {listed(repr(decoded(title)) for title in plain)}",
            "Their boxes are steps like the others.",
        )
