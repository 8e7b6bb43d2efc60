"""What happens around a worker's call: who follows it is let in, and an action that it returns is carried out.

A worker that is wrapped stays of the kind it was: sync, async, yielding pieces. On a hub that has no constraints, and
while nobody watches, no worker is wrapped, so that nothing costs anything.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from orchestration_kit.engine.acting import aact, act, close_acting, granted_action, open_acting
from orchestration_kit.engine.calls import BoundWorker
from orchestration_kit.engine.outcome import Action

if TYPE_CHECKING:
    from orchestration_kit.engine.context import WorkflowContext
    from orchestration_kit.engine.ports import Observer
    from orchestration_kit.engine.run import Run

_log = logging.getLogger("orchestration_kit")


class Follower(Protocol):
    """Follows the runs of every hub in this process."""

    def follow(self, run: Run) -> Observer | None:
        """Return what is to be told of a run's events. Asked whenever a hub makes, reopens or loads a handle."""
        ...


class Watcher(Follower, Protocol):
    """Follows runs, and is let in around each call of a worker."""

    def around(self, context: WorkflowContext) -> AbstractContextManager[Any]:
        """Return what is entered around a worker's call, on the thread or in the task that makes it."""
        ...


class _Watching:
    """Who watches now; counted, so that hubs know when their plans are out of date."""

    def __init__(self) -> None:
        self.followers: tuple[Follower, ...] = ()
        self.watchers: tuple[Watcher, ...] = ()
        """Those of them that are let in around calls."""
        self.changes = 0


WATCHING = _Watching()


def follow_all(follower: Follower) -> None:
    """Have the runs of all hubs followed, from the next one that is made or reopened."""
    if follower not in WATCHING.followers:
        WATCHING.followers = (*WATCHING.followers, follower)


def watch_all(watcher: Watcher) -> None:
    """Have the runs of all hubs followed, and calls of their workers made within `watcher.around(context)`."""
    follow_all(watcher)
    if watcher not in WATCHING.watchers:
        WATCHING.watchers = (*WATCHING.watchers, watcher)
        WATCHING.changes += 1


def unwatch(follower: Follower) -> None:
    """Follow no more runs. Those that are followed already are so to their end, if the follower cares."""
    WATCHING.followers = tuple(one for one in WATCHING.followers if one is not follower)
    if follower in WATCHING.watchers:
        WATCHING.watchers = tuple(one for one in WATCHING.watchers if one is not follower)
        WATCHING.changes += 1


def followers(run: Run) -> list[Observer]:
    """Return the observers of a run that are wanted. A follower that raises is left out of this run."""
    found: list[Observer] = []
    for follower in WATCHING.followers:
        try:
            observer = follower.follow(run)
        except Exception:  # noqa: BLE001 - a follower's trouble is not the run's
            _log.exception("%r cannot follow run %r", follower, run.run_id)
            continue
        if observer is not None:
            found.append(observer)
    return found


def lent(worker: BoundWorker, *, acts: bool) -> BoundWorker:
    """Return a worker with what happens around its call; the same where nothing does.

    Args:
        worker: As it was registered.
        acts: Whether its hub carries out actions.
    """
    watchers = WATCHING.watchers
    if worker.runs is not None or not (acts or watchers):
        return worker
    call = _WRAPPERS[worker.is_async, worker.is_generator](worker, watchers)
    return replace(worker, call=call, takes_context=True)


def _called(worker: BoundWorker, given: Any, context: WorkflowContext) -> Any:
    return worker.call(given, context) if worker.takes_context else worker.call(given)


def _entered(stack: ExitStack, watchers: tuple[Watcher, ...], context: WorkflowContext) -> None:
    open_acting(context)
    stack.callback(close_acting, context)
    for watcher in watchers:
        stack.enter_context(watcher.around(context))


def _sync(worker: BoundWorker, watchers: tuple[Watcher, ...]) -> Callable[[Any, WorkflowContext], Any]:
    def call(given: Any, context: WorkflowContext) -> Any:
        with ExitStack() as stack:
            _entered(stack, watchers, context)
            granted = granted_action(context)
            output = _called(worker, given, context) if granted is None else granted
            return _done(output, context)

    return call


def _asynchronous(
    worker: BoundWorker, watchers: tuple[Watcher, ...]
) -> Callable[[Any, WorkflowContext], Coroutine[Any, Any, Any]]:
    async def call(given: Any, context: WorkflowContext) -> Any:
        with ExitStack() as stack:
            _entered(stack, watchers, context)
            granted = granted_action(context)
            output = await _called(worker, given, context) if granted is None else granted
            if not isinstance(output, Action):
                return output
            context._more.is_returned = True  # noqa: SLF001
            return await aact(context, output)

    return call


def _yielding(
    worker: BoundWorker, watchers: tuple[Watcher, ...]
) -> Callable[[Any, WorkflowContext], Generator[Any, None, Any]]:
    def call(given: Any, context: WorkflowContext) -> Generator[Any, None, Any]:
        with ExitStack() as stack:
            _entered(stack, watchers, context)
            granted = granted_action(context)
            output: Any = granted
            if granted is None:
                pieces: Generator[Any, None, Any] = _called(worker, given, context)
                output = yield from pieces
            return _done(output, context)

    return call


def _yielding_asynchronously(
    worker: BoundWorker, watchers: tuple[Watcher, ...]
) -> Callable[[Any, WorkflowContext], AsyncIterator[Any]]:
    async def call(given: Any, context: WorkflowContext) -> AsyncIterator[Any]:
        with ExitStack() as stack:
            _entered(stack, watchers, context)
            pieces = _called(worker, given, context)
            try:
                async for piece in pieces:
                    yield piece
            finally:
                await pieces.aclose()

    return call


def _done(output: Any, context: WorkflowContext) -> Any:
    if not isinstance(output, Action):
        return output
    context._more.is_returned = True  # noqa: SLF001
    return act(context, output)


_Wrapper = Callable[[BoundWorker, tuple[Watcher, ...]], Callable[..., Any]]
_WRAPPERS: dict[tuple[bool, bool], _Wrapper] = {
    (False, False): _sync,
    (True, False): _asynchronous,
    (False, True): _yielding,
    (True, True): _yielding_asynchronously,
}
"""By kind of worker: whether it is async, and whether it yields pieces."""
