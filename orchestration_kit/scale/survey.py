"""What is on record of a set, held against what is asked for: which runs are there, and did they begin alike?"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from orchestration_kit.engine.events import RunStarted
from orchestration_kit.engine.values import same
from orchestration_kit.errors import listed
from orchestration_kit.journal import codec
from orchestration_kit.journal.chain import verify_run
from orchestration_kit.journal.errors import JournalCorrupt, RunLocked
from orchestration_kit.journal.header import facts_of
from orchestration_kit.journal.leases import described
from orchestration_kit.journal.port import Facts, Journal, RunQuery, StoredRun
from orchestration_kit.journal.processes import judge
from orchestration_kit.scale.errors import RunSetChanged
from orchestration_kit.scale.plan import Planned, SetPlan

if TYPE_CHECKING:
    from orchestration_kit.engine.orchestrator import Orchestrator
    from orchestration_kit.engine.plan import Plan

_SHOWN = 5
_MAX_GOAL = 60


class _Began(NamedTuple):
    """What a run began with, in a form that can be compared."""

    fingerprint: str
    goal: Any
    data: dict[str, Any]
    seed: Any


def on_record(hub: Orchestrator, plan: SetPlan, held: Collection[str] = ()) -> dict[str, str]:
    """Return the states of those runs of a set that are on record, by run id.

    Args:
        hub: The hub.
        plan: The set.
        held: Runs that are this set's own to go on with, although somebody holds them: it does.

    Raises:
        RunSetChanged: some of them began with something else.
        RunLocked: somebody is at work on one of them.
        JournalCorrupt: what is stored of one is not what was written.
    """
    compiled = hub.current_plan(plan.workflow)
    states: dict[str, str] = {}
    differs: dict[str, str] = {}
    for run_id, state, began in _found(hub, plan, held):
        states[run_id] = state
        run = plan.runs[plan.places[run_id]]
        what = _difference(began, run, plan, compiled, hub)
        if what:
            differs[run_id] = what
    if differs:
        shown = sorted(differs, key=plan.places.__getitem__)[:_SHOWN]
        raise RunSetChanged(plan.name, {run_id: differs[run_id] for run_id in shown}, len(differs))
    return states


def check_data(hub: Orchestrator, plan: SetPlan) -> None:
    """See that the data of all goals can be put on record.

    Raises:
        NotRecordable: some of it cannot; the goal is named.
    """
    if hub.journal is None:
        return
    for goal in plan.goals:
        for key, value in goal.data.items():
            codec.encode(value, f"data[{key!r}] of goal {goal.id!r}", codec.content_digest)


def _found(hub: Orchestrator, plan: SetPlan, held: Collection[str]) -> list[tuple[str, str, Facts | RunStarted]]:
    prefix = f"{plan.name}/"
    if hub.journal is None:
        known = [summary.run_id for summary in hub.runs(run_id_contains=prefix) if summary.run_id in plan.places]
        runs = [hub.get_run(run_id) for run_id in known]
        return [(run.run_id, str(run.state), run.machine.started) for run in runs]
    found: list[tuple[str, str, Facts | RunStarted]] = []
    for stored in hub.journal.find_runs(RunQuery(run_id_contains=prefix)):
        if stored.facts.run_id in plan.places:
            verify_run(stored)
            if stored.facts.run_id not in held:
                _check_free(hub.journal, stored)
            found.append((stored.facts.run_id, stored.standing.state, stored.facts))
    return found


def _check_free(journal: Journal, stored: StoredRun) -> None:
    holder = stored.holder
    if holder is not None and judge(holder, journal.owner) in ("alive", "mine"):
        raise RunLocked(stored.facts.run_id, *described(holder, journal.owner, journal.lease_s))


def _difference(
    began: Facts | RunStarted, run: Planned, plan: SetPlan, compiled: Plan, hub: Orchestrator
) -> str | None:
    """Say in what a run on record differs from what is asked for; None where it is the same."""
    clean = hub.services.cleaned
    wanted = RunStarted(
        run_id=run.run_id,
        workflow=plan.workflow,
        fingerprint=compiled.fingerprint,
        goal=clean(run.goal.text),
        data=clean(run.goal.data),
        seed=plan.seed_of(run),
        started_at=began.started_at,
        tags=None,
    )
    if began.workflow != plan.workflow:
        return f"its workflow was {began.workflow!r}, now it is {plan.workflow!r}"
    if isinstance(began, RunStarted):
        before, now = _of_started(began), _of_started(wanted)
    else:
        facts = facts_of(wanted, compiled, plan.limits or hub.limits, shared=0, put_blob=codec.content_digest)
        if facts.header == began.header:
            return None
        before, now = _of_header(began), _of_header(facts)
    return _told(before, now)


def _told(before: _Began, now: _Began) -> str | None:
    if before.fingerprint != now.fingerprint:
        return "the workflow, or who works at one of its steps, is another one now"
    if before.goal != now.goal:
        return f"its goal was {_short(before.goal)}, now it is {_short(now.goal)}"
    keys = [*before.data, *(key for key in now.data if key not in before.data)]
    changed = [
        key
        for key in keys
        if key not in before.data or key not in now.data or not same(before.data[key], now.data[key])
    ]
    if changed:
        return f"its initial data differs in {listed(map(repr, changed), 4)}"
    return None if before.seed == now.seed else "seed= of the set was another one"


def _of_started(started: RunStarted) -> _Began:
    return _Began(started.fingerprint, started.goal, started.data, started.seed)


def _of_header(facts: Facts) -> _Began:
    try:
        header = msgspec.json.decode(facts.header)
        data = {str(key): value for key, value in header["data"]}
        return _Began(header["fingerprint"], header["goal"], data, header["seed"])
    except (ValueError, TypeError, LookupError) as error:
        raise JournalCorrupt(facts.run_id, f"its header cannot be read ({error})") from error


def _short(goal: Any) -> str:
    text = goal if isinstance(goal, str) else "a long text"
    return repr(text if len(text) <= _MAX_GOAL else f"{text[: _MAX_GOAL - 1]}\N{HORIZONTAL ELLIPSIS}")
