"""Runs become the changes of their data bus, step by step: what came, what changed, what went."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from orchestration_kit.engine.order import scope_of
from orchestration_kit.history import columns
from orchestration_kit.history.differences import same_value
from orchestration_kit.history.places import is_undoing, place_of
from orchestration_kit.history.sources import Recorded, recordings
from orchestration_kit.history.texts import short_text, size_of

if TYPE_CHECKING:
    import pandas as pd

    from orchestration_kit.engine.data import Changes
    from orchestration_kit.engine.events import AttemptFinished

CHANGES = ("added", "changed", "removed")
_ABSENT: Any = object()


class BusChange(NamedTuple):
    """One entry of the data bus that an attempt changed."""

    seq: int
    """The attempt; 0 is the data that the run began with. What a fork set counts to the attempt before it."""
    path: str | None
    key: str
    before: Any
    after: Any
    scope: str = ""
    """Whose bus it is: of the run, or of a branch."""

    @property
    def kind(self) -> str:
        """Added, changed or removed."""
        return "added" if self.before is _ABSENT else "removed" if self.after is _ABSENT else "changed"

    @property
    def value(self) -> Any:
        """What is there now, or what was there last."""
        return self.before if self.after is _ABSENT else self.after


def data_frame(runs: Any) -> pd.DataFrame:
    """Return one row per change of the data bus, in the order of the workflow.

    The data that a run began with comes first, with seq 0 and no path. An output that is the same as the one
    before it changes nothing, so it has no row. Each branch has a bus of its own, a copy of what was there when it was
    opened; what is kept of it stands in the rows of the join. The rows without a branch tell of the run's own bus.
    What a compensation writes it writes there, and its rows are in the branch "undo".

    History entries (as opposed to runs and contexts) do not say what else their workers wrote: of those, outputs alone
    are shown.

    Args:
        runs: A `Run`, a `WorkflowContext`, a list of history entries or of events; or several of these.

    Columns (dtype):
        run (category), seq (Int64), path (string), key (category)
        change (category): added, changed or removed.
        before, after (string): short text, of at most 120 characters; missing where there was nothing.
        type (category): of the value now there, or of the one removed.
        size (Int64): its characters, entries, bytes or rows; missing where it has no length.
        within, branch (category): whose bus it is, as in `history_frame`; missing for that of the run.

    >>> frame = data_frame([{"step": "a", "output": [1]}, {"step": "a", "output": [1, 2]}])
    >>> frame[["seq", "key", "change", "before", "after", "size"]].values.tolist()[1]
    [2, 'a_output', 'changed', '[1]', '[1, 2]', 2]

    Raises:
        TypeError: there is no history in `runs`.
    """
    import pandas as pd

    found = [(run.run, change) for run in recordings(runs) for change in bus_changes(run)]
    changes = [change for _, change in found]
    places = [place_of(change.scope) for change in changes]
    frame = {
        "run": columns.category([run for run, _ in found]),
        "seq": columns.integers([change.seq for change in changes]),
        "path": columns.text([change.path for change in changes]),
        "key": columns.category([change.key for change in changes]),
        "change": columns.category([change.kind for change in changes], CHANGES),
        "before": columns.text([_shown(change.before) for change in changes]),
        "after": columns.text([_shown(change.after) for change in changes]),
        "type": columns.category([type(change.value).__name__ for change in changes]),
        "size": columns.integers([size_of(change.value) for change in changes]),
        "within": columns.category([place.within for place in places]),
        "branch": columns.category([place.branch for place in places]),
    }
    return pd.DataFrame(frame, copy=False)


def bus_changes(run: Recorded) -> Iterator[BusChange]:
    """Yield every change of a data bus, by folding the records as the engine does."""
    for key, value in run.initial.items():
        yield BusChange(0, None, key, _ABSENT, value)
    buses: dict[str, dict[str, Any]] = {"": dict(run.initial)}
    for seq, path, scope, written in _writes(run):
        if scope not in buses:
            _open(scope, buses)
        bus, kept = buses[scope], buses[_kept_on(scope, buses)]
        for key, after, is_output in written:
            before = bus.get(key, _ABSENT)
            _put(bus, key, after)
            if kept is not bus and not is_output:
                _put(kept, key, after)
            if not same_value(before, after):
                yield BusChange(seq, path, key, before, after, scope)


def last_data(run: Recorded) -> Mapping[str, Any]:
    """Return the data bus as it is, or as the records leave it."""
    if run.data is not None:
        return run.data
    bus = dict(run.initial)
    for _, _, scope, written in _writes(run):
        if not scope or (is_undoing(scope) and not _outer(scope)):
            for key, after, is_output in written:
                if not (scope and is_output):
                    _put(bus, key, after)
    return bus


def _writes(run: Recorded) -> Iterator[tuple[int, str | None, str, Iterator[tuple[str, Any, bool]]]]:
    """Yield who wrote on which bus: attempts, and forks where they begin. The last of an entry: is it an output?"""
    forks = list(run.forks)
    at = scope_of(run.forked_at or "")
    for index, record in enumerate(run.records):
        while forks and forks[0][0] <= index:
            yield index, run.forked_at, at, _entries(forks.pop(0)[1])
        if record.retry_in_s is None:
            yield record.seq, record.path, record.scope, _written(record)
    for _, changes in forks:
        yield len(run.records), run.forked_at, at, _entries(changes)


def _entries(changes: Changes) -> Iterator[tuple[str, Any, bool]]:
    for key, value in changes.updated.items():
        yield key, value, False
    for key in changes.removed:
        yield key, _ABSENT, False


def _written(record: AttemptFinished) -> Iterator[tuple[str, Any, bool]]:
    if record.changes is not None:
        yield from _entries(record.changes)
    if not (record.error is None and "spawn" in (record.detail or ())):  # of one that spawned, the output is to come
        yield f"{record.step}_output", record.output, True


def _put(bus: dict[str, Any], key: str, value: Any) -> None:
    if value is _ABSENT:
        bus.pop(key, None)
    else:
        bus[key] = value


def _open(scope: str, buses: dict[str, dict[str, Any]]) -> None:
    """Let a branch, and those around it, begin with a copy of what was there."""
    line = [scope]
    while (outer := _outer(line[-1])) not in buses:
        line.append(outer)
    for inner in reversed(line):
        buses[inner] = dict(buses[_outer(inner)])


def _outer(scope: str) -> str:
    return scope_of(scope.rstrip("/"))


def _kept_on(scope: str, buses: Mapping[str, Any]) -> str:
    """Return the scope on whose bus changes are kept: of what is undone, that in which it had been done."""
    outer = _outer(scope) if is_undoing(scope) else scope
    return outer if outer in buses else ""


def _shown(value: Any) -> str | None:
    return None if value is _ABSENT else short_text(value)
