"""Runs become a frame of one row an attempt: the records read column by column, no value copied."""

from __future__ import annotations

import json
from collections.abc import Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any, cast

from orchestration_kit.engine.events import AttemptFinished
from orchestration_kit.history.columns import Categories, Floats, Integers, booleans, present, text
from orchestration_kit.history.edges import EDGES, edge_codes, mark_ends
from orchestration_kit.history.places import place_of
from orchestration_kit.history.sources import Recorded, recordings
from orchestration_kit.history.texts import short_text

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from orchestration_kit.definition.conditions import Evaluated

_CHUNK = 4_096
"""Attempts read at a time: few enough to stay in the processor's cache, which makes it twice as fast."""
_COLUMNS = (
    "run", "seq", "path", "step", "visit", "attempt", "worker", "worker_type", "success", "error_type", "error",
    "started_at", "duration_s", "next_step", "edge", "why", "input_tokens", "output_tokens", "cost_usd", "model",
    "cached", "within", "branch", "detail",
)  # fmt: skip
_NAMES = ("run", "step", "worker", "worker_type", "error_type", "next_step", "model", "within", "branch")
_TEXTS = ("path", "error", "why", "detail")
_NUMBERS = ("started_at", "duration_s", "cost_usd")
_COUNTS = ("seq", "visit", "attempt", "input_tokens", "output_tokens")
_USAGE = ("input_tokens", "output_tokens", "cost_usd", "model")


def history_frame(runs: Any) -> pd.DataFrame:
    """Return one row per attempt, in the order of the workflow: branch by branch, whatever ended first.

    The join of branches has a row of its own after theirs, and so has the answer to a wait; no worker made them.

    Args:
        runs: A `Run`, a `WorkflowContext`, a list of history entries or of events; or several of these.

    Columns (dtype):
        run (category): the run's id.
        seq (Int64): 1, 2, ... within the run.
        path (string): position and visit, e.g. `review_code#2`.
        step (category), visit, attempt (Int64)
        worker (category): missing where a terminal step had none, and for joins and waits; worker_type (category): of
            those the kind of step, e.g. map or approval.
        success (boolean)
        error_type (category), error (string): missing after a success.
        started_at (datetime64[us, UTC]), duration_s (float64)
        next_step (category): where the run went on; missing after a retry and at the end.
        edge (category): success, failure, branch, retry or end; timeout or budget, after a wait that timed out and a
            budget that was spent; join, where a branch ended; body, into the workflow that the attempt spawned;
            missing where the record does not say. Without the definition, one condition that held counts as a branch.
        why (string): the conditions evaluated, one a line.
        input_tokens, output_tokens (Int64), cost_usd (Float64), model (category): missing where none was told.
        cached (boolean): whether the output came from a recording instead of the worker.
        within (category): the visit that opened the branch it is in, e.g. `grade#1`; branch (category): the branch's
            name or index as text, e.g. "3". Missing in the run itself. `groupby(["within", "branch"], observed=True)`
            has a group a branch.
        detail (string): what a step did besides calling a worker, as JSON, e.g. how each branch ended; else missing.

    >>> frame = history_frame([{"step": "draft", "next_step": "review"}, {"step": "review", "success": False}])
    >>> frame[["path", "success", "edge"]].to_csv(index=False).split()
    ['path,success,edge', 'draft#1,True,success', 'review#1,False,end']

    Raises:
        TypeError: there is no history in `runs`.
    """
    return frame_of(recordings(runs))


def frame_of(runs: Sequence[Recorded]) -> pd.DataFrame:
    """Return the `history_frame` of what is on record."""
    import pandas as pd

    attempts = _Attempts()
    for run in runs:
        attempts.add(run)
    return pd.DataFrame(attempts.columns(), copy=False)


class _Attempts:
    """Builds the columns of a `history_frame`, run by run, some thousand attempts at a time."""

    def __init__(self) -> None:
        self.names = {name: Categories() for name in _NAMES}
        self.counts = {name: Integers() for name in _COUNTS}
        self.numbers = {name: Floats() for name in _NUMBERS}
        self.texts: dict[str, list[str | None]] = {name: [] for name in _TEXTS}
        self.edges = Categories(EDGES)
        self.success: list[np.ndarray[Any, Any]] = []
        self.cached: list[np.ndarray[Any, Any]] = []
        self.whys: dict[Any, str] = {}
        """Conditions as text; the attempts of a step share it."""

    def add(self, run: Recorded) -> None:
        """Append the attempts of a run."""
        import numpy as np

        edges: list[np.ndarray[Any, Any]] = []
        for start in range(0, len(run.records), _CHUNK):
            # The attempts turned on their side: one whose fields hold a column each.
            columns_of: Any = zip(*run.records[start : start + _CHUNK], strict=True)
            part: Any = AttemptFinished(*columns_of)
            self._add(part, run.run)
            edges.append(edge_codes(part, self._add_places(part), run.judged))
        if edges:
            codes = np.concatenate(edges)
            mark_ends(codes, run.records)
            self.edges.add_codes(codes)

    def _add(self, part: Any, run: str) -> None:
        import numpy as np

        count = len(part.seq)
        self.names["run"].add([run] * count)
        for name in ("step", "worker", "worker_type", "next_step"):
            self.names[name].add(getattr(part, name))
        for name in ("seq", "visit", "attempt"):
            self.counts[name].add(getattr(part, name))
        for name in ("started_at", "duration_s"):
            self.numbers[name].add(getattr(part, name))
        where = zip(part.scope, part.step, part.visit, strict=True)
        self.texts["path"] += [f"{scope}{step}#{visit}" for scope, step, visit in where]
        self.names["error_type"].add([error and error.type for error in part.error])
        self.texts["error"] += [error and error.message for error in part.error]
        self.success.append(~present(part.error))
        self.cached.append(np.fromiter(part.cached, bool, count))
        self.texts["detail"] += [_json(detail) if detail else None for detail in part.detail]
        self.texts["why"] += [self._why(conditions) if conditions else None for conditions in part.evaluated]
        used = {**self.counts, **self.numbers, **self.names}
        for name in _USAGE:
            if any(part.usage):
                used[name].add(_figures(part.usage, name))
            else:
                used[name].skip(count)

    def _add_places(self, part: Any) -> Sequence[str]:
        """Append the branches that attempts stand in; return the keys of their steps."""
        if not any(part.scope):
            for name in ("within", "branch"):
                self.names[name].skip(len(part.scope))
            return part.step
        places = list(map(place_of, part.scope))
        self.names["within"].add([place.within for place in places])
        self.names["branch"].add([place.branch for place in places])
        return [place.prefix + step for place, step in zip(places, part.step, strict=True)]

    def _why(self, conditions: tuple[Evaluated, ...]) -> str:
        key = tuple([(text, result) for text, _, result in conditions])
        if key not in self.whys:
            self.whys[key] = "\n".join(f"{text} = {str(result).lower()}" for text, result in key)
        return self.whys[key]

    def columns(self) -> dict[str, Any]:
        """Return the columns in the order of the frame, letting go of what each was built from."""
        import numpy as np

        success = np.concatenate(self.success) if self.success else np.empty(0, bool)
        found: dict[str, Any] = {name: text(self.texts.pop(name)) for name in _TEXTS}
        found |= {name: self.names.pop(name).column() for name in _NAMES}
        found |= {name: self.counts.pop(name).column() for name in _COUNTS}
        found |= {
            "success": booleans(success),
            "started_at": self.numbers.pop("started_at").moments(),
            "duration_s": self.numbers.pop("duration_s").column(),
            "edge": self.edges.column(),
            "cost_usd": self.numbers.pop("cost_usd").nullable(),
            "cached": booleans(np.concatenate(self.cached) if self.cached else success),
        }
        return {name: found.pop(name) for name in _COLUMNS}


def _json(detail: dict[str, Any]) -> str:
    try:
        return json.dumps(detail, ensure_ascii=False, default=short_text)
    except Exception:  # noqa: BLE001 - a worker's own mapping may raise anything, or hold itself
        return json.dumps(short_text(detail))


def _figures(usages: Sequence[dict[str, Any] | None], name: str) -> list[Any]:
    try:
        return list(map(itemgetter(name), cast("Any", usages)))
    except (TypeError, KeyError):  # not every attempt told
        return [usage and usage.get(name) for usage in usages]
