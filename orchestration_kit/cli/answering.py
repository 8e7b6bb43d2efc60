"""`runs approve`, `runs reject`, `runs send`: puts an answer on record, bound to the question that is open now.

It needs no worker: the answer is given to the workflow that is on record. With `--hub` the run goes on at once.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Generator
from contextlib import contextmanager

from orchestration_kit.cli.driving import drive
from orchestration_kit.cli.exporting import register_types
from orchestration_kit.cli.hubs import hub_at
from orchestration_kit.cli.journals import opened
from orchestration_kit.cli.questions import HASH_SHOWN, fitting, of_journal, shell_word
from orchestration_kit.cli.terminal import json_text, named, short, tell
from orchestration_kit.engine.asking import Request
from orchestration_kit.engine.orchestrator import Orchestrator
from orchestration_kit.engine.run import Run
from orchestration_kit.errors import OrchestrationError, UnknownWorkflow, listed
from orchestration_kit.history.texts import short_text
from orchestration_kit.journal.questions import outermost, runs_within

_LONGEST = 400


class NotAsked(OrchestrationError):
    """What a person wants to answer is not asked, or it is not clear which question is meant."""

    def __init__(self, run_id: str, reason: str, hint: str) -> None:
        super().__init__(run_id, reason, hint)
        self.run_id, self.reason, self.hint = run_id, reason, hint

    def __str__(self) -> str:
        return f"Run {named(self.run_id)}: {self.reason}. {self.hint}"


def approve_run(arguments: argparse.Namespace) -> int:
    """Approve what is asked, and print what that was; with a hub, 0 where the run is completed in the end."""

    def approve(run: Run, question: Request) -> None:
        run.approve(arguments.value, question)

    return _answer(arguments, "Approved", ("value", short(json_text(arguments.value, indent=None), _LONGEST)), approve)


def reject_run(arguments: argparse.Namespace) -> int:
    """Reject what is asked, and print what that was; with a hub, 0 where the run is completed in the end."""

    def reject(run: Run, question: Request) -> None:
        run.reject(arguments.reason, question)

    return _answer(arguments, "Rejected", ("reason", short(arguments.reason, _LONGEST)), reject)


def send_event(arguments: argparse.Namespace) -> int:
    """Send an event to a run; with a hub, 0 where the run is completed in the end."""
    event: str = arguments.event
    with _hub(arguments) as hub:
        run, *inner = _family(hub, arguments)
        asked = [(one, each) for each in (run, *inner) for one in each.waiting if one.run_id == each.run_id]
        awaited = next(((one, each) for one, each in asked if one.event == event), None)
        receiver = run if awaited is None else awaited[1]
        receiver.send(event, arguments.payload)
        if awaited is None:
            tell(f"Sent {named(event)} to run {named(run.run_id)}: no step waits for it yet, so it is kept.")
        else:
            tell(f"Sent {named(event)} to {named(awaited[0].path)} of run {named(receiver.run_id)}.")
        return _go_on(arguments, hub, run.run_id)


def _answer(
    arguments: argparse.Namespace, verb: str, answer: tuple[str, str], give: Callable[[Run, Request], None]
) -> int:
    with _hub(arguments) as hub:
        run, *inner = _family(hub, arguments)
        owners = {each.run_id: each for each in (run, *inner)}
        question = _meant(run.run_id, [one for each in owners.values() for one in each.waiting], arguments.request)
        give(owners[question.run_id], question)
        tell(f"{verb}: {named(question.path)} of run {named(question.run_id)}: {short(question.prompt, _LONGEST)}")
        for name, value in question.shown.items():
            tell(f"  {short(name, 60)}: {short_text(value, _LONGEST)}")
        tell(f"  {answer[0]}: {answer[1]}")
        return _go_on(arguments, hub, run.run_id)


def _meant(run_id: str, asked: list[Request], which: str | None) -> Request:
    """Return the one question that is meant.

    Raises:
        NotAsked: there is none, or more than one.
    """
    approvals = list({(one.run_id, one.path): one for one in asked if one.kind == "approval"}.values())
    found = fitting(approvals, which)
    if len(found) == 1:
        return found[0]
    paths = listed([f"{named(one.path)} ({one.hash[:HASH_SHOWN]})" for one in found or approvals], 10)
    if found:
        raise NotAsked(run_id, f"{len(found)} approvals are open", f"Say which, with --request: {paths}.")
    if approvals:
        hint = f"These are: {paths}. What is shown may have changed; look at it with `runs waiting {run_id}`."
        raise NotAsked(run_id, f"no approval {which!r} is open", hint)
    others = [f"{named(one.path)} ({one.prompt})" for one in asked]
    hint = (
        f"It waits for {listed(others, 5)}."
        if others
        else "`runs show` tells where it stands, and `runs resume` goes on."
    )
    raise NotAsked(run_id, "it waits for no approval", hint)


@contextmanager
def _hub(arguments: argparse.Namespace) -> Generator[Orchestrator]:
    if arguments.hub is not None:
        with hub_at(arguments.hub, arguments.journal) as hub:
            yield hub
        return
    register_types(arguments.module)
    with opened(arguments.journal) as journal:
        yield Orchestrator(journal=journal)


def _run(hub: Orchestrator, run_id: str, *, is_on_record: bool) -> Run:
    """Return a run that can be answered; where only what is on record is known, without its workers.

    Raises:
        NotAsked: its workflow is in code, and no hub was named.
    """
    try:
        run = hub.get_run(run_id)
    except UnknownWorkflow as error:
        if not is_on_record:
            raise
        reason = f"its workflow {named(error.name)} holds Python callables, which are not on record"
        raise NotAsked(run_id, reason, "Say where it is: --hub MODULE:NAME") from None
    if is_on_record:
        run.barrier = None  # an answer calls no worker: the workflow on record is enough to know what is asked
    return run


def _family(hub: Orchestrator, arguments: argparse.Namespace) -> list[Run]:
    """Return the run that is meant, and those of its sub-workflows."""
    run_id, is_on_record = arguments.run_id, arguments.hub is None
    run = _run(hub, run_id, is_on_record=is_on_record)
    within = [] if hub.journal is None else runs_within(hub.journal, run_id)
    going_on = [one.facts.run_id for one in within if one.standing.finished_at is None]
    return [run, *(_run(hub, each, is_on_record=is_on_record) for each in going_on)]


def _go_on(arguments: argparse.Namespace, hub: Orchestrator, run_id: str) -> int:
    first = run_id if hub.journal is None else outermost(hub.journal, run_id)
    if arguments.hub is None:
        run = shell_word(first) + of_journal(arguments.journal)
        tell(f"It is on record. The run goes on with: orchestration-kit runs resume {run} --hub ...")
        return 0
    tell()
    return drive(hub.reopen(first, verbose=True), arguments.journal)
