"""Attempts of the runs' own threads become counts: visit by visit, array by array."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from orchestration_kit.errors import listed
from orchestration_kit.reliability.chain import COMPLETED, FAILED
from orchestration_kit.reliability.counts import Counts, Path, Way
from orchestration_kit.reliability.declared import Declared
from orchestration_kit.reliability.errors import ChainError
from orchestration_kit.reliability.own import Attempts

if TYPE_CHECKING:
    import numpy as np

    from orchestration_kit.definition.workflow import WorkflowDefinition

    Array = np.ndarray[Any, Any]

_CALLS_NOBODY = frozenset({"parallel", "map", "approval", "wait", "workflow", ""})
"""Types of steps that can fail although no worker is on record; empty: the record does not say."""


class Tally:
    """Works out the counts, array by array."""

    def __init__(self, attempts: Attempts, declared: dict[str, Declared], name: str) -> None:
        self.name = name
        self.declared = declared
        self.attempts = _renumbered(attempts, declared)
        self.steps = self.attempts.steps
        self.count = len(self.steps)

    def counts(self, definition: WorkflowDefinition | None) -> Counts:
        """Return the counts."""
        import numpy as np

        a, n = self.attempts, self.count
        counted = ~a.aside & ~a.shared
        good = np.bincount(a.step[counted & a.success], minlength=n)
        bad = np.bincount(a.step[counted & ~a.success], minlength=n)
        visits = self._visits()
        retries = self._retries(visits)
        took, took_error = _took(a, counted, n)
        worker, worker_type = (self._last(one) for one in (a.worker, a.worker_type))
        workers = tuple(None if at < 0 else a.workers[at] for at in worker)
        types = tuple(None if at < 0 else a.worker_types[at] for at in worker_type)
        leads_on = np.bincount(a.step[a.next_step >= 0], minlength=n) > 0
        certain = tuple(
            (step in self.declared and self.declared[step].is_certain)
            or (not bad[at] and good[at] > 0 and not leads_on[at] and workers[at] is None
                and types[at] is not None and types[at] not in _CALLS_NOBODY)
            for at, step in enumerate(self.steps)
        )  # fmt: skip
        return Counts(
            workflow=self.name,
            initial=self._initial(visits, definition),
            steps=self.steps,
            success=good,
            failure=bad,
            retries=retries,
            retried=self._retried(visits, retries),
            ways=self._ways(visits),
            took=took,
            took_error=took_error,
            told=(_is_told(a, 0), _is_told(a, 1), _is_told(a, 2)),
            workers=workers,
            worker_types=types,
            certain=certain,
            paths=self._paths(visits),
            definition=definition,
        )

    def _last(self, codes: Array) -> list[int]:
        """Return the last code on record of each step; -1 where there is none."""
        import numpy as np

        found = np.full(self.count, -1)
        told = codes >= 0
        found[self.attempts.step[told]] = codes[told]
        return found.tolist()

    def _visits(self) -> _Visits:
        """Return the visits that have an outcome, and where they led: -1 where that is not on record."""
        import numpy as np

        a = self.attempts
        kept = np.flatnonzero(~a.aside)
        if not len(kept):
            raise ChainError(self.name, "every attempt on record was stopped by somebody; let a run come to its end.")
        run, step, visit = a.run[kept], a.step[kept], a.visit[kept]
        starts = np.flatnonzero(np.diff(run, prepend=-1) | np.diff(step, prepend=-1) | np.diff(visit, prepend=-1))
        ends = np.append(starts[1:], len(kept)) - 1
        number = np.repeat(np.arange(len(starts)), ends - starts + 1)
        last = kept[ends]
        runs, steps = a.run[last], a.step[last]
        is_final = np.append(runs[1:], -1) != runs
        target = np.where(is_final, -1, np.append(steps[1:], -1))
        for at in np.flatnonzero(is_final).tolist():
            target[at] = self._end(int(last[at]))
        return _Visits(kept, starts, number, last, runs, steps, a.success[last], target, is_final)

    def _end(self, last: int) -> int:
        """Return where the last visit of a run led: count is completed, count + 1 failed, -1 not on record."""
        a = self.attempts
        state, step, next_step = a.runs[int(a.run[last])].state, self.steps[int(a.step[last])], int(a.next_step[last])
        if state in ("completed", "failed"):
            return self.count + (state == "failed")
        if state is None and next_step < 0 and not a.again[last] and self._is_last(last):
            if not a.success[last]:
                return self.count + 1
            ways = self.declared[step].after_success if step in self.declared else ()
            return self.count + (FAILED in ways or (not ways and step == "failed"))
        return next_step

    def _is_last(self, at: int) -> bool:
        """Whether nothing of the run follows, not even what was stopped."""
        run = self.attempts.run
        return at + 1 == len(run) or run[at + 1] != run[at]

    def _retries(self, visits: _Visits) -> tuple[int, ...]:
        import numpy as np

        seen = np.zeros(self.count, np.int64)
        np.maximum.at(seen, visits.steps, np.bincount(visits.number) - 1)
        declared = self.declared
        return tuple(
            declared[step].retries if step in declared else int(seen[at]) for at, step in enumerate(self.steps)
        )

    def _retried(self, visits: _Visits, retries: tuple[int, ...]) -> tuple[float, ...]:
        """Return the share of failed attempts that were made again, of those that could be."""
        import numpy as np

        a, kept = self.attempts, visits.kept
        rank = np.arange(len(kept)) - visits.starts[visits.number]
        could = ~a.success[kept] & ~a.shared[kept] & (rank < np.array(retries)[a.step[kept]])
        is_last = np.append(visits.number[1:], -1) != visits.number
        was = could & (~is_last | a.again[kept])
        total, tried = (np.bincount(a.step[kept[one]], minlength=self.count) for one in (could, was))
        return tuple(np.where(total > 0, tried / np.maximum(total, 1), 1.0).tolist())

    def _ways(self, visits: _Visits) -> tuple[Way, ...]:
        import numpy as np

        width = self.count + 2
        counted = (visits.target >= 0) & ~self.attempts.shared[visits.last]
        keys = ((visits.steps * 2 + visits.success) * width + visits.target)[counted]
        found, counts = np.unique(keys, return_counts=True)
        names = (*self.steps, COMPLETED, FAILED)
        seen: dict[tuple[str, bool, str], int] = {
            (self.steps[key // width // 2], bool(key // width % 2), names[key % width]): count
            for key, count in zip(found.tolist(), counts.tolist(), strict=True)
        }
        ways: dict[tuple[str, bool, str], int] = {}
        for step in self.steps:
            declared = self.declared.get(step)
            for succeeded in (True, False):
                if declared is not None:
                    for target in declared.after_success if succeeded else declared.after_failure:
                        ways[step, succeeded, target] = 0
                ways.update({key: count for key, count in seen.items() if key[:2] == (step, succeeded)})
        return tuple(Way(*key, count) for key, count in ways.items())

    def _paths(self, visits: _Visits) -> list[Path]:
        import numpy as np

        a = self.attempts
        first = np.flatnonzero(np.diff(visits.runs, prepend=-1))
        bounds = np.append(first, len(visits.runs)).tolist()
        pairs = list(zip(visits.steps.tolist(), visits.success.tolist(), strict=True))
        attempts = np.bincount(a.run[visits.kept], minlength=len(a.runs)).tolist()
        shared = np.bincount(visits.runs, a.shared[visits.last], minlength=len(a.runs)).astype(int).tolist()
        ends = {self.count: COMPLETED, self.count + 1: FAILED}
        targets, found = visits.target.tolist(), list[Path]()
        for start, stop in pairwise(bounds):
            number = int(visits.runs[start])
            run = a.runs[number]
            end = ends.get(targets[stop - 1])
            path = Path(tuple(pairs[start:stop]), end, attempts[number], run.run, run.goal, shared[number])
            found.append(path)
        return found

    def _initial(self, visits: _Visits, definition: WorkflowDefinition | None) -> str:
        import numpy as np

        if definition is not None and definition.initial_step is not None:
            return definition.initial_step
        first = np.flatnonzero(np.diff(visits.runs, prepend=-1))
        begun = [self.steps[at] for at in dict.fromkeys(_ints(visits.steps[first]))]
        if len(begun) > 1:
            reason = f"its runs begin at different steps: {listed(begun)}. Give whole runs of one workflow."
            raise ChainError(self.name, reason)
        return begun[0]


class _Visits(NamedTuple):
    """Visits with an outcome, one entry each but for `kept` and `number`, which have one an attempt."""

    kept: Array
    """Which attempts count."""
    starts: Array
    """Where in `kept` each visit begins."""
    number: Array
    """Which visit each attempt of `kept` is of."""
    last: Array
    """The last attempt of each visit."""
    runs: Array
    steps: Array
    success: Array
    target: Array
    is_final: Array


def _renumbered(attempts: Attempts, declared: dict[str, Declared]) -> Attempts:
    """Number the steps as the definition has them; one that no run attempted and that is not declared is left out."""
    import numpy as np

    first = [attempts.steps[at] for at in dict.fromkeys(_ints(attempts.step))]
    order = (*declared, *(step for step in first if step not in declared))
    places = {step: at for at, step in enumerate(order)}
    codes = np.array([*(places.get(step, -1) for step in attempts.steps), -1], np.int64)
    return replace(attempts, steps=order, step=codes[attempts.step], next_step=codes[attempts.next_step])


def _ints(values: Array) -> list[int]:
    return values.tolist()


def _is_told(attempts: Attempts, measure: int) -> bool:
    import numpy as np

    return bool((~np.isnan(attempts.took[~attempts.aside, measure])).any())


def _took(attempts: Attempts, counted: Array, count: int) -> tuple[Array, Array]:
    """Return means and standard errors of what attempts took; of an outcome nobody saw, those of the other."""
    import numpy as np

    group = attempts.step[counted] * 2 + attempts.success[counted]
    sizes = np.bincount(group, minlength=2 * count).astype(float)
    mean, error = np.zeros((2 * count, 3)), np.zeros((2 * count, 3))
    for at in range(3):
        values = np.nan_to_num(attempts.took[counted, at])
        some = np.maximum(sizes, 1)
        mean[:, at] = np.bincount(group, values, minlength=2 * count) / some
        spread = np.bincount(group, (values - mean[group, at]) ** 2, minlength=2 * count)
        error[:, at] = np.where(sizes > 1, np.sqrt(spread / np.maximum(sizes - 1, 1) / some), mean[:, at])
    sizes, mean, error = sizes.reshape(count, 2), mean.reshape(count, 2, 3), error.reshape(count, 2, 3)
    for this, other in ((0, 1), (1, 0)):
        unseen = (sizes[:, this] == 0) & (sizes[:, other] > 0)
        mean[unseen, this], error[unseen, this] = mean[unseen, other], error[unseen, other]
    return mean, error
