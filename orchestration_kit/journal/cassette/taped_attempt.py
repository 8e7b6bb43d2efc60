"""One attempt of a wrapped worker: replayed onto its context, or taken down as it goes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any, Protocol

from orchestration_kit.engine.context import WorkflowContext, mark_cached, notes_of
from orchestration_kit.engine.interrupts import BranchCancelled
from orchestration_kit.engine.notes import Notes
from orchestration_kit.engine.outcome import Failure, Parked, Spawn
from orchestration_kit.engine.plan import PlannedStep
from orchestration_kit.engine.values import isolate
from orchestration_kit.errors import StepTimeout
from orchestration_kit.journal import codec
from orchestration_kit.journal.cassette.errors import CassetteMiss
from orchestration_kit.journal.cassette.errors_again import rebuild
from orchestration_kit.journal.cassette.outcomes import Outcome, error_data, refused_data, spawn_data
from orchestration_kit.journal.cassette.recording import Recording
from orchestration_kit.journal.errors import NotRecordable

POLL_S = 0.005
PATIENCE_S = 2.0
"""How long nothing else may be under way while one that was cancelled when it was recorded waits for that again."""

_waiting: set[Any] = set()
"""Visits whose attempts wait for that."""


class Tape(Protocol):
    """What an attempt needs of a cassette."""

    def add(self, recording: Recording) -> None:
        """Take down an attempt."""
        ...

    def never_cancelled(self, wanted: Recording) -> CassetteMiss:
        """Say that an attempt was cancelled when it was recorded, and is not this time."""
        ...


class Attempt:
    """One attempt: what is recorded of it, or what will be."""

    def __init__(
        self,
        tape: Tape,
        step: PlannedStep,
        context: WorkflowContext,
        wanted: Recording,
        outcome: Outcome | None,
    ) -> None:
        self._tape = tape
        self._step = step
        self._context = context
        self._wanted = wanted
        self.outcome = outcome
        """What is recorded of it; None where its worker is to be called."""
        self._pieces: list[Any] | None = None
        self._lock = threading.Lock()
        self._is_settled = False
        """Whether the engine said what came of it: its time was up, or its branch was cancelled."""

    @property
    def is_awaited(self) -> bool:
        """Whether the engine still waits for what comes of it: not where its time was up."""
        machine, visit = self._context._machine, self._context._visit  # noqa: SLF001 - the engine's own parts
        return visit is None or visit in getattr(machine, "taken", ())

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
        self._replay_notes(outcome)
        if outcome.error is not None:
            raise rebuild(outcome.error)
        if outcome.failure is not None:
            raise Failure(*outcome.failure)
        for key, value in (outcome.updated or {}).items():
            self._context.data[key] = value
        for key in outcome.removed:
            self._context.data.pop(key, None)
        for item in outcome.added:
            self._context.add_item(item)
        return outcome.output if outcome.spawn is None else outcome.spawn

    def _replay_notes(self, outcome: Outcome) -> None:
        """Have the context hold what the hub was asked for then. Nothing of it is carried out again."""
        if outcome.lessons:
            self._context.note_lessons(outcome.lessons)
        refused = outcome.refused
        if outcome.actions or refused is not None:
            notes = self._context._more  # noqa: SLF001 - the engine's own parts
            notes.actions = [dict(one) for one in outcome.actions]
            if refused is not None:
                notes.refused, notes.is_returned = refused

    def wait_where_cancelled(self) -> None:
        """Wait until nobody wants it any more, where that is what is recorded."""
        if self.outcome is not None and self.outcome.is_cancelled:
            for _ in self._patiently():
                time.sleep(POLL_S)

    async def await_where_cancelled(self) -> None:
        """`wait_where_cancelled()` in the running event loop, which stays free."""
        if self.outcome is not None and self.outcome.is_cancelled:
            import asyncio

            for _ in self._patiently():
                await asyncio.sleep(POLL_S)

    def _patiently(self) -> Iterator[None]:
        """Go on for as long as something else is under way, which comes to what had this attempt cancelled.

        Raises:
            CassetteMiss: nothing is.
            BranchCancelled: it is not wanted any more.
        """
        visit, machine = self._context._visit, self._context._machine  # noqa: SLF001 - the engine's own parts
        taken: set[Any] = getattr(machine, "taken", set[Any]())
        alone_since: float | None = None
        _waiting.add(visit)
        try:
            while self.is_awaited:
                now = time.monotonic()
                alone_since = (alone_since or now) if taken <= _waiting else None
                if alone_since is not None and now - alone_since > PATIENCE_S:
                    raise self._tape.never_cancelled(self._wanted)
                yield
            raise BranchCancelled
        finally:
            _waiting.discard(visit)

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
            if isinstance(output, Spawn):
                body["spawn"] = spawn_data(output, f"what is spawned by step {self._step.step_id!r}")
            elif output is not None or worker is None or not worker.is_generator:
                body["output"] = self._encoded(output, "output of")
            elif self._pieces is None:
                self._pieces = []
            body |= self._data() | self._added()
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
        elif not isinstance(error, (NotRecordable, Parked)):
            self._keep({"error": error_data(error)})

    def was_late(self, message: str) -> bool:
        """Whether it was called, and ended by the time limit of its step."""
        limit = self._step.timeout_s
        return self.outcome is None and limit is not None and message == str(StepTimeout(self._step.step_id, limit))

    def time_out(self, usage: dict[str, Any] | None) -> None:
        """Take down that its time was up, whatever has come or will come of it."""
        error = StepTimeout(self._step.step_id, self._step.timeout_s or 0.0)
        with self._lock:
            self._is_settled = True
            self._record({"error": error_data(error)}, usage)

    def cancel(self, usage: dict[str, Any] | None) -> None:
        """Take down that its branch was cancelled, whatever will come of it."""
        with self._lock:
            self._is_settled = True
            self._record({"cancelled": True}, usage)

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

    def _added(self) -> dict[str, Any]:
        notes = notes_of(self._context)
        items = None if notes is None else notes.added
        return {"added": [self._encoded(item, "an item added by") for item in items]} if items else {}

    def _keep(self, body: dict[str, Any]) -> None:
        notes = notes_of(self._context)
        if notes is not None:
            body |= self._asked(notes)
        with self._lock:
            if self.is_awaited and not self._is_settled:
                self._record(body, None if notes is None else notes.usage)

    def _asked(self, notes: Notes) -> dict[str, Any]:
        """Return what the hub was asked for."""
        found: dict[str, Any] = {}
        if notes.refused is not None:
            found["refused"] = refused_data(notes.refused, is_returned=notes.is_returned)
        for name in ("actions", "lessons"):
            if asked := getattr(notes, name):
                found[name] = [self._encoded(isolate(one), f"one of the {name} of") for one in asked]
        return found

    def _record(self, body: dict[str, Any], usage: dict[str, Any] | None) -> None:
        if self._pieces is not None:
            body["pieces"] = list(self._pieces)
        if usage is not None:
            body["usage"] = dict(usage)
        wanted = self._wanted
        self._tape.add(Recording(wanted.path, wanted.attempt, wanted.worker, {**wanted.body, **body}, wanted.hash))


def readable_entry(data: Any, key: str) -> Any:
    """Return an entry of the data bus as plain data; what cannot be put on record counts by its type."""
    value = data[key]
    try:
        return codec.encode(value, f"data[{key!r}]")
    except NotRecordable:
        return f"<{type(value).__module__}.{type(value).__qualname__}>"
