"""Who watches the runs of all hubs: told of every run, let in around every call, and in nobody's way."""

from __future__ import annotations

import asyncio
import contextvars
from contextlib import contextmanager

import pytest

from orchestration_kit import SubworkflowStep
from orchestration_kit.engine.around import WATCHING, unwatch, watch_all
from tests.support import hub_of, step, workflow_of

inside = contextvars.ContextVar("inside", default=None)


class Witness:
    def __init__(self):
        self.runs, self.events = [], []

    def follow(self, run):
        self.runs.append(run.run_id)
        return self.events.append

    @contextmanager
    def around(self, context):
        token = inside.set((context.path, context.attempt))
        try:
            yield
        finally:
            inside.reset(token)


@pytest.fixture
def witness():
    witness = Witness()
    watch_all(witness)
    yield witness
    unwatch(witness)
    assert not WATCHING.watchers
    assert not WATCHING.followers


def plain(_):
    return inside.get()


async def awaiting(_):
    await asyncio.sleep(0)
    return inside.get()


def yielding(_):
    yield inside.get()


async def yielding_in_a_loop(_):
    yield inside.get()


@pytest.mark.parametrize("worker", [plain, awaiting, yielding, yielding_in_a_loop])
@pytest.mark.parametrize("timeout_s", [None, 60.0])
@pytest.mark.parametrize("in_a_loop", [False, True])
def test_it_is_let_in_around_a_call_of_any_kind(witness, worker, timeout_s, in_a_loop):
    hub = hub_of(workflow_of(step("a", timeout_s=timeout_s)), {"a": worker})
    if in_a_loop:
        output = asyncio.run(hub.aexecute_workflow("flow", "goal", verbose=False)).data["a_output"]
    else:
        output = hub.execute_workflow("flow", "goal", verbose=False).data["a_output"]
    assert ("a#1", 1) in (output, *(output if isinstance(output, list) else ()))
    assert inside.get() is None


def test_it_follows_every_run_runs_within_runs_and_what_is_loaded(witness, tmp_path):
    sub = SubworkflowStep(step_id="sub", workflow="flow", is_terminal=True)
    hub = hub_of(workflow_of(step("a")), {"a": plain}, journal=tmp_path / "runs.db")
    hub.register_workflow(workflow_of(sub, name="outer"))
    hub.execute_workflow("outer", "goal", verbose=False, run_id="one")
    assert witness.runs == ["one", "one/sub#1"]
    hub_of(workflow_of(step("a")), {"a": plain}, journal=tmp_path / "runs.db").get_run("one")
    assert "one" in witness.runs[2:]
    kinds = [type(event).__name__ for event in witness.events]
    assert kinds.count("RunStarted") == kinds.count("RunFinished") == 2


def test_one_that_cannot_follow_harms_no_run(caplog):
    class Broken(Witness):
        def follow(self, run):
            raise OSError

    broken = Broken()
    watch_all(broken)
    try:
        assert (
            hub_of(workflow_of(step("a")), {"a": plain}).execute_workflow("flow", "goal", verbose=False).state
            == "completed"
        )
    finally:
        unwatch(broken)
    assert "cannot follow run" in caplog.text


def test_while_nobody_watches_a_worker_is_called_as_it_is(witness):
    hub = hub_of(workflow_of(step("a")), {"a": plain})
    assert hub.current_plan("flow").steps["a"].worker.call is not plain
    unwatch(witness)
    assert hub.current_plan("flow").steps["a"].worker.call is plain
    watch_all(witness)
    assert hub.current_plan("flow").steps["a"].worker.call is not plain
