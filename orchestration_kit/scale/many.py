"""`run_many`: a workflow and goals become a set of runs, each on record, whatever comes in between."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.engine.arguments import check_options, checked_tags
from orchestration_kit.engine.plan import compile_plan
from orchestration_kit.errors import UnknownWorkflow
from orchestration_kit.executors.taking import as_executor
from orchestration_kit.scale.errors import WorkflowTaken
from orchestration_kit.scale.goals import goals_of
from orchestration_kit.scale.plan import GOAL, NAME, REPEAT, SetPlan
from orchestration_kit.scale.run_set import RunSet
from orchestration_kit.scale.survey import check_data
from orchestration_kit.scale.work import MAX_AT_ONCE

if TYPE_CHECKING:
    from orchestration_kit.engine.limits import RunLimits
    from orchestration_kit.engine.orchestrator import Orchestrator

MAX_REPEATS = 100_000


def run_many(  # noqa: PLR0913 - what a set is made of
    workflow: str | WorkflowDefinition,
    goals: Any,
    *,
    hub: Orchestrator | None = None,
    repeats: int = 1,
    max_concurrency: int | None = None,
    executor: Any = None,
    name: str | None = None,
    tags: dict[str, str] | None = None,
    seed: int = 0,
    limits: RunLimits | None = None,
    progress: bool = True,
    wait: bool = True,
    retry_failed: bool = False,
) -> RunSet:
    """Run a workflow for every goal, so many times each, and return the set of runs.

    A run that fails is a run that failed: it stops no other. What the set comes to is the same whatever is made at the
    same time, and wherever. With a journal it can be gone on with: called again under the same `name`, after a crash,
    an interrupt or with more goals, it leaves alone what is finished (completed or failed), goes on with what stopped
    half way, and makes what is missing. Runs that wait for a person wait on, and go on in the next call after the
    answer. Where a goal, its data, the workflow or the seed is another one now, nothing is run, and the error says what
    differs; other code of a worker, or other limits, are no hindrance.

    Runs are called `<name>/<goal id>/<repeat>`, and tagged with `many`, `goal` and `repeat`:
    `hub.runs(tags={"many": "tuesday"})`, and `Monitor(hub)` shows them while they are made.

    Args:
        workflow: The name of a registered workflow; or one that will be registered.
        goals: Texts; or dicts such as `{"goal": "Build a shop", "data": {"budget": 9}, "id": "shop"}`; or a DataFrame
            with a column `goal`, whose column `id` (else `name`) says what a goal is called, and whose other columns
            are the data that its runs begin with. Without an id, a goal is called by its position, from 1 on.
        hub: Who makes the runs: its workers, its journal, its rules.
        repeats: How often each goal is run, as what brains say differs.
        max_concurrency: How many runs are made at the same time, on threads. None: one; on an executor, as many as it
            takes.
        executor: Where whole runs are made: any of `orchestration_kit.executors`, or of `concurrent.futures`. From
            other processes and machines, runs come back as data and are put on record here as they arrive; what a
            worker returns has to be recordable then. Where a machine is lost, its runs are made anew if all workers are
            idempotent; else they have failed. Observers hear nothing of what is made elsewhere, and a hub with
            constraints, actions, lessons, a cassette, locks or rates makes its runs itself.
        name: What the set is called; made up where none is given. No slash.
        tags: More tags for the runs.
        seed: Of the whole set: the seed of each run follows from it, the goal's id and the repeat.
        limits: What each run may use; where none are given, the hub's.
        progress: Show a bar, in a notebook and on a terminal.
        wait: Return when all runs were made; else at once, and `.wait()` waits.
        retry_failed: Go on with runs that failed as well: the step that failed is made again. One that went where the
            workflow says that it has failed has nothing left to do, and stays.

    >>> from orchestration_kit import Orchestrator, WorkerDefinition, create_generic_pipeline
    >>> hub = Orchestrator()
    >>> hub.register_worker(WorkerDefinition(worker_type="generic", name="shout", executor=str.upper))
    >>> runs = run_many(create_generic_pipeline([("say", "generic", "")]), ["hello", "bye"], hub=hub, repeats=2)
    >>> runs.state
    {'completed': 4}
    >>> runs.frame()[["goal", "repeat", "output"]].values.tolist()
    [['hello', 1, 'HELLO'], ['hello', 2, 'HELLO'], ['bye', 1, 'BYE'], ['bye', 2, 'BYE']]

    Raises:
        GoalsError: the goals are none; all that is wrong is named.
        RunSetChanged: the set is on record, and began with something else.
        RunSetBusy, RunLocked: somebody is at work on it.
        WorkflowTaken: another workflow is registered under this name.
        UnknownWorkflow, MissingWorkers, InvalidWorkflow: nothing can be run.
        NotMadeElsewhere, NotSendable: whole runs cannot leave this process. None of these ran anything.
        JournalError: runs cannot be put on record. What was finished is; call again under the same name to go on. The
            same holds for an interrupt; the set so far is `hub.last_many`.
    """
    if hub is None:
        raise TypeError("run_many needs the hub that makes the runs: run_many(workflow, goals, hub=hub).")
    _check_counts(repeats, max_concurrency, seed)
    check_options(None, limits)
    chosen = checked_tags(tags)
    for taken in (NAME, GOAL, REPEAT):
        if taken in (chosen or {}):
            raise ValueError(f"tags has {taken!r}, which is run_many's own. Choose another key.")
    found = goals_of(goals)
    registered = _registered(hub, workflow)
    plan = SetPlan(
        name=_checked_name(name, registered),
        workflow=registered,
        goals=found,
        repeats=repeats,
        seed=seed,
        limits=limits,
        more_tags=chosen,
    )
    hub.current_plan(registered)  # who is missing is named before anything is done
    check_data(hub, plan)
    runs = RunSet(hub, plan, at_once=max_concurrency, executor=as_executor(executor))
    hub.last_many = runs
    runs.resume(retry_failed=retry_failed, progress=progress, wait=wait)
    return runs


def _check_counts(repeats: Any, max_concurrency: Any, seed: Any) -> None:
    for name, value, most in (("repeats", repeats, MAX_REPEATS), ("max_concurrency", max_concurrency, MAX_AT_ONCE)):
        if value is None and name == "max_concurrency":
            continue
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise ValueError(f"{name} is a whole number from 1 to {most:,}, not {value!r:.80}.")
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise TypeError(f"seed is a whole number, not {seed!r:.80}.")


def _checked_name(name: Any, workflow: str) -> str:
    if name is None:
        return f"{workflow.replace('/', '_')}_{os.urandom(4).hex()}"
    if not isinstance(name, str) or not name.strip():
        raise TypeError(f"name is a text of your choice, such as 'tuesday', not {name!r:.80}.")
    if "/" in name:
        raise ValueError(f"name={name!r:.80} holds a slash, which parts the name from the goal in the ids of runs.")
    return name


def _registered(hub: Orchestrator, workflow: Any) -> str:
    """Return the name of a workflow that is registered, or is by now."""
    if isinstance(workflow, str):
        if workflow not in hub.workflows:
            raise UnknownWorkflow(workflow, list(hub.workflows))
        return workflow
    if not isinstance(workflow, WorkflowDefinition):
        raise TypeError(
            f"run_many takes the name of a registered workflow, or a WorkflowDefinition, not {workflow!r:.80}."
        )
    there = hub.workflows.get(workflow.name)
    if there is None:
        hub.register_workflow(workflow)
    elif compile_plan(there).fingerprint != compile_plan(workflow).fingerprint:
        raise WorkflowTaken(workflow.name)
    return workflow.name
