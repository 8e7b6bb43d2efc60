"""What branches write on the data bus is made one at the join, in the order of the definition or of the items."""

from __future__ import annotations

import copy
import threading

import pandas as pd
import pytest

from orchestration_kit import MapStep, ParallelStep
from orchestration_kit.definition.kinds import REDUCERS
from tests.branches.doors import ends_of, entry_of, flow_of, hub_of, paths, run_flow, through
from tests.support import step


def flow_with(**fields):
    return flow_of(
        MapStep(step_id="m", over="data.items", body="a", is_terminal=True, **fields), step("a", is_terminal=False)
    )


def write(value, context):
    context.data["key"] = value
    return value


def test_two_branches_that_write_different_values_under_one_key_fail_the_step(door):
    flow = flow_of(
        ParallelStep(step_id="p", branches={"left": "a", "right": "b", "third": "c"}, on_success="end"),
        *(step(name, is_terminal=False) for name in "abc"),
        step("end"),
    )
    workers = {
        "a": lambda _, context: write(1, context),
        "b": lambda _, context: write(2, context),
        "c": str,
        "end": dict,
    }
    run = run_flow(flow, workers, door)
    assert run.state == "failed"
    entry = entry_of(run, "p#1")
    assert entry["error_type"] == "MergeConflict"
    assert entry["error"].startswith(
        "Branches left, right of p#1 wrote different values to data['key']. Name a reducer"
    )
    assert ends_of(run, "p#1") == {"left": "completed", "right": "completed", "third": "completed"}
    assert "key" not in run.context.data


@pytest.mark.parametrize(
    "value", [1, "x", [1, {"a": 2}], None, float("nan"), pd.DataFrame({"x": [1.0, None]}), {3, 1, 2}]
)
def test_branches_may_write_the_same_value(door, value):
    def work(_, context):
        context.data["key"] = copy.deepcopy(value)

    run = run_flow(flow_with(), {"a": work}, door, data={"items": [1, 2, 3]})
    assert run.state == "completed"
    assert "key" in run.context.data


@pytest.mark.parametrize(("one", "other"), [(1, True), (1, "1"), ([1], (1,)), (0, None), ({"a": 1}, {"a": 2}), (1, 2)])
def test_values_that_differ_in_type_alone_are_different(door, one, other):
    run = run_flow(flow_with(), {"a": write}, door, data={"items": [one, other]})
    assert entry_of(run, "m#1")["error_type"] == "MergeConflict"


EXPECTED = {
    "first": ([3, 1, 2], 3), "last": ([3, 1, 2], 2), "sum": ([3, 1, 2], 6), "min": ([3, 1, 2], 1), "max": ([3, 1, 2], 3),
    "list": ([3, 1, 2], [3, 1, 2]), "concat": ([[3], [1, 2], []], [3, 1, 2]), "merge": ([{"a": 1, "b": 1}, {"b": 2}], {"a": 1, "b": 2}),
}  # fmt: skip


@pytest.mark.parametrize("name", REDUCERS)
@pytest.mark.parametrize("by_key", [False, True])
def test_each_reducer_makes_one_value_of_many_in_the_order_of_the_items(door, name, by_key):
    items, expected = EXPECTED[name]
    run = run_flow(flow_with(reducer={"key": name} if by_key else name), {"a": write}, door, data={"items": items})
    assert run.state == "completed"
    assert run.context.data["key"] == expected
    assert run.context.data["m_output"] == items


def test_the_order_is_that_of_the_items_whoever_wrote_first():
    ended = [threading.Event() for _ in range(5)]
    ended[4].set()

    def work(n, context):
        assert ended[n + 1].wait(30)
        context.data["key"] = [n]
        return ended[n].set()

    run = through("sync", hub_of(flow_with(reducer="concat"), {"a": work}).start("flow", "go", {"items": [0, 1, 2, 3]}))
    assert run.context.data["key"] == [0, 1, 2, 3]


def test_a_callable_reduces_and_may_do_as_it_likes_with_its_copies(door):
    def longest(values):
        values.sort(key=len)
        values[-1].append("!")
        return values[-1]

    run = run_flow(flow_with(reducer={"key": longest}), {"a": write}, door, data={"items": [["a"], ["b", "c"], []]})
    assert run.context.data["key"] == ["b", "c", "!"]
    assert run.context.data["m_output"] == [["a"], ["b", "c"], []]


def test_a_reducer_that_raises_fails_the_step_and_names_the_key(door):
    def broken(values):
        raise KeyError("nothing here")

    run = run_flow(flow_with(reducer=broken), {"a": write}, door, data={"items": [1, 2]})
    assert run.state == "failed"
    entry = entry_of(run, "m#1")
    assert entry["error_type"] == "MergeConflict"
    assert entry["error"] == "The reducer for data['key'] of m#1 failed: KeyError: 'nothing here'"
    assert "key" not in run.context.data


@pytest.mark.parametrize(
    ("name", "items"), [("sum", ["a", 1]), ("min", [1, None]), ("concat", [1, 2]), ("merge", [[1], [2]])]
)
def test_a_reducer_that_does_not_fit_the_values_fails_the_step(door, name, items):
    run = run_flow(flow_with(reducer=name), {"a": write}, door, data={"items": items})
    assert entry_of(run, "m#1")["error_type"] == "MergeConflict"
    assert "The reducer for data['key'] of m#1 failed: " in run.context.error


def test_a_reducer_for_one_key_leaves_others_to_be_the_same(door):
    def both(n, context):
        context.data["sum"], context.data["other"] = n, n
        return n

    run = run_flow(flow_with(reducer={"sum": "sum"}), {"a": both}, door, data={"items": [1, 2]})
    assert entry_of(run, "m#1")["error_type"] == "MergeConflict"
    assert "data['other']" in run.context.error
    run = run_flow(flow_with(reducer={"sum": "sum", "other": "max"}), {"a": both}, door, data={"items": [1, 2]})
    assert (run.context.data["sum"], run.context.data["other"]) == (3, 2)


def test_a_reducer_is_given_what_branches_wrote_and_not_what_they_found(door):
    """Two of three add to the count they found: that of the third is no value of its own."""

    def add(n, context):
        if n:
            context.data["count"] += n
        return n

    run = run_flow(flow_with(reducer={"count": "list"}), {"a": add}, door, data={"items": [0, 5, 7], "count": 100})
    assert run.context.data["count"] == [105, 107]


def test_a_value_that_is_set_back_was_written_all_the_same(door):
    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="a", reducer="list", is_terminal=True),
        step("a", "b", is_terminal=False),
        step("b", is_terminal=False),
    )

    def set_back(given, context):
        context.data["key"] = "start"
        return given

    run = run_flow(flow, {"a": write, "b": set_back}, door, data={"items": ["x"], "key": "start"})
    assert run.context.data["key"] == ["start"]


def test_what_all_branches_remove_is_gone(door):
    run = run_flow(
        flow_with(), {"a": lambda _, context: context.data.pop("key")}, door, data={"items": [1, 2], "key": 7}
    )
    assert run.state == "completed"
    assert "key" not in run.context.data


def test_what_one_branch_removes_and_another_writes_is_a_conflict(door):
    def work(n, context):
        if n:
            context.data["key"] = n
        else:
            del context.data["key"]

    run = run_flow(flow_with(), {"a": work}, door, data={"items": [0, 1], "key": 7})
    assert entry_of(run, "m#1")["error_type"] == "MergeConflict"
    run = run_flow(flow_with(reducer="list"), {"a": work}, door, data={"items": [0, 1], "key": 7})
    assert run.context.data["key"] == [1]


def test_losers_of_a_join_leave_no_writes(door):
    run = run_flow(flow_with(join="any", max_concurrency=1), {"a": write}, door, data={"items": [1, 2]})
    assert run.context.data["key"] == 1


def test_outputs_of_steps_are_on_the_bus_where_one_branch_of_a_parallel_step_wrote_them(door):
    flow = flow_of(
        ParallelStep(step_id="p", branches={"l": "a", "r": "b"}, on_success="end"),
        step("a", "c", is_terminal=False), step("b", "c", is_terminal=False), step("c", is_terminal=False), step("end"),
    )  # fmt: skip
    run = run_flow(flow, {"a": lambda _: "A", "b": lambda _: "B", "c": str.lower, "end": dict}, door)
    assert run.state == "completed"
    assert (run.context.data["a_output"], run.context.data["b_output"]) == ("A", "B")
    assert "c_output" not in run.context.data


def test_outputs_of_the_steps_of_a_map_are_in_its_own_output_alone(door):
    for items in ([1], [1, 1], [1, 2]):
        run = run_flow(flow_with(), {"a": lambda n: n}, door, data={"items": items})
        assert run.context.data == {"items": items, "m_output": items}


def test_what_nested_branches_wrote_is_merged_at_each_join_on_the_way_out(door):
    flow = flow_of(
        ParallelStep(step_id="p", branches={"l": "m", "r": "b"}, reducer={"key": "list"}, is_terminal=True),
        MapStep(step_id="m", over="data.items", body="a", reducer={"key": "sum"}),
        step("a", is_terminal=False),
        step("b", is_terminal=False),
    )
    run = run_flow(flow, {"a": write, "b": lambda _, context: write("r", context)}, door, data={"items": [1, 2, 3]})
    assert run.context.data["key"] == [6, "r"]
    assert paths(run)[-1] == "p#1"
