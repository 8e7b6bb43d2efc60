"""A step that runs another workflow: what goes in and comes out, and what happens to one happens to both."""

from __future__ import annotations

import asyncio
import threading

import pytest

from orchestration_kit import ApprovalStep, Branch, MapStep, MemoryJournal, RetryPolicy, SubworkflowStep
from orchestration_kit.errors import InvalidWorkflow, MissingWorkers
from orchestration_kit.testing import FakeClock
from tests.branches.doors import check_record, entry_of, flow_of, go, hub_of, paths, through
from tests.support import step

INNER = flow_of(step("x", "y"), step("y"), name="inner")
WORKERS = {
    "first": lambda _: {"order": {"id": 7}, "n": 2},
    "x": lambda given: given,
    "y": lambda given: {"got": given},
    "last": lambda given: given,
}


def outer(**fields):
    return flow_of(
        step("first", "s"),
        SubworkflowStep(step_id="s", workflow="inner", on_success="last", **fields),
        step("last"),
        name="outer",
    )


def run_outer(door, workers=None, inner=INNER, run_id="r", data=None, act=None, hub_options=None, **fields):
    hub = hub_of([inner, outer(**fields)], {**WORKERS, **(workers or {})}, **(hub_options or {}))
    return through(door, hub.start("outer", "go", data, run_id=run_id), act)


def test_its_run_has_an_id_a_parent_and_a_history_of_its_own(door):
    run = run_outer(door)
    assert run.state == "completed"
    assert paths(run) == ["first#1", "s#1", "last#1"]
    entry = entry_of(run, "s#1")
    assert (entry["worker"], entry["worker_type"]) == ("inner", "workflow")
    child = run.children["s#1"]
    assert (child.run_id, child.state, paths(child)) == ("r/s#1", "completed", ["x#1", "y#1"])
    assert (child.machine.started.parent, child.machine.started.forked_at, child.machine.started.depth) == (
        "r",
        None,
        1,
    )
    assert child.context.goal == "go"
    check_record(child)


CASES = {
    "what came in": ({}, {"order": {"id": 7}, "n": 2}, {"input": {"order": {"id": 7}, "n": 2}}),
    "a path": ({"input": "output.order"}, {"id": 7}, {"input": {"id": 7}}),
    "the bus": ({"input": "data.extra"}, "e", {"input": "e"}),
    "the goal": ({"input": "goal"}, "go", {"input": "go"}),
    "paths by name": ({"input": {"a": "output.n", "b": "data.extra"}}, {"a": 2, "b": "e"}, {"a": 2, "b": "e"}),
    "a callable": ({"input": lambda output, context: output["n"] + len(context.data["extra"])}, 3, {"input": 3}),
}


@pytest.mark.parametrize("case", CASES)
def test_what_goes_in(door, case):
    fields, first, data = CASES[case]
    run = run_outer(door, data={"extra": "e"}, **fields)
    child = run.children["s#1"]
    assert child.history[0]["input"] == first
    assert {key: value for key, value in child.context.data.items() if not key.endswith("_output")} == data


OUTPUTS = {
    "its last output": ({}, {"got": {"id": 7}}),
    "a path of it": ({"output": "output.got.id"}, 7),
    "its bus": ({"output": "data.x_output"}, {"id": 7}),
    "paths by name": (
        {"output": {"id": "output.got.id", "all": "data.y_output"}},
        {"id": 7, "all": {"got": {"id": 7}}},
    ),
    "a callable": ({"output": lambda output, context: sorted(context.data)}, ["input", "x_output", "y_output"]),
}


@pytest.mark.parametrize("case", OUTPUTS)
def test_what_comes_out(door, case):
    fields, expected = OUTPUTS[case]
    run = run_outer(door, input="output.order", **fields)
    assert run.context.data["last_output"] == expected
    assert "x_output" not in run.context.data


@pytest.mark.parametrize(
    "fields",
    [
        {"input": "data.none"},
        {"input": {"a": "output.none"}},
        {"output": "output.none"},
        {"output": {"a": "data.none"}},
    ],
)
def test_a_path_that_leads_nowhere_fails_the_step(door, fields):
    run = run_outer(door, **fields)
    assert run.state == "failed"
    assert entry_of(run, "s#1")["error_type"] == "SubworkflowFailed"
    assert "there is nothing at " in run.context.error


def boom(_):
    raise ValueError("boom")


def test_its_failure_is_the_failure_of_the_step(door):
    run = run_outer(door, {"y": boom})
    assert run.state == "failed"
    entry = entry_of(run, "s#1")
    assert entry["error_type"] == "SubworkflowFailed"
    assert entry["error"] == "Run 'r/s#1' of the workflow 'inner' is failed: y#1 failed: ValueError: boom"
    assert run.children["s#1"].state == "failed"


def test_it_is_retried_as_a_run_of_its_own(door):
    calls = []

    def y(given):
        calls.append(given)
        if len(calls) < 3:
            raise ValueError("boom")
        return "third"

    clock = FakeClock()
    run = run_outer(door, {"y": y}, max_retries=2, retry=RetryPolicy(backoff_s=4), hub_options={"clock": clock})
    assert run.state == "completed"
    assert paths(run) == ["first#1", "s#1", "s#1.2", "s#1.3", "last#1"]
    assert run.context.data["last_output"] == "third"
    assert run.children["s#1"].run_id == "r/s#1.3"
    assert clock.slept == [4, 8]


def test_its_time_limit_cancels_its_run(door):
    begun, go_on = threading.Event(), threading.Event()

    async def endless(_):
        begun.set()
        await asyncio.Event().wait()

    run = run_outer(door, {"y": endless}, timeout_s=0.2)
    go_on.set()
    assert run.state == "failed"
    assert entry_of(run, "s#1")["error_type"] == "StepTimeout"
    child = run.children["s#1"]
    assert child.state == "cancelled"
    assert paths(child) == ["x#1", "y#1"]


def test_a_cancel_of_the_parent_cancels_it(door):
    begun = threading.Event()

    async def endless(_):
        begun.set()
        await asyncio.Event().wait()

    hub = hub_of([INNER, outer()], {**WORKERS, "y": endless})
    run = hub.start("outer", "go", run_id="r")
    canceller = threading.Thread(target=lambda: (begun.wait(30), run.cancel("enough")))
    canceller.start()
    go(run, door)
    canceller.join()
    assert (run.state, run.context.error) == ("cancelled", "enough")
    child = run.children["s#1"]
    assert child.state == "cancelled"
    assert child.history[-1]["error_type"] == "RunCancelled"
    check_record(run)
    check_record(child)


def test_a_loser_of_a_join_takes_its_run_with_it():
    from orchestration_kit import ParallelStep

    begun, stopped = threading.Event(), threading.Event()

    async def endless(_):
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    flow = flow_of(
        ParallelStep(step_id="p", branches={"quick": "q", "sub": "s"}, join="any", is_terminal=True), step("q", is_terminal=False), SubworkflowStep(step_id="s", workflow="inner"),
        name="outer",
    )  # fmt: skip
    for door in ("sync", "async"):
        begun.clear()
        stopped.clear()
        hub = hub_of([INNER, flow], {"x": str, "y": endless, "q": lambda _: begun.wait(30)})
        run = through(door, hub.start("outer", "go"))
        assert run.state == "completed"
        assert stopped.wait(30)


def test_it_waits_and_so_does_the_parent(door):
    inner = flow_of(ApprovalStep(step_id="sign", prompt="?", on_success="y"), step("y"), name="inner")
    hub = hub_of([inner, outer()], WORKERS)
    run = go(hub.start("outer", "go", run_id="r"), door)
    assert run.state == "waiting"
    assert paths(run) == ["first#1"]
    assert [(one.run_id, one.path, one.kind) for one in run.waiting] == [("r/s#1", "sign#1", "approval")]
    run.approve("yes")
    through(door, run)
    assert run.context.data["last_output"] == {"got": "yes"}
    assert paths(run) == ["first#1", "s#1", "last#1"]


def test_it_may_be_answered_through_its_own_handle(door):
    inner = flow_of(ApprovalStep(step_id="sign", prompt="?", on_success="y"), step("y"), name="inner")
    run = go(hub_of([inner, outer()], WORKERS).start("outer", "go", run_id="r"), door)
    run.children["s#1"].approve("yes")
    through(door, run)
    assert run.context.data["last_output"] == {"got": "yes"}


def test_a_map_of_sub_workflows_that_wait(door):
    inner = flow_of(ApprovalStep(step_id="sign", prompt="?", is_terminal=True), name="inner")
    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="s", is_terminal=True),
        SubworkflowStep(step_id="s", workflow="inner"),
        name="outer",
    )
    run = go(hub_of([inner, flow], {}).start("outer", "go", {"items": [1, 2, 3]}, run_id="r"), door)
    assert [(one.run_id, one.path) for one in run.waiting] == [(f"r/m#1[{n}]/s#1", "sign#1") for n in range(3)]
    through(door, run, lambda run: [run.approve(one.shown["input"] * 10, one) for one in run.waiting])
    assert run.context.data["m_output"] == [10, 20, 30]


def test_several_visits_are_several_runs(door):
    flow = flow_of(
        SubworkflowStep(
            step_id="s", workflow="inner", branches=(Branch(when="visits < 3", to="s"),), on_success="last"
        ),
        step("last"),
        name="outer",
    )
    run = through(door, hub_of([INNER, flow], WORKERS).start("outer", "go", run_id="r"))
    assert [child.run_id for child in run.children.values()] == ["r/s#1", "r/s#2", "r/s#3"]


def test_a_workflow_that_is_not_registered_is_missing_before_the_first_step_runs():
    with pytest.raises(MissingWorkers, match="the workflow 'inner': needed by s"):
        hub_of(outer(), WORKERS).start("outer", "go")


def test_missing_workers_of_it_fail_the_step(door):
    inner = flow_of(step("x", "z"), step("z", worker_type="nobody", worker="Nobody"), name="inner")
    hub = hub_of([], WORKERS)
    hub.register_workflow(inner)
    hub.register_workflow(outer())
    run = through(door, hub.start("outer", "go"))
    assert run.state == "failed"
    assert entry_of(run, "s#1")["error_type"] == "MissingWorkers"


def test_a_workflow_that_can_only_run_itself_is_refused():
    with pytest.raises(InvalidWorkflow, match="runs itself at s, and has no end that is reached without that"):
        hub_of(flow_of(SubworkflowStep(step_id="s", workflow="flow", on_success="end"), step("end")), {"end": str})


def test_two_workflows_that_run_each_other_are_stopped_at_the_depth(door):
    one = flow_of(SubworkflowStep(step_id="s", workflow="two", is_terminal=True), name="one")
    two = flow_of(SubworkflowStep(step_id="s", workflow="one", is_terminal=True), name="two")
    run = through(door, hub_of([one, two], {}).start("one", "go", run_id="r"))
    assert run.state == "failed"
    assert "and no more are allowed" in run.context.error


def test_a_killed_parent_goes_on_with_the_run_that_was_begun_and_repeats_none_of_it():
    journal, calls = MemoryJournal(), []

    def of(name, stop=False):
        def work(given):
            calls.append(name)
            if stop and calls.count(name) == 1:
                raise KeyboardInterrupt
            return given

        return work

    def hub():
        return hub_of([INNER, outer()], {**WORKERS, "x": of("x"), "y": of("y", stop=True)}, journal=journal)

    with pytest.raises(KeyboardInterrupt):
        hub().start("outer", "go", run_id="r").run()
    run = through("sync", hub().reopen("r"))
    assert run.state == "completed"
    assert calls == ["x", "y", "y"]
    assert run.children["s#1"].run_id == "r/s#1"


def test_without_a_journal_too(door):
    calls = []

    def y(given):
        calls.append("y")
        if len(calls) == 2:
            raise KeyboardInterrupt
        return given

    hub = hub_of([INNER, outer()], {**WORKERS, "x": lambda given: calls.append("x") or given, "y": y})
    with pytest.raises(KeyboardInterrupt):
        go(hub.start("outer", "go", run_id="r"), door)
    run = through(door, hub.reopen("r"))
    assert run.state == "completed"
    assert calls == ["x", "y", "y"]


def test_without_a_journal_in_an_item_that_was_added(door):
    """The position of an added item has a dot in it, as the id of a second attempt has."""
    calls = []

    def y(given):
        calls.append(("y", given))
        if given == "new" and calls.count(("y", "new")) == 1:
            raise KeyboardInterrupt
        return given

    def add(given, context):
        if given == "old":
            context.add_item("new")
        return given

    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="a", max_concurrency=1, is_terminal=True), step("a", "s", is_terminal=False), SubworkflowStep(step_id="s", workflow="inner"),
        name="outer",
    )  # fmt: skip
    hub = hub_of([INNER, flow], {"a": add, "x": lambda given: calls.append(("x", given)) or given, "y": y})
    with pytest.raises(KeyboardInterrupt):
        go(hub.start("outer", "go", {"items": ["old"]}, run_id="r"), door)
    run = through(door, hub.reopen("r"))
    assert run.context.data["m_output"] == ["old", "new"]
    assert calls == [("x", "old"), ("y", "old"), ("x", "new"), ("y", "new"), ("y", "new")]
