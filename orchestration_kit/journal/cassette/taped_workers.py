"""A plan whose workers look into a cassette first: replayed where they are recorded, recorded where they are called.

What an attempt means stays with the engine: a wrapped worker is of the kind it was (sync, async, yielding pieces), and
returns, yields or raises what the worker did, so that transformers, schema, retries, time limits and edges see no
difference. Data changes and usage are put on the attempt's context as the worker had put them.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from orchestration_kit.engine.calls import BoundWorker
from orchestration_kit.engine.context import WorkflowContext
from orchestration_kit.engine.events import AttemptFinished, Event, RunFinished
from orchestration_kit.engine.plan import Plan, PlannedStep
from orchestration_kit.engine.ports import Observer
from orchestration_kit.journal import codec
from orchestration_kit.journal.cassette.taped_attempt import Attempt, readable_entry

if TYPE_CHECKING:
    from orchestration_kit.journal.cassette.tape import Cassette


@dataclass(frozen=True, slots=True, kw_only=True)
class TapedPlan(Plan):
    """A plan whose workers look into a cassette."""

    listener: Observer
    """To be told of every event of the run: time limits and the end are known to nobody but the engine."""


def taped(plan: Plan, cassette: Cassette) -> TapedPlan:
    """Return a plan whose workers look into a cassette before they are called."""
    taping = _Taping(cassette)
    inner = taping.plan(plan)
    parts: dict[str, Any] = {one.name: getattr(inner, one.name) for one in fields(Plan)}
    if plan.bind is not None:
        parts["bind"] = partial(taping.bound, plan.bind)
    return TapedPlan(**parts, listener=taping.observe)


class _Taping:
    """What the workers of one plan share."""

    def __init__(self, cassette: Cassette) -> None:
        self.cassette = cassette
        self._called: dict[tuple[str, int], list[Attempt]] = {}
        """Attempts whose workers were called, until the engine tells of them: several where a run was forked."""
        self._lock = threading.Lock()

    def observe(self, event: Event) -> None:
        """Hear of an event of a run."""
        if isinstance(event, AttemptFinished):
            for attempt in self._settled(event.path, event.attempt):
                if event.error is not None and attempt.was_late(event.error.message):
                    attempt.time_out(event.usage)
                elif event.error is not None and event.error.type == "BranchCancelled":
                    attempt.cancel(event.usage)
        elif isinstance(event, RunFinished):
            self.cassette.run_ended()

    def _settled(self, path: str, number: int) -> list[Attempt]:
        with self._lock:
            attempts = self._called.pop((path, number), [])
            waiting = [attempt for attempt in attempts if attempt.is_awaited]
            if waiting:
                self._called[path, number] = waiting
        return [attempt for attempt in attempts if attempt not in waiting]

    def begin(self, step: PlannedStep, reads: tuple[str, ...], given: Any, context: WorkflowContext) -> Attempt:
        """Look an attempt up. Nothing has been called yet.

        Raises:
            CassetteMiss: it is not recorded, and no worker may be called.
            NotRecordable: its input cannot be put on record.
        """
        body: dict[str, Any] = {"input": codec.encode(given, f"input of step {step.step_id!r}")}
        if reads:
            body["reads"] = {key: readable_entry(context.data, key) for key in reads if key in context.data}
        path, number = context.path, context.attempt
        wanted, outcome = self.cassette.asked(path, number, step.worker_name or "", body)
        attempt = Attempt(self.cassette, step, context, wanted, outcome)
        if outcome is None:
            with self._lock:
                self._called.setdefault((path, number), []).append(attempt)
        return attempt

    def plan(self, plan: Plan) -> Plan:
        """Return a plan with its workers wrapped, and those of the workflows within it."""
        return replace(plan, steps={step_id: self._step(plan, step) for step_id, step in plan.steps.items()})

    def bound(self, bind: Callable[[Plan], Plan], made: Plan) -> Plan:
        """Return a workflow that a worker made with workers, wrapped."""
        return self.plan(bind(made))

    def _step(self, plan: Plan, step: PlannedStep) -> PlannedStep:
        if step.opens is not None:
            targets = {
                key: target if target.plan is None else replace(target, plan=self.plan(target.plan))
                for key, target in step.opens.targets.items()
            }
            step = replace(step, opens=replace(step.opens, targets=targets))
        if step.worker is None or step.worker.runs is not None:  # a run of its own has a tape of its own
            return step
        definition = plan.definition.steps.get(step.step_id)
        reads = tuple(sorted(getattr(definition, "reads", ())))
        wrap = _WRAPPERS[step.worker.is_async, step.worker.is_generator]
        call = wrap(step.worker, lambda given, context: self.begin(step, reads, given, context))
        return replace(step, worker=replace(step.worker, call=call, takes_context=True))


_Begin = Callable[[Any, WorkflowContext], Attempt]


def _called(worker: BoundWorker, given: Any, context: WorkflowContext) -> Any:
    return worker.call(given, context) if worker.takes_context else worker.call(given)


def _sync(worker: BoundWorker, begin: _Begin) -> Callable[[Any, WorkflowContext], Any]:
    def call(given: Any, context: WorkflowContext) -> Any:
        attempt = begin(given, context)
        if attempt.outcome is not None:
            attempt.wait_where_cancelled()
            return attempt.replay()
        try:
            output = _called(worker, given, context)
        except Exception as error:
            attempt.raised(error)
            raise
        return attempt.returned(output)

    return call


def _asynchronous(worker: BoundWorker, begin: _Begin) -> Callable[[Any, WorkflowContext], Coroutine[Any, Any, Any]]:
    async def call(given: Any, context: WorkflowContext) -> Any:
        attempt = begin(given, context)
        if attempt.outcome is not None:
            await attempt.await_where_cancelled()
            return attempt.replay()
        try:
            output = await _called(worker, given, context)
        except Exception as error:
            attempt.raised(error)
            raise
        return attempt.returned(output)

    return call


def _yielding(worker: BoundWorker, begin: _Begin) -> Callable[[Any, WorkflowContext], Iterator[Any]]:
    def call(given: Any, context: WorkflowContext) -> Iterator[Any]:
        attempt = begin(given, context)
        if attempt.outcome is not None:
            yield from attempt.pieces()
            attempt.wait_where_cancelled()
            return attempt.replay()
        try:
            pieces = _called(worker, given, context)
            try:
                returned: Any = yield from _recorded(pieces, attempt)
            finally:
                pieces.close()
        except Exception as error:
            attempt.raised(error)
            raise
        return attempt.returned(returned)

    return call


def _recorded(pieces: Any, attempt: Attempt) -> Generator[Any, None, Any]:
    while True:
        try:
            piece = next(pieces)
        except StopIteration as stop:
            return stop.value
        attempt.piece(piece)
        yield piece


def _yielding_asynchronously(
    worker: BoundWorker, begin: _Begin
) -> Callable[[Any, WorkflowContext], AsyncIterator[Any]]:
    async def call(given: Any, context: WorkflowContext) -> AsyncIterator[Any]:
        attempt = begin(given, context)
        if attempt.outcome is not None:
            for piece in attempt.pieces():
                yield piece
            await attempt.await_where_cancelled()
            attempt.replay()
            return
        try:
            pieces = _called(worker, given, context)
            try:
                async for piece in pieces:
                    attempt.piece(piece)
                    yield piece
            finally:
                await pieces.aclose()
        except Exception as error:
            attempt.raised(error)
            raise
        attempt.returned(None)

    return call


_WRAPPERS: dict[tuple[bool, bool], Callable[[BoundWorker, _Begin], Callable[..., Any]]] = {
    (False, False): _sync,
    (True, False): _asynchronous,
    (False, True): _yielding,
    (True, True): _yielding_asynchronously,
}
"""By kind of worker: whether it is async, and whether it yields pieces."""
