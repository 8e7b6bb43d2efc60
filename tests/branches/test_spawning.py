"""A worker makes a workflow: every check sees it before a step of it runs; what is refused is told to the next attempt."""

from __future__ import annotations

import pytest

from orchestration_kit import Branch, MapStep, ParallelStep, Spawn, WaitStep, WorkflowDefinition
from orchestration_kit.engine.spawning import MAX_DEPTH, MAX_STEPS
from tests.branches.doors import ends_of, entry_of, flow_of, hub_of, paths, run_flow, through
from tests.support import step

OUTER = flow_of(step("plan", "end"), step("end"))
INNER = flow_of(step("x", "y"), step("y"), name="made")


def called(name):
    def work(given):
        raise AssertionError(f"{name} was called")

    return work


def spawn(door, made, workers=None, flow=OUTER, **options):
    """Run a workflow whose worker makes another; what that one needs besides is not to be called."""
    others = {"x": called("x"), "y": called("y"), "end": lambda given: given}
    return run_flow(flow, {"plan": lambda _: made, **others, **(workers or {})}, door, **options)


X_Y = {"x": lambda given: f"x({given})", "y": lambda given: f"y({given})"}


def test_a_workflow_that_a_worker_made_runs_in_its_place(door):
    run = spawn(door, Spawn(INNER), X_Y)
    assert run.state == "completed"
    assert paths(run) == ["plan#1", "plan#1[spawn]/x#1", "plan#1[spawn]/y#1", "plan#1.2", "end#1"]
    assert run.context.data["end_output"] == run.context.data["plan_output"] == "y(x(go))"
    made, ended = run.history[0], run.history[3]
    assert made["output"] == {"spawned": "made"}
    assert made["detail"] == {"spawn": {"workflow": INNER.to_dict(), "input": "go"}}
    assert (ended["worker"], ended["attempt"]) == (None, 2)
    assert ends_of(run, "plan#1") == {"spawn": "completed"}


def test_it_may_be_given_an_input_of_its_own(door):
    run = spawn(door, Spawn(INNER, input=[1, 2]), X_Y)
    assert entry_of(run, "plan#1[spawn]/x#1")["input"] == [1, 2]


def test_its_steps_see_the_bus_and_what_they_write_is_there_after_it(door):
    def x(given, context):
        context.data["count"] += 1
        context.data["made"] = context.branch
        return given

    def plan(_, context):
        context.data["count"] = 10
        return Spawn(INNER)

    run = spawn(
        door, None, {**X_Y, "plan": plan, "x": x, "end": lambda _, context: context.data["count"]}, data={"count": 1}
    )
    assert run.context.data["end_output"] == 11
    assert run.context.data["made"] == "spawn"


def test_what_the_worker_does_to_the_workflow_afterwards_does_not_count(door):
    made = WorkflowDefinition.from_dict(INNER.to_dict())

    def x(given):
        made.steps.clear()
        return given

    assert spawn(door, Spawn(made), {**X_Y, "x": x}).state == "completed"


# --- refused


def unsound():
    broken = flow_of(step("x", "gone"), name="made")
    endless = flow_of(step("x", "y"), step("y", "x"), name="made")
    unreachable = flow_of(step("x"), step("y"), name="made")
    nowhere = WorkflowDefinition(name="made", steps={"x": step("x")})
    join = flow_of(
        ParallelStep(step_id="p", branches={"a": "x"}, join=3, is_terminal=True),
        step("x", is_terminal=False),
        name="made",
    )
    condition = flow_of(step("x", "y", branches=(Branch(when="output.", to="y"),)), step("y"), name="made")
    return {
        "leads nowhere": broken,
        "endless": endless,
        "unreachable": unreachable,
        "no beginning": nowhere,
        "join": join,
        "condition": condition,
    }


def refusals():
    large = flow_of(
        *(step(f"s{n}", f"s{n + 1}", worker_type="x") for n in range(MAX_STEPS)),
        step(f"s{MAX_STEPS}", worker_type="x"),
        name="made",
    )
    coded = flow_of(
        step("x", "y", branches=(Branch(when=lambda output, context: True, to="y"),)), step("y"), name="made"
    )
    mapped = flow_of(
        MapStep(step_id="m", over=lambda output, context: [1], body="x", is_terminal=True),
        step("x", is_terminal=False),
        name="made",
    )
    missing = flow_of(step("x", "z"), step("z", worker_type="nobody", worker="Nobody"), name="made")
    return {
        **{name: (made, "SpawnRefused", "it is not sound") for name, made in unsound().items()},
        "too large": (large, "SpawnRefused", f"it has {MAX_STEPS + 1:,} steps, over {MAX_STEPS:,}"),
        "no workflow": ({"name": "made"}, "SpawnRefused", "it is no WorkflowDefinition"),
        "code in a condition": (coded, "NotSerializable", ""),
        "code in a map": (mapped, "NotSerializable", ""),
        "missing workers": (missing, "MissingWorkers", "nobody"),
    }


@pytest.mark.parametrize("kind", refusals())
def test_what_cannot_run_is_refused_before_a_step_of_it_runs(door, kind):
    made, error_type, message = refusals()[kind]
    run = spawn(door, Spawn(made))
    assert run.state == "failed"
    assert paths(run) == ["plan#1"]
    assert entry_of(run, "plan#1")["error_type"] == error_type
    assert message.lower() in run.context.error.lower()
    assert entry_of(run, "plan#1")["detail"] is None


def test_the_refusal_lists_what_is_wrong(door):
    run = spawn(door, Spawn(unsound()["leads nowhere"]))
    assert "'gone'" in run.context.error


def test_the_next_attempt_is_told_why_and_may_do_better(door):
    seen = []

    def plan(_, context):
        seen.append(context.last_error and context.last_error.type)
        return Spawn(INNER if context.attempt == 2 else unsound()["endless"])

    flow = flow_of(step("plan", "end", max_retries=1), step("end"))
    run = spawn(door, None, {**X_Y, "plan": plan}, flow)
    assert run.state == "completed"
    assert seen == [None, "SpawnRefused"]
    assert paths(run) == ["plan#1", "plan#1.2", "plan#1[spawn]/x#1", "plan#1[spawn]/y#1", "plan#1.3", "end#1"]


def test_a_check_of_the_hub_may_refuse_it(door):
    looked_at = []

    def no_x(workflow):
        looked_at.append(workflow)
        return "x is not allowed" if "x" in workflow.steps else None

    run = spawn(door, Spawn(INNER), spawn_checks=[lambda workflow: None, no_x])
    assert run.state == "failed"
    assert entry_of(run, "plan#1")["error_type"] == "SpawnRefused"
    assert "a check of the hub refused it" in run.context.error
    assert "x is not allowed" in run.context.error
    looked_at[0].steps.clear()
    assert list(INNER.steps) == ["x", "y"]


def test_a_check_that_raises_is_a_refusal(door):
    def broken(workflow):
        raise LookupError("the rules are gone")

    run = spawn(door, Spawn(INNER), spawn_checks=[broken])
    assert entry_of(run, "plan#1")["error_type"] == "SpawnRefused"
    assert "a check of the hub raised LookupError: the rules are gone" in run.context.error


def test_it_may_be_nested_and_how_deep_is_capped(door):
    nest = flow_of(step("again", worker_type="nest"), name="nest")
    calls = []

    def again(given):
        calls.append(given)
        return Spawn(nest, input=given + 1)

    run = run_flow(flow_of(step("again", worker_type="nest")), {"nest": again}, door, data=None)
    assert run.state == "failed"
    assert len(calls) == 1  # text and a number do not add up: no depth is reached
    run = run_flow(
        flow_of(step("first", "again"), step("again", worker_type="nest")), {"first": lambda _: 0, "nest": again}, door
    )
    assert calls[1:] == list(range(MAX_DEPTH + 1))
    assert f"it would stand within {MAX_DEPTH} others" in run.context.error
    assert run.state == "failed"
    calls.clear()

    def limited(given):
        return Spawn(nest, input=given + 1) if given < MAX_DEPTH else "deep enough"

    run = run_flow(
        flow_of(step("first", "again"), step("again", worker_type="nest")),
        {"first": lambda _: 0, "nest": limited},
        door,
    )
    assert run.context.data["again_output"] == "deep enough"


# --- what is within it


def test_its_failure_is_the_failure_of_the_step(door):
    def y(_):
        raise ValueError("no")

    flow = flow_of(step("plan", "end", on_failure="mend"), step("end"), step("mend"))
    run = spawn(door, Spawn(INNER), {**X_Y, "y": y, "mend": lambda given: given["error"]}, flow)
    assert run.state == "completed"
    assert paths(run) == ["plan#1", "plan#1[spawn]/x#1", "plan#1[spawn]/y#1", "plan#1.2", "mend#1"]
    assert "plan#1[spawn]/y#1 failed: ValueError: no" in run.context.data["mend_output"]


def test_it_may_hold_branches_and_wait(door):
    made = flow_of(
        MapStep(step_id="m", over="output", body="x", on_success="w"),
        step("x", is_terminal=False),
        WaitStep(step_id="w", event="e", on_success="y"),
        step("y"),
        name="made",
    )
    flow = flow_of(step("plan", "end"), step("end", "listen"), WaitStep(step_id="listen", event="e", is_terminal=True))
    run = spawn(door, Spawn(made, input=[1, 2]), X_Y, flow, act=lambda run: run.send("e", "sent"))
    assert paths(run) == [
        "plan#1", "plan#1[spawn]/m#1[0]/x#1", "plan#1[spawn]/m#1[1]/x#1", "plan#1[spawn]/m#1", "plan#1[spawn]/w#1", "plan#1[spawn]/y#1",
        "plan#1.2", "end#1", "listen#1",
    ]  # fmt: skip
    assert run.context.data["end_output"] == "y(sent)"


def test_an_event_that_only_a_spawned_workflow_waits_for_can_be_sent(door):
    made = flow_of(WaitStep(step_id="w", event="inner_event", is_terminal=True), name="made")
    run = spawn(door, Spawn(made), act=lambda run: run.send("inner_event", 3))
    assert run.context.data["end_output"] == 3


def test_workers_in_branches_may_each_make_a_workflow(door):
    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="plan", on_success="end"),
        step("plan", is_terminal=False),
        step("end"),
    )
    run = run_flow(
        flow,
        {
            "plan": lambda n: Spawn(INNER, input=n),
            "x": lambda n: n + 1,
            "y": lambda n: n * 10,
            "end": lambda given: given,
        },
        door,
        data={"items": [1, 2]},
    )
    assert run.context.data["end_output"] == [20, 30]
    assert paths(run)[:4] == [
        "m#1[0]/plan#1",
        "m#1[0]/plan#1[spawn]/x#1",
        "m#1[0]/plan#1[spawn]/y#1",
        "m#1[0]/plan#1.2",
    ]


def test_a_visit_that_comes_again_may_make_another(door):
    flow = flow_of(step("plan", "end", branches=(Branch(when="visits < 2", to="plan"),)), step("end"))
    run = spawn(door, None, {**X_Y, "plan": lambda given: Spawn(INNER)}, flow)
    assert paths(run) == [
        "plan#1", "plan#1[spawn]/x#1", "plan#1[spawn]/y#1", "plan#1.2", "plan#2", "plan#2[spawn]/x#1", "plan#2[spawn]/y#1", "plan#2.2", "end#1",
    ]  # fmt: skip


def test_a_spawned_workflow_is_on_record_and_goes_on_after_a_restart(door):
    from orchestration_kit import MemoryJournal

    journal, calls = MemoryJournal(), []

    def y(given):
        calls.append("y")
        if len(calls) == 2:
            raise KeyboardInterrupt
        return given

    def hub():
        return hub_of(
            OUTER,
            {"plan": lambda _: calls.append("plan") or Spawn(INNER), "x": str, "y": y, "end": lambda given: given},
            journal=journal,
        )

    with pytest.raises(KeyboardInterrupt):
        through(door, hub().start("flow", "go", run_id="r"))
    run = through(door, hub().reopen("r"))
    assert run.state == "completed"
    assert calls == ["plan", "y", "y"]
    assert paths(run) == [
        "plan#1",
        "plan#1[spawn]/x#1",
        "plan#1[spawn]/y#1",
        "plan#1[spawn]/y#1.2",
        "plan#1.2",
        "end#1",
    ]
