"""Random workflows of all kinds of steps, sound or not, and those that stand in a step."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from orchestration_kit.definition import (
    ApprovalStep,
    Branch,
    Budget,
    MapStep,
    ParallelStep,
    RetryPolicy,
    Step,
    SubworkflowStep,
    WaitStep,
    WorkflowDefinition,
    WorkflowStep,
)

IDS = [f"s{n}" for n in range(6)]
KEYS = ["x", "y", "s0_output", "s1_output"]
TEXTS = st.sampled_from(["", "plain", "<b>&</b>", "line\nline", "on", "1.0", "ü 日本"])
CONDITIONS = st.sampled_from([
    "output.ok", "visits < 3", "data.x > 1 && output == 'data.x'", "data.s0_output.n > 1", "data['s1_output'] == 2", "true",
    "has(data.s0_output.n)", 'output.rows.exists(r, r > data["x"])',
])  # fmt: skip
PATHS = st.sampled_from(["output", "data.x", "data.s0_output.rows", 'data["s1_output"]', "goal"])
BUDGETS = st.builds(
    Budget, max_cost_usd=st.none() | st.floats(1, 9), max_tokens=st.none() | st.integers(1, 99), reserve_usd=st.floats(0, 1), on_budget=st.none() | st.sampled_from(IDS)
)  # fmt: skip
KEY_TUPLES = st.lists(st.sampled_from(KEYS), max_size=2, unique=True).map(tuple)


@st.composite
def kinds(draw: st.DrawFn, step_id: str, ids: list[str], depth: int = 1) -> Step:
    """A step of any kind that leads to any of these ids."""
    to = st.sampled_from(ids)
    maybe = st.none() | to
    is_terminal = draw(st.booleans())
    common: dict[str, Any] = {
        "step_id": step_id, "description": draw(TEXTS), "on_success": draw(maybe), "on_failure": draw(maybe), "is_terminal": is_terminal,
        "outcome": draw(st.sampled_from(["completed", "failed"])) if is_terminal else "completed", "success_when": draw(st.none() | CONDITIONS),
        "reads": draw(KEY_TUPLES), "writes": draw(KEY_TUPLES), "compensate": draw(maybe),
    }  # fmt: skip
    choices = tuple(draw(st.lists(st.builds(Branch, when=CONDITIONS, to=to, label=TEXTS), max_size=2)))
    retry = draw(st.none() | st.builds(RetryPolicy, backoff_s=st.floats(0, 9)))
    inner = workflows(max_size=2, depth=depth - 1) if depth else st.nothing()
    kind = draw(st.sampled_from(["step", "parallel", "map", "workflow", "approval", "wait"]))
    if kind == "step":
        return WorkflowStep(
            **common, worker_type=draw(st.sampled_from(["coder", "own"])), branches=choices, retry=retry, max_retries=draw(st.integers(0, 2)),
            timeout_s=draw(st.none() | st.floats(0.1, 9)), budget=draw(st.none() | BUDGETS.filter(lambda one: one.on_budget in (None, *ids))), lock=draw(st.none() | st.just("db")), rate=draw(st.none() | st.just("10/s")),
        )  # fmt: skip
    if kind in ("parallel", "map"):
        splitting = {
            "join": draw(st.sampled_from(["all", "any", 1, 2])), "failure": draw(st.sampled_from(["fail_fast", "continue", "all_or_nothing"])),
            "reducer": draw(st.sampled_from([None, "sum", {"x": "list", "s0_output": "last"}])),
        }  # fmt: skip
        if kind == "map":
            return MapStep(
                **common,
                **splitting,
                over=draw(PATHS),
                body=draw(to | inner),
                branches=choices,
                max_items=draw(st.integers(1, 9)),
            )
        names = draw(st.lists(st.sampled_from(["left", "right", "third"]), min_size=1, max_size=3, unique=True))
        conditional = st.builds(Branch, when=CONDITIONS, to=to, label=TEXTS)
        return ParallelStep(**common, **splitting, branches={name: draw(to | conditional | inner) for name in names})
    if kind == "workflow":
        given = st.none() | PATHS | st.dictionaries(st.sampled_from(["a", "b"]), PATHS, max_size=2)
        return SubworkflowStep(
            **common,
            workflow=draw(st.sampled_from(["any", "other"])),
            input=draw(given),
            output=draw(given),
            branches=choices,
            retry=retry,
        )
    times_out = draw(st.booleans())
    waiting: dict[str, Any] = {"timeout_s": 2.5, "on_timeout": draw(maybe)} if times_out else {}
    if kind == "approval":
        schema = draw(st.sampled_from([None, bool, {"type": "object", "properties": {"x": {"enum": [1, 2]}}}]))
        return ApprovalStep(
            **common,
            **waiting,
            prompt="Sure?",
            show=tuple(draw(st.lists(PATHS, max_size=2))),
            schema=schema,
            branches=choices,
        )
    if times_out:
        return WaitStep(**common, **waiting, event="paid", branches=choices)
    zone = draw(st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]))
    until = draw(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(zone)))
    return WaitStep(**common, **draw(st.sampled_from([{"until": until}, {"for_s": 1.5}])), branches=choices)


@st.composite
def workflows(draw: st.DrawFn, max_size: int = 5, depth: int = 1, missing: bool = True) -> WorkflowDefinition:
    """Steps of all kinds with any transitions at all, sound or not; some hold workflows of their own.

    Args:
        draw: of hypothesis.
        max_size: steps at most.
        depth: how deep workflows stand in steps.
        missing: transitions may lead to a step that is not there.
    """
    ids = IDS[: draw(st.integers(1, max_size))]
    targets = [*ids, "gone"] if missing else ids
    return WorkflowDefinition(
        name=draw(st.sampled_from(["any", "flow"])),
        description=draw(TEXTS),
        goal=draw(TEXTS),
        initial_step=draw(st.sampled_from([*targets, None])) if missing else ids[0],
        steps={step_id: draw(kinds(step_id, targets, depth)) for step_id in ids},
        budget=draw(st.none() | BUDGETS) if missing else None,
    )
