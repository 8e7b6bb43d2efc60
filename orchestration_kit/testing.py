"""Tools to test workflows and workers: scripted workers, a fake clock, and a comparison of flows."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any, cast

from orchestration_kit.definition.workers import WorkerDefinition, WorkerType
from orchestration_kit.engine.context import WorkflowContext
from orchestration_kit.engine.events import HistoryEntry
from orchestration_kit.engine.run import Run
from orchestration_kit.history.differences import same_value


class ScriptedWorker:
    """A worker that does what it is told, in order: returns a value, or raises an exception.

    >>> worker = ScriptedWorker("draft", ValueError("no idea"), name="writer")
    >>> worker("goal", None)
    'draft'
    >>> worker.calls
    ['goal']

    Args:
        *script: What each call gives: an exception (or its class) is raised, anything else is returned.
        name: Its name, when it is registered.
        worker_type: Its type, when it is registered.
        repeat_last: Give the last of the script again and again, instead of failing when it is used up.
    """

    def __init__(
        self,
        *script: Any,
        name: str = "scripted",
        worker_type: WorkerType | str = WorkerType.GENERIC,
        repeat_last: bool = False,
    ) -> None:
        self.script = list(script)
        self.calls: list[Any] = []
        """The input of each call so far."""
        self.contexts: list[WorkflowContext | None] = []
        self.name = name
        self.worker_type = worker_type
        self.repeat_last = repeat_last

    def __call__(self, input_data: Any, context: WorkflowContext | None = None) -> Any:
        """Do the next thing of the script.

        Raises:
            AssertionError: the script is used up.
        """
        at = len(self.calls)
        self.calls.append(input_data)
        self.contexts.append(context)
        if at >= len(self.script):
            if not self.repeat_last or not self.script:
                raise AssertionError(
                    f"{self.name} was called {at + 1} times, and its script has {len(self.script)} entries. "
                    "Script one more, or pass repeat_last=True."
                )
            at = -1
        result = self.script[at]
        if isinstance(result, type) and issubclass(result, BaseException):
            raise result
        if isinstance(result, BaseException):
            raise result
        return cast("Any", result)

    @property
    def definition(self) -> WorkerDefinition:
        """The worker as `register_worker` takes it."""
        return WorkerDefinition(worker_type=self.worker_type, name=self.name, executor=self)


class FakeClock:
    """A clock that moves only when somebody waits on it, or moves it.

    >>> clock = FakeClock(start=100.0)
    >>> clock.advance(5)
    >>> clock.time(), clock.slept
    (105.0, [])
    """

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._time = start
        self._monotonic = 0.0
        self.slept: list[float] = []
        """Every wait, in seconds."""

    def time(self) -> float:
        """Return seconds since the epoch."""
        return self._time

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._time += seconds
        self._monotonic += seconds

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward or back, as a correction of the system's time does."""
        self._time += seconds

    def sleep(self, seconds: float, wake: threading.Event) -> None:
        """Let the time pass at once."""
        self.slept.append(seconds)
        if not wake.is_set():
            self.advance(seconds)

    async def asleep(self, seconds: float) -> None:
        """Let the time pass at once, letting others of the loop go on."""
        import asyncio

        self.slept.append(seconds)
        self.advance(seconds)
        await asyncio.sleep(0)


def flow(run: Run | WorkflowContext) -> list[dict[str, Any]]:
    """Return what a run did, without what may differ between equal runs: times, and whether it was recorded."""
    return [_without_times(entry) for entry in run.history]


def assert_same_flow(run_a: Run | WorkflowContext, run_b: Run | WorkflowContext) -> None:
    """Assert that two runs took the same way with the same outcomes; times and run ids may differ.

    Raises:
        AssertionError: naming the first attempt that differs, and in what.
    """
    ours, theirs = flow(run_a), flow(run_b)
    for one, other in zip(ours, theirs, strict=False):
        differing = [key for key in one if not same_value(one[key], other[key])]
        if differing:
            details = "\n".join(
                f"  {key}: {one[key]!r:.200}\n  {' ' * len(key)}  {other[key]!r:.200}" for key in differing
            )
            raise AssertionError(f"The runs part at attempt {one['seq']} ({one['path']}):\n{details}")
    if len(ours) != len(theirs):
        longer = max(ours, theirs, key=len)
        at = longer[min(len(ours), len(theirs))]
        raise AssertionError(
            f"One run has {len(ours)} attempts, the other {len(theirs)}; the first that only one has is {at['path']}"
        )
    for name, a, b in (("state", run_a.state, run_b.state), ("data", _data(run_a), _data(run_b))):
        if not same_value(a, b):
            raise AssertionError(f"The runs end with different {name}:\n  {a!r:.500}\n  {b!r:.500}")


def _data(run: Run | WorkflowContext) -> Iterable[Any]:
    return dict((run.context if isinstance(run, Run) else run).data)


def _without_times(entry: HistoryEntry) -> dict[str, Any]:
    kept: dict[str, Any] = {k: v for k, v in entry.items() if k not in ("timestamp", "duration_s", "cached")}
    detail: dict[str, Any] | None = entry["detail"]
    kept["detail"] = detail and {key: value for key, value in detail.items() if key != "answered_at"}
    return kept
