"""What a caller says of workers and steps becomes checked figures, found by step, by worker, or by type of worker."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, cast

from orchestration_kit.errors import did_you_mean, listed
from orchestration_kit.reliability.errors import ChainError

_AMOUNTS = ("time_s", "tokens", "cost_usd")
_SHARES = ("to", "to_after_failure", "branches")
FIELDS = ("success", *_AMOUNTS, *_SHARES, "items")
_SLACK = 1e-6
"""How far from 1 shares may sum that somebody typed: 0.333 three times."""

Rates = Mapping[str, Any]
"""By step id, worker name or worker type: a probability of success, or a mapping with some of `FIELDS`."""


@dataclass(frozen=True, slots=True)
class RatesBook:
    """Rates by key, checked."""

    workflow: str
    given: Mapping[str, Mapping[str, Any]]

    def of(self, step_id: str, worker: str | None, worker_type: str | None) -> dict[str, Any]:
        """Return what is said of a step: of itself first, then of its worker, then of the worker's type."""
        found: dict[str, Any] = {}
        for key in (worker_type, worker, step_id):
            found |= self.given.get(key, {}) if key is not None else {}
        return found


def rates_book(workflow: str, rates: Rates | None, known: Iterable[str]) -> RatesBook:
    """Check rates.

    Args:
        workflow: Its name, for messages.
        rates: What the caller gave.
        known: Steps, workers and types of workers that there are.

    Raises:
        ChainError: a key, a field or a value that is none.
    """
    given: Any = {} if rates is None else rates
    if not isinstance(given, Mapping):
        reason = f'rates are a mapping such as {{"coder": {{"success": 0.8}}}}, not {type(rates).__name__}.'
        raise ChainError(workflow, reason)
    names = list(dict.fromkeys(known))
    checked: dict[str, Mapping[str, Any]] = {}
    for key, value in cast("Mapping[Any, Any]", given).items():
        name = str(key)  # a WorkerType is text
        if name not in names:
            hint = did_you_mean(name, names)
            reason = f"rates name {name!r}, which is no step, worker or type of worker of it.{hint}"
            raise ChainError(workflow, f"{reason} There is: {listed(names, 20)}.")
        checked[name] = MappingProxyType(_checked(workflow, f"the rates of {name!r}", value))
    return RatesBook(workflow, MappingProxyType(checked))


def _checked(workflow: str, where: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        return {"success": _probability(workflow, where, "success", value)}
    found: dict[str, Any] = {}
    for name, one in cast("Mapping[Any, Any]", value).items():
        if name not in FIELDS:
            hint = did_you_mean(str(name), FIELDS)
            raise ChainError(workflow, f"{where} have {name!r}.{hint} They may have: {listed(FIELDS)}.")
        if name == "success":
            found[name] = _probability(workflow, where, name, one)
        elif name in _AMOUNTS:
            if not _is_number(one) or not 0 <= one < math.inf:
                raise ChainError(workflow, f"{where} have {name}={one!r:.80}; give a finite number, 0 or more.")
            found[name] = float(one)
        elif name == "items":
            if isinstance(one, bool) or not isinstance(one, int) or one < 0:
                raise ChainError(workflow, f"{where} have items={one!r:.80}; give how many items there are.")
            found[name] = one
        else:
            if not isinstance(one, Mapping):
                example = f'{name}={{"some_step": 0.9, "another": 0.1}}'
                raise ChainError(workflow, f"{where} have {name}={one!r:.80}; give shares such as {example}.")
            shares = cast("Mapping[Any, Any]", one)
            found[name] = {str(to): _probability(workflow, where, f"{name}[{to!r}]", p) for to, p in shares.items()}
    return found


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _probability(workflow: str, where: str, name: str, value: Any) -> float:
    value = value.item() if hasattr(value, "item") else value  # of numpy
    if not _is_number(value) or not 0 <= value <= 1:
        raise ChainError(workflow, f"{where} have {name}={value!r:.80}; give a probability from 0 to 1.")
    return float(value)


def shares_to(workflow: str, step_id: str, given: Mapping[str, float], ways: Iterable[str]) -> dict[str, float]:
    """Return the shares of a step's ways on, those not named 0.

    Raises:
        ChainError: it has no such way, or they do not sum to 1.
    """
    known = list(ways)
    for target in given:
        if target not in known:
            hint = did_you_mean(target, known)
            raise ChainError(
                workflow, f"step {step_id!r} does not lead to {target!r}.{hint} It leads to: {listed(known)}."
            )
    total = sum(given.values())
    if abs(total - 1) > _SLACK:
        reason = f"the shares of where {step_id!r} leads, {dict(given)!r:.200}, sum to {total:g}; let them sum to 1."
        raise ChainError(workflow, reason)
    return {target: given[target] / total for target in known if given.get(target)}
