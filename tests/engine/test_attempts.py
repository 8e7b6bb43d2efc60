"""What an attempt is: failure in its kinds, retries, data changes, conditions, usage."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial, reduce

import pytest
from pydantic import BaseModel

from orchestration_kit import Branch, Failure, RetryPolicy, WorkerDefinition
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
    assert (result.state, result.error) == ("failed", "a#1 failed: RuntimeError: no")


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
