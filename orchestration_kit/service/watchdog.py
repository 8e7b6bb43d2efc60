"""Runs, as they end, are held against what was expected; past that, a watchdog trips, and no new one is begun."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestration_kit.service.errors import WatchdogTripped
from orchestration_kit.service.sequential import Evidence

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run.

    >>> Outcome("run 1", succeeded=True, duration_s=0.4)
    Outcome(run_id='run 1', succeeded=True, duration_s=0.4)
    """

    run_id: str
    succeeded: bool
    duration_s: float | None = None
    """From its beginning to its end; None where it is not known."""


@dataclass(frozen=True, slots=True)
class Trip:
    """Why a watchdog stopped what it watches.

    >>> print(Trip("success", observed=0.5, low=0.85, high=0.97, runs=82, run_id="late 31"))
    50% of 82 runs succeeded, and 85% to 97% was expected; the last one was 'late 31'
    """

    measure: str
    """`success` or `latency`."""
    observed: float
    """The share of runs that succeeded, or that were slow, since the watch began."""
    low: float
    high: float
    """What was expected of it."""
    runs: int
    """How many runs had ended."""
    run_id: str
    """The last of them."""

    def __str__(self) -> str:
        what = "succeeded" if self.measure == "success" else "were slow"
        return (
            f"{self.observed:.0%} of {self.runs:,} runs {what}, and {self.low:.0%} to {self.high:.0%} was expected; "
            f"the last one was {self.run_id!r}"
        )


class Watchdog:
    """Trips when runs succeed more or less often than expected, or are slow too often.

    It may look after every run and for ever: that it trips although all is as expected has a chance of `alpha` at most
    (see `sequential.py`). A share of successes that is too high trips it as well: a check may have stopped checking.

    >>> dog = Watchdog(0.85, 0.97)
    >>> dog.watch(Outcome(f"run {n}", n % 10 != 0) for n in range(50))
    >>> dog.trip is None
    True
    >>> dog.watch(Outcome(f"late {n}", n % 2 == 0) for n in range(40))
    >>> dog.trip.measure, dog.trip.runs
    ('success', 82)
    >>> dog.reset("the model was exchanged", by="Ann")
    >>> dog.trip is None
    True

    Args:
        low: The lowest share of successes that is as expected.
        high: The highest.
        slow_s: Seconds from which on a run counts as slow; None: time is not watched.
        slow_share: The highest share of slow runs that is as expected.
        alpha: The chance of a false alarm, of success and latency together.
    """

    def __init__(
        self,
        low: float,
        high: float = 1.0,
        *,
        slow_s: float | None = None,
        slow_share: float = 0.1,
        alpha: float = 0.01,
    ) -> None:
        if not 0 < alpha < 1:
            raise ValueError(f"alpha is the chance of a false alarm, between 0 and 1, not {alpha!r:.80}")
        if slow_s is not None and not slow_s > 0:
            raise ValueError(f"slow_s is a time in seconds, more than 0, not {slow_s!r:.80}")
        self.low, self.high = low, high
        self.slow_s, self.slow_share = slow_s, slow_share
        self.alpha = alpha
        self.trip: Trip | None = None
        """Why it tripped; None while all is as expected."""
        self.resets: list[tuple[str, str | None, Trip | None]] = []
        """Reason, who it was, and the trip that it was about; None for one that is known from the record alone."""
        self.recorder: Callable[[str, str | None], None] | None = None
        """Puts a reset on record, before it counts."""
        self._lock = threading.Lock()
        self._seen: set[str] = set()
        self._begin()

    def _begin(self) -> None:
        self._success = Evidence(self.low, self.high)
        self._slow = Evidence(0.0, self.slow_share)
        self._rows: list[tuple[str, bool, float | None, float, float]] = []

    @property
    def runs(self) -> int:
        """Runs that have ended since the watch began."""
        return self._success.count

    @property
    def limit(self) -> float:
        """The evidence at which it trips."""
        return (1 if self.slow_s is None else 2) / self.alpha

    def watch(self, outcomes: Iterable[Outcome]) -> None:
        """Take what came of further runs, in order; one seen before, or after a trip, changes nothing."""
        with self._lock:
            for outcome in outcomes:
                if outcome.run_id not in self._seen:
                    self._seen.add(outcome.run_id)
                    if self.trip is None:
                        self._watch(outcome)

    def _watch(self, outcome: Outcome) -> None:
        self._success.add([outcome.succeeded])
        if self.slow_s is not None and outcome.duration_s is not None:
            self._slow.add([outcome.duration_s > self.slow_s])
        speaks = (self._success.value, self._slow.value)
        self._rows.append((outcome.run_id, outcome.succeeded, outcome.duration_s, *speaks))
        if speaks[0] >= self.limit:
            self.trip = self._trip("success", self._success, outcome)
        elif speaks[1] >= self.limit:
            self.trip = self._trip("latency", self._slow, outcome)

    def _trip(self, measure: str, evidence: Evidence, outcome: Outcome) -> Trip:
        share = evidence.successes / evidence.count
        return Trip(measure, share, evidence.low, evidence.high, evidence.count, outcome.run_id)

    def check(self) -> None:
        """See that runs may be begun.

        Raises:
            WatchdogTripped: runs are not as expected.
        """
        if self.trip is not None:
            raise WatchdogTripped(self.trip)

    def reset(self, reason: str, *, by: str | None = None) -> None:
        """Watch anew, from the next run on, as somebody has seen to it.

        Raises:
            ValueError: there is no reason.
        """
        if not isinstance(reason, str) or not reason.strip():
            raise ValueError('reset takes the reason, for the record: reset("the model was exchanged").')
        if self.recorder is not None:
            self.recorder(reason, by)
        with self._lock:
            self.resets.append((reason, by, self.trip))
            self.trip = None
            self._begin()

    def heed(self, resets: Sequence[tuple[str, str | None]]) -> None:
        """Watch anew if somebody reset it elsewhere: of all resets on record, in order, those not yet known count."""
        with self._lock:
            further = resets[len(self.resets) :]
            self.resets += [(reason, by, None) for reason, by in further]
            if further:
                self.trip = None
                self._begin()

    def frame(self) -> pd.DataFrame:
        """Return one row per run since the watch began, in the order in which they were seen.

        Columns (dtype):
            run (str), success (bool), duration_s (Float64)
            success_evidence, latency_evidence (float64): what speaks against the expectation; at `limit` it trips.
        """
        import pandas as pd

        names = ["run", "success", "duration_s", "success_evidence", "latency_evidence"]
        frame = pd.DataFrame(self._rows, columns=names)
        kinds = {"run": "str", "success": "bool", "duration_s": "Float64"}
        return frame.astype({**kinds, "success_evidence": "float64", "latency_evidence": "float64"})

    def __repr__(self) -> str:
        stands = "as expected" if self.trip is None else f"tripped: {self.trip}"
        return f"<Watchdog: {self.runs:,} runs, {self.low:.0%} to {self.high:.0%} expected to succeed, {stands}>"
