"""Runs and histories for the tests of this folder."""

from __future__ import annotations

import io
from typing import Any

import pandas as pd
from hypothesis import strategies as st

from orchestration_kit import Branch, RetryPolicy, WorkflowContext
from orchestration_kit.definition.conditions import Evaluated
from orchestration_kit.engine.data import Changes
from orchestration_kit.engine.events import AttemptFinished, ErrorInfo, RunStarted
from orchestration_kit.testing import FakeClock, ScriptedWorker
from tests.support import hub_of, step, workflow_of


def site_hub(reviews: list[Any], **steps: Any) -> Any:
    """A hub with a workflow that plans, codes, has it reviewed (two retries, each after 2 s, 4 s) and is done."""
    clock = FakeClock()
    script = ScriptedWorker(*reviews)

    def plan(goal):
        clock.advance(1)
        return {"pages": ["home"]}

    def code(_, context):
        clock.advance(1.5)
        context.add_usage(input_tokens=100, output_tokens=20, cost_usd=0.01, model="model-1")
        context.data["files"] = [*context.data.get("files", []), context.visit]
        return {"code": f"v{context.visit}"}

    def review(given, context):
        clock.advance(0.5)
        return script(given, context)

    workflow = workflow_of(
        step("plan", "code"),
        step("code", "review", branches=[Branch(when="visits > 2", to="done")]),
        step("review", "done", max_retries=2, retry=RetryPolicy(backoff_s=2.0), success_when="output.ok", on_failure="code"),
        step("done"),
        name="site",
    )  # fmt: skip
    return hub_of(workflow, {"plan": plan, "code": code, "review": review}, clock=clock)


def site_run(*reviews: Any, run_id: str = "run-a", **options: Any) -> WorkflowContext:
    """Such a run; each review is what the reviewer returns or raises."""
    return site_hub(list(reviews)).execute_workflow("site", "goal", verbose=False, run_id=run_id, **options)


OK, NO = {"ok": True}, {"ok": False}


def record(seq: int = 1, step: str = "a", **fields: Any) -> AttemptFinished:
    """A record: a successful first attempt unless said otherwise."""
    plain: dict[str, Any] = {
        "seq": seq, "scope": "", "step": step, "visit": 1, "attempt": 1, "worker": "w", "worker_type": "t",
        "input": None, "output": None, "error": None, "started_at": 1_000.0 + seq, "duration_s": 0.5,
        "next_step": None, "retry_in_s": None, "changes": None, "evaluated": (), "usage": None,
    }  # fmt: skip
    return AttemptFinished(**{**plain, **fields})


def events(*records: AttemptFinished, run: str = "run", data: dict[str, Any] | None = None) -> list[Any]:
    """The events of a run that goes on."""
    return [RunStarted(run, "flow", "f", "goal", data or {}, run, 1_000.0), *records]


def parquet(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame, written to Parquet and read back."""
    file = io.BytesIO()
    frame.to_parquet(file)
    file.seek(0)
    return pd.read_parquet(file)


def assert_survives_parquet(frame: pd.DataFrame) -> None:
    """Equal dtypes and values after a round trip. Of an all-missing category, Parquet keeps no categories."""
    back = parquet(frame)
    assert dtypes(back) == dtypes(frame)
    held = [name for name in frame if dtypes(frame)[name] != "category" or frame[name].notna().any()]
    pd.testing.assert_frame_equal(back[held], frame[held])
    assert back.drop(columns=held).isna().all(axis=None)


def rows(frame: pd.DataFrame) -> list[list[Any]]:
    return [list(row) for row in frame.itertuples(index=False, name=None)]


def dtypes(frame: pd.DataFrame) -> dict[str, str]:
    return {str(name): str(dtype) for name, dtype in frame.dtypes.items()}


NAMES = st.text(max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
_USAGE = st.fixed_dictionaries(
    {
        "input_tokens": st.integers(0, 2**70),
        "output_tokens": st.integers(0, 9),
        "cost_usd": st.floats(0),
        "model": st.none() | NAMES,
    }
)


@st.composite
def recorded_events(draw: st.DrawFn) -> list[Any]:
    """The events of any run whatever, sound or not."""
    found: list[AttemptFinished] = []
    for seq in range(1, draw(st.integers(0, 6)) + 1):
        failed = draw(st.booleans())
        found.append(
            record(
                seq,
                draw(st.sampled_from(["a", "b", "c"])),
                scope=draw(st.sampled_from(["", "", "map#1[0]/", "map#1[1]/"])),
                visit=draw(st.integers(1, 2)),
                attempt=draw(st.integers(1, 2)),
                worker=draw(st.none() | NAMES),
                input=draw(VALUES),
                output=draw(VALUES),
                error=ErrorInfo(draw(NAMES), draw(NAMES)) if failed else None,
                started_at=draw(st.floats()),
                duration_s=draw(st.floats(0, 1e9)),
                next_step=draw(st.none() | st.sampled_from(["a", "b"])),
                retry_in_s=draw(st.none() | st.floats(0, 9)) if failed else None,
                changes=draw(st.none() | st.builds(Changes, st.dictionaries(NAMES, VALUES, max_size=2), st.just(()))),
                evaluated=tuple(draw(st.lists(st.builds(Evaluated, NAMES, st.just({}), st.booleans()), max_size=2))),
                usage=draw(st.none() | _USAGE),
            )
        )
    return events(*found, data=draw(st.dictionaries(NAMES, VALUES, max_size=2)))
