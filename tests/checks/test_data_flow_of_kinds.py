"""What is certain to be written around branches, maps and compensations."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration_kit.checks import Problem
from orchestration_kit.checks.data_flow import data_flow
from orchestration_kit.definition import (
    ApprovalStep,
    Branch,
    Budget,
    MapStep,
    ParallelStep,
    SubworkflowStep,
    WaitStep,
    WorkflowDefinition,
)
from tests.laws import examples
from tests.support import step, workflow_of


def early(workflow: WorkflowDefinition) -> list[Problem]:
    return [p for p in data_flow(workflow) if p.code == "read-before-write"]


def last(step_id: str, **fields):
    return step(step_id, None, is_terminal=False, **fields)


def forked(*keys: str, **fields) -> WorkflowDefinition:
    """Branch x writes k, branch y writes l; the step after the join reads keys."""
    return workflow_of(
        step("first", "p", writes=("f",)), ParallelStep(step_id="p", **{"branches": {"x": "x", "y": "y"}, "on_success": "after", **fields}),
        last("x", writes=("k",), reads=("f", "first_output")), step("y", "z", writes=("l",)), last("z"), step("after", reads=keys),
    )  # fmt: skip


def test_a_branch_sees_what_was_written_before_and_the_join_brings_what_all_branches_wrote():
    assert early(forked("f", "k", "l", "p_output", "x_output", "z_output")) == []


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({"join": "any"}, ()), ({"join": 2}, ()), ({"failure": "continue"}, ()), ({"failure": "all_or_nothing"}, ("k", "l")),
        ({"branches": {"x": Branch(when="output.x", to="x"), "y": "y"}}, ("l",)),
    ],
)  # fmt: skip
def test_what_a_branch_wrote_is_certain_only_if_it_had_to_come_to_its_end(fields, kept):
    problems = early(forked("k", "l", "p_output", **fields))
    missing = [key for key in ("k", "l") if key not in kept]
    assert [p.message for p in problems] == [
        f"Step 'after' reads {', '.join(missing)}, which not every path to it has written"
    ] * bool(missing)


def test_a_branch_does_not_see_what_another_one_writes():
    flow = forked().replace("z", reads=("k", "l"))
    assert [p.message for p in early(flow)] == ["Step 'z' reads k, which not every path to it has written"]


def test_a_branch_that_may_end_early_brings_what_each_of_its_ends_has_written():
    flow = workflow_of(
        ParallelStep(step_id="p", branches={"x": "x"}, on_success="after"), step("x", "y", writes=("k",), branches=[Branch(when="visits > 1", to="z")]),
        last("y", writes=("l", "m")), last("z", writes=("m",), on_failure="bad"), step("bad", outcome="failed"), step("after", reads=("k", "l", "m")),
    )  # fmt: skip
    assert [p.message for p in early(flow)] == ["Step 'after' reads l, which not every path to it has written"]


def test_an_output_that_two_branches_may_write_is_none_that_is_certain():
    flow = workflow_of(
        ParallelStep(step_id="p", branches={"x": "w", "y": "w"}, on_success="after"),
        last("w"),
        step("after", reads=("w_output",)),
    )
    assert len(early(flow)) == 1


def test_after_a_failed_join_nothing_of_the_branches_is_there():
    flow = forked(on_failure="sorry")
    flow.add_step(step("sorry", reads=("p_output", "f", "k")))
    assert [p.message for p in early(flow)] == ["Step 'sorry' reads k, which not every path to it has written"]


def test_a_map_brings_its_output_and_no_writes_since_it_may_be_over_nothing():
    flow = workflow_of(
        step("a", "m", writes=("items",)), MapStep(step_id="m", over="data.items", body="each", on_success="after"), last("each", writes=("k",), reads=("items",)),
        step("after", reads=("m_output", "k", "each_output")),
    )  # fmt: skip
    assert [p.message for p in early(flow)] == [
        "Step 'after' reads k, each_output, which not every path to it has written"
    ]


def test_joins_within_branches_bring_what_they_brought():
    inner = workflow_of(
        ParallelStep(step_id="q", branches={"u": "u", "v": "v"}, is_terminal=True),
        last("u", writes=("k",)),
        last("v"),
        name="inner",
    )
    flow = workflow_of(
        ParallelStep(step_id="p", branches={"x": inner}, on_success="after"),
        step("after", reads=("k", "q_output", "u_output")),
    )
    assert early(flow) == []


def test_steps_of_inline_workflows_read_and_write_the_data_of_the_branch():
    inner = workflow_of(step("i", "j", reads=("f",), writes=("k",)), last("j", reads=("k", "z")), name="inner")
    flow = workflow_of(step("first", "m", writes=("f",)), MapStep(step_id="m", body=inner, is_terminal=True))
    [problem] = early(flow)
    assert problem.steps == ("m",)
    assert problem.message == "In the body of step 'm': Step 'j' reads z, which not every path to it has written"
    assert not [p for p in data_flow(flow) if p.code == "never-read"]


def test_a_compensation_sees_what_its_step_wrote():
    flow = workflow_of(
        step("a", "b", writes=("k",), compensate="undo"),
        step("b", writes=("l",)),
        last("undo", reads=("k", "a_output", "l")),
    )
    assert [p.message for p in early(flow)] == ["Step 'undo' reads l, which not every path to it has written"]


def test_after_a_timeout_or_a_spent_budget_the_step_left_nothing():
    flow = workflow_of(
        WaitStep(step_id="w", event="e", timeout_s=1, on_timeout="late", on_success="s"), step("s", budget=Budget(max_tokens=1, on_budget="late")),
        step("late", reads=("s_output", "w_output")),
    )  # fmt: skip
    assert len(early(flow)) == 1


@pytest.mark.parametrize(
    "asking",
    [
        MapStep(step_id="q", over="data.b_output.rows", body="b", on_success="b"), ApprovalStep(step_id="q", prompt="?", show=("output", "data.k"), on_success="b"),
        SubworkflowStep(step_id="q", workflow="w", input="data.b_output", on_success="b"), SubworkflowStep(step_id="q", workflow="w", input={"a": "data.k"}, on_success="b"),
    ],
)  # fmt: skip
def test_paths_to_what_only_a_later_step_writes_are_told(asking):
    [problem] = early(workflow_of(asking, step("b", writes=("k",), reads=("k",))))[:1]
    assert problem.steps == ("q",)


def test_paths_to_what_nobody_declares_are_taken_as_initial_data():
    assert (
        list(data_flow(workflow_of(MapStep(step_id="m", over="data.items", body="x", is_terminal=True), last("x"))))
        == []
    )


def test_what_a_condition_or_a_path_looks_at_is_read():
    flow = workflow_of(
        step("a", "m", writes=("n", "items", "c")), MapStep(step_id="m", over="data.items", body="x", on_success="end", branches=(Branch(when="data.n > 1", to="end"),)),
        last("x"), step("end"),
    )  # fmt: skip
    assert [(p.steps, p.message) for p in data_flow(flow)] == [(("a",), "Written but never read by a step: c")]


def test_a_thousand_branches_within_branches_are_followed_without_recursion():
    steps = [ParallelStep(step_id=f"p{n}", branches={"x": f"p{n + 1}"}, is_terminal=n == 0) for n in range(1_000)]
    flow = workflow_of(*steps, last("p1000", writes=("k",), reads=("k",)))
    assert len(early(flow)) == 1


# --- a law: what is not told was written, however a run goes

KEYS = ["x", "y", "s1_output", "s2_output", "s3_output"]
SOME = st.lists(st.sampled_from(KEYS), max_size=2, unique=True).map(tuple)


@st.composite
def acyclic(draw: st.DrawFn) -> WorkflowDefinition:
    """Plain, parallel and map steps that lead to later ones only, so that every run ends."""
    size = draw(st.integers(2, 6))
    flow = WorkflowDefinition(name="dag", initial_step="s0")
    for n in range(size):
        later = [f"s{m}" for m in range(n + 1, size)]
        to = st.sampled_from(later) if later else st.nothing()
        maybe = st.none() | to if later else st.none()
        common = {
            "step_id": f"s{n}",
            "on_success": draw(maybe),
            "on_failure": draw(maybe),
            "is_terminal": draw(st.booleans()),
            "reads": draw(SOME),
            "writes": draw(SOME),
        }
        kind = draw(st.sampled_from(["step", "parallel", "map"])) if later else "step"
        if kind == "step":
            flow.steps[f"s{n}"] = step(
                worker_type="w",
                **common,
                branches=tuple(
                    Branch(when="output.x", to=draw(to)) for _ in range(draw(st.integers(0, 1)) if later else 0)
                ),
            )
        elif kind == "map":
            flow.steps[f"s{n}"] = MapStep(**common, body=draw(to))
        else:
            target = to | st.builds(Branch, when=st.just("output.x"), to=to)
            flow.steps[f"s{n}"] = ParallelStep(
                **common, branches={name: draw(target) for name in draw(st.sampled_from(["a", "ab", "abc"]))}, join=draw(st.sampled_from(["all", "any"])),
                failure=draw(st.sampled_from(["fail_fast", "continue"])),
            )  # fmt: skip
    return flow


class Simulated:
    """A run with chance in the place of workers: which entries of the data bus were there at each visit."""

    def __init__(self, flow: WorkflowDefinition, chance: st.DataObject) -> None:
        self.flow, self.chance = flow, chance
        self.missed: set[tuple[str, str]] = set()

    def toss(self) -> bool:
        return self.chance.draw(st.booleans())

    def thread(self, step_id: str | None, data: set[str]) -> tuple[bool, set[str], set[str]]:
        """Go from a step to the end of its thread; return whether it succeeded, its data, and the outputs it left."""
        left: set[str] = set()
        while step_id is not None:
            one = self.flow.steps[step_id]
            self.missed |= {(step_id, key) for key in one.reads if key not in data}
            succeeded, brought = (self.toss(), set()) if not one.bodies else self.opened(one, data)
            left.add(f"{step_id}_output")
            data = data | {f"{step_id}_output"} | (brought | set(one.writes) if succeeded else set())
            left |= {key for key in brought if key.endswith("_output")} if succeeded else set()
            if succeeded and one.is_terminal:
                return True, data, left
            taken = next((b.to for b in one.choices if self.toss()), one.on_success) if succeeded else one.on_failure
            if taken is None:
                return succeeded, data, left
            step_id = taken
        raise AssertionError

    def opened(self, one, data: set[str]) -> tuple[bool, set[str]]:
        if isinstance(one, MapStep):
            results = [self.thread(one.body, data) for _ in range(self.chance.draw(st.integers(0, 2)))]
            return all(ok for ok, _, _ in results), set()
        conditional = {name for name, target in one.branches.items() if isinstance(target, Branch)}
        active = [name for name in one.branches if name not in conditional or self.toss()]
        results = [self.thread(one.bodies[name], data) for name in active]
        won = [(new, left) for ok, new, left in results if ok]
        if one.join == "any" and won:
            won = [self.chance.draw(st.sampled_from(won))]
        elif one.join == "all" and one.failure != "continue" and len(won) < len(results):
            return False, set()
        counts = [key for _, _, left in results for key in left]
        keys = {key for new, _ in won for key in new - data if not key.endswith("_output") or counts.count(key) == 1}
        return True, keys


@settings(max_examples=examples(150), deadline=None)
@given(acyclic(), st.data())
def test_in_no_run_is_anything_missing_that_was_not_told(flow, data):
    told = {
        (p.steps[0], key)
        for p in early(flow)
        for key in KEYS
        if key in p.message.split(" reads ")[1].split(", which")[0].split(", ")
    }
    run = Simulated(flow, data)
    run.thread("s0", set())
    assert run.missed <= told
