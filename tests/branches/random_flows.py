"""Random workflows with branches, and workers whose outcomes hang on nothing but where they are called."""

from __future__ import annotations

import asyncio
import random
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from orchestration_kit import (
    ApprovalStep,
    Branch,
    MapStep,
    ParallelStep,
    RetryPolicy,
    Spawn,
    SubworkflowStep,
    WorkflowDefinition,
    WorkflowStep,
)
from tests.branches.doors import add_workers, flow_of, hub_of
from tests.support import step

INTEGER_REDUCERS = ("first", "last", "sum", "min", "max")
INNER = flow_of(step("x", "y", worker_type="w"), step("y", worker_type="w"), name="inner")
MADE = flow_of(
    MapStep(step_id="mm", over="data.items", body="xx", failure="continue", reducer="first", on_success="yy"), step("xx", worker_type="w", is_terminal=False),
    step("yy", worker_type="w"), name="made",
)  # fmt: skip


class Made:
    """A workflow as it grows."""

    def __init__(self, draw: Any, *, races: bool) -> None:
        self.draw, self.races = draw, races
        self.steps: dict[str, Any] = {}

    def name(self, kind: str) -> str:
        return f"{kind}{len(self.steps)}"

    def chain(self, depth: int, *, is_sure: bool, in_map: bool) -> str:
        """Some steps in a row; return the first. With `is_sure` none of them can fail."""
        count = self.draw(st.integers(1, 3 if depth == 2 else 2))
        ids = [self.one(depth, is_sure=is_sure, in_map=in_map) for _ in range(count)]
        for this, following in pairwise(ids):
            self.steps[this] = self.steps[this].model_copy(update={"on_success": following})
        return ids[0]

    def one(self, depth: int, *, is_sure: bool, in_map: bool) -> str:
        draw = self.draw
        kinds = (
            ["work", "work", "work", "loop", "ask", "sub", "spawn"]
            if is_sure
            else ["work", "fail", "fail", "retry", "loop", "ask", "sub"]
        )
        if depth:
            kinds += ["parallel", "map"] * 3
        kind = draw(st.sampled_from(kinds))
        step_id = self.name({"work": "s", "fail": "f", "retry": "r"}.get(kind, kind[0]))
        self.steps[step_id] = None
        made: Any
        if kind == "parallel":
            made = self.splitting(step_id, depth, is_sure=is_sure, in_map=in_map)
        elif kind == "map":
            made = self.splitting(step_id, depth, is_sure=is_sure, in_map=True, is_map=True)
        elif kind == "ask":
            made = ApprovalStep(step_id=step_id, prompt="?")
        elif kind == "sub":
            made = SubworkflowStep(step_id=step_id, workflow="inner")
        else:
            more: dict[str, Any] = {}
            if kind == "loop":
                more["branches"] = (Branch(when=f"visits < {draw(st.integers(2, 3))}", to=step_id),)
            if kind == "retry":
                more |= {
                    "max_retries": 2,
                    "retry": RetryPolicy(backoff_s=draw(st.sampled_from([0.0, 1.5])), jitter=0.5),
                }
            if kind == "fail" and draw(st.booleans()):
                more["on_failure"] = self.plain("s")
            if draw(st.integers(0, 3)) == 0:
                more["compensate"] = self.plain("s")
            worker = "spawn" if kind == "spawn" else "adds" if in_map and draw(st.integers(0, 3)) == 0 else "w"
            made = WorkflowStep(step_id=step_id, worker_type=worker, **more)
        self.steps[step_id] = made
        return step_id

    def plain(self, letter: str) -> str:
        step_id = self.name(letter)
        self.steps[step_id] = WorkflowStep(step_id=step_id, worker_type="w")
        return step_id

    def splitting(self, step_id: str, depth: int, *, is_sure: bool, in_map: bool, is_map: bool = False) -> Any:
        draw = self.draw
        failure = draw(st.sampled_from(["continue", "fail_fast", "all_or_nothing"]))
        inner_sure = is_sure or (failure != "continue" and not self.races)
        reducers = [*INTEGER_REDUCERS] if inner_sure else [*INTEGER_REDUCERS, None]
        common: dict[str, Any] = {
            "step_id": step_id, "failure": failure, "reducer": draw(st.sampled_from(reducers)), "max_concurrency": draw(st.sampled_from([1, 2, 10])),
            "join": draw(st.sampled_from(["all", "any", 1, 2])) if self.races else "all",
        }  # fmt: skip
        if is_map:
            over = (
                draw(st.sampled_from(["data.items", "data.few", "data.none"]))
                if not inner_sure or failure != "continue"
                else "data.items"
            )
            return MapStep(**common, over=over, body=self.chain(depth - 1, is_sure=inner_sure, in_map=in_map))
        branches: dict[str, Any] = {}
        for name in draw(st.permutations(["a", "b", "c"]))[: draw(st.integers(1, 3))]:
            first = self.chain(depth - 1, is_sure=inner_sure, in_map=in_map)
            when = draw(st.sampled_from([None, None, "data.flag == 1", "data.flag == 0"])) if branches else None
            branches[name] = first if when is None else Branch(when=when, to=first)
        if isinstance(common["join"], int):
            common["join"] = min(common["join"], len(branches))
        return ParallelStep(**common, branches=branches)


@st.composite
def flows(draw: st.DrawFn, *, races: bool = False) -> WorkflowDefinition:
    """A sound workflow; without `races` no outcome hangs on who comes first."""
    made = Made(draw, races=races)
    first = made.chain(2, is_sure=False, in_map=False)
    steps = made.steps
    at = first
    while steps[at].on_success is not None:
        at = steps[at].on_success
    end = made.plain("s")
    steps[at] = steps[at].model_copy(update={"on_success": end})
    steps[end] = steps[end].model_copy(update={"is_terminal": True})
    aside = {
        step_id: one.model_copy(update={"is_terminal": True})
        for step_id, one in steps.items()
        if one.on_success is None and not one.bodies
    }
    return WorkflowDefinition(name="flow", initial_step=first, steps={**steps, **aside})


DATA = {"items": [3, 1, 2], "few": [5], "none": [], "flag": 1}


def outcome(salt: int, context: Any, given: Any, *, adds: bool = False) -> Any:
    """What a worker gives, or raises: the same wherever and whenever this attempt is made."""
    here = random.Random(f"{salt}|{context.path}|{context.attempt}")
    letter = context.current_step[0]
    if letter == "f" and here.random() < 0.35:
        raise ValueError(f"no at {context.path}")
    if letter == "r" and here.random() < 0.5:
        raise OSError(f"not yet at {context.path}")
    if here.random() < 0.3:
        context.data["x"] = here.randint(0, 2)
    if here.random() < 0.1:
        context.data["y"] = here.randint(0, 1)
    if here.random() < 0.05:
        context.data.pop("flag_too", None)
    if adds and here.random() < 0.5 and context.path.count(".") < 2:
        context.add_item(here.randint(0, 9))
    seen = [entry["path"] for entry in context.history]
    return {
        "at": context.path,
        "from": len(str(given)) % 7,
        "seen": hash_of(seen),
        "x": context.data.get("x"),
        "last": len(str(context.get_last_output())),
    }


def hash_of(value: Any) -> int:
    import zlib

    return zlib.crc32(repr(value).encode())


def hub_for(
    flow: WorkflowDefinition, salt: int, *, turns: Any = None, timing: int | None = None, **options: Any
) -> Any:
    """A hub with the flow. Workers take their turns on threads, or some virtual time in a loop, or none by hand."""

    def sync(adds: bool) -> Any:
        def work(given: Any, context: Any) -> Any:
            if turns is not None and context.path in turns_of(context):
                turns.hold(context.path)
            return outcome(salt, context, given, adds=adds)

        return work

    def turns_of(context: Any) -> tuple[str, ...]:
        return (context.path,) if turns is not None and context.workflow_id == turns.run.run_id else ()

    def async_(adds: bool) -> Any:
        async def work(given: Any, context: Any) -> Any:
            here = random.Random(f"{timing}|{context.path}|{context.attempt}")
            await asyncio.sleep(here.choice([0, 0, 1, 1, 2, 3, 5]))
            return outcome(salt, context, given, adds=adds)

        return work

    make = sync if timing is None else async_
    hub = hub_of([INNER], {}, **options)
    add_workers(hub, {"w": make(False), "adds": make(True), "spawn": lambda _: Spawn(MADE)})
    hub.register_workflow(flow)
    return hub


def answer(run: Any) -> None:
    """Answer whatever is asked, by its position; some are turned down."""
    for request in run.waiting:
        here = random.Random(f"{request.run_id}|{request.path}")
        if request.path.rpartition("/")[2][0] == "a" and here.random() < 0:
            run.reject("no", request)
        else:
            run.approve(len(request.path), request)
