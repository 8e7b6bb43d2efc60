"""Map-reduce, run: each item once, in order, and what comes of lists that are none."""

from __future__ import annotations

import pytest

from orchestration_kit.templates import create_map_reduce
from orchestration_kit.testing import ScriptedWorker
from tests.templates.conftest import visits, way


def square(number):
    if number < 0:
        raise ValueError("under 0")
    return number * number


TEAM = {"lister": lambda goal: [3, 1, 2], "worker": square, "reducer": sum}


def test_every_item_is_worked_on_and_the_outputs_come_in_the_order_of_the_items(perform):
    result = perform(create_map_reduce("lister", "worker", "reducer"), TEAM)
    assert way(result) == ["source", "work", "work", "work", "items", "reduce", "done"]
    assert (result.data["items_output"], result.data["done_output"]) == ([9, 1, 4], 14)


def test_the_list_may_be_on_the_data_bus(perform):
    result = perform(create_map_reduce("data.numbers", "worker"), TEAM, initial_data={"numbers": [5, 6]})
    assert (way(result), result.data["done_output"]) == (["work", "work", "items", "done"], [25, 36])


def test_an_empty_list_gives_an_empty_list(perform):
    result = perform(create_map_reduce("lister", "worker", "reducer"), TEAM | {"lister": lambda goal: []})
    assert (result.state, result.data["items_output"], result.data["done_output"]) == ("completed", [], 0)


@pytest.mark.parametrize("no_list", ["abc", 7, None, {"a": 1}])
def test_what_is_no_list_fails_before_an_item_is_worked_on(perform, no_list):
    result = perform(create_map_reduce("lister", "worker"), TEAM | {"lister": lambda goal: no_list})
    assert (result.state, visits(result, "work"), way(result)[-1]) == ("failed", 0, "failed")


def test_too_many_items_fail_before_one_is_worked_on(perform):
    result = perform(create_map_reduce("lister", "worker", max_items=2), TEAM)
    assert (result.state, visits(result, "work")) == ("failed", 0)


def test_a_missing_list_fails_the_run(perform):
    assert perform(create_map_reduce("data.numbers", "worker"), TEAM).state == "failed"


def test_a_failed_item_fails_the_run(perform):
    result = perform(create_map_reduce("lister", "worker", "reducer"), TEAM | {"lister": lambda goal: [1, -1]})
    assert (result.state, way(result)[-2:]) == ("failed", ["items", "failed"])


def test_a_failed_item_may_be_passed_over(perform):
    workflow = create_map_reduce("lister", "worker", failure_mode="continue")
    result = perform(workflow, TEAM | {"lister": lambda goal: [1, -1, 2]})
    first, failed, last = result.data["done_output"]
    assert (first, list(failed), last) == (1, ["error"], 4)
    assert "under 0" in failed["error"]


def test_a_worker_may_add_items(perform):
    def worker(number, context):
        if number < 3:
            context.add_item(number + 1)
        return number

    result = perform(create_map_reduce("lister", "worker"), {"lister": lambda goal: [1, 10], "worker": worker})
    assert result.data["done_output"] == [1, 10, 2, 3]


def test_a_failing_reducer_fails_the_run(perform):
    result = perform(
        create_map_reduce("lister", "worker", "reducer"), TEAM | {"reducer": ScriptedWorker(OSError("full"))}
    )
    assert way(result)[-2:] == ["reduce", "failed"]
