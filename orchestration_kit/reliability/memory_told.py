"""What visits depend on becomes a table, and its most telling row a sentence."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestration_kit.errors import counted
from orchestration_kit.reliability.memory import MOST_VISITS, Kind, contexts

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from orchestration_kit.reliability.resampling import Visits

    Array = np.ndarray[Any, Any]

_COLUMNS = {
    "step": "str", "depends_on": "str", "context": "str", "visits": "int64", "succeeded": "float64",
    "succeeded_of_all": "float64", "way": "str", "share": "float64", "share_of_all": "float64", "excess": "float64",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Differs:
    """What happens at a step in one context, against what happens there in all."""

    step: str
    kind: Kind
    context: str
    """Such as "after draft failed" or "the 3rd visit"."""
    visits: int
    """In this context."""
    way: str
    """What happens more often, or less often: such as "fail and lead to [failed]"."""
    share: float
    """Of the visits in this context."""
    share_of_all: float
    """Of all visits of the step."""
    excess: float = 0.0
    """By how many standard errors the two differ."""
    succeeded: float = math.nan
    """The share of the visits in this context that succeeded."""
    succeeded_of_all: float = math.nan
    """The share of all visits of the step that did."""


def told(differs: Differs) -> str:
    """Return a sentence.

    >>> told(Differs(step="review", kind="visit", context="3rd visits", visits=40, way="succeed and lead to ship",
    ...              share=0.5, share_of_all=0.85))  # doctest: +NORMALIZE_WHITESPACE
    "What happens at 'review' depends on how often the run had been there: of 40 3rd visits, 50 % succeed and lead to
    ship; of all, 85 %."
    """
    on = "where the run came from" if differs.kind == "came from" else "how often the run had been there"
    of = (
        f"of {counted(differs.visits, 'visit')} {differs.context}"
        if differs.kind == "came from"
        else f"of {differs.visits:,} {differs.context}"
    )
    return (
        f"What happens at {differs.step!r} depends on {on}: {of}, {100 * differs.share:.0f} % {differs.way}; "
        f"of all, {100 * differs.share_of_all:.0f} %."
    )


def differences(visits: Visits, names: Sequence[str], kind: Kind) -> list[Differs]:
    """Return for each step and context what differs most there, of steps that were visited in several contexts."""
    import numpy as np

    n, known = len(names), visits.known
    context = contexts(visits, kind, steps=n)
    rows = np.column_stack([visits.step, context, visits.succeeded, visits.target])[known]
    found, sizes = np.unique(rows, axis=0, return_counts=True)
    seen: dict[int, dict[int, Counter[tuple[int, int]]]] = {}
    for (step, at, succeeded, target), size in zip(found.tolist(), sizes.tolist(), strict=True):
        seen.setdefault(step, {}).setdefault(at, Counter())[succeeded, target] += size
    return [
        one for step, by_context in seen.items() if len(by_context) > 1 for one in _at(step, by_context, names, kind)
    ]


def _at(
    step: int, by_context: dict[int, Counter[tuple[int, int]]], names: Sequence[str], kind: Kind
) -> Iterator[Differs]:
    usual: Counter[tuple[int, int]] = Counter()
    for ways in by_context.values():
        usual.update(ways)
    of_all = usual.total()
    for context, ways in by_context.items():
        here = ways.total()

        def excess(way: tuple[int, int], ways: Counter[tuple[int, int]] = ways, here: int = here) -> float:
            share = usual[way] / of_all
            spread = math.sqrt(here * share * (1 - share) * (1 - here / of_all))
            return (ways[way] - here * share) / spread if spread else 0.0

        most = max(usual, key=lambda way: (abs(excess(way)), way))
        yield Differs(
            step=names[step],
            kind=kind,
            context=_context(kind, context, names),
            visits=here,
            way=_way(*most, names),
            share=ways[most] / here,
            share_of_all=usual[most] / of_all,
            excess=excess(most),
            succeeded=sum(size for (good, _), size in ways.items() if good) / here,
            succeeded_of_all=sum(size for (good, _), size in usual.items() if good) / of_all,
        )


def _context(kind: Kind, context: int, names: Sequence[str]) -> str:
    if kind == "visit":
        which = {1: "1st", 2: "2nd", 3: "3rd"}.get(context, f"{context}th")
        return f"{which} {'and later ' if context == MOST_VISITS else ''}visits"
    if context == 2 * len(names):
        return "at the start of a run"
    return f"after {names[context // 2]} {'succeeded' if context % 2 else 'failed'}"


def _way(succeeded: int, target: int, names: Sequence[str]) -> str:
    ends = {len(names): "end the run as completed", len(names) + 1: "end the run as failed"}
    return f"{'succeed' if succeeded else 'fail'} and {ends.get(target) or f'lead to {names[target]}'}"


def frame_of(rows: Sequence[Differs]) -> pd.DataFrame:
    """Return a row per step and context; the columns are those of `GoodnessOfFit.frame`."""
    import pandas as pd

    data = [
        (one.step, one.kind, one.context, one.visits, one.succeeded, one.succeeded_of_all, one.way, one.share,
         one.share_of_all, one.excess)
        for one in rows
    ]  # fmt: skip
    return pd.DataFrame(data, columns=list(_COLUMNS)).astype(_COLUMNS)
