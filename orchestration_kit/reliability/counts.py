"""What runs of one workflow did, as counts. Plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from orchestration_kit.definition.workflow import WorkflowDefinition

    Array = np.ndarray[Any, Any]

MEASURES = ("time_s", "tokens", "cost_usd")
"""What an attempt takes, in the order of the columns of `Counts.took`."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way on from a step, and how many visits took it.

    >>> from orchestration_kit.reliability import counts_of
    >>> counts_of([{"step": "ask", "next_step": "tell"}, {"step": "tell"}]).ways[0]
    Way(source='ask', succeeded=True, target='tell', count=1)
    """

    source: str
    succeeded: bool
    """Whether it is a way of visits that succeeded."""
    target: str
    """A step, or `COMPLETED` or `FAILED`."""
    count: int


@dataclass(frozen=True, slots=True)
class Path:
    """The way of one run.

    >>> from orchestration_kit.reliability import counts_of
    >>> found = counts_of([{"step": "ask", "next_step": "tell"}, {"step": "tell"}]).paths[0]
    >>> found.visits, found.end, found.attempts
    (((0, True), (1, True)), '[completed]', 2)
    """

    visits: tuple[tuple[int, bool], ...]
    """In order: which of `Counts.steps`, and whether the visit succeeded."""
    end: str | None
    """`COMPLETED`, `FAILED`, or None where the run was cut off: cancelled, waiting or under way. What it did until
    then counts, its end does not."""
    attempts: int = 0
    """In all, retries included; without those that somebody stopped."""
    run: str = ""
    goal: str = ""
    shared: int = 0
    """How many of its first visits are another run's, which it was forked from, and count there."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Counts:
    """What runs of one workflow did, as counts. Steps are numbered as in `steps`; n of them.

    Attempts that somebody stopped are not counted: they say nothing of a worker.

    >>> from orchestration_kit.reliability import counts_of
    >>> counts = counts_of([{"step": "ask", "success": False}, {"step": "ask", "attempt": 2}])
    >>> counts.steps, counts.success.tolist(), counts.failure.tolist(), counts.retries
    (('ask',), [1], [1], (1,))
    """

    workflow: str
    initial: str
    steps: tuple[str, ...]
    success: Array
    """(n,) int: attempts that succeeded."""
    failure: Array
    """(n,) int: attempts that failed."""
    retries: tuple[int, ...]
    """Further attempts of a visit; without a definition, as many as were seen."""
    retried: tuple[float, ...] = ()
    """Share of failed attempts that were made again while retries were left."""
    ways: tuple[Way, ...]
    """Of visits. Those that the definition declares are here with a count of 0 where none took them."""
    took: Array
    """(n, 2, 3): what an attempt took on average, by step, by whether it succeeded (0, 1), by `MEASURES`."""
    took_error: Array
    """(n, 2, 3): the standard errors of these means."""
    told: tuple[bool, bool, bool] = (True, False, False)
    """By `MEASURES`: whether any attempt told it."""
    workers: tuple[str | None, ...]
    worker_types: tuple[str | None, ...]
    certain: tuple[bool, ...]
    """Steps that cannot fail, as they call nobody: their success is 1 and no question of chance."""
    paths: list[Path] = field(default_factory=list[Path])
    definition: WorkflowDefinition | None = None
    """None where only histories or a frame are known."""

    @property
    def goals(self) -> list[str]:
        """The goal of each run; "" where it is not known."""
        return [path.goal for path in self.paths]
