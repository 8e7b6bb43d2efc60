"""What it costs to ask first: the time from a plan to its verdict, with one rule, a hundred, and SQL to parse."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import Any

from benchmarks.harness import WrongResult, quiet_collector
from benchmarks.table import Row
from orchestration_kit.governance.constraints import ConstraintEngine, create_default_engine
from orchestration_kit.governance.rules import CostRule, LeakRule, RateRule, SequenceRule, UrlRule, rule
from orchestration_kit.governance.rules.sql_reading import read_sql
from orchestration_kit.governance.rules.sql_text import text_problem

ROUNDS = 20_000
CALL = {
    "action_type": "api_call",
    "action_data": {
        "url": "https://api.example.com/v1/users?page=2",
        "method": "GET",
        "headers": {"Accept": "text/html"},
    },
    "cost": 0.01,
}
QUERY = "SELECT u.name, COUNT(*) AS n FROM users u JOIN orders o ON o.user_id = u.id WHERE u.id = {0} GROUP BY u.name"


def rows(*, rounds: int = ROUNDS) -> list[Row]:
    """Measure, and return the rows of the table."""
    one = ConstraintEngine([UrlRule(domains=["example.com"])])
    hundred = ConstraintEngine([UrlRule(domains=["example.com"]), *_further(99)])
    default = create_default_engine(allowed_domains=["example.com"])
    again = [_sql(7)] * rounds
    fresh = [_sql(number) for number in range(max(rounds // 40, 100))]
    return [
        _row("a plan against 1 rule, p50", one, [CALL] * rounds, 0.50, 0.02),
        _row("a plan against 100 rules, p99", hundred, [CALL] * (rounds // 4), 0.99, 0.11),
        _row("a plan against the default engine, p50", default, [CALL] * rounds, 0.50, None),
        _row("a SQL plan that was seen before, p50", default, again, 0.50, 0.5),
        _row("a SQL plan that is new, p50", default, fresh, 0.50, 0.5),
    ]


def _further(count: int) -> list[Any]:
    """Return rules that all look at the call: of each kind some, functions among them."""
    found: list[Any] = []
    for number in range(count):
        name = f"rule {number}"
        match number % 5:
            case 0:
                found.append(CostRule(max_cost=1.0 + number, name=name))
            case 1:
                found.append(SequenceRule(f"label {number}", name=name))
            case 2:
                found.append(
                    UrlRule(domains=["example.com", f"{number}.example.com"], name=name) if number < 50 else _own(name)
                )
            case 3:
                found.append(RateRule(most=100, within_s=60.0, name=name))
            case _:
                found.append(_own(name) if number != 4 else LeakRule(name=name))
    return found


def _own(name: str) -> Any:
    @rule(name)
    def no_internal_pages(plan: Any) -> str | None:
        return "it is internal" if "/internal/" in plan["action_data"]["url"] else None

    return no_internal_pages


def _sql(number: int) -> dict[str, Any]:
    return {"action_type": "sql_query", "action_data": {"query": QUERY.format(number)}, "cost": 0.0}


def _row(title: str, engine: ConstraintEngine, plans: Sequence[Any], quantile: float, goal_ms: float | None) -> Row:
    took_ms = measured(engine, plans, quantile)
    goal = "-" if goal_ms is None else f"<= {goal_ms:g} ms"
    return Row(title, figure=f"{took_ms:.4f} ms", goal=goal, met=None if goal_ms is None else took_ms <= goal_ms)


def measured(engine: ConstraintEngine, plans: Sequence[Any], quantile: float) -> float:
    """Return a quantile of the time from a plan to its verdict, in milliseconds."""
    if not engine.validate_plan(plans[0]).approved:
        raise WrongResult(f"a plan is denied: {engine.validate_plan(plans[0]).reason}")
    read_sql.cache_clear()
    text_problem.cache_clear()
    history = [{"action_type": "api_call", "action_data": {}, "cost": 0.01, "at": 1.0, "labels": []}] * 3
    validate, took = engine.validate_plan, []
    with quiet_collector():
        for plan in plans:
            began = perf_counter()
            verdict = validate(plan, history=history, now=1_000.0)
            took.append(perf_counter() - began)
            if not verdict:
                raise WrongResult(f"a plan is denied: {verdict.reason}")
    took.sort()
    return 1_000 * took[min(int(quantile * len(took)), len(took) - 1)]
