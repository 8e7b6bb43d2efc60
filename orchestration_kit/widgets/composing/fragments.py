"""Steps are copied and pasted: a fragment of a workflow finds ids of its own in another one, or in the same."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from orchestration_kit.definition.algebra import with_names
from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.widgets.composing.draft import Spot, free_id, remove_steps, with_steps

_NUMBER = re.compile(r"_\d+$")


@dataclass(frozen=True, slots=True)
class Fragment:
    """Some steps as they were copied, and where they stood."""

    steps: Mapping[str, Any]
    spots: Mapping[str, Spot]


def cut_out(workflow: WorkflowDefinition, ids: Iterable[str], spots: Mapping[str, Spot]) -> Fragment:
    """Return the steps with these ids, in the order of the workflow."""
    wanted = set(ids)
    steps = {key: step for key, step in workflow.steps.items() if key in wanted}
    return Fragment(steps, {key: spots[key] for key in steps if key in spots})


def paste(workflow: WorkflowDefinition, fragment: Fragment) -> tuple[WorkflowDefinition, dict[str, str]]:
    """Return the workflow with the steps of a fragment, and their new ids by old ones.

    Ways among the steps lead to the copies, and those to steps that both have stay; others are taken away.

    Raises:
        DefinitionError: a condition cannot name the copy of a step; it says which.
    """
    names: dict[str, str] = {}
    for key in fragment.steps:
        names[key] = free_id(_NUMBER.sub("", key), {*workflow.steps, *names.values()})
    alone = with_steps(WorkflowDefinition(name="copied"), fragment.steps)
    named = {t.target for step in fragment.steps.values() for t in step.transitions()}
    strangers = named - fragment.steps.keys() - workflow.steps.keys()
    copied = with_names(remove_steps(alone, strangers), names)
    first = workflow.initial_step
    if first is None and not workflow.steps:
        first = next(iter(copied.steps), None)
    return with_steps(workflow, {**workflow.steps, **copied.steps}, initial_step=first), names
