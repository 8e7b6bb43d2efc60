"""Workers that are called by an executor: what is sent, how it is waited for, and what leads out of the wait.

A worker that is placed stays of the kind it was, sync or yielding pieces, and gives what it would give here: so
transformers, schema, constraints, cassettes and retries around it see no difference. Async workers stay in the loop.
"""

from __future__ import annotations

import itertools
import secrets
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future
from contextvars import ContextVar
from dataclasses import replace
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from orchestration_kit.engine.calls import BoundWorker
from orchestration_kit.engine.executor_port import Call, Executor
from orchestration_kit.engine.room import room_of
from orchestration_kit.engine.thread import POLL_S

if TYPE_CHECKING:
    from orchestration_kit.engine.context import WorkflowContext
    from orchestration_kit.engine.driven import Driven
    from orchestration_kit.engine.plan import Plan
    from orchestration_kit.engine.room import Room
    from orchestration_kit.engine.visits import Visit
    from orchestration_kit.executors.remote import Sender

_INSIDE: ContextVar[bool] = ContextVar("orchestration_kit_inside", default=False)
"""Whether this is within a call that an executor of this process makes: it may have no slot left for one within it."""


class LedOut(BaseException):
    """Leads out of a wait for a worker whose time is up, past what stands around its call; never leaves the driver."""

    def __init__(self, cause: BaseException) -> None:
        super().__init__(cause)
        self.cause = cause


class Errand:
    """An attempt whose worker is called elsewhere: its name, and whether it is still wanted."""

    __slots__ = ("_check", "_deadline", "_late", "name")

    def __init__(
        self, run: Driven, visit: Visit, seconds: float | None, late: BaseException, check: Callable[[], None]
    ) -> None:
        epoch = 0 if run.log is None else run.log.epoch
        self.name = f"{run.run_id}|{visit.path}|{visit.attempt}|{epoch}"
        self._deadline = None if seconds is None else time.monotonic() + seconds
        self._late, self._check = late, check

    def check(self) -> None:
        """Lead out of the wait where nobody waits for the attempt any more.

        Raises:
            LedOut: its time is up.
            BaseException: its run or its branch was cancelled.
        """
        self._check()
        if self._deadline is not None and time.monotonic() >= self._deadline:
            raise LedOut(self._late)


class Place:
    """Where a hub has its workers called."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self.is_remote = executor.is_remote
        self._is_here = getattr(executor, "is_here", False)
        self._room = room_of(executor)
        self._hub = secrets.token_hex(6)
        self._serial = itertools.count(1)
        self._sender: Sender | None = None

    @property
    def room(self) -> Room | None:
        """Where attempts wait until they may begin; None within a call that was sent."""
        return None if _INSIDE.get() else self._room

    def placed(self, worker: BoundWorker) -> BoundWorker:
        """Return a worker that is called here; the same where it stays at the hub."""
        if worker.is_async or worker.at_hub or worker.runs is not None:
            return worker
        if self.is_remote:
            call = self._remote_pieces(worker) if worker.is_generator else self._remote(worker)
        else:
            call = self._local_pieces(worker) if worker.is_generator else self._local(worker)
        return replace(worker, call=call, takes_context=True, place=self)

    def _local(self, worker: BoundWorker) -> Callable[[Any, WorkflowContext], Any]:
        def call(given: Any, context: WorkflowContext) -> Any:
            if _INSIDE.get():
                return _called(worker, given, context)
            return self._wait(worker, context, _called_inside, (worker, given, context))

        return call

    def _local_pieces(self, worker: BoundWorker) -> Callable[[Any, WorkflowContext], Iterator[Any]]:
        def call(given: Any, context: WorkflowContext) -> Generator[Any, None, Any]:
            if self._is_here or _INSIDE.get():
                pieces: Generator[Any, None, Any] = _called(worker, given, context)
                return (yield from pieces)
            told = _Told()
            future: Future[Any] = self._submit(worker, context, told.run, (worker, given, context))
            future.add_done_callback(told.end)
            try:
                while (piece := told.next(_errand_of(context))) is not None:
                    yield piece[0]
                return future.result()
            finally:
                told.is_over = True
                if not future.done():
                    self.executor.cancel(future)

        return call

    def _remote(self, worker: BoundWorker) -> Callable[[Any, WorkflowContext], Any]:
        def call(given: Any, context: WorkflowContext) -> Any:
            return self._sent(worker, given, context).finish(context)

        return call

    def _remote_pieces(self, worker: BoundWorker) -> Callable[[Any, WorkflowContext], Iterator[Any]]:
        def call(given: Any, context: WorkflowContext) -> Generator[Any, None, Any]:
            answer = self._sent(worker, given, context)
            yield from answer.pieces
            return answer.finish(context)

        return call

    def _sent(self, worker: BoundWorker, given: Any, context: WorkflowContext) -> Any:
        if self._sender is None:
            from orchestration_kit.executors.remote import Sender

            self._sender = Sender()

        def send(function: Callable[..., bytes], arguments: tuple[bytes, ...]) -> bytes:
            return self._wait(worker, context, function, arguments)

        return self._sender.send(worker, given, context, send)

    def _submit(
        self, worker: BoundWorker, context: WorkflowContext, function: Callable[..., Any], arguments: tuple[Any, ...]
    ) -> Future[Any]:
        errand = _errand_of(context)
        name = f"{context.workflow_id}|{context.path}|{context.attempt}|0" if errand is None else errand.name
        call = Call(
            key=f"{name}|{self._hub}.{next(self._serial)}",
            function=function,
            arguments=arguments,
            resources=worker.resources,
            may_repeat=worker.idempotent,
        )
        return self.executor.submit(call)

    def _wait(
        self, worker: BoundWorker, context: WorkflowContext, function: Callable[..., Any], arguments: tuple[Any, ...]
    ) -> Any:
        future = self._submit(worker, context, function, arguments)
        if not future.done():
            errand, over = _errand_of(context), threading.Event()

            def end(_: object) -> None:
                over.set()

            future.add_done_callback(end)
            try:
                while not over.wait(POLL_S):
                    if errand is not None:
                        errand.check()
            except BaseException:
                self.executor.cancel(future)
                raise
        return future.result()

    def __repr__(self) -> str:
        return f"<Place: {self.executor!r}>"


class _Told:
    """Pieces on their way from a thread of the executor to whoever waits for them."""

    def __init__(self) -> None:
        self.pieces: SimpleQueue[tuple[Any] | None] = SimpleQueue()
        self.is_over = False

    def run(self, worker: BoundWorker, given: Any, context: WorkflowContext) -> Any:
        """Call a worker and tell of its pieces; return what it returned."""
        result = _called_inside(worker, given, context)
        try:
            while not self.is_over:
                self.pieces.put((next(result),))
        except StopIteration as stop:
            return stop.value
        finally:
            result.close()

    def end(self, _: object) -> None:
        """Say that there will be no more."""
        self.pieces.put(None)

    def next(self, errand: Errand | None) -> tuple[Any] | None:
        """Wait for a piece; None where there will be no more."""
        from queue import Empty

        while True:
            try:
                return self.pieces.get(timeout=POLL_S)
            except Empty:
                if errand is not None:
                    errand.check()


def open_place(executor: Any) -> Place | None:
    """Return where workers are called: by an executor, or any pool of `concurrent.futures`; None: by the hub itself.

    Raises:
        TypeError: it is none of these.
    """
    if executor is None:
        return None
    from orchestration_kit.executors.taking import as_executor

    found = as_executor(executor)
    return None if found is None else Place(found)


def only_room(plan: Plan) -> Room | None:
    """Return the one room that all workers of a plan wait in; None where some are called at the hub."""
    found: Room | None = None
    for step in plan.steps.values():
        if step.worker is not None:
            room = None if step.worker.place is None else step.worker.place.room
            if room is None or found not in {None, room}:
                return None
            found = room
        for target in () if step.opens is None else step.opens.targets.values():
            inner = target.plan and only_room(target.plan)
            if target.plan is not None and (inner is None or found not in {None, inner}):
                return None
            found = inner or found
    return found


def lend_errand(context: WorkflowContext, errand: Errand) -> None:
    """Have a worker's call know of its attempt."""
    context._more.errand = errand  # noqa: SLF001


def _errand_of(context: WorkflowContext) -> Errand | None:
    return context._more.errand  # noqa: SLF001


def _called(worker: BoundWorker, given: Any, context: WorkflowContext) -> Any:
    return worker.call(given, context) if worker.takes_context else worker.call(given)


def _called_inside(worker: BoundWorker, given: Any, context: WorkflowContext) -> Any:
    return call_inside(_called, worker, given, context)


def call_inside(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function that an executor of this process calls: what it has called is called right there, too."""
    token = _INSIDE.set(True)
    try:
        return function(*arguments)
    finally:
        _INSIDE.reset(token)
