"""Two runs become their difference: where they part, what each did, what they left, what it took."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from orchestration_kit.history import columns
from orchestration_kit.history.branch_pairs import STATES, BranchPair, align_branches
from orchestration_kit.history.bus import last_data
from orchestration_kit.history.differences import differences, same_value
from orchestration_kit.history.divergence import Divergence, Pair, align, first_divergence, way_on
from orchestration_kit.history.places import place_of
from orchestration_kit.history.run_rows import runs_frame
from orchestration_kit.history.sources import Recorded, recorded
from orchestration_kit.history.texts import short_text

if TYPE_CHECKING:
    import pandas as pd

    from orchestration_kit.engine.events import AttemptFinished

_TOTALS = (
    "attempts", "steps", "failures", "retries", "duration_s", "input_tokens", "output_tokens", "cost_usd",
)  # fmt: skip

_SIDES = ("both", "A", "B")


def compare(run_a: Any, run_b: Any) -> Comparison:
    """Lay two runs side by side. Each may be a run, a context, a list of history entries or of events.

    What is compared is a snapshot: a run that goes on meanwhile does not change the comparison.

    >>> a, b = [{"step": "a", "output": {"ok": True}}], [{"step": "a", "output": {"ok": False}}]
    >>> compare(a, b).first_divergence.differences
    (Difference(where="output['ok']", a='True', b='False'),)
    >>> compare(a, a).same
    True

    Raises:
        TypeError: one of them has no history.
    """
    a, b = recorded(run_a), recorded(run_b)
    return Comparison(a, b, align(a.records, b.records))


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """The difference between two runs. In a notebook it shows itself, side by side.

    >>> a, b = [{"step": "ask", "output": "yes"}], [{"step": "ask", "output": "no"}]
    >>> comparison = compare(a, b)
    >>> comparison.same_way, str(comparison.first_divergence)
    (False, 'ask#1, attempt 1: output')
    >>> comparison.steps[["path", "found_in", "differs"]].values.tolist()
    [['ask#1', 'both', 'output']]
    """

    a: Recorded
    b: Recorded
    pairs: list[Pair]
    """Every attempt of both, aligned by position, visit and attempt."""

    @cached_property
    def first_divergence(self) -> Divergence | None:
        """The first attempt at which the runs part, and what differs there; None where they took the same way.

        Different are: worker, input, output, condition (what was evaluated), error, edge (where it led), and detail
        (what it did besides, e.g. how its branches ended). First means in the order of the workflow.
        """
        return first_divergence(self.pairs)

    @property
    def same_way(self) -> bool:
        """Whether both made the same attempts with the same outcomes."""
        return self.first_divergence is None

    @cached_property
    def same_data(self) -> bool:
        """Whether both left the same data."""
        a, b = last_data(self.a), last_data(self.b)
        return a.keys() == b.keys() and all(same_value(a[key], b[key]) for key in a)

    @property
    def same(self) -> bool:
        """Whether both are runs of one workflow that took the same way to the same state with the same data.

        Times, usage and run ids may differ. What one record does not say (a bare history names no workflow) is
        no difference.
        """
        states, workflows = (self.a.state, self.b.state), (self.a.workflow, self.b.workflow)
        return self.same_way and self.same_data and all(_agree(*both) for both in (states, workflows))

    @cached_property
    def steps(self) -> pd.DataFrame:
        """One row per attempt of either run, aligned: what only B did stands after what it followed in B.

        Columns (dtype): path (string), step (category), attempt (Int64), found_in (category: both, A, B), same
        (boolean), differs (string: in what, e.g. "output, edge"); then each with _a and _b: worker (category),
        success (boolean), output, error (string, short), way_on (category: the next step, "retry" or "end"),
        duration_s (float64); duration_delta_s (float64: B less A).
        """
        import pandas as pd

        every = [pair.either for pair in self.pairs]
        frame: dict[str, Any] = {
            "path": columns.text([record.path for record in every]),
            "step": columns.category([record.step for record in every]),
            "attempt": columns.integers([record.attempt for record in every]),
            "found_in": columns.category([_found_in(pair) for pair in self.pairs], _SIDES),
            "same": _booleans([pair.same for pair in self.pairs]),
            "differs": columns.text([", ".join(pair.aspects) or None for pair in self.pairs]),
        }
        sides = {"a": _side([pair.a for pair in self.pairs]), "b": _side([pair.b for pair in self.pairs])}
        for name in sides["a"]:
            for side, found in sides.items():
                frame[f"{name}_{side}"] = found[name]
        frame["duration_delta_s"] = frame["duration_s_b"] - frame["duration_s_a"]
        return pd.DataFrame(frame, copy=False)

    @cached_property
    def branch_pairs(self) -> list[BranchPair]:
        """Every branch of both, aligned by position."""
        return align_branches(self.pairs)

    @cached_property
    def branches(self) -> pd.DataFrame:
        """One row per branch that either run opened, aligned by position: which differ, also where there are more.

        Columns (dtype): path (string: e.g. `grade#1[3]`), within, branch (category: as in `history_frame`), found_in
        (category: both, A, B), same (boolean), parts_at (string: the first visit that differs), differs (string: in
        what, e.g. "output, edge"; missing where only one run made that visit); then each with _a and _b: state
        (category: completed, failed, cancelled, not started; missing where there was no join), attempts (Int64).
        """
        import pandas as pd

        every = self.branch_pairs
        places = [place_of(one.scope) for one in every]
        parts = [one.parts_at for one in every]
        frame = {
            "path": columns.text([one.path for one in every]),
            "within": columns.category([place.within for place in places]),
            "branch": columns.category([place.branch for place in places]),
            "found_in": columns.category([one.found_in for one in every], _SIDES),
            "same": _booleans([one.same for one in every]),
            "parts_at": columns.text([pair and pair.either.path for pair in parts]),
            "differs": columns.text([", ".join(pair.aspects) or None if pair else None for pair in parts]),
            "state_a": columns.category([one.state_a for one in every], STATES),
            "state_b": columns.category([one.state_b for one in every], STATES),
            "attempts_a": columns.integers([one.attempts_a for one in every]),
            "attempts_b": columns.integers([one.attempts_b for one in every]),
        }
        return pd.DataFrame(frame, copy=False)

    @cached_property
    def data(self) -> pd.DataFrame:
        """One row per entry of the data bus that differs at the end, by key.

        Columns (dtype): key (string), change (category: added where only B has it, removed where only A has,
        changed), where (string: the first place inside it that differs), a, b (string: what is there, short),
        type_a, type_b (category: of the whole entry).
        """
        import pandas as pd

        a, b = last_data(self.a), last_data(self.b)
        keys = [
            key for key in dict.fromkeys((*a, *b)) if key not in a or key not in b or not same_value(a[key], b[key])
        ]
        rows = [_parting(key, a, b) for key in keys]
        kinds = ["added" if key not in a else "removed" if key not in b else "changed" for key in keys]
        frame = {
            "key": columns.text(keys),
            "change": columns.category(kinds, ("added", "changed", "removed")),
            "where": columns.text([row[0] for row in rows]),
            "a": columns.text([row[1] for row in rows]),
            "b": columns.text([row[2] for row in rows]),
            "type_a": columns.category([type(a[key]).__name__ if key in a else None for key in keys]),
            "type_b": columns.category([type(b[key]).__name__ if key in b else None for key in keys]),
        }
        return pd.DataFrame(frame, copy=False)

    @cached_property
    def totals(self) -> pd.DataFrame:
        """One row per measure: attempts, steps, failures, retries, duration_s (busy), tokens, cost_usd.

        Columns (dtype): measure (string), a, b, delta (Float64: B less A); missing where a run did not tell.
        """
        import pandas as pd

        runs = runs_frame([self.a, self.b])
        a, b = (runs.loc[at, list(_TOTALS)].astype("Float64").array for at in (0, 1))
        frame = pd.DataFrame({"measure": columns.text(_TOTALS), "a": a, "b": b})
        frame["delta"] = frame["b"] - frame["a"]
        return frame

    def __str__(self) -> str:
        from orchestration_kit.history.comparison_view import as_text

        return as_text(self)

    def __repr__(self) -> str:
        parts = self.first_divergence
        verdict = "the same" if self.same else "the same way" if parts is None else f"part at {parts}"
        return f"<Comparison of {self.a.run!r} and {self.b.run!r}: {verdict}>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        from orchestration_kit.history.comparison_view import as_html, as_text

        try:
            return {"text/plain": as_text(self), "text/html": as_html(self)}
        except Exception as error:  # noqa: BLE001 - a display hook that raises would hide the value it was to show
            return {"text/plain": f"This comparison could not be shown: {type(error).__name__}: {error!s:.500}"}


def _agree(a: str | None, b: str | None) -> bool:
    return a is None or b is None or a == b


def _found_in(pair: Pair) -> str:
    return "B" if pair.a is None else "A" if pair.b is None else "both"


def _side(records: list[AttemptFinished | None]) -> dict[str, Any]:
    """The columns of one run."""
    import numpy as np

    absent = np.fromiter((record is None for record in records), bool, len(records))
    succeeded = np.fromiter((record is not None and record.error is None for record in records), bool, len(records))
    return {
        "worker": columns.category([record and record.worker for record in records]),
        "success": columns.booleans(succeeded, absent),
        "output": columns.text([None if record is None else short_text(record.output) for record in records]),
        "error": columns.text([str(record.error) if record and record.error else None for record in records]),
        "way_on": columns.category([None if record is None else way_on(record) for record in records]),
        "duration_s": columns.floats([None if record is None else record.duration_s for record in records]).column(),
    }


def _booleans(values: list[bool]) -> Any:
    import numpy as np

    return columns.booleans(np.fromiter(values, bool, len(values)))


def _parting(key: str, a: Any, b: Any) -> tuple[str, str | None, str | None]:
    if key not in a or key not in b:
        return key, short_text(a[key]) if key in a else None, short_text(b[key]) if key in b else None
    return differences(key, a[key], b[key], limit=1)[0]
