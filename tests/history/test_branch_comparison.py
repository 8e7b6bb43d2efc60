"""`compare` on runs with branches: aligned by position, told by branch."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration_kit.history import compare
from tests.history.branched import BROKEN, as_they_came, branched_events, grading, joined
from tests.history.runs import assert_survives_parquet, dtypes, events, record, rows
from tests.laws import examples

BRANCHES = {
    "path": "string", "within": "category", "branch": "category", "found_in": "category", "same": "boolean",
    "parts_at": "string", "differs": "string", "state_a": "category", "state_b": "category", "attempts_a": "Int64",
    "attempts_b": "Int64",
}  # fmt: skip


def table(frame, *names):
    return [tuple(None if pd.isna(cell) else cell for cell in row) for row in rows(frame[list(names)])]


def test_branches_are_aligned_by_position_also_where_there_are_more():
    found = compare(grading([1, 2, 3]), grading([1, 13, 3, 4], run_id="b"))
    assert table(found.branches, "path", "found_in", "same", "parts_at", "differs", "state_a", "state_b") == [
        ("grade#1[0]", "both", True, None, None, "completed", "completed"),
        ("grade#1[1]", "both", False, "grade#1[1]/one#1", "input, output, error, edge", "completed", "failed"),
        ("grade#1[2]", "both", True, None, None, "completed", "completed"),
        ("grade#1[3]", "B", False, "grade#1[3]/one#1", None, None, "completed"),
    ]
    assert found.branches["attempts_a"].tolist() == [2, 2, 2, 0]
    assert str(found.first_divergence).startswith("grade#1[1]/one#1, attempt 1: ")


def test_the_text_says_which_branches_differ():
    text = str(compare(grading([1, 2, 3]), grading([1, 13, 3, 4], run_id="b")))
    assert "Branches (2 alike, 1 differ, 0 only in A, 1 only in B)" in text
    assert "  ≠ grade#1[1] A completed, B failed" in text
    assert "  B grade#1[3] only in B, completed" in text


def test_the_html_does_too():
    shown = compare(grading([1, 2]), grading([1, 13, 3], run_id="b"))._repr_mimebundle_()["text/html"]
    assert "Branches (1 alike, 1 differ, 0 only in A, 1 only in B)" in shown
    assert "grade#1[1]" in shown
    assert "only in B, completed" in shown


def test_runs_that_did_the_same_in_another_order_are_the_same():
    forth = grading([0, 1, 2], delays=[0.02, 0.01, 0.0])
    back = grading([0, 1, 2], delays=[0.0, 0.01, 0.02], run_id="b")
    assert compare(forth, back).same
    assert compare(forth, back).branches["same"].all()


def test_a_join_that_was_reached_by_other_branches_is_a_difference():
    def run(**states):
        return events(record(1, scope="p#1[a]/"), joined("p#1", **states))

    found = compare(run(a="completed", b="cancelled"), run(a="completed", b="not started"))
    assert found.first_divergence.aspects == ("detail",)
    assert found.first_divergence.differences[0].where == "detail['branches']['b']"
    assert table(found.branches, "path", "same", "state_a", "state_b") == [
        ("p#1[a]", True, "completed", "completed"),
        ("p#1[b]", False, "cancelled", "not started"),
    ]


def test_the_hash_of_a_question_is_no_difference_and_the_answer_is():
    def run(answer, digest):
        return events(record(1, "sign", worker=None, detail={"answer": answer, "request": digest}))

    assert compare(run("approved", "x"), run("approved", "y")).same
    assert compare(run("approved", "x"), run("event", "x")).first_divergence.aspects == ("detail",)


def test_a_branch_holds_what_differs_in_branches_within_it():
    a = events(record(1, scope="m#1[0]/p#1[x]/"), record(2, scope="m#1[1]/p#1[x]/"))
    b = events(record(1, scope="m#1[0]/p#1[x]/"), record(2, scope="m#1[1]/p#1[x]/", error=BROKEN))
    assert table(compare(a, b).branches, "path", "same") == [
        ("m#1[0]", True),
        ("m#1[0]/p#1[x]", True),
        ("m#1[1]", False),
        ("m#1[1]/p#1[x]", False),
    ]


def test_what_is_undone_is_told_by_its_attempts_and_no_branch():
    assert compare(events(record(1, scope="[undo]/")), events()).branches.empty


def test_many_differing_branches_are_cut_short():
    a = events(*(record(at, scope=f"m#1[{at}]/") for at in range(50)))
    b = events(*(record(at, scope=f"m#1[{at}]/", output=at + 1) for at in range(50)))
    text = str(compare(a, b))
    assert "and 38 more; .branches has them all" in text


@pytest.mark.parametrize("runs", [(events(), events()), (grading([1]), grading([13, 2], run_id="b"))])
def test_dtypes_are_as_documented(runs):
    frame = compare(*runs).branches
    assert dtypes(frame) == BRANCHES
    assert_survives_parquet(frame)


@settings(deadline=None, max_examples=examples(20))  # the first one imports pandas
@given(branched_events(), st.randoms(use_true_random=False))
def test_a_run_is_the_same_as_itself_in_whichever_order_its_events_came(in_order, chance):
    found = compare(in_order, as_they_came(in_order, chance))
    assert found.same
    assert found.branches["same"].all()
