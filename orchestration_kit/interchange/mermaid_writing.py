"""A definition becomes a Mermaid flowchart with nothing cut short, which `from_mermaid` reads again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orchestration_kit.definition.kinds import ParallelStep
from orchestration_kit.definition.steps import Branch, Step, callable_name
from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.interchange.mermaid_chart import encoded
from orchestration_kit.interchange.mermaid_words import (
    ELSE,
    FAILS,
    HEADER,
    LEFT_OUT,
    RETRY,
    RUN_SPENT,
    SPENT,
    UNDO,
    box_of,
    label_of,
    seconds_text,
)
from orchestration_kit.visual.model import Direction

_DRAWN = frozenset(
    {
        "kind", "step_id", "worker_type", "worker", "on_success", "on_failure", "on_timeout", "is_terminal", "outcome",
        "compensate", "branches", "body", "max_retries", "over", "join", "workflow", "prompt", "event", "for_s",
        "until", "max_concurrency",
    }
)  # fmt: skip
"""Fields of steps that the flowchart shows, in its boxes and arrows."""
_CLASSES = (
    "  classDef completed stroke:#00795a,stroke-width:3px",
    "  classDef failed stroke:#b34c00,stroke-width:3px",
)


def to_mermaid(workflow: WorkflowDefinition, *, direction: Direction = "TB") -> str:
    r"""Return a workflow as a Mermaid flowchart that `from_mermaid` makes the same steps and transitions of.

    Dashed arrows are taken after a failure, a timeout, or a budget that was spent; thick ones open branches; ends of a
    run have a thick border. Nothing is cut short, unlike in `visualize(workflow).mermaid`, which is made to be looked
    at. What a flowchart cannot say (retry policies, budgets, schemas ...) is named in comments.

    Args:
        workflow: sound or not.
        direction: "TB" from top to bottom, or "LR" from left to right.

    >>> from orchestration_kit import WorkflowDefinition
    >>> flow = WorkflowDefinition.from_edges("news", [("draft", "check"), ("check", "draft", "output.ok == false"),
    ...     ("check", "publish")])
    >>> print(to_mermaid(flow))
    flowchart TB
      %% workflow: news
      n0(("start"))
      draft["draft<br/>generic"]
      check["check<br/>generic"]
      publish(["publish<br/>generic"])
      n0 --> draft
      draft --> check
      check -->|"output.ok == false"| draft
      check -->|"else"| publish
      class publish completed
      classDef completed stroke:#00795a,stroke-width:3px
      classDef failed stroke:#b34c00,stroke-width:3px
    <BLANKLINE>
    """
    writer = _Writer()
    lines = [f"flowchart {direction}", f"  %% {HEADER} {encoded(workflow.name)}"]
    lines += writer.written(workflow, "  ")
    for outcome, names in writer.ends.items():
        lines.append(f"  class {','.join(names)} {outcome}")
    return "\n".join([*lines, *(_CLASSES if writer.ends else ()), *writer.left_out, ""])


class _Writer:
    """Names for nodes, ends by their outcome, and what was left out, over all workflows in one chart."""

    def __init__(self) -> None:
        self.count = 0
        self.taken: set[str] = set()
        self.ends: dict[str, list[str]] = {}
        self.left_out: list[str] = []

    def written(self, workflow: WorkflowDefinition, indent: str, where: str = "") -> Iterator[str]:
        names = {step_id: self._name(step_id) for step_id in workflow.steps}
        entry = self._free("n")
        spent = workflow.budget.on_budget if workflow.budget is not None else None
        if workflow.initial_step in names or spent in names:
            yield f'{indent}{entry}(("start"))'
        lost = [field for field in ("description", "goal", "budget") if getattr(workflow, field)]
        self._leave_out(where or "the workflow", lost)
        for step_id, step in workflow.steps.items():
            yield f"{indent}{names[step_id]}{box_of(step, title=step_id)}"
            if step.is_terminal:
                self.ends.setdefault(step.outcome, []).append(names[step_id])
            self._leave_out(f"{where}{step_id}", _lost(step, workflow))
        if workflow.initial_step in names:
            yield f"{indent}{entry} --> {names[workflow.initial_step]}"
        if spent in names:
            yield f'{indent}{entry} -.->|"{RUN_SPENT}"| {names[spent]}'
        for step_id, step in workflow.steps.items():
            yield from self._ways(step, names, indent, f"{where}{step_id}")

    def _ways(self, step: Any, names: dict[str, str], indent: str, where: str) -> Iterator[str]:
        source = names[step.step_id]
        for name, target in step.bodies.items():
            given = step.branches[name] if isinstance(step, ParallelStep) else None
            condition = [_text(given.when)] if isinstance(given, Branch) else []
            label = label_of([name, *condition])
            if isinstance(target, str):
                if target in names:
                    yield f"{indent}{source} ==>{label} {names[target]}"
                continue
            frame = self._free("b")
            yield f'{indent}subgraph {frame}["{encoded(target.name)}"]'
            yield from self.written(target, f"{indent}  ", f"{where}[{name}]/")
            yield f"{indent}end"
            yield f"{indent}{source} ==>{label} {frame}"
        for one in step.transitions():
            target = names.get(one.target)
            match one.kind:
                case _ if target is None or one.kind == "body":
                    continue
                case "branch":
                    branch = next(b for at, b in enumerate(step.choices) if one.field == f"branches[{at}]")
                    words = [branch.label, _text(branch.when)] if branch.label else [_text(branch.when)]
                    yield f"{indent}{source} -->{label_of(words)} {target}"
                case "success":
                    label = f'|"{ELSE}"|' if step.choices else ""
                    yield f"{indent}{source} -->{label} {target}"
                case kind:
                    told = {"failure": FAILS, "budget": SPENT, "compensate": UNDO}.get(kind, "")
                    told = told or f"after {seconds_text(getattr(step, 'timeout_s', 0.0))}"
                    yield f'{indent}{source} -.->|"{told}"| {target}'
        if retries := getattr(step, "max_retries", 0):
            yield f'{indent}{source} -.->|"{RETRY}{retries}"| {source}'

    def _leave_out(self, where: str, fields: list[str]) -> None:
        if fields:
            self.left_out.append(f"  %% {LEFT_OUT} {encoded(where)}: {', '.join(fields)}")

    def _name(self, step_id: str) -> str:
        plain = step_id.isascii() and step_id.replace("_", "a").isalnum() and step_id[0].isalpha()
        if plain and step_id.lower() not in _RESERVED and step_id not in self.taken:
            self.taken.add(step_id)
            return step_id
        return self._free("n")

    def _free(self, letter: str) -> str:
        while f"{letter}{self.count}" in self.taken:
            self.count += 1
        self.taken.add(f"{letter}{self.count}")
        return f"{letter}{self.count}"


_RESERVED = frozenset(
    {
        "end", "graph", "flowchart", "subgraph", "direction", "class", "classdef", "style", "linkstyle", "click",
        "href", "call", "default", "interpolate", "acctitle", "accdescr",
    }
)  # fmt: skip


def _text(condition: Any) -> str:
    return f"{callable_name(condition)}()" if callable(condition) else str(condition)


def _lost(step: Step, workflow: WorkflowDefinition) -> list[str]:
    """Return the fields of a step that are set and not drawn, and the ways that lead to no step."""
    data = step.model_dump(mode="python", exclude_defaults=True)
    fields = [name for name in data if name not in _DRAWN]
    if getattr(step, "on_timeout", None) is not None and "timeout_s" in fields:
        fields.remove("timeout_s")
    if step.is_terminal and (step.on_success is not None or step.choices):
        fields.append("ways after its end")
    held = [step.success_when, *(getattr(b, "when", None) for b in step.choices), getattr(step, "over", None)]
    if any(callable(one) for one in held):
        fields.append("code of a condition")
    return fields + [f"{one.field} (no such step)" for one in step.transitions() if one.target not in workflow.steps]
