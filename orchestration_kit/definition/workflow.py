"""The skeleton: steps and the transitions between them. Data, not code."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Annotated, Any, Self, cast

from pydantic import Discriminator, Field, Tag, ValidationError, model_validator

from orchestration_kit.definition import files
from orchestration_kit.definition.base import Model, fields_of
from orchestration_kit.definition.budgets import Budget
from orchestration_kit.definition.fingerprints import callable_fingerprint
from orchestration_kit.definition.ids import StepId
from orchestration_kit.definition.kinds import ApprovalStep, MapStep, ParallelStep, SubworkflowStep, WaitStep
from orchestration_kit.definition.steps import Step, WorkflowStep, callable_name
from orchestration_kit.errors import DuplicateStep, NotSerializable, WorkflowFileError, did_you_mean, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import networkx as nx

    from orchestration_kit.checks import Problem
    from orchestration_kit.definition.workers import WorkerType

    Edge = tuple[str, str] | tuple[str, str, str | Callable[..., Any]]


def _kind_of(step: Any) -> str:
    return str(getattr(step, "kind", None) or fields_of(step).get("kind", "step"))


AnyStep = Annotated[
    Annotated[WorkflowStep, Tag("step")]
    | Annotated[ParallelStep, Tag("parallel")]
    | Annotated[MapStep, Tag("map")]
    | Annotated[SubworkflowStep, Tag("workflow")]
    | Annotated[ApprovalStep, Tag("approval")]
    | Annotated[WaitStep, Tag("wait")],
    Discriminator(_kind_of),
]
"""A step of any kind; in a file its `kind` says which, "step" where there is none."""
KINDS = ("step", "parallel", "map", "workflow", "approval", "wait")


class WorkflowDefinition(Model):
    """A workflow: named steps, and which of them comes first.

    >>> workflow = WorkflowDefinition(name="greet", description="Say hello", goal="A greeting")
    >>> workflow.add_step(
    ...     WorkflowStep(step_id="greet", worker_type="generic", is_terminal=True), is_initial=True
    ... )
    >>> workflow.validate()
    (True, None)
    """

    name: Annotated[str, Field(min_length=1, max_length=200)]
    description: str = ""
    goal: str = ""
    initial_step: StepId | None = None
    steps: dict[str, AnyStep] = Field(default_factory=dict)
    budget: Budget | None = None
    """What one run may use, all steps together, and where it goes when that is spent."""

    if not TYPE_CHECKING:

        def __init__(self, /, *args: Any, **fields: Any) -> None:
            if len(args) > 3:
                raise TypeError(
                    "WorkflowDefinition(name, description, goal) takes no more by position; name the others"
                )
            super().__init__(**dict(zip(("name", "description", "goal"), args, strict=False)), **fields)

    @model_validator(mode="before")
    @classmethod
    def _name_steps_by_key(cls, fields: Any) -> Any:
        """In a file a step stands under its id and need not repeat it."""
        given = fields_of(fields)
        steps = fields_of(given.get("steps"))
        if not steps:
            return fields
        named: dict[str, Any] = {}
        for key, step in steps.items():
            written = {"step_id": key, **fields_of(step)}
            named[key] = written if isinstance(step, dict) else step
        return {**given, "steps": named}

    @model_validator(mode="after")
    def _ids_match_keys(self) -> Self:
        for key, step in self.steps.items():
            if key != step.step_id:
                raise ValueError(f"the step under {key!r} calls itself {step.step_id!r}; use one id for both")
        return self

    def add_step(self, step: AnyStep, is_initial: bool = False, *, replace: bool = False) -> None:  # noqa: FBT001, FBT002 - the mission's signature
        """Add a step. Adding the same step again changes nothing, so that a cell can be run twice.

        Raises:
            DuplicateStep: a different step has this id, and `replace` is false.
        """
        if not isinstance(step, Step):
            raise TypeError(
                f"add_step takes a step of any kind, not {step!r:.80}. Write add_step(WorkflowStep(step_id=...))."
            )
        present = self.steps.get(step.step_id)
        if present is not None and not replace and present != step:
            # A lambda of a cell that is run again is another object; what counts is what it does.
            old, new = present.model_dump(), step.model_dump()
            differs = tuple(name for name in new if _canonical(old.get(name)) != _canonical(new[name]))
            if differs:
                raise DuplicateStep(self.name, step.step_id, differs)
        self.steps[step.step_id] = step.model_copy(deep=False)
        if is_initial:
            self.initial_step = step.step_id

    @classmethod
    def from_edges(  # noqa: PLR0913 - each of them is a part of a workflow
        cls,
        name: str,
        edges: Iterable[Edge],
        *,
        workers: Mapping[str, WorkerType | str | AnyStep] | None = None,
        initial: str | None = None,
        terminal: Iterable[str] | Mapping[str, str] | None = None,
        goal: str = "",
        description: str = "",
    ) -> Self:
        """Build a workflow from what leads where.

        >>> flow = WorkflowDefinition.from_edges("news", [
        ...     ("draft", "check"),
        ...     ("check", "draft", "output.approved == false && visits < 3"),
        ...     ("check", "publish"),
        ...     ("draft", "failed", "failure"),
        ... ], workers={"draft": "coder", "check": "reviewer"}, terminal={"publish": "completed", "failed": "failed"})
        >>> flow.validate(), flow.steps["check"].branches[0].to, flow.steps["failed"].outcome
        ((True, None), 'draft', 'failed')

        Args:
            name: of the workflow.
            edges: `(a, b)` or `(a, b, "success")`, `(a, b, "failure")`, or `(a, b, condition)` with CEL text or a
                callable; conditions are tried in the order in which they stand here.
            workers: by step id a worker's type, or a step of any kind, which the edges are added to; "generic" for the
                others.
            initial: where it begins; without it, where the first edge does.
            terminal: the steps that end a run, or their outcomes by step id; without it, all that lead nowhere after
                a success.
            goal: what it is for.
            description: in a sentence.

        Raises:
            DefinitionError: the edges contradict one another or a step, or name what is not there.
        """
        from orchestration_kit.definition.edges import steps_of_edges

        first, steps = steps_of_edges(edges, workers, terminal, initial)
        return cls(name=name, goal=goal, description=description, initial_step=first, steps=steps)

    def replace(self, step_id: str | None = None, /, **changes: Any) -> Self:
        """Return a copy with other fields: of a step where its id is given, else of the workflow itself.

        A step that gets another `step_id` is called so wherever it is named, in conditions and paths too.

        >>> flow = WorkflowDefinition.from_edges("news", [("draft", "publish")])
        >>> flow.replace("draft", max_retries=2).replace(goal="News").steps["draft"].max_retries
        2
        >>> flow.steps["draft"].max_retries
        0

        Raises:
            UnknownStep: there is no such step.
            DefinitionError: there is no such field, or the new id is taken.
            pydantic.ValidationError: a field does not take the value.
        """
        from orchestration_kit.definition.algebra import with_changed_step, with_changes

        made = with_changes(self, changes) if step_id is None else with_changed_step(self, step_id, changes)
        return cast("Self", made)

    def compose(self, *others: WorkflowDefinition, name: str | None = None) -> Self:
        """Return this workflow and others in a row; reads as `WorkflowDefinition.compose(a, b)`, too.

        Where a run of one would end as completed, the next begins, with its last output; where it would end as failed,
        the whole does. Ids that several of them use get the workflow's name before them, wherever they are named. Code
        that looks up `data["<step>_output"]` is not rewritten. A step that was terminal needs a worker now.

        >>> write = WorkflowDefinition.from_edges("write", [("draft", "check")])
        >>> ship = WorkflowDefinition.from_edges("ship", [("check", "publish")])
        >>> [(s.step_id, s.on_success) for s in write.compose(ship).steps.values()]
        [('draft', 'write.check'), ('write.check', 'ship.check'), ('ship.check', 'publish'), ('publish', None)]

        Raises:
            DefinitionError: one of them has no end that leads on, no beginning, or a budget of its own.
        """
        from orchestration_kit.definition.algebra import in_a_row

        return cast("Self", in_a_row((self, *others), name))

    def to_networkx(self) -> nx.MultiDiGraph[str]:
        """Return a graph with steps as nodes and transitions as edges, for the algorithms of networkx.

        A node has the attributes kind, worker_type, description, is_terminal, outcome, and the whole step as a dict
        under `step`; an edge has kind, label, condition, and the field it is written in as its key.

        >>> flow = WorkflowDefinition.from_edges("news", [("draft", "publish")])
        >>> list(flow.to_networkx().edges(data="kind"))
        [('draft', 'publish', 'success')]

        Raises:
            NotSerializable: the definition holds Python callables.
        """
        from orchestration_kit.definition.networks import network_of

        return network_of(self)

    @classmethod
    def from_networkx(cls, graph: nx.DiGraph[Any], *, name: str | None = None, initial: str | None = None) -> Self:
        """Build a workflow from a graph: one of `to_networkx`, or any directed graph.

        Of a node count the attributes that are fields of its kind of step (kind, "step" by default; worker_type,
        "generic" by default; description ...), of an edge kind ("success" by default, failure, timeout, compensate,
        body), condition (CEL text) and label. Other attributes are left alone, and nothing is evaluated.

        >>> import networkx as nx
        >>> WorkflowDefinition.from_networkx(nx.DiGraph([("draft", "publish")]), name="news").validate()
        (True, None)

        Args:
            graph: a `networkx.DiGraph` or `MultiDiGraph`.
            name: of the workflow; without it, the graph's.
            initial: where it begins; without it, the only node that no edge leads to, else the first.

        Raises:
            DefinitionError: the graph is none of a workflow; it says why.
        """
        from orchestration_kit.definition.networks import workflow_of

        return cast("Self", workflow_of(cls, graph, name=name, initial=initial))

    def get_step(self, step_id: str) -> AnyStep | None:
        """Return a step by its id, or None.

        >>> WorkflowDefinition.from_edges("news", [("draft", "publish")]).get_step("draft").on_success
        'publish'
        """
        return self.steps.get(step_id)

    def problems(self) -> list[Problem]:
        """Return everything the checks found, errors before warnings.

        >>> [problem.code for problem in WorkflowDefinition(name="empty").problems()]
        ['no-initial-step']
        """
        from orchestration_kit.checks import check

        return check(self)

    def validate(self) -> tuple[bool, str | None]:  # pyright: ignore[reportIncompatibleMethodOverride] - the mission's name
        """Return (True, None), or (False, the first error's message)."""
        first = next((p for p in self.problems() if p.severity == "error"), None)
        return (True, None) if first is None else (False, first.message)

    def callables(self) -> Iterator[Callable[..., Any]]:
        """Yield the Python callables in it and in the workflows that stand in its steps: no file can hold them."""
        for step in self.steps.values():
            yield from step.callables()
            for target in step.bodies.values():
                if not isinstance(target, str):
                    yield from target.callables()

    def to_dict(self) -> dict[str, Any]:
        """Return the definition as plain data, defaults left out.

        Raises:
            NotSerializable: a condition is a Python callable.
        """
        for function in self.callables():
            raise NotSerializable(callable_name(function))
        data = self.model_dump(mode="json", exclude_defaults=True)
        if "steps" in data:
            data["steps"] = {step_id: _written(self.steps[step_id], step) for step_id, step in data["steps"].items()}
        return data

    def to_json(self) -> str:
        """Return the definition as indented JSON."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False)

    def to_yaml(self) -> str:
        """Return the definition as YAML.

        >>> flow = WorkflowDefinition.from_edges("news", [("draft", "publish")])
        >>> WorkflowDefinition.from_yaml(flow.to_yaml()) == flow
        True
        """
        return files.dump_yaml(self.to_dict())

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Build a definition from plain data.

        Raises:
            WorkflowFileError: naming each wrong field, and the name that was probably meant.
        """
        if not isinstance(data, dict):
            path = " If this is the path of a file, give Path(...).read_text()." if isinstance(data, str) else ""
            hint = f"It is a mapping with name, initial_step, steps.{path}"
            raise WorkflowFileError(f"it holds {type(data).__name__}", hint)
        if bad := [key for key in cast("dict[Any, Any]", data) if not isinstance(key, str)]:
            raise WorkflowFileError(f"it holds the key {bad[0]!r:.80}, which is not text", "Its keys are field names.")
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise WorkflowFileError(_described(error), "Mend these fields and load it again.") from None

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Build a definition from JSON text. Nothing in it is executed.

        Raises:
            WorkflowFileError: the text is not a workflow.
        """
        return cls.from_dict(files.parse_json(text))

    @classmethod
    def from_yaml(cls, text: str) -> Self:
        """Build a definition from YAML text. Nothing in it is executed; aliases and tags are refused.

        Raises:
            WorkflowFileError: the text is not a workflow.
        """
        return cls.from_dict(files.parse_yaml(text))

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """Return the JSON Schema of a workflow file, for editors and for planners that write one."""
        schema = cls.model_json_schema()
        for step in schema["$defs"].values():
            if "step_id" in step.get("required", ()):
                kind = step["properties"]["kind"]["const"]
                required = [name for name in step["required"] if name != "step_id"]
                step["required"] = required if kind == "step" else ["kind", *required]
        return schema

    def fingerprint(self) -> str:
        """Return the SHA-256 of the definition's canonical JSON, in hex.

        A callable condition counts with its name and its code.
        """
        data = self.model_dump(mode="python", exclude_defaults=True)
        text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=callable_fingerprint)
        return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        from orchestration_kit.visual import mimebundle

        return mimebundle(self)

    def __str__(self) -> str:
        return self._repr_mimebundle_()["text/plain"]


def _written(step: Step, fields: dict[str, Any]) -> dict[str, Any]:
    """Return a step as it stands in a file, what kind it is first."""
    first = {"worker_type": str(step.worker_type)} if isinstance(step, WorkflowStep) else {"kind": step.kind}
    return first | {name: value for name, value in fields.items() if name not in ("step_id", "kind", "worker_type")}


def _canonical(data: Any) -> str:
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=callable_fingerprint)


def _described(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    lines: list[str] = []
    for one in found[:10]:
        loc = [part for at, part in enumerate(one["loc"]) if not (at == 2 and one["loc"][0] == "steps")]  # its kind
        where = ".".join(str(part) for part in loc) or "the workflow"
        told = one["msg"].removeprefix("Value error, ")
        if one["type"] == "union_tag_invalid":
            kind = told.split("'")[1]
            told = f"there is no kind of step {kind!r}.{did_you_mean(kind, KINDS)} Kinds: {listed(KINDS)}"
        lines.append(f"{where}: {told}")
    more = f" (and {len(found) - 10} more)" if len(found) > 10 else ""
    return "; ".join(line if line.endswith("...") else line.removesuffix(".") for line in lines) + more
