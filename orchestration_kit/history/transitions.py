"""Runs become the edges they took: how often each, and which share of its source's exits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from orchestration_kit.history import columns
from orchestration_kit.history.frames import frame_of
from orchestration_kit.history.sources import Recorded, recordings

if TYPE_CHECKING:
    import pandas as pd

_ITEM_OR_VISIT = re.compile(r"(\[[^\]]*\]|#\d+)+(?=/|$)")


def transitions_frame(runs: Any) -> pd.DataFrame:
    """Return one row per edge that was taken, in the order in which each was first taken.

    An edge is a workflow, a source, a target, a kind, and whether the attempt had succeeded. Counts are of
    attempts: they sum to the attempts whose edge is on record, and the shares of a source sum to 1, so that
    the frame is the transition matrix of the runs in long form.

    Args:
        runs: A `Run`, a `WorkflowContext`, a list of history entries or of events; or several of these.

    Columns (dtype):
        workflow (category): missing where the record does not say.
        source (category): the step, with the branches it stands in, e.g. `research/draft`.
        target (category): the step that came next; the source itself for a retry; missing at the end.
        kind (category): success, failure, branch, retry or end.
        success (boolean): whether the attempt succeeded; tells good ends from bad ones.
        count (Int64): attempts that left this way.
        share (Float64): of all attempts that left the source.
        runs (Int64): runs in which it was taken.

    >>> loop = [{"step": "a", "next_step": "b"}, {"step": "b", "next_step": "a"}, {"step": "a", "success": False}]
    >>> frame = transitions_frame(loop)
    >>> frame[["source", "target", "kind", "count", "share"]].to_csv(index=False).split()[1:]
    ['a,b,success,1,0.5', 'b,a,success,1,1.0', 'a,,end,1,0.5']

    Raises:
        TypeError: there is no history in `runs`.
    """
    found = recordings(runs)
    frame = frame_of(found)
    frame["workflow"] = workflows_of(found)
    frame["source"] = step_keys(found)
    frame["position"] = _positions(found)
    frame = frame[frame["edge"].notna()]
    frame = frame.assign(target=_targets(frame))
    keys = ["workflow", "source", "target", "edge", "success"]
    edges = frame.groupby(keys, observed=True, dropna=False, sort=False)
    counted = edges.agg(count=("seq", "size"), runs=("position", "nunique")).reset_index()
    exits = counted.groupby(["workflow", "source"], observed=True, dropna=False)["count"].transform("sum")
    counted["share"] = (counted["count"] / exits).astype("Float64")
    counted = counted.astype({"count": "Int64", "runs": "Int64"})
    order = ["workflow", "source", "target", "kind", "success", "count", "share", "runs"]
    return counted.rename(columns={"edge": "kind"})[order]


def step_keys(runs: list[Recorded]) -> pd.Categorical:
    """Return for each attempt the step with the branches it stands in, without items and visits."""
    known: dict[str, str] = {"": ""}
    keys: list[str] = []
    for run in runs:
        for record in run.records:
            scope = record.scope
            if scope not in known:
                known[scope] = _ITEM_OR_VISIT.sub("", scope)
            keys.append(known[scope] + record.step if scope else record.step)
    return columns.category(keys)


def workflows_of(runs: list[Recorded]) -> pd.Categorical:
    """Return for each attempt the workflow it belongs to."""
    return columns.category([run.workflow for run in runs for _ in run.records])


def _positions(runs: list[Recorded]) -> list[int]:
    """Which run each attempt belongs to, by its place: ids may be used twice."""
    return [at for at, run in enumerate(runs) for _ in run.records]


def _targets(frame: pd.DataFrame) -> pd.Categorical:
    """Beside the source, where that stands in a branch; the source itself for a retry."""
    rows = zip(frame["source"], frame["next_step"], frame["edge"] == "retry", strict=True)
    targets: list[str | None] = []
    for source, target, is_retry in rows:
        if isinstance(target, str):
            beside, slash, _ = source.rpartition("/")
            targets.append(f"{beside}{slash}{target}")
        else:
            targets.append(source if is_retry else None)
    return columns.category(targets)
