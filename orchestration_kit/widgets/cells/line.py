"""`Line`: the editions of one run, the present one last. An edit makes a fork; what it need not make again is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestration_kit.definition.workers import WorkerDefinition
from orchestration_kit.engine.past import SAME
from orchestration_kit.engine.reuse import is_other_worker
from orchestration_kit.engine.stand_ins import bind_stand_in
from orchestration_kit.widgets.cells.body import Body
from orchestration_kit.widgets.cells.editions import ancestors, edition_id, first_id, numbers_on_record
from orchestration_kit.widgets.cells.memory import Memory, stale_turns
from orchestration_kit.widgets.cells.turns import turns_of

if TYPE_CHECKING:
    from orchestration_kit.engine.orchestrator import Orchestrator
    from orchestration_kit.engine.run import Run
    from orchestration_kit.journal.cassette import Cassette


class Line:
    """A run, and the earlier editions that it was forked from."""

    def __init__(self, hub: Orchestrator, run: Run) -> None:
        self.hub = hub
        self.run = run
        """The present edition."""
        self.earlier = ancestors(hub, run)
        """Those before it, the nearest first."""
        self.place = 0
        """How many turns of the record the notebook has come past."""
        self.bodies: dict[str, Body] = {}
        """By step: the cells that were run here."""
        self._first = first_id(run.run_id)
        self._memory: Memory | None = None
        self.remember()

    @property
    def stale(self) -> list[str]:
        """Turns that earlier editions have on record and the present one has not come to again."""
        return stale_turns(self.run, self.earlier)

    def use_bodies(self) -> None:
        """Have the run call the cells that were run here."""
        changed = self._changed()
        if changed or self.run.barrier is not None:
            self.run.use_all(changed)

    def fork(self, visit: str, data: dict[str, Any] | None = None, given: Any = SAME) -> str:
        """Go on with a fork that begins at a visit; return what is to be told of it.

        Raises:
            UnknownVisit: the run never came there.
            DefinitionChanged: the workflow that is registered now would not have come there.
        """
        numbers = numbers_on_record(self.hub, self._first)
        number = max([1, *numbers, len(self.earlier) + 1]) + 1
        own = self.run.stand_ins
        fresh = {step: bind_stand_in(step, worker) for step, worker in self._changed().items()}
        self.run.stand_ins = {**own, **fresh}  # for the fork alone
        try:
            forked = self.run.fork(visit, data, input=given, run_id=edition_id(self._first, number))
        finally:
            self.run.stand_ins = own
        forked.put_on_record()
        self.earlier.insert(0, self.run)
        self.run, self._memory = forked, None
        self.read_to_the_end()
        self.remember()
        at = forked.machine.started.forked_at
        return f"Edition {number} of the run begins at {at}; the one before stays on record."

    def read_to_the_end(self) -> None:
        """Note that the notebook has come past all that is on record."""
        self.place = len(turns_of(self.run))

    def remember(self, *, is_wanted: bool = True) -> None:
        """Have the run take over what earlier editions have on record, where it would only be repeated; or not."""
        if is_wanted and self.earlier and self._memory is None:
            self._memory = Memory(self.earlier)
        self.run.past = self._memory if is_wanted else None

    def changed_worker(self) -> str | None:
        """Return the first visit on record whose worker was registered anew since."""
        self.run.use_all({})
        steps = self.run.machine.plan.steps
        for turn in turns_of(self.run):
            record = turn.records[-1]
            planned = None if record.scope else steps.get(record.step)
            if planned is not None and record.step not in self.bodies and is_other_worker(planned, record):
                return turn.records[0].path
        return None

    def use_cassette(self, tape: Cassette | None) -> None:
        """Have workers and cells recorded from now on, or replayed; None ends that."""
        self.save_cassette()
        self.hub.cassette = tape
        self.run.use_all({})
        self._listen()

    def save_cassette(self) -> None:
        """Write what was recorded so far: a kernel may be gone any time."""
        if self.hub.cassette is not None:
            self.hub.cassette.save()

    def body(self, step: str) -> Body | None:
        """Return the cell of a step as it is now; None where none was run here."""
        known = self.bodies.get(step)
        if known is not None:
            known = self.bodies[step] = known.now()
        return known

    def _changed(self) -> dict[str, WorkerDefinition]:
        """Return the cells that the run does not call yet, by step."""
        own = self.run.stand_ins
        present = {step: body.worker for step in list(self.bodies) if (body := self.body(step)) is not None}
        return {
            step: worker
            for step, worker in present.items()
            if step not in own or own[step].call is not worker.executor or own[step].name != worker.name
        }

    def _listen(self) -> None:
        """Let the recordings hear of the run: that the time of an attempt was up, say."""
        listener = getattr(self.run.machine.plan, "listener", None)
        heard = self.run.audience.observers
        if listener is not None and listener not in heard:
            self.run.audience.observers = [*heard, listener]
