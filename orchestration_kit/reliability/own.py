"""Columns of all attempts become those of the runs' own threads: what happened in branches is folded in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestration_kit.reliability.tables import RunFacts, Table, nothing

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Attempts:
    """The attempts of the runs' own threads, run after run, each in order: one entry an attempt in each array."""

    run: Array
    """Which of `runs` it is of."""
    step: Array
    """Which of `steps` it is of."""
    visit: Array
    success: Array
    aside: Array
    """It says nothing of the worker: somebody stopped it, or a person has to decide first, or it opened a workflow."""
    again: Array
    """It is on record that it is tried again."""
    next_step: Array
    """Which of `steps` is next; -1 where none is."""
    took: Array
    """(attempts, 3): seconds, the wait before the next attempt included; tokens; USD. NaN where it is not told."""
    shared: Array
    """It is counted in the run's parent."""
    worker: Array
    """Which of `workers`; -1 for none."""
    worker_type: Array
    steps: tuple[str, ...]
    workers: tuple[str, ...]
    worker_types: tuple[str, ...]
    runs: tuple[RunFacts, ...]


def own_attempts(table: Table) -> Attempts:
    """Return the attempts of the runs' own threads; what happened in their branches is added to the visits above."""
    import numpy as np

    took = _with_branches(table)
    own = (table.scope == "") & ~table.body
    if not own.any():
        raise nothing("all that is on record happened in branches; give whole runs")
    steps, next_steps = table.step.column(), table.next_step.column()
    names = [*map(str, steps.categories)]
    places = {name: at for at, name in enumerate(names)}
    for name in map(str, next_steps.categories):
        places.setdefault(name, len(places))
    renumbered = np.array([*(places[name] for name in map(str, next_steps.categories)), -1], np.int64)
    worker, worker_type = table.worker.column(), table.worker_type.column()
    seq = np.arange(len(table.run)) - np.searchsorted(table.run, table.run)
    shared = seq < np.array([run.shared for run in table.runs])[table.run]
    return Attempts(
        run=table.run[own],
        step=steps.codes[own].astype(np.int64),
        visit=table.visit[own],
        success=table.success[own],
        aside=table.aside[own],
        again=table.again[own],
        next_step=renumbered[next_steps.codes[own]],
        took=took[own],
        shared=shared[own],
        worker=worker.codes[own].astype(np.int64),
        worker_type=worker_type.codes[own].astype(np.int64),
        steps=tuple(places),
        workers=tuple(map(str, worker.categories)),
        worker_types=tuple(map(str, worker_type.categories)),
        runs=table.runs,
    )


def _with_branches(table: Table) -> Array:
    """Return what attempts took, with what the branches they opened used, and the time until these were joined."""
    import numpy as np

    inside = np.flatnonzero((table.scope != "") | table.body)
    if not len(inside):
        return table.took
    took = table.took.copy()
    names = table.step.column()
    steps, codes = [*map(str, names.categories)], names.codes
    runs = set(table.run[inside].tolist())
    own = np.flatnonzero((table.scope == "") & ~table.body & np.isin(table.run, list(runs)))
    keys = zip(table.run[own].tolist(), codes[own].tolist(), table.visit[own].tolist(), strict=True)
    last = {(run, f"{steps[step]}#{visit}"): at for at, (run, step, visit) in zip(own.tolist(), keys, strict=True)}
    began: dict[int, float] = {}
    for at in inside.tolist():
        scope = table.scope[at]
        opener = scope.partition("[")[0] if scope else f"{steps[codes[at]]}#{table.visit[at]}"
        to = last.get((int(table.run[at]), opener))
        if to is None:  # what undid the run, or branches that were never joined
            continue
        for column in (1, 2):
            if not np.isnan(table.took[at, column]):
                took[to, column] = np.nan_to_num(took[to, column]) + table.took[at, column]
        began[to] = min(began.get(to, np.inf), float(table.started_at[at]))
    for to, moment in began.items():
        spread = table.started_at[to] - moment
        if spread > 0:
            took[to, 0] = np.nan_to_num(took[to, 0]) + spread
    return took
