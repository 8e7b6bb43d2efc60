"""A plan whose workers look into a cassette first: replayed where they are recorded, recorded where they are called.

What an attempt means stays with the engine: a wrapped worker is of the kind it was (sync, async, yielding pieces), and
returns, yields or raises what the worker did, so that transformers, schema, retries, time limits and edges see no
difference. Data changes and usage are put on the attempt's context as the worker had put them.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from orchestration_kit.engine.calls import BoundWorker
from orchestration_kit.engine.context import WorkflowContext, mark_cached, notes_of
from orchestration_kit.engine.events import AttemptFinished, Event, RunFinished
from orchestration_kit.engine.outcome import Failure
from orchestration_kit.engine.plan import Plan, PlannedStep
from orchestration_kit.engine.values import isolate
from orchestration_kit.errors import StepTimeout
from orchestration_kit.journal import codec
from orchestration_kit.journal.errors import NotRecordable
from orchestration_kit.journal.recorded_errors import rebuild
from orchestration_kit.journal.recording import Outcome, Recording, error_data

if TYPE_CHECKING:
    from orchestration_kit.journal.cassette import Cassette


class Taping:
    """One run on its way through a cassette."""

    def __init__(self, cassette: Cassette, plan: Plan) -> None:
        self.cassette = cassette
        self.plan = replace(plan, steps={step_id: self._taped(plan, step) for step_id, step in plan.steps.items()})
        """The plan to run in place of the one that was given."""
        self._open: dict[tuple[str, int], _Attempt] = {}
        self._lock = threading.Lock()

    def observe(self, event: Event) -> None:
        """Hear of an event of the run: what nobody but the engine knows is a time limit, and the end."""
        if isinstance(event, AttemptFinished):
            with self._lock:
                attempt = self._open.pop((event.path, event.attempt), None)
            if attempt is not None and event.error is not None and attempt.was_late(event.error.message):
                attempt.time_out(event.usage)
        elif isinstance(event, RunFinished):
            self.cassette.run_ended()

    def begin(self, step: PlannedStep, reads: tuple[str, ...], given: Any, context: WorkflowContext) -> _Attempt:
        """Look an attempt up. Nothing has been called yet.

        Raises:
            CassetteMiss: it is not recorded, and no worker may be called.
            NotRecordable: its input cannot be put on record.
        """
        body: dict[str, Any] = {"input": codec.encode(given, f"input of step {step.step_id!r}")}
        if reads:
            body["reads"] = {key: _readable(context.data, key) for key in reads if key in context.data}
        attempt = _Attempt(self, step, context, self.cassette.asked(context.path, context.attempt, step.worker_name or "", body))
        with self._lock:
            self._open[context.path, context.attempt] = attempt
        return attempt

    def is_open(self, attempt: _Attempt) -> bool:
        """Whether the engine still waits for what comes of an attempt."""
        with self._lock:
            return self._open.get((attempt.wanted.path, attempt.wanted.attempt)) is attempt

    def _taped(self, plan: Plan, step: PlannedStep) -> PlannedStep:
        if step.worker is None:
            return step
        definition = plan.definition.steps.get(step.step_id)
        reads = tuple(sorted(getattr(definition, "reads", ())))
        wrap = _WRAPPERS[step.worker.is_async, step.worker.is_generator]
        call = wrap(step.worker, lambda given, context: self.begin(step, reads, given, context))
        return replace(step, worker=replace(step.worker, call=call, takes_context=True))


class _Attempt:
    """One attempt: what is recorded of it, or what will be."""

    def __init__(self, taping: Taping, step: PlannedStep, context: WorkflowContext, asked: tuple[Recording, Outcome | None]) -> None:
        self._taping = taping
        self._step = step
        self._context = context
        self.wanted, self.outcome = asked
        self._pieces: list[Any] | None = None

    # --- replaying

    def replay(self) -> Any:
        """Do to the context what the worker did, and return or raise what it returned or raised."""
        outcome = self.outcome or Outcome()
        mark_cached(self._context)
        if outcome.usage is not None:
            self._context.add_usage()
            notes = notes_of(self._context)
            if notes is not None:
                notes.usage = dict(outcome.usage)
        if outcome.error is not None:
            raise rebuild(outcome.error)
        if outcome.failure is not None:
            raise Failure(*outcome.failure)
        for key, value in (outcome.updated or {}).items():
            self._context.data[key] = value
        for key in outcome.removed:
            self._context.data.pop(key, None)
        return outcome.output

    def pieces(self) -> list[Any]:
        """Return the pieces to replay."""
        return [] if self.outcome is None else self.outcome.pieces or []

    # --- recording

    def piece(self, piece: Any) -> None:
        """Take down a piece, as it is now."""
        self._pieces = self._pieces or []
        self._pieces.append(self._encoded(isolate(piece), "a piece of the output of"))

    def returned(self, output: Any) -> Any:
        """Take down what a worker returned, and return it."""
        if output is Failure:
            return output  # the class itself: a slip that is better not recorded
        if isinstance(output, Failure):
            self.raised(output)
            return output
        body: dict[str, Any] = {}
        try:
            worker = self._step.worker
            if output is not None or worker is None or not worker.is_generator:
                body["output"] = self._encoded(output, "output of")
            elif self._pieces is None:
                self._pieces = []
            body |= self._data()
        except Exception as error:
            if not isinstance(error, NotRecordable):
                self.raised(error)
            raise
        self._keep(body)
        return output

    def raised(self, error: Exception) -> None:
        """Take down an error, or a `Failure` raised or returned."""
        if isinstance(error, Failure):
            failure: dict[str, Any] = {"reason": codec.encode(error.reason, "reason")}
            if error.output is not None:
                failure["output"] = self._encoded(error.output, "output beside the failure of")
            self._keep({"failure": failure})
        elif not isinstance(error, NotRecordable):
            self._keep({"error": error_data(error)})

    def was_late(self, message: str) -> bool:
        """Whether it was called, and ended by the time limit of its step."""
        limit = self._step.timeout_s
        return self.outcome is None and limit is not None and message == str(StepTimeout(self._step.step_id, limit))

    def time_out(self, usage: dict[str, Any] | None) -> None:
        """Take down that its time was up, whatever has come or will come of it."""
        error = StepTimeout(self._step.step_id, self._step.timeout_s or 0.0)
        self._record({"error": error_data(error)}, usage)

    def _encoded(self, value: Any, what: str) -> Any:
        try:
            return codec.encode(value, f"{what} step {self._step.step_id!r}")
        except NotRecordable:
            isolate(value)  # the engine has words of its own for coroutines and the like
            raise

    def _data(self) -> dict[str, Any]:
        notes = notes_of(self._context)
        changes = None if notes is None or notes.view is None else notes.view.changes()
        if changes is None:
            return {}
        data: dict[str, Any] = {}
        if changes.updated:
            for key, value in changes.updated.items():
                codec.encode(value, f"data[{key!r}]")  # so that an error names it
            data["set"] = codec.encode(changes.updated, "data")
        if changes.removed:
            data["removed"] = codec.encode(list(changes.removed), "data")
        return {"data": data}

    def _keep(self, body: dict[str, Any]) -> None:
        if self._taping.is_open(self):  # else its time was up long ago
            notes = notes_of(self._context)
            self._record(body, None if notes is None else notes.usage)

    def _record(self, body: dict[str, Any], usage: dict[str, Any] | None) -> None:
        if self._pieces is not None:
            body["pieces"] = list(self._pieces)
        if usage is not None:
            body["usage"] = dict(usage)
        wanted = self.wanted
        self._taping.cassette.add(
            Recording(wanted.path, wanted.attempt, wanted.worker, {**wanted.body, **body}, wanted.hash)
        )


_Begin = Callable[[Any, WorkflowContext], _Attempt]


def _called(worker: BoundWorker, given: Any, context: WorkflowContext) -> Any:
    return worker.call(given, context) if worker.takes_context else worker.call(given)


def _sync(worker: BoundWorker, begin: _Begin) -> Callable[[Any, WorkflowContext], Any]:
    def call(given: Any, context: WorkflowContext) -> Any:
        attempt = begin(given, context)
        if attempt.outcome is not None:
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
            return attempt.replay()
        try:
            pieces = _called(worker, given, context)
            try:
                returned = yield from _recorded(pieces, attempt)
            finally:
                pieces.close()
        except Exception as error:
            attempt.raised(error)
            raise
        return attempt.returned(returned)

    return call


def _recorded(pieces: Any, attempt: _Attempt) -> Iterator[Any]:
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


def _readable(data: Any, key: str) -> Any:
    """Return an entry of the data bus as plain data; what cannot be put on record counts by its type."""
    value = data[key]
    try:
        return codec.encode(value, f"data[{key!r}]")
    except NotRecordable:
        return f"<{type(value).__module__}.{type(value).__qualname__}>"
