"""What a person should look at: plain rules, as data, held against the lines of a monitor. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from orchestration_kit.visual.facts import duration
from orchestration_kit.widgets.monitor.lines import RunLine

if TYPE_CHECKING:
    from orchestration_kit.widgets.monitor.figures import StepFigures

AlertKind = Literal[
    "failed", "driver is gone", "silent", "waiting long", "limit is near", "step fails often", "damaged"
]


@dataclass(frozen=True, slots=True)
class AlertRules:
    """When a monitor raises an alert; None switches a rule off.

    >>> AlertRules(silent_s=60).silent_s
    60
    """

    failed_within_s: float | None = 3_600.0
    """A run failed, no longer ago than so many seconds."""
    silent_s: float | None = 300.0
    """A run in progress, driven by somebody, in which nothing happened for so many seconds."""
    waiting_s: float | None = 3_600.0
    """A run has waited for a person for so many seconds."""
    limit_share: float | None = 0.9
    """A limit of a run that goes on is used up to this share."""
    failure_rate: float | None = 0.5
    """This share of the attempts at a step failed, over the runs that are shown; of at least `least_attempts`."""
    least_attempts: int = 10

    def __post_init__(self) -> None:
        for name in ("limit_share", "failure_rate"):
            share = getattr(self, name)
            if share is not None and not 0 < share <= 1:
                raise ValueError(f"AlertRules.{name} is {share!r}; give a share, more than 0 and at most 1, or None.")


class Alert(NamedTuple):
    """Something a person should look at.

    >>> line = RunLine("monday", "site", 0.0, state="failed", reason="the server is down", finished_at=90.0)
    >>> alerts_of([line], AlertRules(), now=100.0)
    [Alert(kind='failed', run_id='monday', text='the server is down', since=90.0)]
    """

    kind: AlertKind
    run_id: str
    """Empty where it is about a step."""
    text: str
    since: float | None
    """Seconds since the epoch."""


def alerts_of(
    lines: Iterable[RunLine], rules: AlertRules, now: float, steps: Mapping[str, StepFigures] | None = None
) -> list[Alert]:
    """Return what rules find, the most recent first.

    Args:
        lines: The runs.
        rules: What to look for.
        now: Seconds since the epoch.
        steps: Figures by step, of the workflow that is looked at.
    """
    found = [alert for line in lines for alert in _of_run(line, rules, now)]
    found += _of_steps(steps or {}, rules)
    return sorted(found, key=lambda alert: (-(alert.since or now), alert.run_id, alert.kind))


def _of_run(line: RunLine, rules: AlertRules, now: float) -> Iterator[Alert]:
    if line.state == "damaged":
        yield Alert("damaged", line.run_id, f"its record is not what was written: {line.reason}", line.started_at)
    elif line.is_over:
        ended, within = line.finished_at, rules.failed_within_s
        if line.state == "failed" and within is not None and ended is not None and now - ended <= within:
            yield Alert("failed", line.run_id, line.reason or line.error or "it failed", ended)
    else:
        yield from _of_driver(line, rules, now)
        yield from _of_waits(line, rules, now)
        yield from _of_limits(line, rules)


def _of_driver(line: RunLine, rules: AlertRules, now: float) -> Iterator[Alert]:
    if line.driver_is == "dead":
        told = f"{line.driver} is gone; orchestrator.resume(...) goes on with the run"
        yield Alert("driver is gone", line.run_id, told, line.last_at)
    elif line.driver and line.state == "in_progress" and not line.waits and rules.silent_s is not None:
        silent = now - max(line.last_at, line.started_at)
        if silent >= rules.silent_s:
            told = f"nothing happened for {duration(silent)}, at {line.at or 'its first step'}"
            yield Alert("silent", line.run_id, told, line.last_at or line.started_at)


def _of_waits(line: RunLine, rules: AlertRules, now: float) -> Iterator[Alert]:
    for wait in line.waits.values() if rules.waiting_s is not None else ():
        if wait.kind == "approval" and now - wait.asked_at >= (rules.waiting_s or 0.0):
            told = f"{wait.path} has waited for a person for {duration(now - wait.asked_at)}"
            yield Alert("waiting long", line.run_id, told, wait.asked_at)


def _of_limits(line: RunLine, rules: AlertRules) -> Iterator[Alert]:
    share = rules.limit_share
    if share is None:
        return
    used = (
        ("max_steps", line.attempts, "attempts"),
        ("max_seconds", line.busy_s, "s"),
        ("max_cost_usd", line.cost_usd, "USD"),
        ("max_tokens", line.tokens, "tokens"),
    )
    for name, amount, unit in used:
        most = line.limits.get(name)
        if isinstance(most, (int, float)) and amount is not None and most > 0 and amount >= share * most:
            told = f"{name}: {amount:,.4g} of {most:,.6g} {unit} are used ({amount / most:.0%})"
            yield Alert("limit is near", line.run_id, told, line.last_at)


def _of_steps(steps: Mapping[str, StepFigures], rules: AlertRules) -> Iterator[Alert]:
    if rules.failure_rate is None:
        return
    for step, figures in steps.items():
        rate = figures.failure_rate
        if rate is not None and rate >= rules.failure_rate and figures.judged >= rules.least_attempts:
            told = f"{figures.failures:,} of {figures.judged:,} attempts at {step} failed ({rate:.0%})"
            yield Alert("step fails often", "", told, None)
