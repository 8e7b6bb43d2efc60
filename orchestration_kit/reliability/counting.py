"""Runs become counts: how often attempts of each step succeeded, where visits led, and what attempts took."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestration_kit.reliability.counts import MEASURES, Counts, Path, Way
from orchestration_kit.reliability.declared import declared_steps
from orchestration_kit.reliability.reading import read
from orchestration_kit.reliability.tallying import Tally

if TYPE_CHECKING:
    from orchestration_kit.definition.workflow import WorkflowDefinition

__all__ = ["MEASURES", "Counts", "Path", "Way", "counts_of"]


def counts_of(runs: Any, *, workflow: WorkflowDefinition | None = None) -> Counts:
    """Count what runs of one workflow did.

    A run's own thread of control counts: what happened in branches is part of the step that opened them, a
    sub-workflow one step, and what undid a run no part of it. Attempts that were stopped (cancelled, interrupted,
    blocked until a person decides) are left out. An answer to a question is an attempt that succeeded, a rejection one
    that failed. A run that ended by a limit failed where it stood. The past that a fork shares counts once, where its
    parent is among the runs.

    Args:
        runs: A `Run`, a `WorkflowContext`, a history, events, or several of these; or a `history_frame`.
        workflow: The definition, where the runs do not hold it: of histories and frames. Without it, retries are as
            many as were seen, ways those that were taken, and a run ended well where its last attempt succeeded and led
            nowhere, unless that was at a step called `failed`: neither frames nor histories say in which state.

    >>> counts = counts_of([
    ...     {"step": "write", "next_step": "review"}, {"step": "review", "success": False, "next_step": "write"},
    ...     {"step": "write", "next_step": "review"}, {"step": "review"},
    ... ])
    >>> counts.steps, counts.success.tolist(), counts.failure.tolist()
    (('write', 'review'), [2, 1], [0, 1])
    >>> counts.ways[1:]  # doctest: +NORMALIZE_WHITESPACE
    (Way(source='review', succeeded=True, target='[completed]', count=1),
     Way(source='review', succeeded=False, target='write', count=1))

    Raises:
        ChainError: nothing is on record, or not of one workflow.
        TypeError: there is no history in `runs`.
    """
    attempts, name, found = read(runs)
    definition = workflow or found
    name = name or ("workflow" if definition is None else definition.name)
    return Tally(attempts, {} if definition is None else declared_steps(definition), name).counts(definition)
