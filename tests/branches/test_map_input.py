"""What a map can be over, and what it cannot: said before an item is worked on."""

from __future__ import annotations

import tracemalloc

import pandas as pd
import pytest

from orchestration_kit import MapStep
from tests.branches.doors import ends_of, entry_of, flow_of, paths, run_flow
from tests.support import step


def never(item):
    raise AssertionError(f"item {item!r} was worked on")


def map_flow(over="data.items", **fields):
    return flow_of(
        MapStep(step_id="m", over=over, body="a", on_success="end", **fields), step("a", is_terminal=False), step("end")
    )


NO_LISTS = {
    "text": ("one\ntwo", "that is str, not a list. Put a list on the bus, for example text.splitlines()."),
    "dict": ({"a": 1}, "that is dict, not a list. Put a list on the bus, for example list(mapping.items())."),
    "set": ({1, 2}, "that is set, not a list. Put a list on the bus; sets and generators have no order"),
    "number": (7, "that is int, not a list"),
    "None": (None, "that is NoneType, not a list"),
    "DataFrame": (
        pd.DataFrame({"x": [1]}),
        'that is DataFrame, not a list. Put a list on the bus, for example frame.to_dict("records").',
    ),
    "bytes": (b"ab", "that is bytes, not a list"),
}


@pytest.mark.parametrize("kind", NO_LISTS)
def test_a_map_over_what_is_no_list_fails_and_says_what_to_do(door, kind):
    value, message = NO_LISTS[kind]
    run = run_flow(map_flow(), {"a": never, "end": str}, door, data={"items": value})
    assert run.state == "failed"
    assert paths(run) == ["m#1"]
    entry = entry_of(run, "m#1")
    assert (entry["error_type"], entry["worker_type"], entry["attempt"]) == ("NotAList", "map", 1)
    assert entry["error"].startswith("Step 'm' maps over data.items, and ")
    assert message in entry["error"]


def test_a_map_over_a_generator_fails(door):
    def generated(output, context):
        return (n for n in range(3))

    run = run_flow(map_flow(generated), {"a": never, "end": str}, door)
    assert entry_of(run, "m#1")["error_type"] == "NotAList"
    assert "that is generator, not a list" in run.context.error


def test_a_map_over_a_key_that_is_not_there_names_one_that_is_near(door):
    run = run_flow(map_flow("data.itms"), {"a": never, "end": str}, door, data={"items": [1]})
    assert entry_of(run, "m#1")["error_type"] == "NotAList"
    assert "there is nothing there" in run.context.error
    assert "Did you mean 'items'?" in run.context.error


@pytest.mark.parametrize("path", ["data.box.none", "data.box.rows.none", "output.rows"])
def test_a_map_over_a_path_that_leads_nowhere_fails(door, path):
    run = run_flow(map_flow(path), {"a": never, "end": str}, door, data={"box": {"rows": [1]}})
    assert entry_of(run, "m#1")["error_type"] == "NotAList"


def test_a_map_whose_callable_raises_fails_with_that_error(door):
    def broken(output, context):
        return context.data["gone"]

    run = run_flow(map_flow(broken), {"a": never, "end": str}, door, data={"goner": 1})
    assert run.state == "failed"
    assert entry_of(run, "m#1")["error_type"] == "MissingEntry"


def test_a_map_that_fails_takes_its_failure_path(door):
    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="a", on_success="end", on_failure="mend"), step("a", is_terminal=False), step("end"), step("mend"),
    )  # fmt: skip
    run = run_flow(flow, {"a": never, "end": str, "mend": lambda given: given["error"]}, door, data={"items": "text"})
    assert run.state == "completed"
    assert paths(run) == ["m#1", "mend#1"]
    assert run.context.data["mend_output"].startswith("Step 'm' maps over data.items, and that is str")


@pytest.mark.parametrize("items", [[], (), range(0)])
def test_a_map_over_nothing_puts_out_an_empty_list(door, items):
    run = run_flow(map_flow(), {"a": never, "end": lambda given: given}, door, data={"items": items})
    assert run.state == "completed"
    assert paths(run) == ["m#1", "end#1"]
    assert run.context.data["end_output"] == []
    assert ends_of(run, "m#1") == {}


@pytest.mark.parametrize("items", [[1, 2], (1, 2), range(1, 3)])
def test_lists_tuples_and_ranges_are_lists(door, items):
    run = run_flow(map_flow(), {"a": lambda n: n * 2, "end": lambda given: given}, door, data={"items": items})
    assert run.context.data["end_output"] == [2, 4]


def test_a_callable_says_what_to_map_over(door):
    def pairs(output, context):
        return sorted(context.data["ages"].items())

    run = run_flow(map_flow(pairs), {"a": lambda pair: pair[1], "end": sum}, door, data={"ages": {"b": 2, "a": 1}})
    assert [entry["input"] for entry in run.history[:2]] == [("a", 1), ("b", 2)]
    assert run.context.data["end_output"] == 3


def test_a_worker_that_changes_its_item_changes_nobody_elses(door):
    def spoil(item, context):
        item.append("spoilt")
        return len(context.data["items"][0])

    run = run_flow(map_flow(max_concurrency=1), {"a": spoil, "end": list}, door, data={"items": [[0], [0]]})
    assert run.context.data["end_output"] == [1, 1]
    assert run.context.data["items"] == [[0], [0]]
    assert [entry["input"] for entry in run.history[:2]] == [[0], [0]]


@pytest.mark.parametrize("items", [range(1_000_000), [None] * 1_000_000], ids=["range", "list"])
def test_a_million_items_are_refused_before_one_is_worked_on_or_copied(door, items):
    flow = map_flow(lambda output, context: items)
    tracemalloc.start()
    try:
        run = run_flow(flow, {"a": never, "end": str}, door)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert run.state == "failed"
    assert paths(run) == ["m#1"]
    assert (
        "that has 1,000,000 items, over max_items=10,000. Set max_items=1000000 where that is meant"
        in run.context.error
    )
    assert peak < 2_000_000


def test_opening_a_million_branches_is_not_quadratic():
    """Counted in calls, not in seconds: what is done grows with the items, and not with their square."""
    import cProfile
    import pstats

    def calls(count):
        flow = map_flow(max_items=1_000_000, max_concurrency=2)
        profile = cProfile.Profile()
        run = opened(flow, count)
        profile.enable()
        run.step()
        profile.disable()
        assert paths(run) == ["m#1[0]/a#1"]
        return pstats.Stats(profile).total_calls

    few, many = calls(1_000), calls(1_000_000)
    assert many <= few + 100


def opened(flow, count):
    from tests.branches.doors import hub_of

    return hub_of(flow, {"a": lambda n: n, "end": len}).start("flow", "go", {"items": range(count)})
