"""Calls are made on a Dask cluster: by as many machines as there are, which may come, go, and be lost."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import CancelledError, Future
from typing import Any, Self

from orchestration_kit.engine.executor_port import Call
from orchestration_kit.executors.answers import opened
from orchestration_kit.executors.dask_calls import TAKEN, make_call, make_call_once
from orchestration_kit.executors.dask_machines import FRESH_S, Machines
from orchestration_kit.executors.errors import (
    MAX_LOSSES,
    ClusterLost,
    MissingExecutorExtra,
    NotSendable,
    ResourcesMissing,
    lost,
)
from orchestration_kit.executors.window import Window

_log = logging.getLogger("orchestration_kit")

RETURN_S = 30.0
"""How long a call waits, at least, where all machines that could make it were lost: they may come back."""
_HOW = 'Start one that does: dask worker ADDRESS --resources "{told}", or local_cluster(resources={{{needed}}}).'
_HOW_MANY = "Start some: dask worker ADDRESS."


class DaskExecutor:
    """Makes calls on a Dask cluster. The journal stays with the hub, and results are fetched as soon as they are there.

    A machine that is lost takes nothing with it: what it was at is made elsewhere, at most three times more; a call
    that must not be made twice ends in `WorkerLost` instead, as the scheduler gives it out once. Machines may come and
    go. Where none offers what a call needs, or none is there, it is waited `patience_s` for one, and `ResourcesMissing`
    says what there is.

    Every machine needs this package, cloudpickle, and what the workers import, in the same versions.

    >>> from distributed import Client
    >>> from orchestration_kit import Orchestrator, WorkerDefinition, create_generic_pipeline
    >>> with Client(processes=False, n_workers=1, dashboard_address=None) as client, DaskExecutor(client) as executor:
    ...     hub = Orchestrator(executor=executor)
    ...     hub.register_worker(WorkerDefinition(worker_type="generic", name="shout", executor=str.upper))
    ...     hub.register_workflow(create_generic_pipeline([("say", "generic", "")]))
    ...     hub.execute_workflow("say", "hello", verbose=False).data["say_output"]
    'HELLO'

    Args:
        client: A `distributed.Client`, which stays whoever's it is; or a cluster or the address of a scheduler, to
            which a client of its own is made.
        patience_s: How long a call waits for a machine that offers what it needs. Half a minute at least, where one
            did that was lost.

    Raises:
        TypeError: it is none of these.
        MissingExecutorExtra: Dask is not installed.
    """

    is_remote = True

    def __init__(self, client: Any, *, patience_s: float = 10.0) -> None:
        self._client, self._is_own = _client_of(client)
        self._patience_s = patience_s
        self._address = str(getattr(self._client.scheduler, "address", "an unknown address"))
        self._machines = Machines(self._client)
        self._window = Window("DaskExecutor", lambda: self._machines.threads)
        self._lock = threading.Lock()
        self._under_way: dict[Future[Any], _Task] = {}
        self._can_claim = False
        self._told_at = -float("inf")

    @property
    def slots(self) -> int:
        """How many threads the cluster's machines have, now; one where it has no machine yet."""
        return max(1, self._machines.threads)

    def submit(self, call: Call) -> Future[Any]:
        """Have a call made on the cluster; raises as `Executor.submit` does.

        Where no machine offers what it needs now, the future raises `ResourcesMissing` when `patience_s` is over; at
        once, here, where that is 0.
        """
        if self._patience_of(call) <= 0 and not self._machines.offer(call.resources):
            self._refuse(call, 0.0)
        self._window.take({})
        try:
            if not call.may_repeat:
                self._learn_to_claim()
            task = _Task(call)
            with self._lock:
                self._under_way[task.future] = task
            self._begin(self._make(task))
        except BaseException:
            self._window.give_back({})
            raise
        return task.future

    def cancel(self, future: Future[Any]) -> None:
        """Let go of a call: what a machine is at, or begins before it hears of it, goes on, and is dropped."""
        with self._lock:
            task = self._under_way.get(future)
        if task is not None:
            task.is_dropped = True
            future.cancel()
            self._ended(task)
            self._client.loop.add_callback(task.stop)

    def close(self) -> None:
        """Make no more calls, and let go of those under way. A client that was given stays as it is."""
        if not self._window.close():
            return
        with self._lock:
            left = list(self._under_way)
        for future in left:
            self.cancel(future)
        if self._is_own:
            self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"DaskExecutor({self._address!r}, slots={self.slots})"

    # --- on the loop of the client

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        loop = self._client.loop.asyncio_loop
        try:
            asyncio.run_coroutine_threadsafe(work, loop)
        except RuntimeError as error:
            work.close()
            raise ClusterLost(self._address, "its client was closed") from error

    async def _make(self, task: _Task) -> None:
        task.runner = asyncio.current_task()
        if task.is_dropped:
            return
        error: BaseException | None = None
        result: Any = None
        try:
            result = await self._answer(task)
        except BaseException as raised:  # noqa: BLE001 - raised again by whoever waits
            error = raised
        self._ended(task)
        if not task.future.set_running_or_notify_cancel():
            return
        if error is None:
            task.future.set_result(result)
        else:
            task.future.set_exception(error)

    async def _answer(self, task: _Task) -> bytes:
        call = task.call
        await self._until_offered(call)
        times = 0
        while True:
            try:
                content = await self._fetched(call, self._sent(call, times))
            except Exception as error:  # noqa: BLE001 - the cluster's: those of the call come in its answer
                times += 1 + getattr(error, "allowed_failures", 0)  # so often the scheduler tried itself
                if type(error).__name__ == "KilledWorker" and call.may_repeat and times <= MAX_LOSSES:
                    continue
                raise self._told(call, error, times) from None
            if content == TAKEN:
                raise lost(call, "a machine had begun it before, and was lost with what came of it")
            return opened(content)

    def _sent(self, call: Call, times: int) -> Any:
        name = f"{call.key}|{times}".encode("utf-8", "surrogatepass")
        key = f"call-{hashlib.blake2b(name, digest_size=16).hexdigest()}"  # Dask keeps books by what is before the "-"
        parts = (make_call,) if call.may_repeat else (make_call_once, key)
        return self._client.submit(
            *parts, call.function, *call.arguments, key=key, pure=False, resources=dict(call.resources) or None
        )

    async def _fetched(self, call: Call, sent: Any) -> bytes:
        """Wait for what came of a task, and fetch it before its machine may be lost."""
        fetching = asyncio.ensure_future(self._came_of(sent))
        patience_s = self._patience_of(call)
        alone_since: float | None = None
        try:
            while not (await asyncio.wait({fetching}, timeout=FRESH_S))[0]:
                self._check_client()
                if self._machines.offer(call.resources):
                    alone_since = None
                    continue
                now = time.monotonic()
                alone_since = alone_since or now
                if now - alone_since >= patience_s:
                    self._refuse(call, patience_s)
            return fetching.result()
        finally:
            if not fetching.done():
                fetching.cancel()
                await self._client.cancel([sent], force=True, asynchronous=True)

    async def _came_of(self, sent: Any) -> bytes:
        error = await sent.exception(asynchronous=True)
        if error is not None:
            raise error
        if sent.cancelled():
            raise CancelledError
        return await self._client.gather(sent, asynchronous=True)

    async def _until_offered(self, call: Call) -> None:
        if self._machines.offer(call.resources):
            return
        patience_s = self._patience_of(call)
        until = time.monotonic() + patience_s
        self._tell_of_waiting(call)
        while not self._machines.offer(call.resources):
            self._check_client()
            if time.monotonic() >= until:
                self._refuse(call, patience_s)
            await asyncio.sleep(min(FRESH_S, patience_s) / 2)

    def _patience_of(self, call: Call) -> float:
        """How long a call waits for a machine: longer, where one that would do was there, and may come back."""
        return max(self._patience_s, RETURN_S) if self._machines.offered(call.resources) else self._patience_s

    def _check_client(self) -> None:
        if self._client.status in {"closing", "closed"}:
            raise ClusterLost(self._address, "its client was closed")

    # --- what is told

    def _refuse(self, call: Call, waited_s: float) -> None:
        told = ",".join(f"{name}={amount:g}" for name, amount in call.resources.items())
        needed = ", ".join(f'"{name}": {amount:g}' for name, amount in call.resources.items())
        how = _HOW.format(told=told, needed=needed) if call.resources else _HOW_MANY
        raise ResourcesMissing(call.resources, self._machines.offers, how, waited_s)

    def _tell_of_waiting(self, call: Call) -> None:
        now = time.monotonic()
        if now - self._told_at >= self._patience_s:
            self._told_at = now
            needs = ", ".join(f"{name}={amount:g}" for name, amount in call.resources.items()) or "nothing special"
            _log.warning("%r: no machine is there for a call that needs %s; waiting for one", self, needs)

    def _told(self, call: Call, error: Exception, times: int) -> Exception:
        name = type(error).__name__
        if isinstance(error, (ResourcesMissing, ClusterLost)):
            return error
        if name == "KilledWorker":
            return lost(call, f"every machine that was at it was lost ({error!s:.200})", times)
        if isinstance(error, CancelledError) or "Cancelled" in name:
            return ClusterLost(
                self._address, "its scheduler let go of the call" + (f" ({error!s:.200})" if str(error) else "")
            )
        if isinstance(error, ImportError):
            hint = "Install orchestration-kit and what its workers import on every machine, in the same versions."
            return NotSendable("A call", f"a machine cannot read it ({name}: {error})", hint)
        return ClusterLost(self._address, f"{name}: {error!s:.300}")

    def _ended(self, task: _Task) -> None:
        with self._lock:
            is_mine = self._under_way.pop(task.future, None) is not None
        if is_mine:
            self._window.give_back({})

    def _learn_to_claim(self) -> None:
        if self._can_claim:
            return
        from orchestration_kit.executors.dask_claims import Claims

        try:
            self._client.register_plugin(Claims())
        except Exception as error:
            hint = "Install orchestration-kit there, too: a worker that is not idempotent needs it to be called once."
            raise NotSendable("What gives out calls once", f"the scheduler cannot load it ({error})", hint) from error
        self._can_claim = True


class _Task:
    """A call under way on a cluster."""

    __slots__ = ("call", "future", "is_dropped", "runner")

    def __init__(self, call: Call) -> None:
        self.call = call
        self.future: Future[Any] = Future()
        self.is_dropped = False
        self.runner: asyncio.Task[Any] | None = None

    def stop(self) -> None:
        """Let go of it, on the loop of the client."""
        if self.runner is not None:
            self.runner.cancel()


def _client_of(given: Any) -> tuple[Any, bool]:
    """Return a client, and whether it is our own."""
    is_known = isinstance(given, str) or callable(getattr(given, "get_client", None))
    if not is_known and not (hasattr(given, "scheduler_info") and hasattr(given, "register_plugin")):
        raise TypeError(f"DaskExecutor takes a distributed.Client, a cluster or an address, not {given!r:.80}.")
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingExecutorExtra("DaskExecutor", "distributed", "dask") from error
    client: Any = Client(given, set_as_default=False) if is_known else given
    if client.asynchronous:
        raise TypeError("DaskExecutor takes a client that is not asynchronous: Client(address), also in a notebook.")
    return client, is_known
