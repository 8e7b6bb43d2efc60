"""Who works at each step, with how many retries: by capability first, then by what is known of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from orchestration_kit.definition.steps import WorkflowStep
from orchestration_kit.errors import listed
from orchestration_kit.reliability.errors import ChainError
from orchestration_kit.reliability.given import chain_of
from orchestration_kit.service.errors import NothingMeasured
from orchestration_kit.service.measuring import Rated

if TYPE_CHECKING:
    from orchestration_kit.definition.workers import WorkerDefinition
    from orchestration_kit.definition.workflow import WorkflowDefinition
    from orchestration_kit.reliability.chain import Chain
    from orchestration_kit.service.optimum import Optimum

Prefer = Literal["cheapest", "fastest", "most_reliable", "best_value"]
PREFERENCES: Mapping[str, str] = {
    "cheapest": "the least cost of an attempt",
    "fastest": "the least time of an attempt",
    "most_reliable": "the highest success of an attempt",
    "best_value": "the least cost for each run that succeeds",
}
KIT = "kit."
"""How the types of workers begin that come with templates; see `pattern_workers`."""
_OBJECTIVES: Mapping[str, Any] = {
    "cheapest": "cost",
    "fastest": "time",
    "most_reliable": "success",
    "best_value": "cost",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A worker that could work at a step."""

    step: str
    worker: str
    chosen: bool
    rated: Rated | None
    """None where nothing is known of it."""
    retries: int | None
    """Of the step, where it was chosen."""
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Who works where."""

    workflow: WorkflowDefinition
    """With the names of the workers, and the retries, in its steps."""
    candidates: tuple[Candidate, ...]
    words: tuple[str, ...]
    """How it was chosen."""
    optimum: Optimum | None = None
    """Where the choice was made by the chain of the whole workflow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a selection is to come to."""

    prefer: Prefer = "best_value"
    target_success: float | None = None
    budget_usd: float | None = None
    max_retries: int = 3
    ways: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """By step: how often each way on is taken, and what else `chain_of` asks for that is no worker's."""


def is_of_the_kit(step: Any) -> bool:
    """Whether a step is for a worker that comes with a template: a program that moves data, and does not err."""
    return str(getattr(step, "worker_type", "")).startswith(KIT)


def candidates_of(workflow: WorkflowDefinition, workers: Sequence[WorkerDefinition]) -> dict[str, list[str]]:
    """Return by step the names of the workers of its type; of a step that names one, that one alone.

    The steps of the workflow itself: what is within branches that are workflows of their own stays as it is.
    """
    found: dict[str, list[str]] = {}
    for step_id, step in workflow.steps.items():
        if isinstance(step, WorkflowStep) and not is_of_the_kit(step):
            fits = [w.name for w in workers if step.worker in (None, w.name) and str(w.worker_type) == step.worker_type]
            if fits or not step.is_terminal:
                found[step_id] = fits
    return found


def select(
    workflow: WorkflowDefinition, workers: Sequence[WorkerDefinition], rated: Mapping[str, Rated], wanted: Wanted
) -> Selection:
    """Choose a worker for each step, and its retries.

    By the chain of the whole workflow, where everything is known that it takes: the least cost (or time) that reaches
    the target within the budget; without both, the least cost per run that succeeds, unless something else is
    preferred. Else step by step, by what is known of each worker; where nothing is, the one given last, as a hub has
    it.

    Raises:
        NothingMeasured: there is a target, and it cannot be told whether it is reached.
        NoChoice: no choice reaches the target within the budget.
    """
    fitting = candidates_of(workflow, workers)
    unknown = sorted({name for names in fitting.values() for name in names if name not in rated})
    is_whole = wanted.target_success is not None or wanted.budget_usd is not None or wanted.prefer == "best_value"
    chain, problem = (None, "") if unknown else _chain(workflow, fitting, rated, wanted)
    if wanted.target_success is not None and chain is None:
        raise NothingMeasured(f"Whether target_success={wanted.target_success:g} is reached", unknown, problem)
    if chain is not None and is_whole:
        return _by_chain(workflow, chain, fitting, rated, wanted)
    return _by_step(workflow, fitting, rated, wanted, unknown, problem)


def _chain(
    workflow: WorkflowDefinition, fitting: Mapping[str, list[str]], rated: Mapping[str, Rated], wanted: Wanted
) -> tuple[Chain | None, str]:
    """Return the chain of the workflow with some worker at each step; None, and why, where one cannot be made."""
    rates = rates_of({step: names[-1] for step, names in fitting.items() if names}, rated, wanted.ways)
    try:
        return chain_of(workflow, rates), ""
    except ChainError as error:
        return None, error.reason.rstrip(".")


def rates_of(chosen: Mapping[str, str], rated: Mapping[str, Rated], ways: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rates of a workflow by step, as `chain_of` takes them."""
    rates: dict[str, Any] = {step: dict(extra) for step, extra in ways.items()}
    for step, worker in chosen.items():
        one = rated[worker]
        took = one.took
        amounts = {"time_s": took.time_s, "tokens": took.tokens, "cost_usd": took.cost_usd}
        rates[step] = {**rates.get(step, {}), "success": one.success, **amounts}
    return rates


def _by_chain(
    workflow: WorkflowDefinition,
    chain: Chain,
    fitting: Mapping[str, list[str]],
    rated: Mapping[str, Rated],
    wanted: Wanted,
) -> Selection:
    from orchestration_kit.service.optimum import Option, optimise

    options = {
        step: [
            Option(
                worker=name,
                success=rated[name].success,
                on_success=rated[name].on_success,
                on_failure=rated[name].on_failure,
            )
            for name in names
        ]
        for step, names in fitting.items()
        if names and step in chain.steps
    }
    objective = _objective(wanted)
    best = optimise(
        chain,
        options,
        max_retries=wanted.max_retries,
        target_success=wanted.target_success,
        budget_usd=wanted.budget_usd,
        objective=objective,
    )
    inner = {step: names for step, names in fitting.items() if step not in options}
    choice = {step: (one.worker, one.retries) for step, one in best.choice.items()}
    choice |= {step: (_best(names, rated, wanted.prefer), None) for step, names in inner.items() if names}
    proof = "proven to be the best" if best.is_proven else f"not proven to be the best: {best.gap:.2g} may be missing"
    words = [
        f"{best.considered:,} choices of workers and retries; this one is {proof}: {_goal_words(wanted)}.",
        f"A run succeeds with a probability of {best.p_success:.1%}, and costs {best.cost_usd:.4g} USD on average.",
    ]
    whys = dict.fromkeys(options, "part of the best choice for the whole workflow")
    return _selection(workflow, fitting, rated, choice, whys, words, best)


def _objective(wanted: Wanted) -> Any:
    if wanted.target_success is None and wanted.budget_usd is not None:
        return "success"
    if wanted.target_success is None and wanted.prefer == "best_value":
        return "value"
    return _OBJECTIVES[wanted.prefer]


def _goal_words(wanted: Wanted) -> str:
    bounds: list[str] = []
    if wanted.target_success is not None:
        bounds.append(f"a success of at least {wanted.target_success:.0%}")
    if wanted.budget_usd is not None:
        bounds.append(f"at most {wanted.budget_usd:g} USD a run")
    aims = {"cost": "the least cost", "time": "the least time", "success": "the highest success"}
    aim = {**aims, "value": PREFERENCES["best_value"]}[_objective(wanted)]
    return f"{aim}, with {' and '.join(bounds)}" if bounds else aim


def _by_step(  # noqa: PLR0913, PLR0917 - what a choice is made of
    workflow: WorkflowDefinition,
    fitting: Mapping[str, list[str]],
    rated: Mapping[str, Rated],
    wanted: Wanted,
    unknown: list[str],
    problem: str,
) -> Selection:
    choice: dict[str, tuple[str, int | None]] = {}
    whys: dict[str, str] = {}
    for step, names in fitting.items():
        known = [name for name in names if name in rated]
        if not names:
            continue
        choice[step] = (_best(names, rated, wanted.prefer), None)
        if len(names) == 1:
            whys[step] = "the only one who can"
        elif known:
            whys[step] = PREFERENCES[wanted.prefer] if wanted.prefer != "best_value" else "the least cost for a success"
        else:
            whys[step] = "nothing is known of any; the one given last, as a hub has it"
    words = [f"Step by step: {PREFERENCES[wanted.prefer]}. Retries are those of the template."]
    if unknown:
        words.append(f"Nothing is on record of {listed(unknown)}: how likely a run succeeds cannot be told yet.")
    elif problem:
        words.append(f"How likely a run succeeds cannot be told yet: {problem}.")
    return _selection(workflow, fitting, rated, choice, whys, words, None)


def _best(names: Sequence[str], rated: Mapping[str, Rated], prefer: Prefer) -> str:
    """Return the best of those of whom something is known; of several alike, and where nothing is known, the last."""
    known = [(at, rated[name]) for at, name in enumerate(names) if name in rated]
    if not known:
        return names[-1]

    def rank(one: tuple[int, Rated]) -> tuple[float, ...]:
        at, rate = one
        took = rate.took
        per_success = took.cost_usd / rate.success if rate.success else float("inf")
        figures = {
            "cheapest": (took.cost_usd, -rate.success, took.time_s),
            "fastest": (took.time_s, -rate.success, took.cost_usd),
            "most_reliable": (-rate.success, took.cost_usd, took.time_s),
            "best_value": (per_success, took.time_s, -rate.success),
        }
        return (*figures[prefer], -at)

    return names[min(known, key=rank)[0]]


def _selection(  # noqa: PLR0913, PLR0917 - what is told of it
    workflow: WorkflowDefinition,
    fitting: Mapping[str, list[str]],
    rated: Mapping[str, Rated],
    choice: Mapping[str, tuple[str, int | None]],
    whys: Mapping[str, str],
    words: list[str],
    optimum: Optimum | None,
) -> Selection:
    candidates: list[Candidate] = []
    made = workflow
    for step_id, names in fitting.items():
        if step_id not in choice:
            continue
        step: Any = workflow.steps[step_id]
        chosen, retries = choice[step_id]
        retries = step.max_retries if retries is None else retries
        made = made.replace(step_id, worker=chosen, max_retries=retries)
        for name in names:
            rate = rated.get(name)
            known = "nothing is on record of it" if rate is None else rate.words
            why = whys.get(step_id, PREFERENCES["best_value"]) if name == chosen else f"another one: {chosen}"
            candidates.append(
                Candidate(
                    step=step_id,
                    worker=name,
                    chosen=name == chosen,
                    rated=rate,
                    retries=retries if name == chosen else None,
                    why=f"{why}; {known}",
                )
            )
    return Selection(workflow=made, candidates=tuple(candidates), words=tuple(words), optimum=optimum)
