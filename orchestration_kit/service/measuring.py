"""What is on record of workers, or said of them, becomes how well, how fast and how dear each of them is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast

from orchestration_kit.definition.workers import WorkerDefinition
from orchestration_kit.errors import did_you_mean, listed
from orchestration_kit.history import recorded
from orchestration_kit.reliability.chain import Took
from orchestration_kit.reliability.posterior import interval_of_share
from orchestration_kit.service.errors import UnknownRate

if TYPE_CHECKING:
    from orchestration_kit.engine.events import AttemptFinished

FIELDS = ("success", "time_s", "tokens", "cost_usd")
FEW = 20
"""Attempts below which a figure is told to stand on little."""
_ASIDE_TYPES = frozenset({"BranchCancelled", "RunCancelled"})
_ASIDE_DETAILS = ("stopped", "blocked")
"""Attempts that say nothing of a worker: somebody stopped them, or has to decide first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """How one worker does, by attempt."""

    worker: str
    source: Literal["measured", "given"]
    success: float
    """Probability that an attempt succeeds: of measured ones the mean under Jeffreys' prior."""
    low: float
    high: float
    """95 % interval; of given rates the figure itself."""
    attempts: int = 0
    """On record; 0 where the rate was given."""
    on_success: Took = field(default_factory=Took)
    """What an attempt that succeeds takes on average."""
    on_failure: Took = field(default_factory=Took)

    @property
    def took(self) -> Took:
        """What an attempt takes on average, whatever comes of it."""
        good, bad = self.on_success, self.on_failure
        share = self.success
        return Took(
            time_s=share * good.time_s + (1 - share) * bad.time_s,
            tokens=share * good.tokens + (1 - share) * bad.tokens,
            cost_usd=share * good.cost_usd + (1 - share) * bad.cost_usd,
        )

    @property
    def words(self) -> str:
        """How it does, and how that is known.

        >>> Rated(worker="Ada", source="given", success=0.9, low=0.9, high=0.9).words
        'succeeds in 90 % (as given)'
        """
        if self.source == "given":
            return f"succeeds in {self.success:.0%} (as given)".replace("%", " %")
        few = ", which is little to go by" if self.attempts < FEW else ""
        text = f"succeeded in {self.success:.0%} of {self.attempts:,} attempts ({self.low:.0%} to {self.high:.0%}){few}"
        return text.replace("%", " %")


def measured(runs: Iterable[Any], fingerprints: Mapping[str, str] | None = None) -> dict[str, Rated]:
    """Return how each worker did in runs, by its name.

    Attempts that somebody stopped, that wait for a person's decision, or that come from a recording do not count; with
    `fingerprints`, by worker, neither do those of other code under the same name.

    >>> found = measured([[{"step": "a", "worker": "Ada", "duration_s": 2.0}, {"step": "b", "worker": "Ada",
    ...     "success": False, "duration_s": 4.0}]])
    >>> found["Ada"].success, found["Ada"].on_failure.time_s
    (0.5, 4.0)
    """
    tallies: dict[str, tuple[_Tally, _Tally]] = {}
    for run in runs:
        for record in recorded(run).records:
            code = (fingerprints or {}).get(record.worker or "")
            is_other = None not in (code, record.worker_fingerprint) and code != record.worker_fingerprint
            if record.worker is not None and not is_other and _counts(record):
                pair = tallies.setdefault(record.worker, (_Tally(), _Tally()))
                pair[record.error is None].add(record)
    return {worker: _rated(worker, good, bad) for worker, (bad, good) in tallies.items()}


def _counts(record: AttemptFinished) -> bool:
    if record.cached or (record.error is not None and record.error.type in _ASIDE_TYPES):
        return False
    return record.detail is None or not any(name in record.detail for name in _ASIDE_DETAILS)


class _Tally:
    """Attempts of one worker that came to the same."""

    def __init__(self) -> None:
        self.count = 0
        self.sums = [0.0, 0.0, 0.0]

    def add(self, record: AttemptFinished) -> None:
        self.count += 1
        used = record.usage or {}
        figures = (
            record.duration_s + (record.retry_in_s or 0.0),
            _number(used.get("input_tokens")) + _number(used.get("output_tokens")),
            _number(used.get("cost_usd")),
        )
        self.sums = [old + new for old, new in zip(self.sums, figures, strict=True)]

    @property
    def took(self) -> Took:
        time_s, tokens, cost_usd = (value / self.count for value in self.sums)
        return Took(time_s=time_s, tokens=tokens, cost_usd=cost_usd)


def _number(value: Any) -> float:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if is_number else 0.0


def _rated(worker: str, good: _Tally, bad: _Tally) -> Rated:
    low, high = interval_of_share(good.count, bad.count)
    seen = [tally.took for tally in (good, bad) if tally.count]
    return Rated(
        worker=worker,
        source="measured",
        success=(good.count + 0.5) / (good.count + bad.count + 1),
        low=float(low),
        high=float(high),
        attempts=good.count + bad.count,
        on_success=good.took if good.count else seen[0],  # of what never happened, the other is the best guess
        on_failure=bad.took if bad.count else seen[0],
    )


def given(rates: Mapping[str, Any] | None, workers: Sequence[WorkerDefinition]) -> dict[str, Rated]:
    """Return what is said of workers, by their names; of a name before that of its type.

    Args:
        rates: By worker name or type: a probability of success, or a mapping with `success`, and `time_s`, `tokens` and
            `cost_usd` of one attempt.
        workers: Whom it may be said of.

    Raises:
        UnknownRate: it is said of nobody who is there, or is no rate.
    """
    if rates is None:
        return {}
    names = {worker.name for worker in workers}
    types = {str(worker.worker_type) for worker in workers}
    for key, value in rates.items():
        if key not in names | types:
            known = sorted(names | types)
            raise UnknownRate(str(key), f"is no worker or type of worker.{did_you_mean(str(key), known)}", known)
        _check(str(key), value, sorted(names | types))
    found: dict[str, Rated] = {}
    for worker in workers:
        value = rates.get(worker.name, rates.get(str(worker.worker_type)))
        if value is not None:
            found[worker.name] = _given(worker.name, _fields(value))
    return found


def _fields(value: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {"success": value}


def _check(key: str, value: Any, known: list[str]) -> None:
    fields = _fields(value)
    strange = [str(name) for name in fields if name not in FIELDS]
    if strange:
        raise UnknownRate(key, f"has {strange[0]!r}; it may have {listed(FIELDS)}.", known)
    if "success" not in fields:
        raise UnknownRate(key, "has no success; give the probability that an attempt succeeds.", known)
    for name, one in fields.items():
        is_number = isinstance(one, (int, float)) and not isinstance(one, bool) and 0 <= one < math.inf
        if not is_number or (name == "success" and one > 1):
            what = "a probability from 0 to 1" if name == "success" else "a finite number, 0 or more"
            raise UnknownRate(key, f"has {name}={one!r:.80}; give {what}.", known)


def _given(worker: str, rate: Mapping[str, Any]) -> Rated:
    took = Took(**{name: float(rate.get(name, 0.0)) for name in FIELDS[1:]})
    success = float(rate["success"])
    return Rated(
        worker=worker, source="given", success=success, low=success, high=success, on_success=took, on_failure=took
    )
