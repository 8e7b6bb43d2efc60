"""A model becomes the description of a form: one control for each field, made from its JSON Schema.

A control is plain data: its `type`, its `label`, the `help` beside it, and what its type needs. Types: `text`, `long`,
`condition`, `path`, `step` (an id of the workflow), `number`, `integer`, `flag`, `choice`, `lines` (a list of texts),
`json`, `body` (a step or a workflow), `object` (a model), `list` (of models), `mapping` (by name), `either` (one of
several), each with `optional` where the field may be unset.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any, cast

from pydantic import BaseModel

from orchestration_kit.definition.budgets import Budget
from orchestration_kit.definition.steps import Branch, RetryPolicy
from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.widgets.composing.docs import field_docs
from orchestration_kit.widgets.composing.palette import KINDS

Control = dict[str, Any]
_REFERENCES = frozenset({"on_success", "on_failure", "on_timeout", "on_budget", "compensate", "to", "initial_step"})
"""Fields that name a step: the schema cannot tell them from other texts."""
_TOLD = {"A condition": "condition", "Where to look": "path"}
"""Texts with a language of their own, by what their schema says of them."""
_LONG = frozenset({"description", "goal", "prompt"})
_MODELS: dict[str, type[BaseModel]] = {"Branch": Branch, "Budget": Budget, "RetryPolicy": RetryPolicy}
_MORE = frozenset(
    {"reads", "writes", "compensate", "lock", "rate", "retry", "budget", "worker", "timeout_s", "reducer"}
)
"""Fields that most steps leave alone; they stand behind the others."""
_UNITS = {"_s": "s", "_seconds": "s", "_usd": "USD"}


@cache
def form_of(model: type[BaseModel]) -> tuple[Control, ...]:
    """Return the controls of a model, what it needs first, then in the order of its fields.

    >>> from orchestration_kit import Branch
    >>> [(control["name"], control["type"]) for control in form_of(Branch)]
    [('when', 'condition'), ('to', 'step'), ('label', 'text')]
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        schema = model.model_json_schema()
    known, docs = schema.get("$defs", {}), field_docs(model)
    controls: list[Control] = []
    for name, field in schema["properties"].items():
        if name in ("kind", "steps"):
            continue
        control = _control(name, field, known)
        text = docs.get(name) or field.get("description", "")
        is_required = name in schema.get("required", ())
        more = name in _MORE and model is not WorkflowDefinition
        controls.append({
            "name": name, "label": _label(name), "help": text, "required": is_required, "more": more, **control
        })  # fmt: skip
    return tuple(sorted(controls, key=lambda one: not one["required"]))


@cache
def forms() -> dict[str, Any]:
    """Return the forms of every kind of step and of a workflow, by tag; and of nothing else."""
    found: dict[str, Any] = {name: list(form_of(kind.model)) for name, kind in KINDS.items()}
    return {**found, "definition": list(form_of(WorkflowDefinition))}


def _label(name: str) -> str:
    for ending, unit in _UNITS.items():
        if name.endswith(ending):
            return f"{name.removesuffix(ending).replace('_', ' ').capitalize()} ({unit})"
    return name.replace("_", " ").capitalize()


def _control(name: str, schema: dict[str, Any], known: dict[str, Any]) -> Control:
    options = schema.get("anyOf")
    if options is None:
        return _plain(name, schema, known)
    if name == "body" or _is_target(schema):
        return {"type": "body"}
    given = [one for one in options if one.get("type") != "null"]
    optional = {"optional": True} if len(given) < len(options) else {}
    if len(given) == 1:
        return {**_plain(name, given[0], known), **optional}
    if all(one.get("type") == "string" or "$ref" in one for one in given):  # known words, and any other
        words = next((_resolved(one, known).get("enum") for one in given if "$ref" in one), None)
        return {"type": "text", "words": words or [], **optional}
    return {"type": "either", "variants": [_variant(name, one, known) for one in given], **optional}


def _variant(name: str, schema: dict[str, Any], known: dict[str, Any]) -> Control:
    control = _plain(name, schema, known)
    word = {"mapping": "by entry", "integer": "a number", "path": "a path", "choice": "for all"}
    return {**control, "label": word.get(control["type"], control["type"])}


def _plain(name: str, schema: dict[str, Any], known: dict[str, Any]) -> Control:
    if "$ref" in schema:
        kind = schema["$ref"].rpartition("/")[2]
        return {"type": "object", "title": kind, "fields": list(form_of(_MODELS[kind]))}
    about = schema.get("description", "")
    if name in _REFERENCES or name == "schema":
        return {"type": "step" if name in _REFERENCES else "json"}
    if about.startswith(tuple(_TOLD)):
        return {"type": next(kind for words, kind in _TOLD.items() if about.startswith(words))}
    if "enum" in schema:
        return {"type": "choice", "options": list(schema["enum"])}
    return _typed(name, schema, known)


def _typed(name: str, schema: dict[str, Any], known: dict[str, Any]) -> Control:
    kind = schema.get("type", "string")
    if kind == "array":
        return _array(name, schema["items"], known)
    if kind == "object":
        entries = schema.get("additionalProperties")
        if not isinstance(entries, dict):
            return {"type": "json"}
        return {"type": "mapping", "entry": _control("", cast("dict[str, Any]", entries), known)}
    if kind in ("number", "integer"):
        least = schema.get("minimum", schema.get("exclusiveMinimum"))
        return {"type": kind, "min": least, "max": schema.get("maximum")}
    if kind == "boolean":
        return {"type": "flag"}
    return {"type": "long" if name in _LONG else "text"}


def _array(name: str, items: dict[str, Any], known: dict[str, Any]) -> Control:
    if "$ref" in items:
        entry = _plain(name, items, known)
        return {"type": "list", "title": entry["title"], "fields": entry["fields"]}
    return {"type": "lines"}


def _is_target(schema: dict[str, Any]) -> bool:
    return {one.get("type") for one in schema.get("anyOf", ())} == {"string", "object"} and "id, or" in schema.get(
        "description", ""
    )


def _resolved(schema: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    return known.get(schema.get("$ref", "").rpartition("/")[2], schema)
