"""`runs resume`, `runs fork`, `replay`: what needs the workers, or at least the workflow, of a run."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from orchestration_kit.cli.exporting import register_types
from orchestration_kit.cli.hubs import hub_at
from orchestration_kit.cli.journals import opened
from orchestration_kit.cli.questions import of_journal, shell_word
from orchestration_kit.cli.terminal import named, say, tell
from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.engine.account import Account
from orchestration_kit.engine.limits import RunLimits
from orchestration_kit.engine.orchestrator import Orchestrator
from orchestration_kit.engine.past import SAME
from orchestration_kit.engine.replay import replay
from orchestration_kit.engine.run import Run
from orchestration_kit.engine.state import RESTING
from orchestration_kit.errors import UnknownWorkflow

_WAITS = 3
_INTERRUPTED = 130


def resume_run(arguments: argparse.Namespace) -> int:
    """Go on with a run, and print its account; 0 where it is completed in the end, 3 where it waits."""
    with hub_at(arguments.hub, arguments.journal) as hub:
        run = hub.get_run(arguments.run_id)
        if not run.machine.may_resume:
            tell(f"Run {named(run.run_id)} is over, and there is nothing left to do: {run.state}.")
            if run.state == "completed":
                return 0
            failed = next((entry["path"] for entry in reversed(run.history) if not entry["success"]), None)
            if failed is not None:
                tell(f"To try again from where it failed: runs fork {named(run.run_id)} --at {failed} --hub ...")
            return 1
        run = hub.reopen(arguments.run_id, limits=_limits(run, arguments.max_steps), verbose=True)
        return drive(run, arguments.journal)


def fork_run(arguments: argparse.Namespace) -> int:
    """Make a fork, run it and print its account; 0 where it is completed in the end, 3 where it waits."""
    with hub_at(arguments.hub, arguments.journal) as hub:
        run = hub.get_run(arguments.run_id)
        given = SAME if arguments.input is ... else arguments.input
        fork = run.fork(arguments.at, dict(arguments.set), input=given, run_id=arguments.new_id)
        fork.put_on_record()
        visit = fork.machine.started.forked_at or arguments.at
        tell(f"Run {named(fork.run_id)} is a fork of {named(run.run_id)} at {named(visit)}.")
        if arguments.no_run:
            tell("It is on record, and was not run. `orchestration-kit runs resume` goes on with it.")
            return 0
        fork.audience.observers.append(Account(fork.workflow))
        return drive(fork, arguments.journal)


def replay_run(arguments: argparse.Namespace) -> int:
    """Hold a workflow against the record of a run; 0 where it takes the same path."""
    register_types(arguments.module)
    other = None if arguments.workflow is None else _workflow_in(arguments.workflow)
    if arguments.hub is not None:
        with hub_at(arguments.hub, arguments.journal) as hub:
            return _replay(hub, arguments.run_id, other, of_hub=True)
    with opened(arguments.journal) as journal:
        return _replay(Orchestrator(journal=journal), arguments.run_id, other, of_hub=False)


def _replay(hub: Orchestrator, run_id: str, other: WorkflowDefinition | None, *, of_hub: bool) -> int:
    try:
        run = hub.get_run(run_id)
    except UnknownWorkflow as error:
        if of_hub:
            raise
        say(
            f"orchestration-kit: The workflow {named(error.name)} holds Python callables, which are not on record. "
            "Say where it is: --hub MODULE:NAME."
        )
        return 1
    name = run.machine.started.workflow
    if other is None and of_hub:
        other = hub.plan_of(name).definition
    report = replay(run, other)
    tell(str(report))
    return 0 if report.is_same else 1


def drive(run: Run, journal: Path | None) -> int:
    """Run to the end, or to where it waits, and return the exit code that tells which."""
    try:
        context = run.run()
    except KeyboardInterrupt:
        say("Interrupted. What was done is on record: `orchestration-kit runs resume` goes on from there.")
        return _INTERRUPTED
    if context.state in RESTING:
        count = len(run.waiting)
        what = "" if not count else " for an answer" if count == 1 else f" for {count:,} answers"
        which = shell_word(run.run_id) + of_journal(journal)
        tell(f"It waits{what}: `orchestration-kit runs waiting {which}` shows what is asked.")
        return _WAITS
    return 0 if context.state == "completed" else 1


def _limits(run: Run, max_steps: int | None) -> RunLimits | None:
    return None if max_steps is None else replace(run.machine.limits, max_steps=max_steps)


def _workflow_in(path: Path) -> WorkflowDefinition:
    from orchestration_kit.cli.workflows import load_workflow

    return load_workflow(path)
