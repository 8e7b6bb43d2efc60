"""Attempts become counters and histograms. Attributes name workflow, step, worker and outcome; never a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.metrics import MeterProvider

from orchestration_kit.engine.events import AttemptFinished, RunFinished
from orchestration_kit.governance.telemetry.attributes import (
    ERROR_TYPE,
    OPERATION,
    OUTCOME,
    OWN,
    REQUEST_MODEL,
    RUN_STATE,
    STEP,
    WORKER,
    WORKFLOW,
)

if TYPE_CHECKING:
    from orchestration_kit.governance.telemetry.cleaning import Cleaner

_SECONDS = [
    0.001,
    0.005,
    0.01,
    0.02,
    0.04,
    0.08,
    0.16,
    0.32,
    0.64,
    1.28,
    2.56,
    5.12,
    10.24,
    20.48,
    40.96,
    81.92,
    300,
    3600,
]
_TOKENS = [4**power for power in range(14)]
"""Both as the conventions for `gen_ai.client.*` have them, and further to both sides."""


class Meters:
    """What is counted and measured.

    - `orchestration_kit.attempt.duration` (histogram, s): its count is the number of attempts, by outcome.
    - `orchestration_kit.failures` (counter): attempts that failed, retried ones included, but none that was cancelled.
    - `orchestration_kit.runs` (counter, by state)
    - `gen_ai.client.token.usage` (histogram, by `gen_ai.token.type`) and `orchestration_kit.cost` (counter, USD). Each
      token is counted once: by the attempt that reported it, not by the model call or the sub-workflow within.
    """

    def __init__(self, provider: MeterProvider, version: str, cleaner: Cleaner) -> None:
        meter = provider.get_meter("orchestration_kit", version)
        self._label = cleaner.label
        self._failures = meter.create_counter(OWN + "failures", "{attempt}", "Attempts that failed.")
        self._duration = meter.create_histogram(
            OWN + "attempt.duration",
            "s",
            "Time of an attempt: a call of a worker, or a step without one.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self._runs = meter.create_counter(OWN + "runs", "{run}", "Runs that have ended.")
        self._tokens = meter.create_histogram(
            "gen_ai.client.token.usage",
            "{token}",
            "Number of input and output tokens used.",
            explicit_bucket_boundaries_advisory=[float(bound) for bound in _TOKENS],
        )
        self._cost = meter.create_counter(OWN + "cost", "USD", "What attempts cost.")
        self._attributes: dict[tuple[str, str, str | None, str], dict[str, str]] = {}

    def attempt(self, workflow: str, event: AttemptFinished, outcome: str) -> None:
        """Count an attempt."""
        key = (workflow, event.step, event.worker, outcome)
        found = self._attributes.get(key)
        if found is None:
            label = self._label
            found = {WORKFLOW: label(workflow), STEP: label(event.step), OUTCOME: outcome}
            if event.worker is not None:
                found[WORKER] = label(event.worker)
            if len(self._attributes) < 10_000:
                self._attributes[key] = found
        self._duration.record(max(0.0, event.duration_s), found)
        if event.error is not None and outcome != "cancelled":
            self._failures.add(1, {**found, ERROR_TYPE: self._label(event.error.type)})
        if event.usage is not None and event.worker_type != "workflow":
            self._used(found, event.usage)

    def _used(self, found: dict[str, str], usage: dict[str, Any]) -> None:
        attributes = {**found, OPERATION: "invoke_agent"}
        if usage.get("model"):
            attributes[REQUEST_MODEL] = self._label(str(usage["model"]))
        for kind in ("input", "output"):
            tokens = usage.get(f"{kind}_tokens") or 0
            if tokens:
                self._tokens.record(tokens, {**attributes, "gen_ai.token.type": kind})
        if usage.get("cost_usd"):
            self._cost.add(usage["cost_usd"], attributes)

    def run(self, workflow: str, event: RunFinished) -> None:
        """Count a run that has ended."""
        self._runs.add(1, {WORKFLOW: self._label(workflow), RUN_STATE: event.state})
