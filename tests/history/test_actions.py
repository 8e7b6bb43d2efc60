"""`actions_frame`: what workers wanted, what was said of it, what became of it."""

from __future__ import annotations

from orchestration_kit import actions_frame
from orchestration_kit.engine.outcome import Action
from tests.engine.gatekeeping import FakeGate
from tests.history.runs import dtypes, parquet
from tests.support import hub_of, step, workflow_of

DTYPES = {
    "run": "category", "path": "string", "step": "category", "attempt": "Int64", "worker": "category",
    "action_type": "category", "action": "string", "cost_usd": "Float64", "outcome": "category", "by_person": "boolean",
    "violations": "string", "labels": "string", "at": "datetime64[us, UTC]",
}  # fmt: skip


def worker(_, context):
    context.act(Action("read", {"path": "a"}, cost=0.5))
    for kind in ("drop", "peek", "fail"):
        try:
            context.act(Action(kind, {}))
        except Exception:  # the record tells
            continue
    return context.act(Action("pay", {"usd": 7}))


def fail(data):
    raise OSError


def test_each_action_is_a_row_with_what_became_of_it():
    gate = FakeGate({"drop": "retry", "pay": "ask"}, keeps_back={"peek": "retry"}, labels={"read": ["secret"]})
    hands = {"read": str, "peek": str, "pay": str, "fail": fail}
    hub = hub_of(workflow_of(step("a")), {"a": worker}, constraints=gate, actions=hands)
    run = hub.start("flow", "goal")
    run.run()
    run.approve()
    run.run()
    frame = actions_frame(run)
    assert frame["attempt"].tolist() == [1] * 5 + [2] * 5
    assert frame["outcome"].tolist() == [
        *("carried out", "refused", "kept back", "failed", "refused"),
        *("carried out", "refused", "kept back", "failed", "carried out"),
    ]
    assert frame["by_person"].tolist() == [False] * 9 + [True]
    assert frame["labels"].tolist()[0] == "secret"
    assert frame["cost_usd"].sum() == 1.0
    assert frame["violations"].tolist()[1] == "no drop here [fake]"


def test_dtypes_are_as_documented_with_and_without_rows():
    entry = {"step": "a", "detail": {"actions": [{"action_type": "x", "action_data": {}, "approved": True}]}}
    for source in ([], [entry]):
        assert dtypes(actions_frame(source)) == DTYPES
        assert dtypes(parquet(actions_frame(source))) == DTYPES


def test_what_was_refused_for_its_cost_is_a_row_too():
    for cost in ("free", [1], 10**400, float("nan"), float("inf"), -1):
        asked = {"action_type": "pay", "action_data": {}, "cost": cost, "approved": False}
        frame = actions_frame([{"step": "a", "detail": {"actions": [asked]}}])
        assert frame["outcome"].tolist() == ["refused"]
        assert frame["cost_usd"].isna().tolist() == [cost != -1]


def test_an_action_that_was_under_way_when_its_attempt_was_stopped_is_unfinished():
    begun = {"action_type": "pay", "action_data": {}, "cost": 0.0, "approved": True, "unfinished": True}
    frame = actions_frame([{"step": "a", "detail": {"actions": [begun, {**begun, "error": "OSError"}]}}])
    assert frame["outcome"].tolist() == ["unfinished", "failed"]
