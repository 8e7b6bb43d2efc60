"""A shape becomes a workflow definition: one step a node, its ways in the fields of the step."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from orchestration_kit.definition.kinds import ApprovalStep, MapStep, ParallelStep, SubworkflowStep, WaitStep
from orchestration_kit.definition.steps import Branch, Step, WorkflowStep
from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.interchange.shape import END, Shape, Way

KINDS: dict[str, type[Step]] = {
    "step": WorkflowStep, "parallel": ParallelStep, "map": MapStep, "workflow": SubworkflowStep,
    "approval": ApprovalStep, "wait": WaitStep,
}  # fmt: skip
_FIELDS = {"on": "on_success", "failure": "on_failure", "timeout": "on_timeout", "compensate": "compensate"}
_ASIDE = ("body", "compensate")
_WORDS = {"on": "after a success", "failure": "after a failure", "timeout": "after a timeout"}


def workflow_of(shape: Shape, *, description: str = "") -> WorkflowDefinition:
    """Return the definition of a shape in which at most one way of a node is taken at a time.

    A node that nothing leads on from is terminal, but for those in a branch, which ends there anyway. What leads to
    `END` besides other ways leads to a step `end`, which needs no worker: the last output passes through.

    >>> shape = Shape("w", {"a": {"worker_type": "coder"}}, [Way("a", END)], ["a"])
    >>> workflow_of(shape).steps["a"].is_terminal
    True
    """
    _lead_to_the_end(shape)
    leading: dict[str, list[Way]] = {node: [] for node in shape.nodes}
    for way in shape.ways:
        leading[way.source].append(way)
    aside = _aside(shape, leading)
    steps = {step_id: _step(shape, step_id, leading[step_id], ends=step_id not in aside) for step_id in shape.nodes}
    first = shape.starts[0] if shape.starts else None
    return WorkflowDefinition(name=shape.name[:200], description=description, initial_step=first, steps=steps)


def _lead_to_the_end(shape: Shape) -> None:
    choosing = {way.source for way in shape.ways if way.kind == "choice"}
    ending = [way for way in shape.ways if way.target == END and way.inner is None]
    led = [way for way in ending if way.kind != "on" or way.source in choosing]
    if led:
        end = shape.add("end", {"worker_type": "end", "is_terminal": True})
        for way in led:
            way.target = end
    shape.ways = [way for way in shape.ways if way.target != END or way.inner is not None]


def _aside(shape: Shape, leading: dict[str, list[Way]]) -> set[str]:
    """Return the nodes that only a branch or a compensation comes to."""

    def reached(starts: list[str]) -> set[str]:
        found, stack = set(starts), list(starts)
        while stack:
            for way in leading[stack.pop()]:
                if way.kind not in _ASIDE and way.target not in found:
                    found.add(way.target)
                    stack.append(way.target)
        return found

    opened = [way.target for way in shape.ways if way.kind in _ASIDE and way.inner is None]
    return reached(opened) - reached(shape.starts)


def _step(shape: Shape, step_id: str, ways: list[Way], *, ends: bool) -> Any:
    fields: dict[str, Any] = {**shape.nodes[step_id], "step_id": step_id}
    kind = fields.get("kind", "step")
    choices: list[Branch] = []
    bodies: dict[str, Any] = {}
    for way in ways:
        if way.kind == "choice":
            choices.append(Branch(when=way.condition, to=way.target, label=way.label))
        elif way.kind == "body":
            name = way.label or way.target
            to = way.target if way.inner is None else way.inner
            bodies[name] = Branch(when=way.condition, to=to) if way.condition else to
        elif way.kind == "budget":
            fields["budget"] = {"on_budget": way.target}
        else:
            name = _FIELDS[way.kind]
            if fields.setdefault(name, way.target) != way.target:
                shape.note(
                    "second-way",
                    step_id,
                    f"{step_id!r} leads to {fields[name]!r} and to {way.target!r} {_WORDS.get(way.kind, way.kind)}",
                    f"A step has one such way; the one to {way.target!r} was left out.",
                )
    if kind == "parallel":
        fields["branches"] = bodies
    elif kind == "map" and bodies:
        fields["body"] = next(iter(bodies.values()))
    if choices and kind != "parallel":
        fields["branches"] = tuple(choices)
    if "on_success" not in fields and not choices:
        fields.setdefault("is_terminal", ends)
    return _made(shape, step_id, kind, fields)


def _made(shape: Shape, step_id: str, kind: str, fields: dict[str, Any]) -> Any:
    """Return the step; a field that it does not take is left out, and that is said."""
    while True:
        try:
            return KINDS[kind].model_validate(fields)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            name, told = str(first["loc"][0]) if first["loc"] else "", first["msg"].removeprefix("Value error, ")
            if name in fields and name not in ("step_id", "kind"):
                lost = fields.pop(name)
                message = f"{name} of {step_id!r:.80} is not what a step takes: {lost!r:.80}"
                shape.note("field", step_id, message, f"It was left out ({told}).")
            elif "worker_type" not in fields:
                kept = {key: value for key, value in fields.items() if key in Step.model_fields and key != "kind"}
                message = f"{step_id!r:.80} is no step of the kind {kind!r}"
                shape.note("kind", step_id, message, f"It became one with a worker ({name or 'as a whole'}: {told}).")
                kind, fields = "step", {**kept, "worker_type": "generic"}
            else:
                raise
