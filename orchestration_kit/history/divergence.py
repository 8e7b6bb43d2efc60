"""Two records are laid side by side by step identity, and each pair is asked what differs.

Identity is position, visit and attempt (`review_code#2`, attempt 1), never the order in which things happened
to end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, cast

from orchestration_kit.engine.events import AttemptFinished
from orchestration_kit.history.differences import Difference, differences, same_value

Aspect = Literal["worker", "input", "output", "condition", "error", "edge", "detail"]
ASPECTS: tuple[Aspect, ...] = ("worker", "input", "output", "condition", "error", "edge", "detail")


class Pair(NamedTuple):
    """One attempt in A and in B; None where a run has none."""

    a: AttemptFinished | None
    b: AttemptFinished | None
    aspects: tuple[Aspect, ...] = ()
    """What differs. Empty where one is None."""

    @property
    def either(self) -> AttemptFinished:
        """The attempt of A, or of B where A has none."""
        return cast("AttemptFinished", self.b if self.a is None else self.a)

    @property
    def same(self) -> bool:
        """Whether both runs made this attempt, with the same outcome."""
        return self.a is not None and self.b is not None and not self.aspects


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first attempt at which two runs part, and what differs there.

    >>> print(Divergence("review#2", 1, None, ("output", "edge"), (Difference("output", "True", "False"),)))
    review#2, attempt 1: output, edge
    """

    path: str
    """For example `review_code#2`."""
    attempt: int
    only_in: Literal["A", "B"] | None
    """The run that made this attempt, where the other did not."""
    aspects: tuple[Aspect, ...]
    """Of: worker, input, output, condition, error, edge, detail."""
    differences: tuple[Difference, ...]
    """The places where they part, up to five an aspect."""

    def __str__(self) -> str:
        here = f"{self.path}, attempt {self.attempt}"
        if self.only_in is not None:
            return f"{here}: only in {self.only_in}"
        return f"{here}: {', '.join(self.aspects)}"


def align(a: Sequence[AttemptFinished], b: Sequence[AttemptFinished]) -> list[Pair]:
    """Return every attempt of both runs once, in the order of A; what only B has stands after what it followed.

    >>> from orchestration_kit.history.sources import records_of
    >>> a, b = records_of([{"step": "x"}, {"step": "y"}]), records_of([{"step": "x"}, {"step": "z"}, {"step": "y"}])
    >>> [(pair.either.step, pair.a is None, pair.b is None) for pair in align(a, b)]
    [('x', False, False), ('z', True, False), ('y', False, False)]
    """
    ours, theirs = _by_identity(a), _by_identity(b)
    following: dict[Any, list[AttemptFinished]] = {}
    anchor: Any = None
    for identity, record in theirs.items():
        if identity in ours:
            anchor = identity
        else:
            following.setdefault(anchor, []).append(record)
    pairs = [Pair(None, record) for record in following.get(None, ())]
    for identity, record in ours.items():
        other = theirs.get(identity)
        pairs.append(Pair(record, other, () if other is None else differing(record, other)))
        pairs.extend(Pair(None, only_b) for only_b in following.get(identity, ()))
    return pairs


def differing(a: AttemptFinished, b: AttemptFinished) -> tuple[Aspect, ...]:
    """Return in what two attempts differ; times and usage are no difference."""
    found: list[Aspect] = []
    if a.worker != b.worker or a.worker_type != b.worker_type:
        found.append("worker")
    if not same_value(a.input, b.input):
        found.append("input")
    if not same_value(a.output, b.output):
        found.append("output")
    if (a.evaluated or b.evaluated) and not same_value(a.evaluated, b.evaluated):
        found.append("condition")
    if a.error != b.error:
        found.append("error")
    if a.next_step != b.next_step or (a.retry_in_s is None) != (b.retry_in_s is None):
        found.append("edge")
    if (a.detail or b.detail) and not same_value(_told(a), _told(b)):
        found.append("detail")
    return tuple(found)


def first_divergence(pairs: Sequence[Pair]) -> Divergence | None:
    """Return the first pair that differs, in words; None where none does."""
    pair = next((pair for pair in pairs if not pair.same), None)
    if pair is None:
        return None
    record = pair.either
    if pair.a is None or pair.b is None:
        return Divergence(record.path, record.attempt, "B" if pair.a is None else "A", (), ())
    found: list[Difference] = []
    for aspect in pair.aspects:
        found += differences(aspect, _shown(pair.a, aspect), _shown(pair.b, aspect))
    if "error" in pair.aspects:  # a failed attempt's output repeats its error
        found = [one for one in found if one.where != "output['error']"]
    return Divergence(record.path, record.attempt, None, pair.aspects, tuple(found))


def way_on(record: AttemptFinished) -> str:
    """Return in words where the run went after an attempt."""
    if record.retry_in_s is not None:
        return "retry"
    return "end" if record.next_step is None else record.next_step


def _shown(record: AttemptFinished, aspect: Aspect) -> Any:
    if aspect == "worker":
        return record.worker if record.worker is not None else f"none, of type {record.worker_type}"
    if aspect == "condition":
        return {one.text: {"result": one.result, **one.inputs} for one in record.evaluated}
    if aspect == "error":
        return None if record.error is None else f"{record.error.type}: {record.error.message}"
    if aspect == "detail":
        return _told(record)
    return way_on(record) if aspect == "edge" else getattr(record, aspect)


def _told(record: AttemptFinished) -> dict[str, Any]:
    """What is on record besides a worker's call; not when it was answered, nor the hash of a question."""
    told = {key: value for key, value in (record.detail or {}).items() if key not in ("request", "answered_at")}
    if "actions" in told:  # when they were carried out is no difference
        told["actions"] = [{key: value for key, value in one.items() if key != "at"} for one in told["actions"]]
    return told


def _by_identity(records: Sequence[AttemptFinished]) -> dict[tuple[Any, ...], AttemptFinished]:
    """Attempts by identity. A history made by hand may use one twice: then their order tells them apart."""
    found: dict[tuple[Any, ...], AttemptFinished] = {}
    for record in records:
        identity = (record.scope, record.step, record.visit, record.attempt, 0)
        while identity in found:
            identity = (*identity[:4], identity[4] + 1)
        found[identity] = record
    return found
