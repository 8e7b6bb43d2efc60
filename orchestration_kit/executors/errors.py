"""What can go wrong where calls are made: what happened, what was possible, what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from orchestration_kit.errors import AttemptError, OrchestrationError, listed

if TYPE_CHECKING:
    from orchestration_kit.engine.executor_port import Call

MAX_LOSSES = 3
"""How often a call that may repeat is made again, where the machine that made it is lost."""


class ExecutorClosed(OrchestrationError, RuntimeError):
    """An executor was closed, and makes no more calls."""

    def __init__(self, executor: str) -> None:
        super().__init__(executor)
        self.executor = executor

    def __str__(self) -> str:
        return f"The {self.executor} was closed, and makes no more calls. Make another, and a hub with it."


class ResourcesMissing(AttemptError):
    """No machine offers what a call needs; nothing was sent."""

    is_final = True

    def __init__(
        self, needed: Mapping[str, float], offered: Mapping[str, Mapping[str, float]], how: str, waited_s: float = 0.0
    ) -> None:
        super().__init__(dict(needed), {name: dict(offer) for name, offer in offered.items()}, how, waited_s)
        self.needed, self.offered = dict(needed), {name: dict(offer) for name, offer in offered.items()}
        """What is needed, and what each machine offers."""
        self.how = how
        """How one offers more."""
        self.waited_s = waited_s
        """How long it was waited for a machine."""

    def __str__(self) -> str:
        offers = listed(f"{name}: {_told(offer)}" for name, offer in self.offered.items())
        told = f"There are: {offers}." if self.offered else "There is no machine at all."
        waited = f" within {self.waited_s:g} s" if self.waited_s else ""
        wanted = f"offers {_told(self.needed)}" if self.needed else "is there"
        return f"No machine {wanted}{waited}. {told} {self.how}"


class WorkerLost(AttemptError):
    """The machine that made a call was lost before the result was there."""

    def __init__(self, call: str, reason: str, *, times: int = 1, may_repeat: bool = True) -> None:
        super().__init__(call, reason, times, may_repeat)
        self.call, self.reason, self.times, self.may_repeat = call, reason, times, may_repeat
        self.is_final = not may_repeat
        """Nothing makes it again where it must not be made twice: a retry would be just that."""

    def __reduce__(self) -> Any:
        return _lost_again, self.args

    def __str__(self) -> str:
        what = f"The call {self.call} was lost"
        if not self.may_repeat:
            return (
                f"{what}: {self.reason}. Its worker is not idempotent, so that it was not made again, and nobody knows "
                "how far it came: look there, then resume the run, or set idempotent=True where a repeat does no harm."
            )
        times = "" if self.times <= 1 else f" {self.times} times"
        return f"{what}{times}: {self.reason}. A worker that takes more memory than there is ends like that, too."


def _lost_again(call: str, reason: str, times: int, may_repeat: bool) -> WorkerLost:  # noqa: FBT001 - as pickled
    return WorkerLost(call, reason, times=times, may_repeat=may_repeat)


class ClusterLost(AttemptError):
    """The cluster cannot be reached any more, or let go of a call."""

    def __init__(self, cluster: str, reason: str) -> None:
        super().__init__(cluster, reason)
        self.cluster, self.reason = cluster, reason

    def __str__(self) -> str:
        return (
            f"The cluster at {self.cluster} is lost: {self.reason}. What was put on record stays; start the cluster, "
            "make a client and a hub with it, and resume the run: what was under way is called again."
        )


class NotSendable(AttemptError):
    """Something cannot leave this process for where calls are made."""

    is_final = True

    def __init__(self, what: str, reason: str, hint: str) -> None:
        super().__init__(what, reason, hint)
        self.what, self.reason, self.hint = what, reason, hint

    def __str__(self) -> str:
        return f"{self.what} cannot be sent to where it would be called: {self.reason}. {self.hint}"


class NotAtTheHub(AttemptError):
    """A worker that is called elsewhere asked for something that only the hub has."""

    is_final = True

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what, hint)
        self.what, self.hint = what, hint

    def __str__(self) -> str:
        return f"{self.what} is at the hub, and this worker was called elsewhere, by the hub's executor. {self.hint}"


class MissingExecutorExtra(OrchestrationError, ImportError):
    """An executor needs a library that is not installed."""

    def __init__(self, executor: str, library: str, extra: str) -> None:
        super().__init__(executor, library, extra)
        self.executor, self.library, self.extra = executor, library, extra

    def __str__(self) -> str:
        return (
            f"{self.executor} needs {self.library!r}, which is not installed. "
            f"Install it with: pip install 'orchestration-kit[{self.extra}]'"
        )


def _told(resources: Mapping[str, float]) -> str:
    return listed(f"{name}={amount:g}" for name, amount in resources.items()) if resources else "no resources"


def lost(call: Call, reason: str, times: int = 1) -> WorkerLost:
    """Return the error of a call that was lost."""
    return WorkerLost(call.key, reason, times=times, may_repeat=call.may_repeat)
