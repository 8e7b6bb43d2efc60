"""What was done before an action is known without reading the record again, and is what the record says."""

from __future__ import annotations

import pytest

from orchestration_kit import (
    Action,
    ConstraintEngine,
    MapStep,
    Orchestrator,
    ParallelStep,
    WorkerDefinition,
    WorkflowDefinition,
    WorkflowStep,
)
from orchestration_kit.engine.acted import Acted
from orchestration_kit.engine.acting import actions_before, carried_out
from orchestration_kit.governance.rules import RateRule, ToolRule


def as_on_record(context):
    """What `actions_before` has to be, from the records themselves."""
    found = [one for record in context._seen() for one in (record.detail or {}).get("actions", ())]
    notes = context._notes
    return carried_out([*found, *((notes.actions or ()) if notes is not None else ())])


class Watch:
    """A worker that acts, and compares what is known with what is on record, before and after."""

    def __init__(self) -> None:
        self.quick, self.seen = [], []

    def __call__(self, given, context):
        self.quick.append(context._machine.actions_from(context._visit.scope.prefix) is not None)
        assert actions_before(context) == as_on_record(context)
        context.act(Action("file_operation", {"operation": "read", "path": context.path}), perform=lambda data: None)
        assert actions_before(context) == as_on_record(context)
        self.seen.append([one["action_data"]["path"] for one in actions_before(context)])
        return given


class Anything:
    """A gate that approves of everything."""

    def validate_plan(self, plan, *, history=(), now=None):
        return type("Yes", (), {"approved": True, "violations": (), "on_violation": "retry", "plan": dict(plan)})()

    def labels_of(self, plan, result):
        return []

    def check_outcome(self, plan, result, *, history=()):
        return self.validate_plan(plan)


def line(*names):
    flow = WorkflowDefinition(f"line {' '.join(names)}")
    for name, after in zip(names, [*names[1:], None], strict=True):
        step = WorkflowStep(step_id=name, worker_type="actor", on_success=after, is_terminal=after is None)
        flow.add_step(step, is_initial=name == names[0])
    return flow


def run(flow, data=None):
    watch = Watch()
    hub = Orchestrator(constraints=Anything())
    hub.register_worker(WorkerDefinition(worker_type="actor", name="actor", executor=watch))
    hub.register_workflow(flow)
    context = hub.execute_workflow(flow.name, "go", data or {}, verbose=False)
    assert context.state.value == "completed", context.error
    return watch


def test_one_step_after_the_other_knows_all_before_it():
    watch = run(line("a", "b", "c"))
    assert watch.seen == [["a#1"], ["a#1", "b#1"], ["a#1", "b#1", "c#1"]]
    assert all(watch.quick)


@pytest.mark.parametrize("at_once", [1, 4])
def test_items_of_a_map_know_what_came_before_the_map_and_never_look_at_one_another(at_once):
    flow = WorkflowDefinition("mapped")
    flow.add_step(WorkflowStep(step_id="first", worker_type="actor", on_success="each"), is_initial=True)
    flow.add_step(
        MapStep(step_id="each", over="data.items", body=line("x", "y"), max_concurrency=at_once, on_success="last")
    )
    flow.add_step(WorkflowStep(step_id="last", worker_type="actor", is_terminal=True))
    watch = run(flow, {"items": list(range(6))})
    inside = [seen for seen in watch.seen if "[" in seen[-1]]
    assert len(inside) == 12
    assert all(seen[0] == "first#1" and len({one.partition("]")[0] for one in seen[1:]}) == 1 for seen in inside)
    assert watch.quick.count(False) == 1  # the last step: branches have ended, whose order the record tells
    assert watch.seen[-1][1:-1] == [f"each#1[{item}]/{step}#1" for item in range(6) for step in "xy"]


def test_branches_within_branches_are_known_once_they_have_ended():
    inner = WorkflowDefinition("inner")
    inner.add_step(MapStep(step_id="deep", over="data.items", body=line("z"), on_success="after"), is_initial=True)
    inner.add_step(WorkflowStep(step_id="after", worker_type="actor", is_terminal=True))
    flow = WorkflowDefinition("outer")
    flow.add_step(
        ParallelStep(step_id="split", branches={"left": inner, "right": line("r", "s")}, on_success="end"),
        is_initial=True,
    )
    flow.add_step(WorkflowStep(step_id="end", worker_type="actor", is_terminal=True))
    watch = run(flow, {"items": [1, 2]})
    [after] = [seen for seen in watch.seen if seen[-1].endswith("after#1")]
    assert len(after) == 3
    assert len(watch.seen[-1]) == 6


def test_each_attempt_is_read_once():
    class Rows(list):
        read = 0

        def __getitem__(self, at):
            self.read += isinstance(at, int)
            return super().__getitem__(at)

    rows, acted = Rows(), Acted()
    for at in range(100):
        actions = {"actions": [{"at": at}]}
        rows.append((at + 1, "", "step", at + 1, *[None] * 15, actions))
        assert acted.seen_from(rows, "", is_branched=False) == [{"at": one} for one in range(at + 1)]
    assert rows.read == 100


def test_a_rule_on_how_often_counts_the_steps_before():
    hub = Orchestrator(
        constraints=ConstraintEngine([ToolRule({"note": {}}), RateRule(most=2, within_s=3600.0)]),
        actions={"tool_call": lambda data: "done"},
    )
    plan = Action("tool_call", {"tool": "note", "arguments": {}})
    hub.register_worker(
        WorkerDefinition(worker_type="actor", name="actor", executor=lambda given, context: context.act(plan))
    )
    hub.register_workflow(line("a", "b", "c"))
    context = hub.execute_workflow("line a b c", "go", verbose=False)
    assert [entry["success"] for entry in context.history] == [True, True, False], context.error
