"""A position in the graph becomes what tables group by: the branch, the visit that opened it, the step's key."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from orchestration_kit.engine.inner import step_of, workflow_in
from orchestration_kit.engine.order import SPAWN, UNDO, opener_of, scope_of

if TYPE_CHECKING:
    from orchestration_kit.definition.workflow import WorkflowDefinition
    from orchestration_kit.engine.events import AttemptFinished

_VISIT = re.compile(r"#\d+(?=[\[/])")
_ITEM = re.compile(rf"\[(?:\d+(?:\.[\d-]+)*|{UNDO})\](?=/)")


class Place(NamedTuple):
    """Where a scope is."""

    branch: str | None
    """The key of the branch; None in the run itself."""
    within: str | None
    """The visit that opened it; None in the run itself, and for what the run undid."""
    prefix: str
    """What stands before a step in its key."""


@lru_cache(maxsize=65_536)
def place_of(scope: str) -> Place:
    """Return where a scope is.

    Items and visits are left out of keys, as they repeat what is the same; branches that have a name keep it.

    >>> place_of("grade#1[3]/review#2[law]/")
    Place(branch='law', within='grade#1[3]/review#2', prefix='grade/review[law]/')
    >>> place_of("")
    Place(branch=None, within=None, prefix='')
    """
    if not scope:
        return Place(None, None, "")
    opener, key = opener_of(scope) if scope.endswith("]/") else (None, None)
    return Place(key, opener or None, _ITEM.sub("", _VISIT.sub("", scope)).lstrip("/"))


def key_of(path: str) -> str:
    """Return the key of the step that a visit is of.

    >>> key_of("grade#1[3]/draft#2"), key_of("review#1[law]/check#1"), key_of("[undo]/refund#1")
    ('grade/draft', 'review[law]/check', 'refund')
    """
    return place_of(scope_of(path)).prefix + step_of(path)


def is_undoing(scope: str) -> bool:
    """Whether a scope is one in which a run, or a group of branches, is undone."""
    return scope.endswith(f"[{UNDO}]/")


def branches_begun(record: AttemptFinished, known: set[str]) -> list[tuple[str, str]]:
    """Return the branches that begin with an attempt, outer ones first, each with its first visit; note them.

    >>> from orchestration_kit.history.sources import records_of
    >>> (one,) = records_of([{"step": "x", "path": "a#1[0]/b#1[left]/x#1"}])
    >>> branches_begun(one, {""})
    [('a#1[0]/', 'a#1[0]/b#1'), ('a#1[0]/b#1[left]/', 'a#1[0]/b#1[left]/x#1')]
    """
    scope, first = record.scope, record.path
    found: list[tuple[str, str]] = []
    while scope not in known and scope.endswith("]/"):
        known.add(scope)
        found.append((scope, first))
        first = opener_of(scope)[0]
        scope = scope_of(first)
    return [one for one in reversed(found) if not is_undoing(one[0])]


def judged_steps(definition: WorkflowDefinition | None, records: list[AttemptFinished]) -> frozenset[str]:
    """Return the keys of the steps that have a `success_when`, as far as the records came there."""
    if definition is None:
        return frozenset()
    scopes = {record.scope for record in records}
    places = {place_of(scope).prefix: scope for scope in scopes}
    places[""] = ""
    is_spawning = any(scope.endswith(f"[{SPAWN}]/") for scope in scopes)
    spawned = _spawned(records) if is_spawning else {}
    found: set[str] = set()
    for prefix, scope in places.items():
        workflow = workflow_in(definition, scope, spawned)
        steps = () if workflow is None else workflow.steps.values()
        found.update(prefix + step.step_id for step in steps if step.success_when is not None)
    return frozenset(found)


def _spawned(records: list[AttemptFinished]) -> dict[str, Any]:
    return {one.path: one.detail["spawn"]["workflow"] for one in records if one.detail and "spawn" in one.detail}
