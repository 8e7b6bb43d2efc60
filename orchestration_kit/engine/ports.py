"""What the engine needs from outside, as protocols, and the real clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from orchestration_kit.engine.data import Changes
from orchestration_kit.engine.events import Event

Observer = Callable[[Event], None]
"""Called with each event of a run, in order, on the thread that drives the run (pieces of an output may come from the
worker's own thread). It must not block, and it may look at the values of an event but not change them."""


class RunLog(Protocol):
    """A run's place in a journal. Every method may be called again after an error or an interrupt."""

    wait_s: float | None

    @property
    def epoch(self) -> int:
        """The number of the lease it is driven under; 0 where it has none."""
        ...

    @property
    def is_on_record(self) -> bool:
        """Whether the journal knows all there is."""
        ...

    @property
    def is_behind(self) -> bool:
        """Whether the run has gone on elsewhere."""
        ...

    def prepare(self) -> None:
        """See that a new run can be put on record."""
        ...

    def claim(self) -> None:
        """Become the one who drives the run."""
        ...

    def stage(self, where: str, value: Any) -> None:
        """See that a value can be put on record; an AttemptError says why not."""
        ...

    def stage_changes(self, changes: Changes, scope: str = "") -> None:
        """See that what an attempt in a scope changed can be put on record; an AttemptError says why not."""
        ...

    def sync(self) -> None:
        """Commit what is new."""
        ...

    def release(self) -> None:
        """Commit what is new, and let somebody else drive."""
        ...


class Clock(Protocol):
    """Where time comes from."""

    def time(self) -> float:
        """Return seconds since the epoch, UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        ...

    def sleep(self, seconds: float, wake: threading.Event) -> None:
        """Wait, or return as soon as `wake` is set."""
        ...

    async def asleep(self, seconds: float) -> None:
        """Wait in the running event loop."""
        ...


class Violation(Protocol):
    """What a rule has against an action."""

    @property
    def rule(self) -> str:
        """The rule's name."""
        ...

    @property
    def message(self) -> str:
        """What is wrong."""
        ...

    @property
    def hint(self) -> str:
        """What would do."""
        ...


class Verdict(Protocol):
    """What constraints say of an action."""

    @property
    def approved(self) -> bool:
        """Whether it may happen."""
        ...

    @property
    def violations(self) -> Sequence[Violation]:
        """Why not."""
        ...

    @property
    def on_violation(self) -> str:
        """`retry` with feedback, `ask` a person, or `fail`."""
        ...

    @property
    def plan(self) -> Mapping[str, Any]:
        """The action as it was looked at, in plain data of the verdict's own: what is carried out is this."""
        ...


class Gate(Protocol):
    """What the hub asks before an action takes effect. An error in it is a no."""

    def validate_plan(
        self, plan: Any, *, history: Sequence[Mapping[str, Any]] = (), now: float | None = None
    ) -> Verdict:
        """Judge an action; `history` are those carried out before it in the run, `now` seconds since the epoch."""
        ...

    def labels_of(self, plan: Mapping[str, Any], result: Any) -> list[str]:
        """Return what the run is marked with by having carried this out."""
        ...

    def check_outcome(
        self, plan: Mapping[str, Any], result: Any, *, history: Sequence[Mapping[str, Any]] = ()
    ) -> Verdict:
        """Judge what came of an action, before the worker sees it."""
        ...


class Lessons(Protocol):
    """What was learnt in other runs."""

    def bound(self, context: Any) -> Any:
        """Return what a worker may ask: the lessons as seen from its step."""
        ...

    def observe(self, event: Event, workflow: str, run_id: str) -> None:
        """Hear of an event of a run."""
        ...


class SystemClock:
    """The clock of this machine."""

    monotonic = staticmethod(time.perf_counter)
    time = staticmethod(time.time)

    def sleep(self, seconds: float, wake: threading.Event) -> None:
        """Wait, or return as soon as `wake` is set."""
        wake.wait(seconds)

    async def asleep(self, seconds: float) -> None:
        """Wait in the running event loop."""
        import asyncio  # costs 30 ms, so only a run that waits in a loop pays for it

        await asyncio.sleep(seconds)
