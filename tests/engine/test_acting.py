"""Actions: the gate is asked before anything happens, what it says is on record, and it cannot be talked away."""

from __future__ import annotations

import asyncio
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration_kit import Orchestrator, SubworkflowStep, WorkerDefinition, WorkflowContext
from orchestration_kit.engine.outcome import Action
from orchestration_kit.engine.refusals import ActionRefused
from orchestration_kit.errors import RunStateError
from tests.engine.gatekeeping import FakeGate
from tests.support import hub_of, step, workflow_of

ROOT = Path(__file__).parents[2]


def hub_with(worker, gate=None, *, hands=None, max_retries=0, **options):
    done = []
    hands = hands or {"send": lambda data: done.append(data) or {"sent": data["to"]}}
    workflow = workflow_of(step("a", "b", max_retries=max_retries), step("b"))
    hub = hub_of(
        workflow, {"a": worker, "b": lambda given: given}, constraints=gate or FakeGate(), actions=hands, **options
    )
    return hub, done


def run(hub, **options):
    return hub.execute_workflow("flow", "goal", verbose=False, **options)


def actions_of(result, attempt=0):
    return result.history[attempt]["detail"]["actions"]


def test_an_action_that_a_worker_returns_is_carried_out_and_its_result_is_the_output():
    hub, done = hub_with(lambda _: Action("send", {"to": "ann"}, cost=0.25))
    result = run(hub)
    assert done == [{"to": "ann"}]
    assert result.data["a_output"] == result.data["b_output"] == {"sent": "ann"}
    (action,) = actions_of(result)
    assert action["approved"] and action["action_type"] == "send" and action["violations"] == []
    assert result.history[0]["usage"]["cost_usd"] == 0.25


async def in_loop(_, context):
    return Action("send", {"to": context.goal})


def yielding(_):
    yield "a piece"
    return Action("send", {"to": "ann"})


@pytest.mark.parametrize("worker", [in_loop, yielding])
def test_workers_of_other_kinds_return_actions_too(worker):
    hub, done = hub_with(worker)
    assert run(hub).data["a_output"]["sent"]
    assert len(done) == 1


def test_a_refused_action_does_not_happen_and_the_next_attempt_is_told_why():
    def worker(_, context):
        return Action("send" if context.last_error else "drop", {"to": context.last_error and str(context.last_error)})

    hub, done = hub_with(worker, FakeGate({"drop": "retry"}), max_retries=1)
    result = run(hub)
    assert result.state == "completed"
    assert "no drop here [fake]. Do something else." in done[0]["to"]
    first = result.history[0]
    assert (first["success"], first["error_type"]) == (False, "ActionRefused")
    assert first["detail"]["actions"][0]["violations"] == [{"rule": "fake", "message": "no drop here"}]


def test_a_verdict_that_fails_the_step_allows_no_other_try():
    hub, done = hub_with(lambda _: Action("drop", {}), FakeGate({"drop": "fail"}), max_retries=5)
    result = run(hub)
    assert (result.state, len(result.history), done) == ("failed", 1, [])


def test_a_worker_cannot_swallow_a_verdict_that_fails_the_step():
    def worker(_, context):
        try:
            context.act(Action("drop", {}))
        except ActionRefused:
            return "all is well"

    hub, _ = hub_with(worker, FakeGate({"drop": "fail"}))
    result = run(hub)
    assert result.state == "failed"
    assert result.history[0]["error_type"] == "ActionRefused"


def test_a_worker_may_do_something_else_after_a_verdict_with_feedback():
    def worker(_, context):
        try:
            return context.act(Action("drop", {}))
        except ActionRefused as refused:
            return {"told": refused.violations}

    hub, _ = hub_with(worker, FakeGate({"drop": "retry"}))
    result = run(hub)
    assert result.state == "completed"
    assert [one["approved"] for one in actions_of(result)] == [False]


def test_an_error_in_the_gate_is_a_no():
    class Broken(FakeGate):
        def validate_plan(self, plan, **_):
            raise ZeroDivisionError

    hub, done = hub_with(lambda _: Action("send", {"to": "ann"}), Broken())
    result = run(hub)
    assert (result.state, done) == ("failed", [])
    assert "it raised ZeroDivisionError" in result.error


def test_what_came_of_an_action_can_be_kept_back():
    hub, done = hub_with(lambda _: Action("send", {"to": "ann"}), FakeGate(keeps_back={"send": "ask"}))
    result = run(hub)
    assert len(done) == 1
    assert result.state == "failed"  # it has happened: nobody is asked
    assert "kept back" in result.error and "sent" not in str(result.data)


def test_the_gate_sees_what_was_carried_out_before_and_can_forbid_a_sequence():
    def worker(_, context):
        context.act(Action("read", {}), lambda data: "the secret")
        with pytest.raises(ActionRefused, match="no send after that"):
            context.act(Action("send", {"to": "eve"}))
        return "read"

    gate = FakeGate(labels={"read": ["secret"]}, after={"secret": {"send"}})
    hub, done = hub_with(worker, gate)
    assert run(hub).state == "failed"
    assert done == []
    assert [seen for _, seen, _ in gate.seen] == [[], ["read"]]


def test_a_run_within_a_run_inherits_what_was_done_and_hands_back_what_it_did():
    gate = FakeGate(labels={"read": ["secret"]}, after={"secret": {"send"}})
    done = []
    hub = Orchestrator(constraints=gate, actions={"send": done.append, "read": lambda data: "s"})
    for name, kind in (("reader", "read"), ("sender", "send")):
        hub.register_worker(
            WorkerDefinition(worker_type=name, name=name, executor=lambda _, context, kind=kind: Action(kind, {}))
        )
    hub.register_workflow(workflow_of(step("send", worker_type="sender"), name="inner"))
    hub.register_workflow(workflow_of(step("read", worker_type="reader"), name="reading"))
    sub = SubworkflowStep(step_id="sub", workflow="inner", is_terminal=True)
    hub.register_workflow(workflow_of(step("read", "sub", worker_type="reader"), sub, name="outer"))
    assert hub.execute_workflow("outer", "goal", verbose=False).state == "failed"
    assert done == []
    reading = SubworkflowStep(step_id="sub", workflow="reading", on_success="send")
    hub.register_workflow(workflow_of(reading, step("send", worker_type="sender"), name="other"))
    result = hub.execute_workflow("other", "goal", verbose=False)
    assert result.state == "failed"
    assert done == []
    assert [one["action_type"] for one in result.history[0]["detail"]["actions"]] == ["read"]


def test_tools_are_asked_about_and_carried_out_by_who_brings_them():
    def worker(_, context):
        return context.act(Action("tool_call", {"tool": "add"}), lambda data: 3)

    hub, _ = hub_with(worker)
    assert run(hub).data["a_output"] == 3


def test_async_hands_work_from_sync_and_async_workers():
    async def hand(data, context):
        await asyncio.sleep(0)
        return [data["to"], context.goal]

    for worker in (lambda _: Action("send", {"to": "ann"}), in_loop):
        hub, _ = hub_with(worker, hands={"send": hand})
        assert run(hub).data["a_output"][1] == "goal"
        hub, _ = hub_with(worker, hands={"send": hand})
        assert asyncio.run(hub.aexecute_workflow("flow", "goal", verbose=False)).data["a_output"][1] == "goal"


def test_without_constraints_an_action_has_nobody_to_carry_it_out():
    hub = hub_of(workflow_of(step("a")), {"a": lambda _: Action("send", {})})
    result = run(hub)
    assert result.state == "failed"
    assert "Write Orchestrator(constraints=create_default_engine(...), actions={...})" in result.error
    with pytest.raises(ValueError, match="nothing is carried out unchecked"):
        Orchestrator(actions={"send": print})


def test_an_action_of_a_type_without_a_hand_says_which_there_are():
    hub, _ = hub_with(lambda _: Action("sned", {}))
    assert "Did you mean 'send'?" in run(hub).error


def test_what_is_no_gate_and_no_hand_is_refused():
    with pytest.raises(TypeError, match="constraints is a ConstraintEngine"):
        Orchestrator(constraints="strict")
    with pytest.raises(TypeError, match="cannot carry anything out"):
        Orchestrator(constraints=FakeGate(), actions={"send": "mail"})
    with pytest.raises(TypeError, match="wisdom is the path of a file"):
        Orchestrator(wisdom=3)


def test_a_hand_that_raises_fails_the_attempt_and_is_on_record():
    def hand(data):
        raise ConnectionError("down")

    hub, _ = hub_with(lambda _: Action("send", {}), hands={"send": hand})
    result = run(hub)
    assert result.history[0]["error_type"] == "ConnectionError"
    assert actions_of(result)[0]["error"] == "ConnectionError"


def test_a_context_made_by_hand_performs_and_has_no_lessons():
    context = WorkflowContext("try", "goal")
    assert context.act(Action("tool_call", {}), lambda data: 5) == 5
    assert not context.has_constraints
    with pytest.raises(RunStateError, match='Orchestrator\\(wisdom="lessons.db"\\)'):
        context.wisdom


def test_the_error_survives_pickling():
    error = ActionRefused({"action_type": "x"}, (("r", "m", "h"),), "ask")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.on_violation, again.violations) == (str(error), "ask", error.violations)


@pytest.mark.parametrize("first", ["ActionRefused", "AnswerRefused", "Orchestrator"])
def test_the_reason_of_a_run_hangs_not_on_which_name_was_imported_first(first):
    code = (
        f"from orchestration_kit import {first}\n"
        "from tests.engine.gatekeeping import FakeGate\n"
        "from tests.support import hub_of, step, workflow_of\n"
        "from orchestration_kit import Action\n"
        "hub = hub_of(workflow_of(step('a')), {'a': lambda _: Action('drop', {})}, constraints=FakeGate({'drop': 'fail'}))\n"
        "print(hub.execute_workflow('flow', 'goal', verbose=False).error)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert told.startswith("a#1 failed: ActionRefused: The action 'drop' is refused")
