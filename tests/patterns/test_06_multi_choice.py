from __future__ import annotations

import pytest

from orchestration_kit import Branch, ParallelStep
from tests.branches.doors import ends_of, entry_of, flow_of, paths, run_flow
from tests.support import step

FLOW = flow_of(
    step("read", "p"),
    ParallelStep(
        step_id="p",
        branches={
            "law": Branch(when="output.amount > 100", to="law"),
            "tax": Branch(when="output.country != 'here'", to="tax"),
            "risk": Branch(when="output.amount > 1000", to="risk"),
        },
        on_success="end",
    ),
    step("law", is_terminal=False),
    step("tax", is_terminal=False),
    step("risk", is_terminal=False),
    step("end"),
)
WORKERS = {"law": lambda _: "L", "tax": lambda _: "T", "risk": lambda _: "R", "end": lambda given: given}
CASES = [((50, "here"), []), ((500, "here"), ["law"]), ((50, "far"), ["tax"]), ((5000, "far"), ["law", "tax", "risk"])]


@pytest.mark.parametrize(("case", "activated"), CASES)
def test_06_every_branch_whose_condition_holds_is_activated(door, case, activated):
    amount, country = case
    run = run_flow(FLOW, {"read": lambda _: {"amount": amount, "country": country}, **WORKERS}, door)
    assert run.state == "completed"
    assert paths(run) == ["read#1", *(f"p#1[{name}]/{name}#1" for name in activated), "p#1", "end#1"]
    assert run.context.data["end_output"] == {name: name[0].upper() for name in activated}
    assert ends_of(run, "p#1") == dict.fromkeys(activated, "completed")


def test_06_the_record_says_why_each_branch_was_activated_or_not(door):
    run = run_flow(FLOW, {"read": lambda _: {"amount": 500, "country": "here"}, **WORKERS}, door)
    why = entry_of(run, "p#1")["why"]
    assert [(one["text"], one["result"]) for one in why] == [
        ("output.amount > 100", True),
        ("output.country != 'here'", False),
        ("output.amount > 1000", False),
    ]


def test_06_a_condition_that_cannot_be_evaluated_fails_the_step_before_a_branch_begins(door):
    run = run_flow(FLOW, {"read": lambda _: {"amount": "much", "country": "here"}, **WORKERS}, door)
    assert run.state == "failed"
    assert paths(run) == ["read#1", "p#1"]
    assert entry_of(run, "p#1")["error_type"] == "ConditionError"
