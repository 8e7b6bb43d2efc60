"""What an attempt is: failure in its kinds, retries, data changes, conditions, usage."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial, reduce
from typing import NamedTuple

import pytest
from pydantic import BaseModel, field_validator

from orchestration_kit import Branch, Failure, RetryPolicy, RunLimits, WorkerDefinition
from orchestration_kit.errors import RunStateError
from orchestration_kit.testing import FakeClock, ScriptedWorker
from tests.support import hub_of, run_of, step, workflow_of


def test_a_failed_attempt_leaves_no_writes_on_the_bus():
    def worker(_, context):
        context.data["kept"] = context.attempt
        context.data["items"].append(context.attempt)
        del context.data["gone"]
        if context.attempt < 3:
            raise RuntimeError("again")

    result = run_of(step("a", max_retries=2), workers={"a": worker}, initial_data={"items": [0], "gone": 1})
    assert result.data["kept"] == 3
    assert result.data["items"] == [0, 3]
    assert "gone" not in result.data


def test_a_run_that_fails_keeps_the_bus_of_its_last_success():
    def worker(_, context):
        context.data["half"] = 1
        raise RuntimeError("no")

    result = run_of(step("a", "b"), step("b"), workers={"a": worker, "b": str}, initial_data={"x": 1})
    assert result.data == {"x": 1, "a_output": {"error": "no"}}
    assert (result.state, result.error) == ("failed", "a#1 failed: no")


def test_retries_stay_on_the_step_and_are_told_the_last_error():
    told = []

    def worker(_, context):
        told.append((context.attempt, context.last_error and (context.last_error.type, str(context.last_error))))
        if context.attempt < 3:
            raise ValueError(f"try {context.attempt}")
        return "ok"

    result = run_of(step("a", max_retries=5), workers={"a": worker})
    assert told == [(1, None), (2, ("ValueError", "try 1")), (3, ("ValueError", "try 2"))]
    assert [(e["attempt"], e["success"], e["visit"]) for e in result.history] == [
        (1, False, 1),
        (2, False, 1),
        (3, True, 1),
    ]


def test_retries_count_anew_at_each_visit():
    worker = ScriptedWorker(RuntimeError, 1, RuntimeError, 2)
    loop = step("a", "b", max_retries=1), step("b", "a", branches=[Branch(when="visits >= 2", to="end")]), step("end")
    result = run_of(*loop, workers={"a": worker, "b": str, "end": str})
    assert [(e["path"], e["attempt"]) for e in result.history if e["step"] == "a"] == [
        ("a#1", 1), ("a#1", 2), ("a#2", 1), ("a#2", 2),
    ]  # fmt: skip


def test_waits_between_retries_grow_and_are_bounded():
    clock = FakeClock()
    policy = RetryPolicy(backoff_s=1, multiplier=3, max_backoff_s=5)
    hub = hub_of(
        workflow_of(step("a", max_retries=3, retry=policy)), {"a": ScriptedWorker(*[OSError] * 3, "ok")}, clock=clock
    )
    assert hub.execute_workflow("flow", "g", verbose=False).state == "completed"
    assert clock.slept == [1, 3, 5]


def test_jitter_comes_from_the_seed_of_the_run():
    def waits(seed):
        clock = FakeClock()
        policy = RetryPolicy(backoff_s=10, jitter=0.5)
        hub = hub_of(
            workflow_of(step("a", max_retries=4, retry=policy)), {"a": ScriptedWorker(*[OSError] * 4, 1)}, clock=clock
        )
        hub.execute_workflow("flow", "g", verbose=False, seed=seed)
        return clock.slept

    assert waits(1) == waits(1) != waits(2)
    assert all(0.5 * 10 * 2**n <= wait <= 1.5 * 10 * 2**n for n, wait in enumerate(waits(3)))


@pytest.mark.parametrize(
    ("policy", "attempts"),
    [
        (RetryPolicy(retry_on=("OSError",)), 3),
        (RetryPolicy(retry_on=("ValueError",)), 1),
        (RetryPolicy(give_up_on=("ConnectionError",)), 1),
        (RetryPolicy(retry_on=("OSError",), give_up_on=("ConnectionResetError",)), 1),
        (RetryPolicy(), 3),
    ],
)
def test_the_policy_says_which_errors_are_worth_a_retry_base_classes_included(policy, attempts):
    worker = ScriptedWorker(ConnectionResetError("gone"), repeat_last=True)
    result = run_of(step("a", max_retries=2, retry=policy), workers={"a": worker})
    assert len(result.history) == attempts


def test_a_rejected_output_can_be_retried_by_name():
    worker = ScriptedWorker({"ok": False}, {"ok": True})
    policy = RetryPolicy(retry_on=("OutputRejected",))
    result = run_of(step("a", success_when="output.ok", max_retries=1, retry=policy), workers={"a": worker})
    assert result.state == "completed"
    assert result.history[0]["error_type"] == "OutputRejected"


def test_a_returned_failure_counts_as_one_and_keeps_its_reason_and_output():
    result = run_of(
        step("a", on_failure="b"), step("b"), workers={"a": lambda _: Failure("3 tests fail", {"n": 3}), "b": str}
    )
    assert result.history[0]["error"] == "3 tests fail"
    assert result.history[1]["input"] == {"error": "3 tests fail", "output": {"n": 3}}


def test_success_when_may_be_a_callable_and_its_result_is_on_record():
    def is_good(output, context):
        return output > 1 and context.goal == "goal"

    result = run_of(step("a", success_when=is_good, max_retries=1), workers={"a": ScriptedWorker(1, 2)})
    assert [e["success"] for e in result.history] == [False, True]
    assert result.history[1]["why"][0]["result"] is True
    assert result.history[1]["why"][0]["text"].endswith("is_good")


def test_branches_are_tried_in_order_and_every_one_evaluated_is_on_record():
    branches = [
        Branch(when="output.n > 10", to="big"),
        Branch(when="data.lim < output.n", to="mid"),
        Branch(when="true", to="big"),
    ]
    steps = step("a", "small", branches=branches), step("small"), step("mid"), step("big")
    result = run_of(*steps, workers={"a": lambda _: {"n": 5}}, initial_data={"lim": 3})
    assert result.history[0]["next_step"] == "mid"
    assert result.history[0]["why"] == [
        {"text": "output.n > 10", "inputs": {"output.n": 5}, "result": False},
        {"text": "data.lim < output.n", "inputs": {"data.lim": 3, "output.n": 5}, "result": True},
    ]


def test_a_branch_sees_the_bus_as_it_is_after_the_step():
    def worker(_, context):
        context.data["n"] = 2
        return "done"

    branches = [Branch(when="data.n == 2 && data.a_output == 'done' && !has(data.old)", to="yes")]
    result = run_of(
        step("a", "no", branches=branches), step("no"), step("yes"), workers={"a": worker}, initial_data={"n": 1}
    )
    assert [e["step"] for e in result.history] == ["a", "yes"]


def test_a_condition_that_fails_at_run_time_fails_the_attempt_without_a_retry():
    worker = ScriptedWorker({"n": "text"}, repeat_last=True)
    steps = step("a", "b", branches=[Branch(when="output.n > 1", to="b")], max_retries=3, on_failure="b"), step("b")
    result = run_of(*steps, workers={"a": worker, "b": lambda i: i})
    assert len(worker.calls) == 1
    assert result.history[0]["error_type"] == "ConditionError"
    assert "'output.n > 1' of step 'a'" in result.history[0]["error"]
    assert result.data["b_output"]["output"] == {"n": "text"}


def test_a_success_condition_that_cannot_be_evaluated_says_what_is_missing():
    result = run_of(step("a", success_when="output.score > 1"), workers={"a": lambda _: {}})
    assert "there is no entry 'score'" in result.history[0]["error"]
    assert "has(...)" in result.history[0]["error"]


@pytest.mark.parametrize("which", ["input_transformer", "output_transformer"])
def test_a_transformer_that_raises_fails_the_attempt_and_is_named(which):
    called = []
    hub = hub_of(workflow_of(step("a", max_retries=1)), {})
    hub.register_worker(
        WorkerDefinition(
            worker_type="a", name="Ada", executor=lambda i: called.append(i), **{which: lambda v, c: v["x"]}
        )
    )
    result = hub.execute_workflow("flow", "goal", verbose=False)
    assert result.state == "failed"
    assert result.history[-1]["error_type"] == "TransformerError"
    assert f"The {which} of worker 'Ada' raised TypeError" in result.history[-1]["error"]
    assert len(called) == (0 if which == "input_transformer" else 2)


def test_transformers_take_one_argument_or_two():
    hub = hub_of(workflow_of(step("a")), {})
    hub.register_worker(
        WorkerDefinition(
            worker_type="a",
            name="a",
            executor=lambda i: i,
            input_transformer=lambda i, c: f"{i}/{c.goal}",
            output_transformer=str.upper,
        )
    )
    assert hub.execute_workflow("flow", "go", verbose=False).data["a_output"] == "GO/GO"


class Page(BaseModel):
    title: str
    tags: list[str] = []


def test_an_output_schema_validates_and_names_what_does_not_fit():
    hub = hub_of(workflow_of(step("a", max_retries=1, success_when="output.title == 'x'")), {})
    script = ScriptedWorker({"name": "y"}, {"title": "x"})
    hub.register_worker(WorkerDefinition(worker_type="a", name="Ada", executor=script, output_schema=Page))
    result = hub.execute_workflow("flow", "g", verbose=False)
    assert result.history[0]["error_type"] == "OutputInvalid"
    assert "title: Field required" in result.history[0]["error"]
    assert result.data["a_output"] == Page(title="x")


@dataclass
class Note:
    parts: list[str]


@pytest.mark.parametrize(
    "make", [lambda: {"n": [1]}, lambda: [[1]], lambda: Page(title="t", tags=["1"]), lambda: Note(["1"])]
)
def test_what_is_on_record_cannot_change_behind_its_back(make):
    """Workers that keep and change what they returned, or what they were given, change nothing on record."""
    kept = make()

    def grow(value):
        target = (
            value["n"]
            if isinstance(value, dict)
            else value.tags
            if isinstance(value, Page)
            else value.parts
            if isinstance(value, Note)
            else value
        )
        target.append("more")

    def first(_, context):
        context.data["shared"] = kept
        return kept

    def second(value, context):
        grow(kept)
        grow(value)
        grow(context.data["a_output"])
        grow(context.history[0]["output"])
        grow(context.get_last_output())
        raise RuntimeError("and fail")

    result = run_of(step("a", "b"), step("b"), workers={"a": first, "b": second})
    assert result.history[0]["output"] == make()
    assert result.history[1]["input"] == make()
    assert result.data["a_output"] == result.data["shared"] == make()
    grow(result.data["a_output"])
    assert result.history[0]["output"] == make()


def test_values_nested_too_deeply_or_in_themselves_fail_the_attempt():
    endless: list = []
    endless.append(endless)
    deep = reduce(lambda inner, _: [inner], range(300), [])
    for value in (endless, deep):
        result = run_of(step("a"), workers={"a": lambda _, value=value: value})
        assert (result.state, result.history[0]["error_type"]) == ("failed", "ValueTooDeep")


def test_a_forgotten_await_is_named():
    async def inner():
        return 1

    result = run_of(step("a"), workers={"a": lambda _: inner()})
    assert "async def" in result.history[0]["error"]


def test_generators_stream_pieces_and_put_out_their_whole():
    def text(_):
        yield "Hel"
        yield "lo"

    def rows(_, context):
        yield {"n": 1}
        yield {"n": 2}

    def counted(_):
        yield 1
        return "the end"

    def nothing(_):
        yield from ()

    pieces = []
    hub = hub_of(
        workflow_of(step("a", "b"), step("b", "c"), step("c", "d"), step("d")),
        {"a": text, "b": rows, "c": counted, "d": nothing},
        observers=[lambda event: pieces.append((event.path, event.piece)) if hasattr(event, "piece") else None],
    )
    data = hub.execute_workflow("flow", "g", verbose=False).data
    assert (data["a_output"], data["b_output"], data["c_output"], data["d_output"]) == (
        "Hello",
        [{"n": 1}, {"n": 2}],
        "the end",
        None,
    )
    assert pieces[:2] == [("a#1", "Hel"), ("a#1", "lo")]


def test_workers_may_be_methods_partials_builtins_and_objects():
    class Agent:
        def __call__(self, input_data, context):
            return f"{context.current_step}:{input_data}"

        def method(self, input_data):
            return input_data + "."

        async def amethod(self, input_data, context=None):
            return input_data + ("?" if context is None else "!")

    agent = Agent()
    workers = {"a": agent, "b": agent.method, "c": partial(agent.amethod), "d": str.upper, "e": lambda *args: len(args)}
    result = run_of(step("a", "b"), step("b", "c"), step("c", "d"), step("d", "e"), step("e"), workers=workers)
    assert result.data["d_output"] == "A:GOAL.!"
    assert result.data["e_output"] == 2


def test_an_optional_second_parameter_that_is_not_a_context_is_left_alone():
    result = run_of(step("a"), workers={"a": lambda text, times=2: text * times})
    assert result.data["a_output"] == "goalgoal"


def test_randomness_and_keys_belong_to_visit_and_attempt():
    seen = []

    def worker(_, context):
        seen.append((context.random.random(), context.idempotency_key, context.path))
        if context.attempt == 1:
            raise RuntimeError("again")

    def seen_of(run_id, seed=None):
        seen.clear()
        run_of(
            step("a", "b", max_retries=1),
            step("b", worker_type="a", max_retries=1),
            workers={"a": worker},
            run_id=run_id,
            seed=seed,
        )
        return list(seen)

    one = seen_of("r1")
    assert one == seen_of("r1")
    assert len({draw for draw, _, _ in one}) == 4
    assert [key for _, key, _ in one] == [one[0][1]] * 2 + [one[2][1]] * 2
    assert one[0][1] != one[2][1]
    assert [d for d, _, _ in seen_of("r2", seed=5)] == [d for d, _, _ in seen_of("r3", seed=5)]


def test_usage_is_recorded_per_attempt_and_limits_count_it():
    def worker(_, context):
        context.add_usage(input_tokens=40, cost_usd=0.1, model="small")
        context.add_usage(output_tokens=20)
        if context.visit == 1 and context.attempt == 1:
            raise RuntimeError("paid for nothing")

    steps = step("a", "b", max_retries=1), step("b", "a", branches=[Branch(when="visits > 99", to="c")]), step("c")
    workers = {"a": worker, "b": str, "c": str}
    by_tokens = run_of(*steps, workers=workers, limits=RunLimits(max_tokens=150))
    assert by_tokens.history[0]["usage"] == {"input_tokens": 40, "output_tokens": 20, "cost_usd": 0.1, "model": "small"}
    assert by_tokens.error == "limit max_tokens reached before b#2: 150 tokens; 180 were used"
    by_cost = run_of(*steps, workers=workers, limits=RunLimits(max_cost_usd=0.15))
    assert "limit max_cost_usd reached before b#1: $0.15; $0.2 were spent" in by_cost.error


@pytest.mark.parametrize(
    "usage", [{"input_tokens": -1}, {"output_tokens": -1}, {"cost_usd": -0.1}, {"cost_usd": float("nan")}]
)
def test_negative_usage_is_refused(usage):
    result = run_of(step("a"), workers={"a": lambda _, c: c.add_usage(**usage)})
    assert "usage cannot be negative" in result.history[0]["error"]


def test_max_steps_ends_a_loop_and_is_named():
    result = run_of(
        step("a", "b"),
        step("b", "a", branches=[Branch(when="visits > 9", to="c")]),
        step("c"),
        workers={"a": str, "b": str, "c": str},
        limits=RunLimits(max_steps=7),
    )
    assert (result.state, len(result.history)) == ("failed", 7)
    assert result.error == "limit max_steps reached before b#4: 7 attempts"
    assert result.metadata["error"] == result.error


def test_retries_count_towards_max_steps():
    result = run_of(
        step("a", max_retries=1000),
        workers={"a": ScriptedWorker(OSError, repeat_last=True)},
        limits=RunLimits(max_steps=5),
    )
    assert len(result.history) == 5
    assert result.error.startswith("limit max_steps reached before a#1")


def test_max_seconds_counts_work_and_waits_and_is_named():
    clock = FakeClock()
    hub = hub_of(
        workflow_of(step("a", max_retries=9, retry=RetryPolicy(backoff_s=4, multiplier=1))),
        {"a": ScriptedWorker(OSError, repeat_last=True)},
        clock=clock,
    )
    result = hub.execute_workflow("flow", "g", verbose=False, limits=RunLimits(max_seconds=10))
    assert result.error == "limit max_seconds reached before a#1: 10 s; 12 s were used"
    assert len(result.history) == 3


@pytest.mark.parametrize(
    "limits",
    [
        {"max_steps": 0},
        {"max_steps": None},
        {"max_seconds": -1},
        {"max_tokens": True},
        {"max_cost_usd": float("inf")},
        {"max_seconds": "9"},
    ],
)
def test_a_limit_is_a_finite_number_above_zero(limits):
    with pytest.raises(ValueError, match="is not a limit"):
        RunLimits(**limits)


def test_a_failing_terminal_step_fails_the_run_or_takes_its_failure_path():
    bad = ScriptedWorker(OSError("full"), repeat_last=True)
    assert run_of(step("a"), workers={"a": bad}).error == "a#1 failed: full"
    result = run_of(step("a", on_failure="b"), step("b", outcome="failed"), workers={"a": bad})
    assert (result.state, result.error) == ("failed", "the run ended at b#1, whose outcome is failed")


def test_a_worker_cannot_write_the_history():
    def worker(_, context):
        with pytest.raises(RunStateError, match="hub writes the history"):
            context.add_history("me", 1, 2)

    assert run_of(step("a"), workers={"a": worker}).state == "completed"


def test_what_a_worker_sees_of_its_run():
    seen = {}

    def worker(_, context):
        seen.update(
            step=context.current_step, visit=context.visit, attempt=context.attempt, path=context.path, goal=context.goal,
            state=context.state, last=context.get_last_output("a"), none=context.get_last_output("zzz"), history=len(context.history),
            now=context.now().isoformat(), workflow=context.workflow.name, text=repr(context),
        )  # fmt: skip

    clock = FakeClock(start=0)
    hub = hub_of(workflow_of(step("a", "b"), step("b")), {"a": lambda _: "A", "b": worker}, clock=clock)
    hub.execute_workflow("flow", "goal", verbose=False, run_id="r")
    assert seen == {
        "step": "b", "visit": 1, "attempt": 1, "path": "b#1", "goal": "goal", "state": "in_progress", "last": "A", "none": None,
        "history": 1, "now": "1970-01-01T00:00:00+00:00", "workflow": "flow", "text": "<WorkflowContext 'r': in_progress, 1 attempts>",
    }  # fmt: skip


def test_an_error_whose_text_cannot_be_read_is_recorded_all_the_same():
    class Unreadable(Exception):
        def __str__(self):
            raise RuntimeError("no text")

    result = run_of(step("a"), workers={"a": ScriptedWorker(Unreadable())})
    assert result.history[0]["error"] == "Unreadable (its message cannot be read: RuntimeError)"
    assert run_of(step("a"), workers={"a": ScriptedWorker(OSError())}).history[0]["error"] == "OSError"


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
