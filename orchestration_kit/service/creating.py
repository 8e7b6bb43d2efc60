"""`OrchestrationService.create`: a goal in words becomes a pipeline, every choice explained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from orchestration_kit.definition.budgets import Budget
from orchestration_kit.definition.workers import WorkerDefinition
from orchestration_kit.engine.arguments import check_goal
from orchestration_kit.engine.calls import bind_worker
from orchestration_kit.engine.orchestrator import Orchestrator
from orchestration_kit.errors import did_you_mean, listed
from orchestration_kit.reliability import reliability
from orchestration_kit.reliability.errors import ChainError
from orchestration_kit.service.measuring import given, measured
from orchestration_kit.service.pipeline import MOST_RUNS, Parts, Pipeline
from orchestration_kit.service.planning import plan_by
from orchestration_kit.service.selecting import PREFERENCES, Prefer, Wanted, is_of_the_kit, select
from orchestration_kit.workers.patterns import pattern_workers

if TYPE_CHECKING:
    from os import PathLike

    from orchestration_kit.definition.workflow import WorkflowDefinition
    from orchestration_kit.engine.limits import RunLimits
    from orchestration_kit.engine.ports import Gate
    from orchestration_kit.engine.run import Run
    from orchestration_kit.journal.port import Journal


class OrchestrationService:
    """Say the goal, and get a sound workflow of the right workers; know what to expect before it runs.

    >>> pipeline = OrchestrationService.create("Build a website for Luna Bakery in Lisbon")
    >>> pipeline.workflow.name, pipeline.run(verbose=False).state.value
    ('build_website', 'completed')
    """

    @classmethod
    def create(  # noqa: PLR0913 - what a person may want to say
        cls,
        goal: str,
        workers: Sequence[Any] | None = None,
        budget: float | Budget | None = None,
        target_success: float | None = None,
        *,
        prefer: Prefer = "best_value",
        rates: Mapping[str, Any] | None = None,
        planner: Any = None,
        plan_attempts: int = 4,
        templates: Sequence[Any] | None = None,
        journal: Journal | PathLike[str] | str | None = None,
        hub: Orchestrator | None = None,
        constraints: Gate | None = None,
        limits: RunLimits | None = None,
        max_retries: int = 3,
    ) -> Pipeline:
        """Return a pipeline for a goal.

        The goal is held against a catalogue of templates by the words in it; or a planner drafts the workflow. Who
        works at each step, and how often it is tried again, is chosen by what is on record of the workers, or said of
        them: so that the cost is least and the target is reached, proven over the chain of the whole workflow.

        >>> pipeline = OrchestrationService.create(goal="Build a Website")
        >>> [step.worker for step in list(pipeline.workflow.steps.values())[:3]]
        ['Product manager', 'Coder', 'Reviewer']

        Args:
            goal: What is to be reached, in words. They are data: nothing in them is carried out.
            workers: Who is there: `WorkerDefinition`s, as `worker_from` gives them. Without any, those of the hub; else
                those that come with the kit, which build websites.
            budget: USD that a run may cost on average, or a `Budget` with `max_cost_usd`. What a single run may use is
                for `limits`.
            target_success: How likely a run is to succeed at least, between 0 and 1.
            prefer: `best_value`, the least cost for each run that succeeds; `cheapest`, `fastest` or `most_reliable`.
            rates: What you know of workers, by name or type: `{"coder": {"success": 0.9, "cost_usd": 0.02, "time_s":
                3}}`. It goes before what is on record.
            planner: Drafts the workflow instead of the catalogue: anything that `worker_from` takes; see `plan_by`.
            plan_attempts: How often it may try.
            templates: More entries for the catalogue.
            journal: Where runs are kept, and what is on record of workers comes from.
            hub: One of your own instead, with its journal and rules.
            constraints: Rules for what workers do; see `ConstraintEngine`.
            limits: What a single run may use.
            max_retries: How often a step may be tried again at most.

        Raises:
            CannotServe: nobody can do this; it says what is missing.
            NoChoice: no choice of workers reaches the target within the budget; it says what can be reached.
            NothingMeasured: there is a target, and nothing is known of the workers.
            PlannerFailed: the planner came up with no sound workflow.
            InvalidGoal: the goal is empty or far too long.
        """
        check_goal(goal)
        budget = budget.max_cost_usd if isinstance(budget, Budget) else budget
        _check(budget, target_success, prefer, max_retries)
        own = hub or Orchestrator(journal=journal, constraints=constraints)
        if hub is not None and (journal is not None or constraints is not None):
            raise TypeError("journal and constraints are the hub's: give them to Orchestrator(...), or leave out hub=.")
        team = _team(workers, own)
        if planner is None:
            from orchestration_kit.service.matching import plan_goal

            plan = plan_goal(goal, team, entries=templates)
            workflow, words = plan.workflow, plan.words
        else:
            workflow = plan_by(planner, goal, team, attempts=plan_attempts, journal=own.journal)
            words = ["The planner drafted the workflow; the checks found no error in it."]
        past = _past(own)
        rated = {**measured(past, {one.name: bind_worker(one).fingerprint for one in team}), **given(rates, team)}
        wanted = Wanted(
            prefer=prefer,
            target_success=target_success,
            budget_usd=budget,
            max_retries=max_retries,
            ways=_ways(workflow, past),
        )
        selection = select(workflow, team, rated, wanted)
        for worker in (*team, *pattern_workers(selection.workflow)):
            own.register_worker(worker)
        own.register_workflow(selection.workflow)
        parts = Parts(
            goal=goal,
            hub=own,
            selection=selection,
            workers=team,
            rated=rated,
            wanted=wanted,
            words=words,
            limits=limits,
        )
        return Pipeline(parts)


def _check(budget: Any, target_success: Any, prefer: Any, max_retries: Any) -> None:
    if budget is not None and (isinstance(budget, bool) or not isinstance(budget, (int, float)) or not budget > 0):
        raise ValueError(f"budget is USD that a run may cost on average, more than 0, not {budget!r:.80}.")
    if target_success is not None and (not isinstance(target_success, (int, float)) or not 0 < target_success < 1):
        hint = " Nothing that errs succeeds for certain." if target_success == 1 else ""
        raise ValueError(f"target_success is a probability between 0 and 1, not {target_success!r:.80}.{hint}")
    if prefer not in PREFERENCES:
        raise ValueError(
            f"prefer is {prefer!r:.80}.{did_you_mean(str(prefer), PREFERENCES)} One of: {listed(PREFERENCES)}."
        )
    if isinstance(max_retries, bool) or not isinstance(max_retries, int) or not 0 <= max_retries <= 20:
        raise ValueError(f"max_retries is a whole number from 0 to 20, not {max_retries!r:.80}.")


def _team(workers: Sequence[Any] | None, hub: Orchestrator) -> list[WorkerDefinition]:
    """Return who is there: those given, else those of the hub, else those that come with the kit."""
    if workers is None:
        from orchestration_kit.service.matching import package_workers

        registered = list(hub.workers.values())
        return registered or list(package_workers())
    if isinstance(workers, (WorkerDefinition, str, bytes)):
        raise TypeError("workers is a list of WorkerDefinitions, such as [worker_from(write, worker_type='writer')].")
    team = list(workers)
    for worker in team:
        if not isinstance(worker, WorkerDefinition):
            raise TypeError(
                f"workers has {worker!r:.80}, which is no WorkerDefinition. Write worker_from(...) around it."
            )
    names = [worker.name for worker in team]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(
            f"workers has several called {twice[0]!r}. Give each a name of its own: worker_from(..., name=...)."
        )
    return team


def _past(hub: Orchestrator) -> list[Run]:
    """Return the runs on record, the newest of them; those whose record is damaged tell nothing."""
    if hub.journal is None:
        return []
    found = hub.runs(limit=MOST_RUNS)
    return [hub.get_run(one.run_id) for one in found if one.state not in ("damaged", "initialized")]


def _ways(workflow: WorkflowDefinition, past: Sequence[Run]) -> dict[str, Any]:
    """Return how often each way on was taken, of steps with several, in runs of the same workflow on record."""
    found: dict[str, Any] = {name: {"success": 1.0} for name, step in workflow.steps.items() if is_of_the_kit(step)}
    same = [run for run in past if run.machine.plan.workflow == workflow.name and run.is_finished]
    if not same:
        return found
    try:
        steps = reliability(same, draws=1).chain.steps
    except ChainError:
        return found
    for name, step in workflow.steps.items():
        if step.choices and name in steps:
            found[name] = {**found.get(name, {}), "to": dict(steps[name].after_success)}
    return found
