"""Runs become the edges they took: how often each, and which share of its source's exits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from orchestration_kit.engine.order import opener_of
from orchestration_kit.history import columns
from orchestration_kit.history.edges import EDGES
from orchestration_kit.history.frames import frame_of
from orchestration_kit.history.places import branches_begun, key_of, place_of
from orchestration_kit.history.sources import Recorded, recordings

if TYPE_CHECKING:
    import pandas as pd

    from orchestration_kit.engine.events import AttemptFinished

KINDS = (*EDGES, "compensate")
_NO_EXITS = ("body", "compensate")


class _Edge(NamedTuple):
    """An edge that was taken."""

    workflow: str | None
    source: str
    target: str | None
    kind: str
    success: bool | None


def transitions_frame(runs: Any) -> pd.DataFrame:
    """Return one row per edge that was taken, in the order in which each was first taken.

    An edge is a workflow, a source, a target, a kind, and whether the attempt had succeeded. The shares of a source's
    exits sum to 1, so that the frame is the transition matrix of the runs in long form. What a step opened (`body`)
    and what undid it (`compensate`) is no exit: their shares sum to 1 by themselves.

    Args:
        runs: A `Run`, a `WorkflowContext`, a list of history entries or of events; or several of these.

    Columns (dtype):
        workflow (category): missing where the record does not say.
        source (category): the step, with the branches it stands in, e.g. `research/draft` or `review[law]/check`.
        target (category): the step that came next; the source itself for a retry; the step that opened the branch for
            a join; missing at the end.
        kind (category): as `edge` in `history_frame`, and compensate.
        success (boolean): whether the attempt succeeded; tells good ends from bad ones; missing for body and
            compensate, which follow no attempt.
        count (Int64): attempts that left this way, which sum to the attempts whose edge is on record; for body,
            branches that began; for compensate, visits that were undone.
        share (Float64): of all attempts that left the source; of all branches it began; of all that undid it.
        runs (Int64): runs in which it was taken.

    >>> loop = [{"step": "a", "next_step": "b"}, {"step": "b", "next_step": "a"}, {"step": "a", "success": False}]
    >>> frame = transitions_frame(loop)
    >>> frame[["source", "target", "kind", "count", "share"]].to_csv(index=False).split()[1:]
    ['a,b,success,1,0.5', 'b,a,success,1,1.0', 'a,,end,1,0.5']

    Raises:
        TypeError: there is no history in `runs`.
    """
    import pandas as pd

    counts, in_runs, exits = Counter[_Edge](), Counter[_Edge](), Counter[Any]()
    for run in recordings(runs):
        taken = Counter(_edges(run))
        counts.update(taken)
        in_runs.update(taken.keys())
    for edge, count in counts.items():
        exits[_exit(edge)] += count
    frame = {
        "workflow": columns.category([edge.workflow for edge in counts]),
        "source": columns.category([edge.source for edge in counts]),
        "target": columns.category([edge.target for edge in counts]),
        "kind": columns.category([edge.kind for edge in counts], KINDS),
        "success": _success([edge.success for edge in counts]),
        "count": columns.integers(list(counts.values())),
        "share": columns.floats([count / exits[_exit(edge)] for edge, count in counts.items()]).nullable(),
        "runs": columns.integers([in_runs[edge] for edge in counts]),
    }
    return pd.DataFrame(frame, copy=False)


def step_keys(runs: list[Recorded]) -> pd.Categorical:
    """Return for each attempt the step with the branches it stands in, without items and visits."""
    return columns.category([_key(record) for run in runs for record in run.records])


def workflows_of(runs: list[Recorded]) -> pd.Categorical:
    """Return for each attempt the workflow it belongs to."""
    return columns.category([run.workflow for run in runs for _ in run.records])


def _edges(run: Recorded) -> Iterator[_Edge]:
    """Yield every edge that a run took, in the order of the workflow."""
    begun = {""}
    kinds: list[Any] = frame_of([run])["edge"].tolist()
    for record, kind in zip(run.records, kinds, strict=True):
        source = _key(record)
        for scope, first in branches_begun(record, begun):
            yield _Edge(run.workflow, key_of(opener_of(scope)[0]), key_of(first), "body", None)
        if record.detail is not None and "undoes" in record.detail and record.attempt == 1:
            yield _Edge(run.workflow, key_of(str(record.detail["undoes"])), source, "compensate", None)
        if isinstance(kind, str) and kind != "body":  # that one was told where its branch began
            yield _Edge(run.workflow, source, _target(record, source, kind), kind, record.error is None)


def _key(record: AttemptFinished) -> str:
    return place_of(record.scope).prefix + record.step if record.scope else record.step


def _target(record: AttemptFinished, source: str, kind: str) -> str | None:
    if kind == "retry":
        return source
    if kind == "join":
        return key_of(opener_of(record.scope)[0])
    return None if record.next_step is None else place_of(record.scope).prefix + record.next_step


def _exit(edge: _Edge) -> tuple[Any, ...]:
    """What the shares of an edge are shares of."""
    return edge.workflow, edge.source, edge.kind if edge.kind in _NO_EXITS else None


def _success(values: list[bool | None]) -> Any:
    import numpy as np

    return columns.booleans(
        np.fromiter((value is True for value in values), bool, len(values)), ~columns.present(values)
    )
