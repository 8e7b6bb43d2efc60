"""A chain and some other figures become another chain: what if a worker were better, or a step tried once more?

Nothing is run and nothing sampled: the other chain is solved like the first one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from orchestration_kit.errors import did_you_mean, listed
from orchestration_kit.reliability.chain import Chain, ChainStep, Took
from orchestration_kit.reliability.errors import ChainError
from orchestration_kit.reliability.rates import Rates, rates_book, shares_to

if TYPE_CHECKING:
    import numpy as np

    from orchestration_kit.reliability.fitting import Draws

    Array = np.ndarray[Any, Any]

_OF_WORKFLOWS = ("branches", "items")
_AMOUNTS = ("time_s", "tokens", "cost_usd")


@dataclass(frozen=True, slots=True)
class Change:
    """What is other at a step; None, or nothing, is as it was."""

    success: float | None = None
    took: Mapping[str, float] | None = None
    after_success: Mapping[str, float] | None = None
    after_failure: Mapping[str, float] | None = None
    retries: int | None = None


def changes_of(
    chain: Chain, rates: Rates | None = None, *, retries: Mapping[str, int] | None = None
) -> dict[str, Change]:
    """Return what is other at which step.

    Raises:
        ChainError: a step or worker that is not there, or a figure that is none.
    """
    steps = chain.steps
    workers = [name for step in steps.values() for name in (step.worker, step.worker_type) if name]
    names = list(dict.fromkeys([*steps, *workers]))
    book = rates_book(chain.workflow, rates, names)
    for key, given in book.given.items():
        strange = [name for name in _OF_WORKFLOWS if name in given]
        if strange:
            reason = (
                f"the rates of {key!r} have {strange[0]!r}, which a chain has no more: a join is one step of it. "
                "Give its success, or make another chain of the workflow: reliability(workflow, rates)."
            )
            raise ChainError(chain.workflow, reason)
    more = _retries(chain, names, retries)
    found: dict[str, Change] = {}
    for step_id, step in steps.items():
        given = book.of(step_id, step.worker, step.worker_type)
        tried = next((more[key] for key in (step_id, step.worker, step.worker_type) if key in more), None)
        change = Change(
            success=given.get("success"),
            took={name: given[name] for name in _AMOUNTS if name in given} or None,
            after_success=_shares(chain, step_id, given.get("to"), step.after_success),
            after_failure=_shares(chain, step_id, given.get("to_after_failure"), step.after_failure),
            retries=tried,
        )
        if change != Change():
            found[step_id] = change
    return found


def _shares(chain: Chain, step_id: str, given: Any, ways: Mapping[str, float]) -> dict[str, float] | None:
    return None if given is None else shares_to(chain.workflow, step_id, given, ways)


def _retries(chain: Chain, names: list[str], retries: Any) -> dict[str | None, int]:
    given: Any = {} if retries is None else retries
    if not isinstance(given, Mapping):
        example = 'retries={"review_code": 2}'
        raise ChainError(chain.workflow, f"retries are a mapping such as {example}, not {type(given).__name__}.")
    found: dict[str | None, int] = {}
    for key, value in cast("Mapping[Any, Any]", given).items():
        if str(key) not in names:
            hint = did_you_mean(str(key), names)
            reason = f"retries name {str(key)!r}, which is no step, worker or type of worker of it.{hint}"
            raise ChainError(chain.workflow, f"{reason} There is: {listed(names, 20)}.")
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise ChainError(chain.workflow, f"retries of {str(key)!r} are {value!r:.80}; give 0 or more.")
        found[str(key)] = value
    return found


def changed_chain(chain: Chain, changes: Mapping[str, Change]) -> Chain:
    """Return the chain with the changes made."""
    return chain.with_steps({step_id: _changed(chain.steps[step_id], change) for step_id, change in changes.items()})


def _changed(step: ChainStep, change: Change) -> ChainStep:
    took = change.took or {}
    return replace(
        step,
        success=step.success if change.success is None else change.success,
        after_success=change.after_success or step.after_success,
        after_failure=change.after_failure or step.after_failure,
        retries=step.retries if change.retries is None else change.retries,
        on_success=_other(step.on_success, took),
        on_failure=_other(step.on_failure, took),
    )


def _other(took: Took, given: Mapping[str, float]) -> Took:
    return replace(took, **given) if given else took


def changed_draws(draws: Draws, changes: Mapping[str, Change], hopeful: Array) -> Draws:
    """Return draws of the chain with the changes made: what is changed is known, the rest as uncertain as it was."""
    structure, success, ways, took = draws.structure, draws.success.copy(), draws.ways.copy(), draws.took.copy()
    retries = structure.retries.copy()
    names = {at: name for name, at in structure.places.items()}
    for step_id, change in changes.items():
        at = structure.places[step_id]
        if change.success is not None:
            success[:, at] = change.success
        if change.retries is not None:
            retries[at] = change.retries
        for measure, name in enumerate(_AMOUNTS):
            if change.took and name in change.took:
                took[:, at, :, measure] = change.took[name]
        for succeeded, shares in ((True, change.after_success), (False, change.after_failure)):
            if shares is not None:
                of_step = (structure.source == at) & (structure.succeeded == succeeded)
                for way in of_step.nonzero()[0].tolist():
                    ways[:, way] = shares.get(names[int(structure.target[way])], 0.0)
    return replace(
        draws, structure=replace(structure, retries=retries), success=success, ways=ways, took=took, hopeful=hopeful
    )
