"""The runs of a set are made through an executor, here or elsewhere, and put on record as they arrive.

What is elsewhere is data: bytes go there, and whole runs come back, which are verified and put into the hub's journal,
all that have arrived in one commit. The journal stays with the hub; a hub that dies loses what was under way, nothing
that had arrived. Runs that had stopped half way go on at the hub, where their record is.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from itertools import count
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple

from orchestration_kit.engine.elsewhere import call_inside
from orchestration_kit.engine.executor_port import Call, Executor
from orchestration_kit.engine.thread import POLL_S
from orchestration_kit.scale.remote import PARCEL_WANTED, make_run, order_of

if TYPE_CHECKING:
    from orchestration_kit.scale.making import Maker
    from orchestration_kit.scale.parcel import Parcel
    from orchestration_kit.scale.plan import Planned
    from orchestration_kit.scale.work import Work


class _Sent(NamedTuple):
    """A call that is under way."""

    planned: Planned
    lane: Lane
    with_parcel: bool


class Lane:
    """One way to have runs made: by an executor, so many at once."""

    def __init__(
        self, executor: Executor, todo: list[Planned], call: Callable[[Planned, bool], Call], most: int | None
    ) -> None:
        self.executor, self.call = executor, call
        self._todo, self._most = deque(todo), most
        self.again: deque[Planned] = deque()
        """To be sent again, with the parcel."""
        self.under_way = 0

    @property
    def has_room(self) -> bool:
        """Whether a call may be sent: never so many that the executor has us wait while others arrive."""
        most = max(1, 2 * self.executor.slots) if self._most is None else self._most
        return self.under_way < most

    def next(self) -> tuple[Planned, bool] | None:
        """Return what to send next, and whether with the parcel."""
        if self.again:
            return self.again.popleft(), True
        return (self._todo.popleft(), False) if self._todo else None


def lanes_of(
    maker: Maker, todo: list[Planned], executor: Executor, parcel: Parcel | None, at_once: int | None
) -> Iterator[Lane]:
    """Yield the ways in which runs are made: on the executor; where that is elsewhere, some here."""
    token, serial = os.urandom(6).hex(), count(1)

    def here(planned: Planned, _: bool) -> Call:  # noqa: FBT001 - as a lane calls it
        key = f"{planned.run_id}@{token}.{next(serial)}"
        # Within a slot of an executor that may also call the hub's workers: none may be left for these.
        return Call(key=key, function=call_inside, arguments=(maker.make, planned))

    if parcel is None:
        yield Lane(executor, todo, here, at_once)
        return
    clean = maker.hub.services.cleaned

    def there(planned: Planned, with_parcel: bool) -> Call:  # noqa: FBT001 - as a lane calls it
        order = order_of(maker.plan, planned, clean(planned.goal.text), clean(planned.goal.data))
        return Call(
            key=f"{planned.run_id}@{token}.{next(serial)}",
            function=make_run,
            arguments=(parcel.digest, parcel.content if with_parcel else b"", order),
            resources=parcel.resources,
            may_repeat=parcel.may_repeat,
        )

    yield Lane(executor, [run for run in todo if not maker.is_known(run)], there, at_once)
    half_way = [run for run in todo if maker.is_known(run)]
    if half_way:
        from orchestration_kit.executors.threads import ThreadsExecutor

        yield Lane(ThreadsExecutor(min(len(half_way), at_once or 8)), half_way, here, None)


def go_through(work: Work, lanes: list[Lane], parcel: Parcel | None) -> None:
    """Make the runs that are left, and note where they stand.

    Raises:
        BaseException: what is no run's own business.
    """
    arrivals: SimpleQueue[Future[Any]] = SimpleQueue()
    under_way: dict[Future[Any], _Sent] = {}
    try:
        while True:
            _send(work, lanes, arrivals, under_way)
            if not under_way:
                return
            arrived = _arrived(arrivals)
            if arrived:
                _settle(work, [(future, under_way.pop(future)) for future in arrived], parcel)
            elif work.stopped is not None:
                for future in _let_go(under_way):
                    del under_way[future]
    except BaseException as error:
        work.stop_for(error)
        _let_go(under_way)
        with suppress(Exception):  # what has arrived meanwhile is not lost; the first error is the one to tell
            arrived = [(future, under_way[future]) for future in under_way if _is_there(future)]
            _settle(work, arrived, parcel)
        raise


def _send(
    work: Work, lanes: list[Lane], arrivals: SimpleQueue[Future[Any]], under_way: dict[Future[Any], _Sent]
) -> None:
    """Send as many runs as there is room for, and look at what arrives in between."""
    for lane in lanes:
        while work.stopped is None and lane.has_room and (wanted := lane.next()) is not None:
            planned, with_parcel = wanted
            future = lane.executor.submit(lane.call(planned, with_parcel))
            under_way[future] = _Sent(planned, lane, with_parcel)
            lane.under_way += 1
            future.add_done_callback(arrivals.put)
            if not arrivals.empty():
                break


def _arrived(arrivals: SimpleQueue[Future[Any]]) -> list[Future[Any]]:
    """Wait a moment for what arrives, and return all that has."""
    try:
        found = [arrivals.get(timeout=POLL_S)]
    except Empty:
        return []
    with suppress(Empty):
        while True:
            found.append(arrivals.get_nowait())
    return found


def _let_go(under_way: dict[Future[Any], _Sent]) -> list[Future[Any]]:
    """Wait no more for what is made elsewhere; what is made here ends by itself."""
    gone = [future for future, sent in under_way.items() if sent.lane.executor.is_remote]
    for future in gone:
        under_way[future].lane.executor.cancel(future)
    return [future for future in gone if not _is_there(future)]


def _is_there(future: Future[Any]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


def _settle(work: Work, arrived: list[tuple[Future[Any], _Sent]], parcel: Parcel | None) -> None:
    """Put what arrived on record, and note where it stands; an error that is no run's own comes after that."""
    whole: list[tuple[Planned, bytes]] = []
    error: BaseException | None = None
    for future, sent in arrived:
        sent.lane.under_way -= 1
        try:
            came = _result(work, future, sent)
        except BaseException as raised:  # noqa: BLE001 - raised below
            error = error or raised
        else:
            whole += [] if came is None else [(sent.planned, came)]
    if whole and parcel is not None:
        for state in work.maker.take(whole, parcel):
            work.note(state)
    if error is not None:
        raise error


def _result(work: Work, future: Future[Any], sent: _Sent) -> bytes | None:
    """Return the run that came from elsewhere; None where there is none, or it was made here."""
    from orchestration_kit.executors.errors import WorkerLost

    planned, lane, with_parcel = sent
    try:
        result = future.result(timeout=0)
    except CancelledError:
        return None
    except WorkerLost as lost:
        work.note(work.maker.make_lost(planned, str(lost)))
        return None
    if not lane.executor.is_remote:
        work.note(result)
        return None
    if result == PARCEL_WANTED and not with_parcel:
        lane.again.append(planned)
        return None
    return result
