"""Steps from edges: what leads where, as pairs, becomes the fields of each step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from orchestration_kit.definition.condition_text import read_condition
from orchestration_kit.definition.kinds import MapStep, ParallelStep
from orchestration_kit.definition.steps import Branch, Step, WorkflowStep
from orchestration_kit.errors import ConditionSyntaxError, DefinitionError, did_you_mean, listed

if TYPE_CHECKING:
    from orchestration_kit.definition.workflow import AnyStep

FIELDS = {"success": "on_success", "failure": "on_failure", "timeout": "on_timeout", "compensate": "compensate"}
"""The field in which a step keeps an edge of a kind."""


@dataclass(slots=True)
class Ways:
    """The edges out of one step."""

    step_id: str
    fields: dict[str, str] = field(default_factory=dict[str, str])
    choices: list[Branch] = field(default_factory=list[Branch])
    bodies: dict[str, Any] = field(default_factory=dict[str, Any])

    def lead(self, kind: str, target: str, *, condition: Any = None, label: str = "") -> None:
        """Note one more edge.

        Raises:
            DefinitionError: there is no such kind, or one edge of it is there already.
        """
        if kind == "body":
            name, to = label or target, target if condition is None else Branch(when=condition, to=target)
            if self.bodies.setdefault(name, to) != to:
                raise DefinitionError(
                    f"Step {self.step_id!r} opens two branches {name!r}. Give each a label of its own."
                )
        elif kind == "branch" or (kind == "success" and condition is not None):
            if condition is None:
                raise DefinitionError(
                    f"The branch {self.step_id!r} -> {target!r} has no condition. Give it one, such as 'output.ok'."
                )
            self.choices.append(Branch(when=condition, to=target, label=label))
        elif kind in FIELDS:
            self._set(kind, target)
        else:
            raise DefinitionError(
                f"The edge {self.step_id!r} -> {target!r} is of kind {kind!r:.80}, which no edge can be."
                f"{did_you_mean(kind, FIELDS)} It is one of {', '.join([*FIELDS, 'branch', 'body'])}."
            )

    def _set(self, kind: str, target: str) -> None:
        other = self.fields.setdefault(FIELDS[kind], target)
        if other != target:
            raise DefinitionError(
                f"Step {self.step_id!r} leads to two steps after a {kind}: {other!r} and {target!r}. "
                f"Give one of them a condition, as in ({self.step_id!r}, {target!r}, 'output.ok == true'), or open "
                "both at once with a ParallelStep."
            )

    def step(self, given: Any, *, ends: bool, outcome: str = "completed") -> AnyStep:
        """Return the step with these edges.

        Args:
            given: a step, or the type of a worker.
            ends: it is terminal.
            outcome: of a terminal step.
        """
        made = given if isinstance(given, Step) else WorkflowStep(step_id=self.step_id, worker_type=given)
        step = cast("AnyStep", made)
        kind, known = type(step).__name__, dict(step)
        changes: dict[str, Any] = dict(self.fields)
        for name, target in changes.items():
            if name not in known:
                raise DefinitionError(f"Step {self.step_id!r} is a {kind}, which has no {name}.")
            if known[name] not in (None, target):
                raise DefinitionError(
                    f"Step {self.step_id!r} has {name}={known[name]!r}, and an edge leads to {target!r}. "
                    "Leave one of them out."
                )
        if self.choices:
            if isinstance(step, ParallelStep):
                raise DefinitionError(
                    f"Step {self.step_id!r} is a {kind}, which has no conditional ways on. "
                    "Lead it to a step that decides."
                )
            changes["branches"] = (*step.choices, *self.choices)
        changes.update(self._opened(step))
        if ends and not step.is_terminal:
            changes |= {"is_terminal": True, "outcome": outcome}
        return type(step).model_validate({**known, **changes})

    def _opened(self, given: Step) -> dict[str, Any]:
        if not self.bodies:
            return {}
        if isinstance(given, ParallelStep):
            return {"branches": {**given.branches, **self.bodies}}
        if isinstance(given, MapStep) and list(self.bodies.values()) == [given.body]:
            return {}
        raise DefinitionError(
            f"Step {self.step_id!r} is a {type(given).__name__}, which opens no further branches. Use a ParallelStep."
        )


def steps_of_edges(
    edges: Iterable[Any],
    workers: Mapping[str, Any] | None,
    terminal: Iterable[str] | Mapping[str, str] | None,
    initial: str | None,
) -> tuple[str, dict[str, AnyStep]]:
    """Return the id of the first step and all steps; see `WorkflowDefinition.from_edges`."""
    written = list(edges)
    given = dict(workers or {})
    ways: dict[str, Ways] = {}
    for edge in written:
        source, target, kind, condition = _read(edge)
        ways.setdefault(source, Ways(source)).lead(kind, target, condition=condition)
        ways.setdefault(target, Ways(target))
    for step_id, one in given.items():
        if isinstance(one, Step) and one.step_id != step_id:
            raise DefinitionError(f"workers has the step {one.step_id!r} under {step_id!r}. Use one id for both.")
    if not ways and not given:
        raise DefinitionError("There are no edges. Give for example [('draft', 'check'), ('check', 'publish')].")
    first = initial if initial is not None else next(iter(ways or given))
    _refuse_strays(ways, given, first)
    outcomes: Mapping[str, str] | None = None
    if terminal is not None:
        named: Any = [terminal] if isinstance(terminal, str) else terminal
        outcomes = cast("Mapping[str, str]", named if isinstance(named, Mapping) else dict.fromkeys(named, "completed"))
    known = {**ways, **{step_id: ways.get(step_id, Ways(step_id)) for step_id in given}}
    steps: dict[str, AnyStep] = {}
    for step_id, one in known.items():
        ends = _ends(one, given.get(step_id), outcomes)
        outcome = (outcomes or {}).get(step_id, "completed")
        steps[step_id] = one.step(given.get(step_id, "generic"), ends=ends, outcome=outcome)
    _refuse_unknown(steps, outcomes or {}, first)
    return first, steps


def _read(edge: Any) -> tuple[str, str, str, Any]:
    """Return where an edge comes from, where it goes, its kind and its condition."""
    parts: list[Any] = list(cast("Iterable[Any]", edge)) if isinstance(edge, (tuple, list)) else []
    if len(parts) not in (2, 3) or not all(isinstance(part, str) for part in parts[:2]):
        raise DefinitionError(
            f"{edge!r:.120} is no edge. Write ('draft', 'check'), ('draft', 'failed', 'failure') "
            "or ('check', 'draft', 'output.approved == false')."
        )
    how = parts[2] if len(parts) == 3 else "success"
    if how in ("success", "failure"):
        return parts[0], parts[1], how, None
    if isinstance(how, str):
        try:
            read_condition(how)
        except ConditionSyntaxError as error:
            near = did_you_mean(how, ("success", "failure"))
            raise DefinitionError(
                f"The edge {parts[0]!r} -> {parts[1]!r} is neither for success nor for failure, nor has it a "
                f"condition.{near} {error}"
            ) from None
    return parts[0], parts[1], "branch", how


def _ends(ways: Ways, given: Any, outcomes: Mapping[str, str] | None) -> bool:
    step = given if isinstance(given, Step) else None
    leads_on = bool(
        "on_success" in ways.fields or ways.choices or (step and (step.on_success is not None or step.choices))
    )
    ends = (not leads_on if outcomes is None else ways.step_id in outcomes) or bool(step and step.is_terminal)
    if ends and leads_on:
        raise DefinitionError(
            f"Step {ways.step_id!r} is terminal, and an edge leads on from it after a success. "
            "Drop the edge, or do not name it as terminal."
        )
    return ends


def _refuse_strays(ways: dict[str, Ways], given: dict[str, Any], first: str) -> None:
    """Refuse a worker for a step that nothing leads to: most often that is a name misspelt."""
    led_to = {*ways, first, *(t.target for one in given.values() if isinstance(one, Step) for t in one.transitions())}
    strays = [
        f"workers names {step_id!r}, and no edge leads there.{did_you_mean(step_id, sorted(led_to))}"
        for step_id in given
        if ways and step_id not in led_to
    ]
    if strays:
        raise DefinitionError("\n".join(strays) + f" The edges name {listed(ways)}.")


def _refuse_unknown(steps: dict[str, AnyStep], outcomes: Mapping[str, str], first: str) -> None:
    """Refuse what names a step that neither an edge nor `workers` has."""
    named = [("initial", first), *(("terminal", step_id) for step_id in outcomes)]
    named += [(f"{t.field} of step {s!r}", t.target) for s, step in steps.items() for t in step.transitions()]
    unknown = [
        f"{where} names {target!r}, which is no step.{did_you_mean(target, steps)}"
        for where, target in named
        if target not in steps
    ]
    if unknown:
        there = "\n".join(unknown)
        raise DefinitionError(f"{there} Name it in an edge or in workers. Steps: {listed(steps)}.")
