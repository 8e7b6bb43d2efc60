"""Runs that say hostile texts in every place they can, for a notebook's kernel: `subjects(payloads)`."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from orchestration_kit import (
    ApprovalStep,
    Branch,
    Orchestrator,
    WorkerDefinition,
    WorkflowDefinition,
    WorkflowStep,
)
from orchestration_kit.definition.ids import FORBIDDEN_IN_STEP_IDS
from orchestration_kit.journal.memory import MemoryJournal

PROPERTIES = ("string", "number", "boolean", "array", "object")


def step_id(number: int, payload: str) -> str:
    """What of a payload a step may be called."""
    kept = "".join(c for c in fitting(payload) if c.isprintable() and c not in FORBIDDEN_IN_STEP_IDS)
    return f"{kept[:120]} {number}"


def name_of(payloads: tuple[str, ...]) -> str:
    """What the workflow is called: a payload, and what JupyterLab takes for mathematics."""
    return step_id(0, payloads[0]) + " $x^2$"


def fitting(text: str) -> str:
    """What of a payload a definition takes: text that can be encoded."""
    return text.encode("utf-8", "replace").decode()


def workflow_of(payloads: tuple[str, ...]) -> WorkflowDefinition:
    """A step for each payload, in a row, and a question at the end."""
    payloads = tuple(map(fitting, payloads))
    first = payloads[0]
    workflow = WorkflowDefinition(
        name=name_of(payloads), description=_line(first), goal=first if first.strip() else "goal"
    )
    ids = [step_id(number, payload) for number, payload in enumerate(payloads)]
    for number, payload in enumerate(payloads):
        to = ids[number + 1] if number + 1 < len(ids) else "ask"
        workflow.add_step(
            WorkflowStep(
                step_id=ids[number],
                worker_type=payload[:100].strip() or "blank",
                description=payload,
                branches=(Branch(when=f"output == {_quoted(payload[:100])}", to=to, label=payload),),
                on_success=to,
                on_failure=to,
            ),
            is_initial=number == 0,
        )
    workflow.add_step(
        ApprovalStep(
            step_id="ask",
            prompt=" ".join(payloads)[:8_000],
            description=first,
            show=("data.shown",),
            schema=schema_of(payloads),
            on_success="end",
            on_failure="end",
        )
    )
    workflow.add_step(WorkflowStep(step_id="end", worker_type="generic", is_terminal=True))
    return workflow


def schema_of(payloads: tuple[str, ...]) -> dict[str, Any]:
    """A JSON Schema that says them in titles, names, descriptions, choices and defaults."""
    properties: dict[str, Any] = {}
    for number, payload in enumerate(payloads):
        kind = PROPERTIES[number % len(PROPERTIES)]
        field: dict[str, Any] = {"title": payload[:300], "description": payload[:300], "type": kind}
        if kind == "string":
            field["enum" if number % 2 else "default"] = [payload, "other"] if number % 2 else payload
        elif kind == "array":
            field["items"] = {"type": "string", "title": payload[:300]}
        elif kind == "object":
            field["properties"] = {payload[:100]: {"type": "string", "default": payload}}
        properties[payload[:100]] = field
    return {"type": "object", "title": payloads[0], "description": payloads[0], "properties": properties}


def hub_of(payloads: tuple[str, ...]) -> Orchestrator:
    """A hub whose workers say it, write it, or raise it, as it is."""
    hub = Orchestrator(journal=MemoryJournal())

    def worker_saying(number: int, payload: str) -> Any:
        def work(_: Any, context: Any) -> Any:
            context.data[payload[:200]] = payload
            context.data["shown"] = {payload[:200]: payload, "list": [payload, {payload[:50]: None}]}
            if number % 3 == 2:
                raise ValueError(payload)
            if number % 3 == 1:
                return f"said: {payload}"
            return {payload[:200]: payload}

        return work

    for number, payload in enumerate(payloads):
        kind, name = fitting(payload)[:100].strip() or "blank", f"{number} {fitting(payload)[:100]}"
        hub.register_worker(WorkerDefinition(worker_type=kind, name=name, executor=worker_saying(number, payload)))
    hub.register_worker(WorkerDefinition(worker_type="generic", name="end", executor=lambda given: given))
    hub.register_workflow(workflow_of(payloads))
    return hub


def subjects(payloads: tuple[str, ...]) -> SimpleNamespace:
    """A hub, a run of it that waits for a person, and a fork of that run."""
    hub = hub_of(payloads)
    name = name_of(payloads)
    run = hub.start(
        name,
        payloads[0] if payloads[0].strip() else "goal",
        {"given": payloads[-1]},
        run_id=step_id(0, payloads[-1])[:100],
        tags={_line(payload)[:50]: _line(payload)[:200] for payload in payloads},
    )
    run.run()
    fork = run.fork(at=f"{step_id(1, payloads[1])}#1", input=payloads[0], run_id=step_id(1, payloads[1])[:100])
    fork.run()
    return SimpleNamespace(hub=hub, workflow=workflow_of(payloads), run=run, fork=fork, says=payloads)


def within(shown: Any) -> Any:
    """What is shown as HTML, where elements of widgets are looked at."""
    from IPython.display import HTML

    return HTML(f'<div class="okit">{shown._repr_mimebundle_()["text/html"]}</div>')


def _line(text: str) -> str:
    return " ".join(text.split()) or "blank"


def _quoted(text: str) -> str:
    """A text as a condition has it."""
    return json.dumps("".join(c for c in text if c.isprintable()), ensure_ascii=False)
