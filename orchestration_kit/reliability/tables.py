"""Records, or a `history_frame`, become columns: one entry an attempt, those in branches too."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import chain as joined
from itertools import islice
from typing import TYPE_CHECKING, Any

from orchestration_kit.engine.events import AttemptFinished
from orchestration_kit.engine.visits import INTERRUPTS
from orchestration_kit.errors import listed
from orchestration_kit.history.columns import Categories, floats
from orchestration_kit.history.sources import Recorded
from orchestration_kit.reliability.errors import ChainError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, Any]

_CHUNK = 4_096
"""Attempts turned on their side at a time: few enough to stay in the processor's cache."""
_NEEDED = ("run", "path", "step", "visit", "attempt", "success", "next_step")
_ASIDE = ("stopped", "blocked")
"""What the detail of an attempt says that came to nothing: somebody stopped it, or has to decide first."""


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What is known of a run besides its attempts."""

    run: str
    goal: str
    state: str | None
    """`completed`, `failed`, or another one where it was cut off; None where the record does not say."""
    shared: int = 0
    """How many of its attempts are its parent's, which is read too."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """All attempts, those in branches too, as columns."""

    run: Array
    scope: Array
    """Objects: where in the graph of branches it is; empty for the run itself."""
    step: Categories
    next_step: Categories
    worker: Categories
    worker_type: Categories
    visit: Array
    success: Array
    aside: Array
    body: Array
    """It spawned a workflow; its visit goes on when that has ended."""
    again: Array
    started_at: Array
    took: Array
    runs: tuple[RunFacts, ...]


def table_of_records(runs: list[tuple[Recorded, int]]) -> Table:
    """Turn records on their side; each run comes with how many of its attempts are its parent's."""
    import numpy as np

    names = {name: Categories() for name in ("step", "next_step", "worker", "worker_type")}
    parts: list[tuple[Array, ...]] = []
    scopes: list[Any] = []
    records = joined.from_iterable(run.records for run, _ in runs)
    while chunk := list(islice(records, _CHUNK)):
        columns: Any = zip(*chunk, strict=True)
        part: Any = AttemptFinished(*columns)
        for name, build in names.items():
            build.add(getattr(part, name))
        scopes += part.scope
        count = len(chunk)
        success = np.fromiter((error is None for error in part.error), bool, count)
        aside, body = np.zeros(count, bool), np.zeros(count, bool)
        for at in np.flatnonzero(~success).tolist():
            aside[at] = part.error[at].type in INTERRUPTS
        if any(part.detail):
            for at, detail in enumerate(part.detail):
                if detail:
                    aside[at] |= any(name in detail for name in _ASIDE)
                    body[at] = success[at] and "spawn" in detail
        waits = floats(part.retry_in_s).column()
        again = ~np.isnan(waits)
        took = np.empty((count, 3))
        took[:, 0] = floats(part.duration_s).column() + np.nan_to_num(waits)
        took[:, 1], took[:, 2] = _used(part.usage, count)
        visit = np.fromiter(part.visit, np.int64, count)
        parts.append((visit, success, aside, body, again, floats(part.started_at).column(), took))
    if not parts:
        raise nothing("these runs have made no attempt yet")
    visit, success, aside, body, again, started_at, took = (np.concatenate(one) for one in zip(*parts, strict=True))
    lengths = [len(run.records) for run, _ in runs]
    scope = np.empty(len(scopes), object)
    scope[:] = scopes
    facts = tuple(RunFacts(run.run, run.goal or "", run.state, shared) for run, shared in runs)
    run = np.repeat(np.arange(len(runs)), lengths)
    return Table(run, scope, **names, visit=visit, success=success, aside=aside, body=body, again=again,
                  started_at=started_at, took=took, runs=facts)  # fmt: skip


def _used(usages: Any, count: int) -> tuple[Any, Any]:
    """Return tokens and USD; NaN where none were told."""
    import numpy as np

    if not any(usages):
        return np.full(count, np.nan), np.full(count, np.nan)
    tokens = [one and (one.get("input_tokens") or 0) + (one.get("output_tokens") or 0) for one in usages]
    return floats(tokens).column(), floats([one and one.get("cost_usd") for one in usages]).column()


def table_of_frame(frame: pd.DataFrame) -> Table:
    """Read a `history_frame`; runs whose rows are mixed are sorted out."""
    import numpy as np

    missing = [name for name in _NEEDED if name not in frame.columns]
    if missing:
        known = listed(map(str, frame.columns))
        raise nothing(f"the frame has no column {listed(missing)}. It has: {known}. Give history_frame(runs)")
    if not len(frame):
        raise nothing("the frame has no rows")
    read = _Frame(frame)
    names = {name: Categories() for name in ("step", "next_step", "worker", "worker_type")}
    for name, build in names.items():
        build.add(read.values(name))
    again = read.those("edge", "retry")
    scopes = [path[: path.rfind("/") + 1] for path in map(str, read.values("path"))]
    return Table(
        run=read.codes,
        scope=np.fromiter(scopes, object, len(scopes)),
        **names,
        visit=np.nan_to_num(read.numbers("visit"), nan=1).astype(np.int64),
        success=np.fromiter((one is True or one == 1 for one in read.values("success")), bool, len(scopes)),
        aside=read.aside(),
        body=read.those("edge", "body"),
        again=again,
        started_at=read.started_at(),
        took=read.took(again),
        runs=tuple(RunFacts(str(one), "", None) for one in read.ids),
    )


class _Frame:
    """Reads columns of a frame that may lack some, or have other dtypes than `history_frame` gives them."""

    def __init__(self, frame: pd.DataFrame) -> None:
        import numpy as np
        import pandas as pd

        codes, ids = pd.factorize(frame["run"])
        self.ids: list[Any] = list(ids)
        order = np.argsort(codes, kind="stable")
        self.codes: Array = codes[order]
        self.frame = frame if (np.diff(codes) >= 0).all() else frame.iloc[order]

    def values(self, name: str) -> list[Any]:
        """Return a column; what is missing is None."""
        if name not in self.frame.columns:
            return [None] * len(self.frame)
        column = self.frame[name].astype(object)
        return column.where(column.notna(), None).tolist()

    def numbers(self, name: str) -> Array:
        """Return a column of numbers; what is missing is NaN."""
        import numpy as np
        import pandas as pd

        if name not in self.frame.columns:
            return np.full(len(self.frame), np.nan)
        column = pd.to_numeric(self.frame[name], errors="coerce")
        return column.astype("Float64").to_numpy(float, na_value=np.nan)

    def those(self, name: str, value: str) -> Array:
        """Return where a column has a value."""
        import numpy as np

        return np.fromiter((one == value for one in self.values(name)), bool, len(self.frame))

    def aside(self) -> Array:
        """Return which attempts somebody stopped."""
        import numpy as np

        found = np.fromiter((one in INTERRUPTS for one in self.values("error_type")), bool, len(self.frame))
        for at, detail in enumerate(self.values("detail")):
            if detail is not None and any(name in detail for name in _ASIDE):
                found[at] |= _says_aside(detail)
        return found

    def started_at(self) -> Array:
        """Return when attempts began, in seconds since the epoch."""
        import numpy as np
        import pandas as pd

        if "started_at" not in self.frame.columns:
            return np.full(len(self.frame), np.nan)
        moments = pd.to_datetime(self.frame["started_at"], utc=True, errors="coerce")
        return ((moments - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(seconds=1)).to_numpy(float)

    def took(self, again: Array) -> Array:
        """Return what attempts took; the wait for the next attempt is what lies between the two."""
        import numpy as np

        duration_s, started_at = self.numbers("duration_s"), self.started_at()
        waits = np.append(started_at[1:], np.nan) - started_at - duration_s
        is_followed = again & (np.append(self.codes[1:], -1) == self.codes) & (waits > 0)
        tokens = self.numbers("input_tokens") + self.numbers("output_tokens")
        return np.column_stack([duration_s + np.where(is_followed, waits, 0.0), tokens, self.numbers("cost_usd")])


def _says_aside(detail: str) -> bool:
    try:
        told = json.loads(detail)
    except ValueError:
        return False
    return isinstance(told, dict) and any(name in told for name in _ASIDE)


def nothing(reason: str) -> ChainError:
    """Return the error that says why there is nothing to count."""
    return ChainError("", f"{reason}.")
