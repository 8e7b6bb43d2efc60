"""Where an attempt stands: branch, opener, key of its step; and which step of which workflow it is."""

from __future__ import annotations

import pytest

from orchestration_kit import ParallelStep, WorkflowDefinition
from orchestration_kit.history.places import branches_begun, judged_steps, key_of, place_of
from tests.history.runs import record
from tests.support import step, workflow_of


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("", (None, None, "")),
        ("m#1[3]/", ("3", "m#1", "m/")),
        ("m#12[3.0.1]/", ("3.0.1", "m#12", "m/")),
        ("p#1[law]/", ("law", "p#1", "p[law]/")),
        ("m#1[3]/p#2[law]/", ("law", "m#1[3]/p#2", "m/p[law]/")),
        ("plan#1[spawn]/", ("spawn", "plan#1", "plan[spawn]/")),
        ("[undo]/", ("undo", None, "")),
        ("p#1[undo]/", ("undo", "p#1", "p/")),
        ("made/by/hand/", (None, None, "made/by/hand/")),
        ("research#1[0]/x#3/", (None, None, "research/x/")),
        ("/", (None, None, "")),
        ("]/", ("", None, "]/")),
    ],
)
def test_a_scope_says_which_branch_of_what_it_is(scope, expected):
    assert place_of(scope) == expected


def test_an_item_and_a_visit_make_no_other_step_and_a_branch_with_a_name_does():
    assert key_of("m#1[0]/draft#1") == key_of("m#2[17]/draft#9") == "m/draft"
    assert key_of("p#1[law]/check#1") != key_of("p#1[style]/check#1")


def test_each_branch_begins_once():
    known = {""}
    first, second = record(1, "x", scope="m#1[0]/"), record(2, "y", scope="m#1[0]/")
    assert branches_begun(first, known) == [("m#1[0]/", "m#1[0]/x#1")]
    assert branches_begun(second, known) == []
    assert branches_begun(record(3, "z"), known) == []


def test_what_undoes_is_no_branch_that_was_begun():
    assert branches_begun(record(1, "x", scope="p#1[undo]/"), {""}) == []


def test_steps_with_a_success_condition_are_found_in_every_workflow_the_run_went_through():
    inner = workflow_of(step("check", success_when="output.ok"), name="inner")
    made = workflow_of(step("later", success_when="output.ok"), name="made")
    definition = workflow_of(
        step("first", "p", success_when="output"),
        ParallelStep(step_id="p", branches={"in": inner, "out": "check"}, on_success="end"),
        step("check"),
        step("end"),
    )
    records = [
        record(1, "first"),
        record(2, "check", scope="p#1[in]/"),
        record(3, "check", scope="p#1[out]/"),
        record(4, "end", detail={"spawn": {"workflow": made.to_dict(), "input": 1}}),
        record(5, "later", scope="end#1[spawn]/"),
        record(6, "check", scope="gone#1[0]/"),
        record(7, "first", scope="p#1[undo]/"),
    ]
    assert judged_steps(definition, records) == {"first", "p[in]/check", "p[out]/first", "end[spawn]/later", "p/first"}
    assert judged_steps(None, records) == frozenset()
    assert judged_steps(WorkflowDefinition(name="empty"), records[:1]) == frozenset()
