"""Where questions are open, and how each is answered: one run, all runs of a hub, or those on record in a journal."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

from orchestration_kit.engine.asking import Request
from orchestration_kit.engine.events import Answered
from orchestration_kit.engine.orchestrator import Orchestrator
from orchestration_kit.engine.run import Run
from orchestration_kit.engine.state import RESTING
from orchestration_kit.errors import OrchestrationError
from orchestration_kit.journal.port import Journal, RunQuery
from orchestration_kit.widgets.approval_questions import key_of
from orchestration_kit.widgets.live import steady


class Open(NamedTuple):
    """A question that is open."""

    run: Run
    """Through whom it is answered: the outermost run."""
    owner: Run
    """Who asks: that run, or one within it."""
    request: Request

    @property
    def key(self) -> str:
        """What tells it from every other question."""
        return key_of(self.request)


class Desk(ABC):
    """Lists what is asked, and takes answers. From any thread."""

    can_go_on = True
    """Whether runs can be gone on with here: their workers are known."""

    @abstractmethod
    def runs(self, *, over: bool = False) -> list[Run]:
        """Return the runs that may ask something; those that are over too, as far as they are known, if told."""

    def open(self) -> list[Open]:
        """Return the approvals that are waited for, in the order in which they were asked."""
        found = [one for run in self.runs() for one in open_in(run)]
        return sorted(found, key=lambda one: (one.request.asked_at, one.request.run_id, one.request.path))

    @abstractmethod
    def watch(self, beat: Callable[[], None]) -> None:
        """Call `beat` when something may have changed, as far as this process hears of it."""

    @abstractmethod
    def close(self) -> None:
        """Stop calling, and let go of what was opened."""

    def why_gone(self, request: Request) -> str:
        """Return what became of a question that is not open any more, in words."""
        for run in self.runs(over=True):
            for one in (run, *_within(run)):
                if one.run_id == request.run_id:
                    return _fate(one, request)
        return f"Run {request.run_id!r} does not wait for that any more."


class RunDesk(Desk):
    """What one run asks."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._beat: Callable[[], None] | None = None

    def runs(self, *, over: bool = False) -> list[Run]:  # noqa: ARG002 - it is the one that is meant
        """Return the run; where it has gone on elsewhere, as it is there."""
        run = self.run
        if run.hub is not None and run.log is not None and not run.is_driven and run.log.is_behind:
            beat = self._beat
            self.close()
            self.run = run.hub.get_run(run.run_id)
            if beat is not None:
                self.watch(beat)
        return [self.run]

    def watch(self, beat: Callable[[], None]) -> None:
        """Listen to the run."""
        self._beat = beat
        listen(self.run, beat)

    def close(self) -> None:
        """Listen no more."""
        if self._beat is not None:
            unlisten(self.run, self._beat)
            self._beat = None


class HubDesk(Desk):
    """What the runs of a hub ask: those that are held here, and those in its journal that rest."""

    def __init__(self, hub: Orchestrator) -> None:
        self.hub = hub
        self._beat: Callable[[], None] | None = None
        self._observer: Callable[[Any], None] | None = None
        self._heard: dict[str, Run] = {}

    def runs(self, *, over: bool = False) -> list[Run]:
        """Return the runs that are not over."""
        found = {run.run_id: run for run in self.hub.handles()}
        for run_id in () if self.hub.journal is None else waiting_on_record(self.hub.journal):
            known = found.get(run_id)
            if known is None or (not known.is_driven and known.log is not None and known.log.is_behind):
                try:
                    found[run_id] = self.hub.get_run(run_id)
                except OrchestrationError:
                    continue  # damaged, or of a workflow in code that is not registered: `runs check` tells
        for run_id, run in list(self._heard.items()):
            if run.is_finished:  # nothing is asked any more: it is not held for this
                unlisten(run, self._beat)
                self._heard.pop(run_id, None)
        for run_id, run in found.items():
            if self._beat is not None and self._heard.get(run_id) is not run and not run.is_finished:
                self._heard[run_id] = run
                listen(run, self._beat)
        return [run for run in found.values() if over or not run.is_finished]

    def watch(self, beat: Callable[[], None]) -> None:
        """Listen to every run, also to those that begin later."""
        self._beat = beat

        def hear(_event: Any) -> None:
            beat()

        self._observer = hear
        self.hub.observers.append(hear)

    def close(self) -> None:
        """Listen no more."""
        self.hub.observers[:] = [one for one in self.hub.observers if one is not self._observer]
        for run in list(self._heard.values()):
            unlisten(run, self._beat)
        self._heard.clear()
        self._beat = None


class JournalDesk(HubDesk):
    """What the runs of a journal ask. No worker is known here: answers are put on record, and others go on."""

    can_go_on = False

    def __init__(self, journal: Journal, *, is_own: bool = False) -> None:
        """Make one; a journal that is its own is closed with it."""
        super().__init__(Orchestrator(journal=journal))
        self._own = journal if is_own else None

    def close(self) -> None:
        """Listen no more."""
        super().close()
        if self._own is not None:
            self._own.close()


def waiting_on_record(journal: Journal) -> list[str]:
    """Return the outermost runs of a journal that rest and wait for something."""
    found = [one for state in RESTING for one in journal.find_runs(RunQuery(state=str(state)))]
    return [one.facts.run_id for one in found if one.facts.parent is None or one.facts.forked_at is not None]


def open_in(run: Run) -> list[Open]:
    """Return the approvals that a run waits for."""
    asked = [one for one in steady(lambda: run.waiting) if one.kind == "approval"]
    owners = {one.run_id: one for one in (run, *steady(lambda: _within(run)))} if asked else {}
    return [Open(run, owners[one.run_id], one) for one in asked]


def put_answer(one: Open, *, value: Any = True, reason: str | None = None) -> None:
    """Approve with a value, or, with a reason, reject. No worker needs to be known for that.

    Raises:
        AnswerRefused: it is not asked any more, was another question, or the value does not fit.
        RunLocked: somebody else drives the run.
    """
    barriers = [(each, each.barrier) for each in (one.run, one.owner)]
    try:
        for each, _ in barriers:
            each.barrier = None
        if reason is None:
            one.run.approve(value, one.request)
        else:
            one.run.reject(reason, one.request)
    finally:
        for each, barrier in barriers:
            each.barrier = barrier


def listen(run: Run, beat: Callable[[], None]) -> None:
    """Have `beat` called when something happens in a run, and when it rests."""
    run.audience.observers.append(_Hears(beat))
    run.resting_observers.append(beat)


def unlisten(run: Run, beat: Callable[[], None] | None) -> None:
    """Undo `listen`."""
    run.audience.observers[:] = [
        one for one in run.audience.observers if not (isinstance(one, _Hears) and one.beat == beat)
    ]
    run.resting_observers[:] = [one for one in run.resting_observers if one != beat]


class _Hears:
    """An observer that does not care what happened."""

    def __init__(self, beat: Callable[[], None]) -> None:
        self.beat = beat

    def __call__(self, _event: Any) -> None:
        self.beat()


def _within(run: Run) -> list[Run]:
    return [one for child in list(run.children.values()) for one in (child, *_within(child))]


def _fate(run: Run, request: Request) -> str:
    path = request.path
    where = f"{path} of run {run.run_id!r}"
    answered = next((one for one in reversed(run.events) if isinstance(one, Answered) and one.path == path), None)
    if any(one.path == path and one.hash != request.hash for one in run.waiting):
        return f"What {where} asks has changed: look at it again, it needs an answer of its own."
    if answered is not None and answered.request == request.hash:
        words = {"approved": "approved", "rejected": "rejected", "timeout": "not answered in time"}
        return f"{where} was {words.get(answered.kind, 'answered')} already."
    return f"{where} is not asked any more: the run is {run.state.value}."
