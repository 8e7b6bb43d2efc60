"""Aligned attempts become aligned branches: which both runs had, how each ended, and where they part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from orchestration_kit.engine.order import opener_of, scope_of
from orchestration_kit.history.places import is_undoing

if TYPE_CHECKING:
    from orchestration_kit.engine.events import AttemptFinished
    from orchestration_kit.history.divergence import Pair

STATES = ("completed", "failed", "cancelled", "not started")


@dataclass(slots=True)
class BranchPair:
    """One branch in A and in B."""

    scope: str
    attempts_a: int = 0
    """Attempts in it, and in branches within it."""
    attempts_b: int = 0
    state_a: str | None = None
    """How it ended; None where it was not joined, or is not there."""
    state_b: str | None = None
    parts_at: Pair | None = None
    """The first attempt that differs."""

    @property
    def path(self) -> str:
        """For example `grade#1[3]`."""
        return self.scope.rstrip("/")

    @property
    def found_in(self) -> str:
        """The runs that opened it: both, A or B."""
        in_a = self.attempts_a > 0 or self.state_a is not None
        in_b = self.attempts_b > 0 or self.state_b is not None
        return "both" if in_a and in_b else "A" if in_a else "B"

    @property
    def same(self) -> bool:
        """Whether both made the same attempts there, and ended it alike."""
        return self.found_in == "both" and self.parts_at is None and self.state_a == self.state_b


def align_branches(pairs: Sequence[Pair]) -> list[BranchPair]:
    """Return every branch that either run opened, as far as its attempts or its join tell.

    >>> from orchestration_kit.history.divergence import align
    >>> from orchestration_kit.history.sources import records_of
    >>> a = records_of([{"step": "x", "path": "m#1[0]/x#1"}, {"step": "x", "path": "m#1[1]/x#1"}])
    >>> [(one.path, one.found_in, one.same) for one in align_branches(align(a, a[:1]))]
    [('m#1[0]', 'both', True), ('m#1[1]', 'A', False)]
    """
    found: dict[str, BranchPair] = {}
    for pair in pairs:
        for scope in _line(pair.either.scope):
            _add(found.setdefault(scope, BranchPair(scope)), pair)
        if pair.a is not None:
            for at, state in _states(pair.a):
                found.setdefault(at, BranchPair(at)).state_a = state
        if pair.b is not None:
            for at, state in _states(pair.b):
                found.setdefault(at, BranchPair(at)).state_b = state
    return list(found.values())


def _line(scope: str) -> list[str]:
    """The branches that an attempt is in, outer ones first."""
    line: list[str] = []
    while scope.endswith("]/"):
        if not is_undoing(scope):
            line.append(scope)
        scope = scope_of(opener_of(scope)[0])
    return line[::-1]


def _add(branch: BranchPair, pair: Pair) -> None:
    branch.attempts_a += pair.a is not None
    branch.attempts_b += pair.b is not None
    if branch.parts_at is None and not pair.same:
        branch.parts_at = pair


def _states(record: AttemptFinished) -> list[tuple[str, str]]:
    """How the branches that an attempt joins ended, by scope."""
    branches: Any = (record.detail or {}).get("branches")
    if not isinstance(branches, Mapping):
        return []
    return [(f"{record.path}[{key}]/", str(state)) for key, state in cast("Mapping[Any, Any]", branches).items()]
