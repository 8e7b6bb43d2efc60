"""One run of a set is made: started, gone on with, or looked at whether it can be gone on with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from orchestration_kit.definition.kinds import SubworkflowStep
from orchestration_kit.engine.state import RESTING
from orchestration_kit.errors import JournalError
from orchestration_kit.scale.adopting import keep
from orchestration_kit.scale.crates import unpacked
from orchestration_kit.scale.errors import NotMadeElsewhere
from orchestration_kit.scale.grouping import GroupedJournal
from orchestration_kit.scale.plan import Planned, SetPlan

if TYPE_CHECKING:
    from orchestration_kit.engine.orchestrator import Orchestrator
    from orchestration_kit.engine.plan import Plan
    from orchestration_kit.engine.run import Run
    from orchestration_kit.journal.port import WholeRun
    from orchestration_kit.scale.parcel import Parcel

FINISHED = ("completed", "failed")
"""States of runs that are not made again."""


class Maker:
    """Makes the runs of a set at the hub. Safe to use from several threads.

    Args:
        hub: The hub.
        plan: The set.
        known: By run id: where runs stand that are on record.
        held: By run id: handles of runs that know more than the journal, which could not be written.
    """

    def __init__(
        self, hub: Orchestrator, plan: SetPlan, known: Mapping[str, str], held: Mapping[str, Run] | None = None
    ) -> None:
        self.hub, self.plan = hub, plan
        self.held: dict[str, Run] = dict(held or {})
        """Runs that know more than the journal."""
        self._known = known
        self.running: dict[str, Run] = {}
        """Under way now."""
        self.journal: GroupedJournal | None = None
        if hub.journal is not None and not _has_inner_runs(hub.current_plan(plan.workflow)):
            new = [run.run_id for run in plan.runs if run.run_id not in known]
            self.journal = GroupedJournal(hub.journal, new)

    def make(self, planned: Planned) -> str:
        """Make a run, to its end or until it waits for somebody; return where it stands.

        Raises:
            JournalError: it cannot be put on record.
        """
        run = self._begun(planned)
        self.running[planned.run_id] = run
        try:
            run.run(progress=False)
        except JournalError:
            self.held[planned.run_id] = run  # what it did is not lost: the same handle goes on
            raise
        finally:
            del self.running[planned.run_id]
        return str(run.state)

    def is_known(self, planned: Planned) -> bool:
        """Whether a run was on record before this set of runs went on: it stopped half way, or failed."""
        return planned.run_id in self._known or planned.run_id in self.held

    def make_lost(self, planned: Planned, reason: str) -> str:
        """Put on record that a run failed whose machine was lost; return where it stands."""
        run = self._begun(planned)
        run.machine.end("failed", reason, self.hub.clock.time())
        run.put_on_record()
        return str(run.state)

    def take(self, arrived: Sequence[tuple[Planned, bytes]], parcel: Parcel) -> list[str]:
        """Put runs on record that were made elsewhere, all in one commit; return where they stand.

        Raises:
            JournalCorrupt: what came back is not what was written there.
            NotMadeElsewhere: it was made by another version of the workflow.
            JournalError: they cannot be put on record.
        """
        found = [unpacked(content, planned.run_id) for planned, content in arrived]
        for runs in found:
            _check_same(runs[0], parcel)
        everything = [run for runs in found for run in runs]
        if self.hub.journal is None:
            keep(self.hub, everything)
        else:
            self.hub.journal.put(everything)
        return [runs[0].standing.state for runs in found]

    def stop(self, reason: str | None) -> None:
        """Stop what is under way: cancelled, with a reason; or, without one, after the visit that it is at."""
        for run in list(self.running.values()):
            if reason is None:
                run.pause()
            else:
                run.cancel(reason)

    @property
    def held_back(self) -> int:
        """How many runs that were made are not in the journal yet."""
        return 0 if self.journal is None else self.journal.held_back

    @property
    def owes(self) -> bool:
        """Whether the journal has yet to learn what its runs know."""
        return bool(self.held) or self.held_back > 0

    def flush(self) -> None:
        """Commit what is held back."""
        if self.journal is not None:
            self.journal.flush()

    def close(self) -> None:
        """Commit what is held back, for good."""
        if self.journal is not None:
            self.journal.close()

    def _begun(self, planned: Planned) -> Run:
        hub, plan = self.hub, self.plan
        held = self.held.pop(planned.run_id, None)
        if held is not None:
            return held
        state = self._known.get(planned.run_id)
        if state is None:
            return hub.begin(
                plan.workflow,
                planned.goal.text,
                planned.goal.data,
                run_id=planned.run_id,
                limits=plan.limits,
                seed=plan.seed_of(planned),
                tags=plan.tags(planned),
                named=True,
                journal=self.journal,
            )
        if state in RESTING:  # it may have been answered, or a time may have come; if not, nothing happens
            return hub.get_run(planned.run_id)
        return hub.reopen(planned.run_id, limits=plan.limits)


def _check_same(run: WholeRun, parcel: Parcel) -> None:
    fingerprint = msgspec.json.decode(run.facts.header)["fingerprint"]
    if fingerprint != parcel.fingerprint:
        raise NotMadeElsewhere(
            "a workflow that compiles to something else there",
            "See that the same versions of Python and of orchestration-kit are there as here.",
        )


def _has_inner_runs(plan: Plan) -> bool:
    """Whether steps are runs of their own: those go by the hub's journal, where the outer run has to be."""
    for step in plan.steps.values():
        if isinstance(step.definition, SubworkflowStep):
            return True
        inner = [] if step.opens is None else [target.plan for target in step.opens.targets.values()]
        if any(one is not None and _has_inner_runs(one) for one in inner):
            return True
    return False
