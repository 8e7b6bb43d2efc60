"""Runs, or a frame of them, become the attempts of one workflow's runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from orchestration_kit.errors import listed
from orchestration_kit.history.sources import Recorded, recordings
from orchestration_kit.reliability.errors import ChainError
from orchestration_kit.reliability.own import Attempts, own_attempts
from orchestration_kit.reliability.tables import table_of_frame, table_of_records

if TYPE_CHECKING:
    from orchestration_kit.definition.workflow import WorkflowDefinition


def read(runs: Any) -> tuple[Attempts, str | None, WorkflowDefinition | None]:
    """Return the attempts on record, the name of the workflow, and its definition where that is known.

    Raises:
        ChainError: there is nothing to count, or several workflows.
        TypeError: there is no history in `runs`.
    """
    import pandas as pd

    if isinstance(runs, pd.DataFrame):
        return own_attempts(table_of_frame(runs)), None, None
    given: Any = list(cast("Iterable[Any]", runs)) if _is_several(runs) else runs
    found = recordings(given)
    several = cast("list[Any]", given) if isinstance(given, list) else []
    definitions = list(map(_definition, several if len(several) == len(found) else [given]))
    kept = _one_workflow(found)
    definition = next((one for one in reversed(definitions) if one is not None), None)
    names = [run.workflow for run in kept if run.workflow is not None]
    name = names[0] if names else None if definition is None else definition.name
    if definition is not None and definition.name != name:
        named = (one for one in reversed(definitions) if one is not None and one.name == name)
        definition = next(named, None)
    return own_attempts(table_of_records(_without_shared(kept))), name, definition


def _is_several(runs: Any) -> bool:
    return isinstance(runs, Iterable) and not isinstance(runs, (str, bytes, Mapping, list, Recorded))


def _definition(source: Any) -> WorkflowDefinition | None:
    machine = getattr(source, "machine", None) or getattr(source, "_machine", None)
    plan = getattr(machine, "plan", None)
    return None if plan is None else plan.definition


def _one_workflow(runs: list[Recorded]) -> list[Recorded]:
    """Return the runs without those that are a step of another one of them.

    Raises:
        ChainError: they are of several workflows.
    """
    ids = {run.run for run in runs}
    kept = [run for run in runs if run.parent not in ids or run.forked_at is not None]
    names = list(dict.fromkeys(run.workflow for run in kept if run.workflow is not None))
    if len(names) > 1:
        first = names[0]
        reason = (
            f"the runs are of several workflows: {listed(names)}. Give those of one, "
            f"e.g. [run for run in runs if run.workflow.name == {first!r}]."
        )
        raise ChainError(first, reason)
    return kept


def _without_shared(runs: list[Recorded]) -> list[tuple[Recorded, int]]:
    """Return each run with how many of its attempts are its parent's."""
    by_id = {run.run: run for run in runs}
    found: list[tuple[Recorded, int]] = []
    for run in runs:
        parent = by_id.get(run.parent) if run.parent is not None and run.forked_at is not None else None
        shared = 0
        if parent is not None and parent is not run:
            for ours, theirs in zip(run.records, parent.records, strict=False):
                if (ours.path, ours.attempt, ours.started_at) != (theirs.path, theirs.attempt, theirs.started_at):
                    break
                shared += 1
        found.append((run, shared))
    return found
