"""Items: their order, those that are added, maps in maps, and what a branch sees of it all."""

from __future__ import annotations

import threading

import pytest

from orchestration_kit import MapStep, ParallelStep, SubworkflowStep
from orchestration_kit.errors import RunStateError
from tests.branches.doors import ends_of, entry_of, flow_of, hub_of, paths, run_flow, through
from tests.support import step


def test_outputs_are_in_the_order_of_the_items_whoever_ends_first():
    """Each waits for the one after it, so that they end in reverse."""
    ended = [threading.Event() for _ in range(9)]
    ended[8].set()
    order = []

    def work(n):
        assert ended[n + 1].wait(30)
        order.append(n)
        ended[n].set()
        return n * 10

    flow = flow_of(MapStep(step_id="m", over="data.items", body="a", is_terminal=True), step("a", is_terminal=False))
    run = through("sync", hub_of(flow, {"a": work}).start("flow", "go", {"items": list(range(8))}))
    assert order == [7, 6, 5, 4, 3, 2, 1, 0]
    assert run.context.data["m_output"] == [n * 10 for n in range(8)]
    assert paths(run) == [*(f"m#1[{n}]/a#1" for n in range(8)), "m#1"]


@pytest.mark.parametrize("cap", [1, 3])
def test_no_more_than_max_concurrency_items_are_under_way(door, cap):
    mutex, now, most = threading.Lock(), 0, 0

    def work(n):
        nonlocal now, most
        with mutex:
            now += 1
            most = max(most, now)
        with mutex:
            now -= 1
        return n

    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="a", max_concurrency=cap, is_terminal=True),
        step("a", is_terminal=False),
    )
    run = run_flow(flow, {"a": work}, door, data={"items": list(range(30))})
    assert most <= cap
    assert run.context.data["m_output"] == list(range(30))


def test_a_branch_keeps_its_place_until_all_its_steps_are_done(door):
    """With max_concurrency=1 one item after another comes to its end."""
    seen = []
    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="a", max_concurrency=1, is_terminal=True),
        step("a", "b", is_terminal=False),
        step("b", is_terminal=False),
    )
    run_flow(
        flow,
        {"a": lambda n: seen.append(("a", n)) or n, "b": lambda n: seen.append(("b", n))},
        door,
        data={"items": [1, 2]},
    )
    assert seen == [("a", 1), ("b", 1), ("a", 2), ("b", 2)]


# --- added items


ADDING = flow_of(
    MapStep(step_id="m", over="data.items", body="a", is_terminal=True),
    step("a", "b", is_terminal=False),
    step("b", is_terminal=False),
)


def test_added_items_come_after_the_others_by_who_added_them(door):
    def a(text, context):
        if len(text) < 3:
            context.add_item(text + "x")
            context.add_item(text + "y")
        return text

    def b(text, context):
        if text == "p":
            context.add_item("later")
        return text

    run = run_flow(ADDING, {"a": a, "b": b}, door, data={"items": ["p", "q"]})
    keys = list(ends_of(run, "m#1"))
    assert keys[:7] == ["0", "1", "0.0", "0.1", "0.2", "1.0", "1.1"]
    output = run.context.data["m_output"]
    assert output[:7] == ["p", "q", "px", "py", "later", "qx", "qy"]
    assert sorted(output[7:]) == sorted(f"{one}{two}{three}" for one in "pq" for two in "xy" for three in "xy")
    assert [entry["path"] for entry in run.history if entry["step"] == "a"] == [f"m#1[{key}]/a#1" for key in keys]


def test_an_attempt_that_fails_adds_nothing(door):
    def a(text, context):
        if text == "old":
            context.add_item("new")
            if context.attempt == 1:
                raise ValueError("again")
        return text

    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="a", is_terminal=True), step("a", is_terminal=False, max_retries=1)
    )
    run = run_flow(flow, {"a": a}, door, data={"items": ["old"]})
    assert run.context.data["m_output"] == ["old", "new"]
    assert paths(run) == ["m#1[0]/a#1", "m#1[0]/a#1.2", "m#1[0.0]/a#1", "m#1"]


def test_added_items_may_be_anything_that_can_be_on_record_and_are_copied(door):
    def a(given, context):
        if isinstance(given, str):
            item = {"from": [given]}
            context.add_item(item)
            item["from"].append("changed later")
        return given

    run = run_flow(ADDING, {"a": a, "b": lambda given: given}, door, data={"items": ["x"]})
    added = run.context.data["m_output"][1]
    assert added in ({"from": ["x"]}, {"from": ["x", "changed later"]})
    assert entry_of(run, "m#1[0]/a#1")["detail"]["added"] == [added]


def test_items_are_added_from_within_a_parallel_step_to_the_map_around_it(door):
    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="p", is_terminal=True),
        ParallelStep(step_id="p", branches={"l": "a", "r": "b"}),
        step("a", is_terminal=False),
        step("b", is_terminal=False),
    )

    def a(n, context):
        if n < 2:
            context.add_item(n + 1)
        return n

    run = run_flow(flow, {"a": a, "b": lambda n: -n}, door, data={"items": [0]})
    assert run.context.data["m_output"] == [{"l": 0, "r": 0}, {"l": 1, "r": -1}, {"l": 2, "r": -2}]
    assert len(ends_of(run, "m#1")) == 3


def test_an_item_goes_to_the_innermost_map(door):
    flow = flow_of(
        MapStep(step_id="outer", over="data.items", body="inner", is_terminal=True),
        MapStep(step_id="inner", over="output", body="a"),
        step("a", is_terminal=False),
    )

    def a(n, context):
        if n == 1:
            context.add_item(10)
        return n

    run = run_flow(flow, {"a": a}, door, data={"items": [[1], [2]]})
    assert run.context.data["outer_output"] == [[1, 10], [2]]


@pytest.mark.parametrize("where", ["run", "parallel", "child"])
def test_adding_an_item_outside_of_a_map_is_refused(door, where):
    caught = []

    def a(given, context):
        try:
            context.add_item(1)
        except RunStateError as error:
            caught.append(str(error))
        return given

    flows = {
        "run": flow_of(step("a")),
        "parallel": flow_of(
            ParallelStep(step_id="p", branches={"l": "a"}, is_terminal=True), step("a", is_terminal=False)
        ),
        "child": flow_of(
            MapStep(step_id="m", over="data.items", body="s", is_terminal=True),
            SubworkflowStep(step_id="s", workflow="inner"),
        ),
    }
    hub = hub_of([flows[where], flow_of(step("a"), name="inner")], {"a": a})
    through(door, hub.start("flow", "go", {"items": [0]}))
    assert len(caught) == 1
    assert "is in no branch of a map" in caught[0]


# --- maps in maps


def test_a_map_in_a_map_in_a_parallel_step(door):
    flow = flow_of(
        ParallelStep(step_id="p", branches={"rows": "outer", "flat": "single"}, on_success="end"),
        MapStep(step_id="outer", over="data.table", body="inner", max_concurrency=2),
        MapStep(step_id="inner", over="output", body="cell", max_concurrency=2),
        step("cell", is_terminal=False),
        step("single", is_terminal=False),
        step("end"),
    )
    run = run_flow(
        flow,
        {"cell": lambda n: n * n, "single": lambda _: "one", "end": lambda given: given},
        door,
        data={"table": [[1, 2, 3], [], [4]]},
    )
    assert run.state == "completed"
    assert run.context.data["end_output"] == {"rows": [[1, 4, 9], [], [16]], "flat": "one"}
    assert paths(run) == [
        "p#1[rows]/outer#1[0]/inner#1[0]/cell#1", "p#1[rows]/outer#1[0]/inner#1[1]/cell#1", "p#1[rows]/outer#1[0]/inner#1[2]/cell#1",
        "p#1[rows]/outer#1[0]/inner#1", "p#1[rows]/outer#1[1]/inner#1", "p#1[rows]/outer#1[2]/inner#1[0]/cell#1", "p#1[rows]/outer#1[2]/inner#1",
        "p#1[rows]/outer#1", "p#1[flat]/single#1", "p#1", "end#1",
    ]  # fmt: skip
    assert entry_of(run, "p#1[rows]/outer#1[0]/inner#1")["branch"] == "0"


def test_twelve_levels_of_maps(door):
    depth = 12
    steps = [
        MapStep(step_id=f"m{n}", over="data.two" if n < 3 else "data.one", body=f"m{n + 1}", is_terminal=n == 0)
        for n in range(depth)
    ]
    run = run_flow(
        flow_of(*steps, step(f"m{depth}", worker_type="a", is_terminal=False)),
        {"a": lambda n: n},
        door,
        data={"two": [0, 1], "one": [7]},
    )
    assert run.state == "completed"
    expected = 7
    for n in reversed(range(depth)):
        expected = [expected] * (2 if n < 3 else 1)
    assert run.context.data["m0_output"] == expected


# --- what a branch sees


def test_a_branch_sees_its_own_past_and_that_of_the_run_and_nothing_of_its_siblings(door):
    seen = {}

    def look(given, context):
        seen[context.path] = (
            [entry["path"] for entry in context.history],
            context.get_last_output(),
            context.get_last_output("a"),
        )
        return f"{context.current_step} {context.branch}"

    flow = flow_of(
        step("first", "m", worker_type="first"),
        MapStep(step_id="m", over="data.items", body="a", max_concurrency=2, on_success="end"),
        step("a", "b", worker_type="a", is_terminal=False),
        step("b", worker_type="b", is_terminal=False),
        step("end", worker_type="b"),
    )
    run_flow(flow, {"first": look, "a": look, "b": look}, door, data={"items": [1, 2, 3]})
    for n in range(3):
        assert seen[f"m#1[{n}]/a#1"] == (["first#1"], "first None", None)
        assert seen[f"m#1[{n}]/b#1"] == (["first#1", f"m#1[{n}]/a#1"], f"a {n}", f"a {n}")
    within = [f"m#1[{n}]/{name}#1" for n in range(3) for name in "ab"]
    assert seen["end#1"] == (["first#1", *within, "m#1"], ["b 0", "b 1", "b 2"], "a 2")


def test_a_branch_that_comes_after_a_join_within_it_sees_what_was_joined(door):
    seen = {}
    flow = flow_of(
        ParallelStep(step_id="p", branches={"l": "m", "r": "c"}, is_terminal=True),
        MapStep(step_id="m", over="data.items", body="a", on_success="b"),
        step("a", is_terminal=False),
        step("b", is_terminal=False),
        step("c", is_terminal=False),
    )
    see = lambda _, context: seen.update({context.path: [entry["path"] for entry in context.history]})
    run_flow(flow, {"a": str, "b": see, "c": see}, door, data={"items": [1, 2]})
    assert seen == {"p#1[l]/b#1": ["p#1[l]/m#1[0]/a#1", "p#1[l]/m#1[1]/a#1", "p#1[l]/m#1"], "p#1[r]/c#1": []}


def test_context_branch_is_the_name_or_the_index(door):
    flow = flow_of(
        step("before", "p", worker_type="w"),
        ParallelStep(step_id="p", branches={"left": "x", "right": "m"}, on_success="after"),
        step("x", worker_type="w", is_terminal=False),
        MapStep(step_id="m", over="data.items", body="y"),
        step("y", worker_type="w", is_terminal=False),
        step("after", worker_type="w"),
    )
    run = run_flow(flow, {"w": lambda _, context: context.branch}, door, data={"items": "ab".split() * 2})
    assert [entry["output"] for entry in run.history if entry["worker"]] == [None, "left", "0", "1", None]
    assert [entry["branch"] for entry in run.history if entry["worker"]] == [None, "left", "0", "1", None]


def test_each_branch_has_the_bus_as_it_was_when_it_was_opened(door):
    def work(n, context):
        before = (context.data["count"], context.data.get("mine"))
        context.data["count"] += 1
        context.data["mine"] = n
        return before

    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="a", reducer={"count": "sum", "mine": "list"}, is_terminal=True),
        step("a", "b", worker_type="w", is_terminal=False),
        step("b", worker_type="look", is_terminal=False),
    )
    look = lambda before, context: (
        before,
        context.data["count"],
        context.data["mine"],
        context.data["a_output"] == before,
    )
    run = run_flow(flow, {"w": work, "look": look}, door, data={"items": [5, 6, 7], "count": 1})
    assert run.context.data["m_output"] == [((1, None), 2, n, True) for n in (5, 6, 7)]
    assert (run.context.data["count"], run.context.data["mine"]) == (6, [5, 6, 7])
    assert "a_output" not in run.context.data


def test_a_large_bus_is_not_copied_for_each_branch(door):
    """200 branches over 4 MB of data: a copy each would be 800 MB."""
    import tracemalloc

    data = {"items": list(range(200)), "table": [list(range(1000, 1100)) for _ in range(1000)]}
    flow = flow_of(MapStep(step_id="m", over="data.items", body="a", is_terminal=True), step("a", is_terminal=False))
    hub = hub_of(flow, {"a": lambda n, context: "table" in context.data})
    run = hub.start("flow", "go", data)
    tracemalloc.start()
    try:
        through(door, run)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert run.context.data["m_output"] == [True] * 200
    assert peak < 40_000_000
