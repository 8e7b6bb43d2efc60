"""What an executor is: the port that every place where calls can be made fills. It makes calls, and decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call to be made somewhere: of a worker for one attempt, or of a whole run."""

    key: str
    """Which one it is: run, position, attempt and epoch. No two calls of one hub, or of two, have the same."""
    function: Callable[..., Any]
    """For an executor that is remote: a function of a module, and what it returns is `bytes`."""
    arguments: tuple[Any, ...] = ()
    """For an executor that is remote: `bytes`, text and numbers."""
    resources: Mapping[str, float] = field(default_factory=dict[str, float])
    """What a machine has to offer, e.g. `{"GPU": 1}`."""
    may_repeat: bool = True
    """Whether it may be made again where the machine that made it is lost. If not, that ends in `WorkerLost`."""


class Executor(Protocol):
    """Where calls are made. Safe to use from several threads.

    An executor of your own: fill these, and prove it with the conformance suite,
    `orchestration_kit.executors.conformance.ExecutorConformance`.
    """

    is_remote: bool
    """Whether calls leave this process, so that all that goes there and back is data."""

    @property
    def slots(self) -> int:
        """How many calls can be under way at once, now. At most twice as many are sent, so that none waits far away."""
        ...

    def submit(self, call: Call) -> Future[Any]:
        """Have a call made, and return what will come of it; what the call raises, the future raises.

        Waits while twice as many calls as there are slots are under way.

        Raises:
            ResourcesMissing: no machine offers what the call needs; nothing was sent.
            ExecutorClosed: it was closed.
        """
        ...

    def cancel(self, future: Future[Any]) -> None:
        """Let go of a call: nobody waits for it any more. It is not begun where it was not; else it may go on."""
        ...

    def close(self) -> None:
        """Let go of threads, processes and connections that are its own; twice is once."""
        ...
