"""The shape of a Burr application becomes a workflow definition. Nothing of the application is called.

Attributes alone are read, as those of https://burr.apache.org/reference/application/ (0.4x) are called.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

from orchestration_kit.errors import did_you_mean, listed
from orchestration_kit.interchange.building import workflow_of
from orchestration_kit.interchange.errors import NotImportable, a_kind_of
from orchestration_kit.interchange.imported import Imported, in_order
from orchestration_kit.interchange.python_conditions import Untold, always_holds, condition_text
from orchestration_kit.interchange.shape import END, ROUTE, Shape, Way, checked_route, literal, step_ids


def from_burr(app: Any, *, name: str | None = None, halt_after: Iterable[str] = (), route: str = ROUTE) -> Imported:
    """Return the shape of a Burr application as a workflow, with notes on what could not be carried over.

    An action becomes a step whose worker has the action's name as its type, and whose `reads` and `writes` are the
    action's: Burr's state is our data bus. Transitions are tried in their order; conditions of `expr` and `when`, and
    what `~`, `&` and `|` make of them, become CEL on the data bus, `default` is the way on where no other holds. Where
    Burr finds no transition, it stops: here the run ends.

    A condition that is a lambda is code, which no definition holds. What it decides, the worker says instead, in
    `{"next": "<action>", ...}`.

    Args:
        app: a built `Application`, or a `Graph`, which begins at its first action.
        name: of the workflow; without it, "burr".
        halt_after: what `app.run(halt_after=[...])` is called with: these actions end the run.
        route: the path at which workers say where to go, e.g. "data.next_action".

    >>> from types import SimpleNamespace as Stub
    >>> ask, answer = (Stub(name=n, reads=[], writes=[n], inputs=([], [])) for n in ("ask", "answer"))
    >>> when = Stub(name="tries < 3", _keys=["tries"], _resolver=None)  # expr("tries < 3"), in an application
    >>> graph = Stub(actions=[ask, answer], transitions=[Stub(from_=ask, to=answer, condition=when)])
    >>> made = from_burr(Stub(graph=graph, entrypoint="ask"))
    >>> [(way.target, way.label) for way in made.workflow.steps["ask"].transitions()]
    [('answer', 'data.tries < 3'), ('end', '')]

    Raises:
        NotImportable: it is no application of Burr, or `halt_after` names an action that it has not.
        ConditionSyntaxError: `route` is no path.
    """
    checked_route(route)
    graph = getattr(app, "graph", app)
    if not (hasattr(graph, "actions") and hasattr(graph, "transitions")):
        raise NotImportable(
            a_kind_of(app),
            "it is no application of Burr",
            "Give what build() of an ApplicationBuilder or a GraphBuilder returns.",
        )
    actions = cast("Sequence[Any]", graph.actions)
    ids = step_ids(action.name for action in actions)
    for halting in (halts := list(dict.fromkeys([halt_after] if isinstance(halt_after, str) else halt_after))):
        if halting not in ids:
            raise NotImportable(
                a_kind_of(app),
                f"halt_after names {halting!r}, which is no action of it",
                f"Its actions: {listed(ids)}.{did_you_mean(halting, ids)}",
            )
    first = getattr(app, "entrypoint", None) or getattr(getattr(graph, "entrypoint", None), "name", None)
    shape = Shape(name or "burr", starts=[ids[first]] if first in ids else list(ids.values())[:1])
    for action in actions:
        _add_action(shape, ids[action.name], action)
    by_source: dict[str, list[Any]] = {}
    for transition in graph.transitions:
        by_source.setdefault(transition.from_.name, []).append(transition)
    for source in ids:
        if source in halts:
            if dropped := [one.to.name for one in by_source.get(source, ())]:
                shape.note(
                    "halt",
                    ids[source],
                    f"The run ends after {source!r}, so that its ways to {listed(map(repr, dropped))} are left out",
                    "They were for the next call of app.run; here that is another run.",
                )
        else:
            _add_ways(shape, ids, source, by_source.get(source, []), route)
    _note_state(shape, app)
    workflow = workflow_of(shape, description=f"Imported from Burr: {listed(ids)}")
    return Imported(workflow, in_order(shape.notes, workflow))


def _note_state(shape: Shape, app: Any) -> None:
    held = getattr(app, "state", None)
    names = [str(key) for key in cast("Iterable[Any]", held) if not str(key).startswith("__")] if held else []
    if names:
        shape.note(
            "state",
            (),
            f"The application begins with {listed(sorted(names))} in its state",
            "Give them to a run as initial_data={...}.",
        )


def _add_action(shape: Shape, step_id: str, action: Any) -> None:
    fields: dict[str, Any] = {
        "worker_type": action.name[:200],
        "reads": tuple(dict.fromkeys(action.reads)),
        "writes": tuple(dict.fromkeys(action.writes)),
    }
    shape.nodes[step_id] = fields
    if step_id != action.name:
        shape.note("name", step_id, f"The action {action.name!r} is called {step_id!r} here", "Its worker has its own.")
    needed, *_optional = cast("Sequence[Any]", getattr(action, "inputs", None) or ([],))
    if names := [one for one in cast("Iterable[str]", needed) if not one.startswith("__")]:
        shape.note(
            "inputs",
            step_id,
            f"{action.name!r} takes {listed(map(repr, names))} from outside, with app.run(inputs=...)",
            "Give it as initial data of the run, or lead to an ApprovalStep or WaitStep before it.",
        )
    if any(cls.__name__ == "TaskBasedParallelAction" for cls in type(action).__mro__):
        shape.note(
            "parallel",
            step_id,
            f"{action.name!r} runs actions of its own at once, which its code makes",
            "A MapStep or ParallelStep makes each of them an attempt on record.",
        )


def _add_ways(shape: Shape, ids: dict[str, str], source: str, transitions: list[Any], route: str) -> None:
    step_id, untold = ids[source], list[str]()
    for at, transition in enumerate(transitions):
        target, condition = transition.to.name, transition.condition
        if always_holds(condition):
            shape.ways.append(Way(step_id, ids[target]))
            if rest := [one.to.name for one in transitions[at + 1 :]]:
                shape.note(
                    "default",
                    step_id,
                    f"After {source!r}, what stands behind the default is never tried: {listed(map(repr, rest))}",
                    "It was left out. Put the default last.",
                )
            break
        try:
            text, is_exact = condition_text(condition)
        except Untold:
            text, is_exact = f"{route} == {literal(target)}", True
            untold.append(target)
        if not is_exact:
            shape.note(
                "truth",
                step_id,
                f"{getattr(condition, 'name', '')!r:.80} takes any value for true or false, CEL only true and false",
                f"It became {text!r:.120}. Put a bool there, or compare.",
            )
        label = str(getattr(condition, "name", "") or "") if target in untold else ""
        shape.ways.append(Way(step_id, ids[target], "choice", text, label[:200]))
    else:
        if transitions:
            shape.ways.append(Way(step_id, END))
    if untold:
        shape.note(
            "routing",
            step_id,
            f"Conditions after {source!r} are code: those that lead to {listed(map(repr, untold))}",
            f"The worker of {step_id!r} puts the name of the action to go to at {route}.",
        )
