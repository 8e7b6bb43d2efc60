"""Do declared reads and writes of the data bus fit together? Pure functions on the graph.

Entries given as `initial_data` are not known to a definition, which is why these are warnings. What a map is over, what
a person is shown and what a sub-workflow gets count as read, where some step declares to write it or puts it out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from orchestration_kit.checks.places import Place, places_of
from orchestration_kit.checks.problem import Problem
from orchestration_kit.checks.threads import starts_of
from orchestration_kit.checks.written import Written
from orchestration_kit.definition.condition_text import read_condition, read_path
from orchestration_kit.definition.kinds import ApprovalStep, MapStep, SubworkflowStep
from orchestration_kit.definition.steps import Step
from orchestration_kit.errors import ConditionSyntaxError, listed

if TYPE_CHECKING:
    from orchestration_kit.definition.workflow import WorkflowDefinition


def data_flow(workflow: WorkflowDefinition) -> Iterator[Problem]:
    """Data read before every path wrote it, and data written but never read."""
    starts = starts_of(workflow)
    if not starts:
        return
    places = places_of(workflow)
    writes = list(dict.fromkeys(key for place in places.values() for key in place.step.writes))
    known = {*writes, *(f"{place.step.step_id}_output" for place in places.values())}
    reads = {name: _reads(place.step, known) for name, place in places.items()}
    if any(reads.values()):
        yield from _early(places, reads, starts)
    if writes:
        yield from _unread(places, writes, {key for keys in reads.values() for key in keys})


def _early(places: dict[str, Place], reads: dict[str, list[str]], starts: list[str]) -> Iterator[Problem]:
    keys = sorted({key for found in reads.values() for key in found})
    bits = {key: 1 << index for index, key in enumerate(keys)}
    before = Written(places, bits).before(starts)
    for name, place in places.items():
        early = [key for key in reads[name] if not before.get(name, -1) & bits[key]]
        if early:
            yield Problem(
                "read-before-write",
                (place.top,),
                f"{place.where}Step {place.step.step_id!r} reads {listed(early)}, "
                "which not every path to it has written",
                "Give it as initial_data, or let an earlier step write it (writes=...).",
                "warning",
            )


def _unread(places: dict[str, Place], writes: list[str], reads: set[str]) -> Iterator[Problem]:
    looked_at = {key for place in places.values() for key in _looked_at(place.step)}
    unread = [key for key in writes if key not in reads and key not in looked_at]
    if unread:
        writers = (place.top for place in places.values() if any(key in unread for key in place.step.writes))
        yield Problem(
            "never-read",
            tuple(dict.fromkeys(writers)),
            f"Written but never read by a step: {listed(unread)}",
            "Declare who reads it (reads=...), or drop it if nobody looks at it after the run.",
            "warning",
        )


def _reads(step: Step, known: set[str]) -> list[str]:
    """Return the entries a step needs: what it declares, and those of its paths that some step writes."""
    named = (key for path in _paths(step) if (key := _entry(path)) is not None and key in known)
    return list(dict.fromkeys([*step.reads, *named]))


def _paths(step: Step) -> Iterator[Any]:
    if isinstance(step, MapStep):
        yield step.over
    elif isinstance(step, ApprovalStep):
        yield from step.show
    elif isinstance(step, SubworkflowStep):
        given: Any = step.input
        yield from cast("dict[str, Any]", given).values() if isinstance(given, dict) else (given,)


def _entry(path: Any) -> str | None:
    if not isinstance(path, str):
        return None
    root, *keys = read_path(path)
    return keys[0] if root == "data" else None


def _looked_at(step: Step) -> Iterator[str]:
    """Entries that the conditions of a step name."""
    for _, condition in step.conditions():
        if isinstance(condition, str):
            try:
                paths = read_condition(condition).paths
            except ConditionSyntaxError:
                continue
            yield from (path[1] for path in paths if path[0] == "data" and len(path) > 1)
