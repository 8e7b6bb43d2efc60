"""Runs, or a workflow with given rates, become a `Reliability`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.engine.summary import RunSummary
from orchestration_kit.reliability.chain import Chain
from orchestration_kit.reliability.counting import Counts, counts_of
from orchestration_kit.reliability.fitting import chain_of_counts, draws_of, with_all_ways
from orchestration_kit.reliability.given import chain_of
from orchestration_kit.reliability.posterior import check_level
from orchestration_kit.reliability.rates import Rates
from orchestration_kit.reliability.report import Reliability
from orchestration_kit.reliability.solving import solve

_DRAWS = 1_000


def reliability(  # noqa: PLR0913 - what can be said about runs
    source: Any,
    rates: Rates | None = None,
    *,
    level: float = 0.95,
    default: float | None = None,
    workflow: WorkflowDefinition | None = None,
    draws: int = _DRAWS,
    seed: int = 0,
) -> Reliability:
    """Return how reliable a workflow is: from runs of it, or from rates of its workers.

    >>> from orchestration_kit.templates import create_build_website_workflow
    >>> found = reliability(
    ...     create_build_website_workflow(),
    ...     {"product_manager": 0.99, "coder": {"success": 0.9, "cost_usd": 0.02}, "reviewer": 0.8},
    ... )
    >>> print(found.p_success.value.__round__(4), found.lost()["step"].tolist())
    0.9777 ['implement_code', 'create_specs']

    Args:
        source: Runs: a `Run`, a `WorkflowContext`, a history, events, or several of these; or a `history_frame`; see
            `counts_of` for what counts. Or a `WorkflowDefinition`, with `rates`. Or a `Chain`.
        rates: Of the workers of a workflow; see `chain_of`.
        level: Probability with which intervals hold what they are of.
        default: The success of workers that `rates` does not name.
        workflow: The definition, where the runs do not hold it: histories and frames.
        draws: How many chains to draw from what is known, for the intervals.
        seed: The same seed gives the same intervals.

    Raises:
        ChainError: nothing is on record, or not of one workflow; rates are missing, or name nothing that is there; a
            run may go on for ever.
        InvalidWorkflow: the checks find errors.
        TypeError: it is nothing of the sort.
    """
    check_level(level)
    if isinstance(source, (WorkflowDefinition, Chain)):
        if isinstance(source, Chain):
            found = Reliability(source, level, workflow=workflow)
            return _solved(found) if rates is None else found.what_if(rates)
        return _solved(Reliability(chain_of(source, rates, default=default), level, workflow=source))
    if isinstance(source, Reliability):
        found = replace(source, level=level)
        return found if rates is None else found.what_if(rates)
    if rates is not None or default is not None:
        raise TypeError(
            "Rates are for a workflow; runs have their own. To change them: reliability(runs).what_if(rates)."
        )
    counts = with_all_ways(source if isinstance(source, Counts) else _counted(source, workflow))
    chain = chain_of_counts(counts)
    hopeful = solve(chain).completes_from > 0
    drawn = draws_of(counts, hopeful, draws=draws, seed=seed)
    return Reliability(chain, level, counts, drawn, counts.definition)


def what_if(
    source: Chain | Reliability, rates: Rates | None = None, *, retries: Mapping[str, int] | None = None
) -> Reliability:
    """Return the reliability of a chain with other figures, exact: see `Reliability.what_if`.

    >>> from orchestration_kit.templates import create_build_website_workflow
    >>> found = reliability(create_build_website_workflow(), {"product_manager": 0.99, "coder": 0.9, "reviewer": 0.8})
    >>> better = what_if(found, {"product_manager": 0.999})
    >>> round(found.p_success.value, 4), round(better.p_success.value, 4)
    (0.9777, 0.9865)

    Raises:
        ChainError: a step or worker that is not there, or a figure that is none.
    """
    found = source if isinstance(source, Reliability) else Reliability(source)
    return found.what_if(rates, retries=retries)


def _solved(found: Reliability) -> Reliability:
    """Solve the chain, so that one which cannot be solved is refused here."""
    _ = found.solved
    return found


def _counted(source: Any, workflow: WorkflowDefinition | None) -> Counts:
    items = cast("Iterable[Any]", source) if isinstance(source, (list, tuple)) else (source,)
    if any(isinstance(item, RunSummary) for item in items):
        raise TypeError(
            "A RunSummary has no attempts to count. Give the runs: "
            "reliability([hub.get_run(one.run_id) for one in hub.runs()])."
        )
    return counts_of(source, workflow=workflow)
