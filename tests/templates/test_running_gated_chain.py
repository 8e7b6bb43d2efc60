"""The chain, run: gates let pass, close, end early, or have a step done once more."""

from __future__ import annotations

import pytest

from orchestration_kit.templates import create_gated_chain
from orchestration_kit.testing import ScriptedWorker
from orchestration_kit.workers.patterns import gate
from tests.templates.conftest import hub_with, way

STEPS = {"outline": "outliner", "draft": "drafter"}
LONG = {"outline": "size(output) >= 3"}


def test_each_step_gets_the_output_of_the_one_before(perform):
    result = perform(
        create_gated_chain(STEPS, LONG), {"outliner": lambda t: t + "+o", "drafter": lambda t: t + "+d"}, "g"
    )
    assert (result.state, way(result)) == ("completed", ["outline", "draft", "done"])
    assert result.data["done_output"] == "g+o+d"


def test_a_closed_gate_fails_the_run_before_the_next_step(perform):
    result = perform(create_gated_chain(STEPS, LONG), {"outliner": lambda t: "ab", "drafter": ScriptedWorker()})
    assert (result.state, way(result)) == ("failed", ["outline", "gate_closed"])
    assert result.data["gate_closed_output"] == "ab"
    assert "gate_closed" in result.error


def test_a_closed_gate_may_end_the_chain_with_what_there_is(perform):
    result = perform(create_gated_chain(STEPS, LONG, "stop"), {"outliner": lambda t: "ab", "drafter": ScriptedWorker()})
    assert (result.state, way(result)) == ("completed", ["outline", "stopped"])
    assert result.get_last_output() == "ab"


def test_a_closed_gate_may_have_the_step_done_again_and_tells_why(perform):
    outliner = ScriptedWorker("a", "ab", "abc")
    result = perform(create_gated_chain(STEPS, LONG, "redo"), {"outliner": outliner, "drafter": str})
    assert (result.state, way(result)) == ("completed", ["outline", "outline", "outline", "draft", "done"])
    assert outliner.calls == ["the goal"] * 3
    assert "size(output) >= 3" in outliner.contexts[1].last_error.message


def test_a_step_is_done_again_only_so_often(perform):
    outliner = ScriptedWorker("a", repeat_last=True)
    workflow = create_gated_chain(STEPS, LONG, "redo", max_redos=1)
    result = perform(workflow, {"outliner": outliner, "drafter": str})
    assert (result.state, way(result)) == ("failed", ["outline", "outline", "failed"])


def test_a_gate_on_the_last_step_guards_the_end(perform):
    workflow = create_gated_chain(STEPS, {"draft": "output == 'good'"})
    workers = {"outliner": str, "drafter": lambda t: "bad"}
    assert way(perform(workflow, workers)) == ["outline", "draft", "gate_closed"]


def test_a_failing_worker_is_no_closed_gate(perform):
    workers = {"outliner": ScriptedWorker(ValueError("no idea")), "drafter": str}
    result = perform(create_gated_chain(STEPS, LONG), workers)
    assert (result.state, way(result)) == ("failed", ["outline", "failed"])
    assert result.data["failed_output"] == {"error": "no idea"}


def test_a_gate_that_cannot_be_asked_fails(perform):
    result = perform(create_gated_chain(STEPS, LONG), {"outliner": lambda t: 3, "drafter": str})
    assert way(result) == ["outline", "failed"]


@pytest.mark.parametrize(
    ("text", "steps"), [("long enough", ["draft", "check", "done"]), ("no", ["draft", "check", "failed"])]
)
def test_a_gate_may_be_a_worker_in_the_chain(text, steps):
    check = gate(lambda text: len(text) > 3, name="long enough")
    hub = hub_with(create_gated_chain({"draft": "drafter", "check": check}), {"drafter": lambda goal: goal})
    hub.register_worker(check)
    result = hub.execute_workflow("gated_chain", text, verbose=False)
    assert way(result) == steps


def test_a_gate_may_be_a_python_callable(perform):
    workflow = create_gated_chain(["a"], {"a": lambda output, context: output == context.goal})
    assert way(perform(workflow, {"a": str})) == ["a", "done"]
    assert way(perform(workflow, {"a": lambda goal: ""})) == ["a", "gate_closed"]
