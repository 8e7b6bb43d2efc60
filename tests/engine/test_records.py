"""What is on record stays as it was: nothing leaks in or out of an attempt, and nothing wedges a run."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel, field_validator

from orchestration_kit import Branch, Failure, RunLimits, WorkerDefinition
from orchestration_kit.engine.data import DataView
from orchestration_kit.engine.values import same
from orchestration_kit.testing import ScriptedWorker
from tests.support import hub_of, run_of, step, workflow_of


class Pair(NamedTuple):
    parts: list


class Loose(BaseModel, extra="allow"):
    fixed: int = 1


class Listed(list):
    """A list of one's own."""


@pytest.mark.parametrize(
    "make",
    [
        lambda: Pair(["kept"]),
        lambda: {"named": Pair(["kept"])},
        lambda: Loose(more=["kept"]),
        lambda: Listed([["kept"]]),
        lambda: OrderedDict(a=["kept"]),
    ],
)
def test_no_container_leaks_from_a_failed_attempt(make):
    def inner(value):
        if isinstance(value, Pair):
            return value.parts
        if isinstance(value, Loose):
            return value.more
        return (
            inner(next(iter(value.values())))
            if isinstance(value, dict)
            else value[0]
            if isinstance(value, Listed)
            else value
        )

    def worker(_, context):
        inner(context.data["thing"]).append("leak")
        raise RuntimeError("fail")

    mine = make()
    result = run_of(step("a"), workers={"a": worker}, initial_data={"thing": mine})
    assert inner(result.data["thing"]) == ["kept"]
    assert inner(mine) == ["kept"]


def test_a_worker_that_returns_or_keeps_its_data_view_changes_nothing_later():
    kept = []

    def first(_, context):
        context.data["items"] = [1]
        context.data["all"] = dict(context.data)
        kept.append(context.data)
        return context.data

    def second(_):
        kept[0]["items"].append("late")
        kept[0]["evil"] = 1

    result = run_of(step("a", "b"), step("b"), workers={"a": first, "b": second})
    assert result.history[0]["output"] == {"items": [1], "all": {"items": [1]}}
    assert type(result.history[0]["output"]) is dict
    assert result.data["items"] == [1]
    assert "evil" not in result.data


def test_a_condition_in_code_cannot_change_what_it_judges():
    def spoil(output, context):
        output.clear()
        context.data["a_output"]["n"] = "spoilt"
        return True

    steps = (
        step("a", "c", success_when=lambda o, c: o.clear() or True, branches=[Branch(when=spoil, to="b")]),
        step("b"),
        step("c"),
    )
    result = run_of(*steps, workers={"a": lambda _: {"n": 1}, "b": lambda i: i})
    assert result.history[0]["output"] == result.history[1]["input"] == {"n": 1}


def test_why_does_not_change_with_the_bus():
    def worker(_, context):
        context.data["items"].append(context.visit)
        return context.data

    steps = step("a", "a", worker_type="a", branches=[Branch(when="data.items.size() >= 2", to="end")]), step("end")
    result = run_of(*steps, workers={"a": worker, "end": lambda _: 1}, initial_data={"items": []})
    assert [entry["why"][0]["inputs"]["data.items"] for entry in result.history[:2]] == [[1], [1, 2]]


@pytest.mark.parametrize(
    "output", [lambda: (i for i in range(3)), lambda: iter([1]), lambda: map(str, [1]), lambda: {"rows": zip([1], [2])}]
)
def test_what_can_be_read_only_once_is_no_output(output):
    result = run_of(step("a"), workers={"a": lambda _: output()})
    assert "can be read only once" in result.history[0]["error"]


def test_a_failure_may_be_raised_as_well():
    def worker(_):
        raise Failure("no luck", {"tries": 3})

    result = run_of(step("a", on_failure="b"), step("b"), workers={"a": worker, "b": lambda i: i})
    assert result.history[0]["error_type"] == "OutputRejected"
    assert result.data["b_output"] == {"error": "no luck", "output": {"tries": 3}}


def test_usage_reported_by_a_transformer_or_before_a_failure_counts():
    hub = hub_of(workflow_of(step("a", "b"), step("b")), {"b": str})
    hub.register_worker(
        WorkerDefinition(
            worker_type="a", name="a", executor=str, output_transformer=lambda o, c: c.add_usage(cost_usd=5) or o
        )
    )
    result = hub.execute_workflow("flow", "g", verbose=False, limits=RunLimits(max_cost_usd=1))
    assert result.history[0]["usage"]["cost_usd"] == 5
    assert result.error.startswith("limit max_cost_usd")

    def stopped(_, context):
        context.add_usage(cost_usd=2)
        raise KeyboardInterrupt

    hub = hub_of(workflow_of(step("a")), {"a": stopped})
    with pytest.raises(KeyboardInterrupt):
        hub.execute_workflow("flow", "g", verbose=False)
    assert hub.last_run.history[0]["usage"]["cost_usd"] == 2


def test_a_success_condition_that_cannot_be_evaluated_is_not_retried_and_keeps_the_output():
    worker = ScriptedWorker({"n": 1}, repeat_last=True)
    result = run_of(step("a", success_when="output.score > 1", max_retries=5), workers={"a": worker})
    assert len(worker.calls) == 1
    assert result.history[0]["output"]["output"] == {"n": 1}


def test_passing_on_is_not_retried():
    result = run_of(step("a", "end"), step("end", success_when="output == 'never'", max_retries=3), workers={"a": str})
    assert [entry["step"] for entry in result.history] == ["a", "end"]


def test_what_goes_wrong_while_an_attempt_is_concluded_fails_it_and_no_more():
    @dataclass
    class Half:
        given: int
        unset: int = field(init=False)

    class Broken(dict):
        def __setitem__(self, key, value):
            raise ZeroDivisionError("broken")

    class Odd(BaseModel):
        n: int

        @field_validator("n")
        @classmethod
        def check(cls, value):
            raise KeyError("odd")

    assert run_of(step("a"), workers={"a": lambda _: Half(1)}).state == "completed"
    result = run_of(step("a", on_failure="b"), step("b"), workers={"a": lambda _: Broken(x=1), "b": lambda _: "saved"})
    assert (result.history[0]["error_type"], result.state) == ("ZeroDivisionError", "completed")
    hub = hub_of(workflow_of(step("a")), {})
    hub.register_worker(WorkerDefinition(worker_type="a", name="a", executor=lambda _: {"n": 1}, output_schema=Odd))
    assert "its validation raised KeyError" in hub.execute_workflow("flow", "g", verbose=False).history[0]["error"]

    def signalling(_, context):
        context.data["d"] = Decimal("sNaN")

    steps = step("a", "b"), step("b", worker_type="a")
    assert run_of(*steps, workers={"a": signalling}).state == "completed"


def test_a_missing_entry_is_named_with_the_nearest_one():
    result = run_of(step("a"), workers={"a": lambda _, c: c.data["spcs"]}, initial_data={"specs": 1})
    assert result.history[0]["error"] == "The data bus has no entry 'spcs'. Did you mean 'specs'? It has: specs."
    assert result.history[0]["error_type"] == "MissingEntry"


def test_data_set_from_outside_while_a_run_goes_on_is_refused_as_it_would_be_lost():
    hub = hub_of(workflow_of(step("a", "b"), step("b")), {"a": str, "b": str})
    run = hub.start("flow", "g")
    run.step()
    with pytest.raises(TypeError, match="the run is not over; give data as initial_data"):
        run.context.data["hint"] = "x"
    run.run()
    run.context.data["mine"] = 1
    assert run.context.data["mine"] == 1


def test_notes_in_a_history_list_hide_no_entries():
    hub = hub_of(workflow_of(step("a", "b"), step("b")), {"a": str, "b": str})
    run = hub.start("flow", "g")
    run.step()
    run.history.append("note")
    run.step()
    assert [entry if entry == "note" else entry["step"] for entry in run.history] == ["a", "note", "b"]


def frame():
    return pd.DataFrame({"age": [34.0, -4.0], "name": ["Ada", "Bo"]})


@pytest.mark.parametrize(
    ("make", "change"),
    [
        (frame, lambda d: d.__setitem__("age", d["age"] + 1)),
        (frame, lambda d: d.loc.__setitem__((0, "age"), 99.0)),
        (frame, lambda d: d.insert(0, "rank", [1, 2])),
        (lambda: frame()["age"], lambda s: s.__setitem__(0, 99.0)),
        (lambda: np.array([1.0, np.nan]), lambda a: a.__setitem__(0, 99.0)),
    ],
)
def test_frames_and_arrays_stay_as_they_were_too(make, change):
    def worker(given, context):
        change(context.data["table"])
        change(given)
        if context.attempt < 3:
            raise RuntimeError("again")
        return context.data["table"]

    mine, expected = make(), make()
    change(expected)
    hub = hub_of(workflow_of(step("a", max_retries=2)), {})
    hub.register_worker(
        WorkerDefinition(worker_type="a", name="a", executor=worker, input_transformer=lambda c: c.data["table"])
    )
    result = hub.execute_workflow("flow", "g", {"table": mine}, verbose=False)
    assert same(mine, make())
    assert all(same(entry["input"], make()) for entry in result.history)
    assert same(result.data["table"], expected)
    assert same(result.history[-1]["output"], expected)


def test_looking_at_a_frame_is_no_change_of_it():
    view = DataView({"table": frame(), "array": np.array([1.0, np.nan])})
    assert view["table"]["age"].sum() == 30
    assert len(view["array"]) == 2
    assert view.changes() is None
    assert not same(np.array([1]), np.array([1.0]))
    assert not same(np.array([object()]), np.array([object()]))


def test_the_class_failure_is_no_output():
    result = run_of(step("a"), workers={"a": lambda _: Failure})
    assert result.history[0]["error"] == "the worker returned the class Failure; return Failure('why')"
