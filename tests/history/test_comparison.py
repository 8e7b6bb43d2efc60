"""`compare`: alignment, the first divergence, frames, and a view that never raises."""

from __future__ import annotations

import dataclasses
import pickle

import html5lib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from orchestration_kit import WorkflowContext
from orchestration_kit.engine.data import Changes
from orchestration_kit.engine.events import ErrorInfo
from orchestration_kit.history import compare
from orchestration_kit.history.texts import PLAIN
from tests.history.runs import (
    NO,
    OK,
    assert_survives_parquet,
    dtypes,
    events,
    parquet,
    record,
    recorded_events,
    rows,
    site_hub,
    site_run,
)
from tests.hostile import PAYLOADS, one_in
from tests.laws import examples
from tests.support import run_of, step

STEPS = {
    "path": "string", "step": "category", "attempt": "Int64", "found_in": "category", "same": "boolean",
    "differs": "string", "worker_a": "category", "worker_b": "category", "success_a": "boolean", "success_b": "boolean",
    "output_a": "string", "output_b": "string", "error_a": "string", "error_b": "string", "way_on_a": "category",
    "way_on_b": "category", "duration_s_a": "float64", "duration_s_b": "float64", "duration_delta_s": "float64",
}  # fmt: skip
DATA = {
    "key": "string",
    "change": "category",
    "where": "string",
    "a": "string",
    "b": "string",
    "type_a": "category",
    "type_b": "category",
}
TOTALS = {"measure": "string", "a": "Float64", "b": "Float64", "delta": "Float64"}


def test_runs_that_did_the_same_are_the_same_whatever_their_times_and_ids():
    a, b = site_run(NO, OK), site_run(NO, OK, run_id="b")
    comparison = compare(a, b)
    assert comparison.same
    assert comparison.first_divergence is None
    assert comparison.steps["same"].all()
    assert comparison.data.empty
    assert str(comparison).startswith("Comparison: the same way, the same outcome")


def test_the_first_divergence_names_the_attempt_and_what_differed():
    parts = compare(site_run(NO, OK), site_run(NO, NO, OK, run_id="b")).first_divergence
    assert (parts.path, parts.attempt, parts.only_in) == ("review#1", 2, None)
    assert parts.aspects == ("output", "condition", "error", "edge")
    places = {one.where: (one.a, one.b) for one in parts.differences}
    assert places["output['ok']"] == ("True", "absent")
    assert places["condition['output.ok']['result']"] == ("True", "False")
    assert places["edge"] == ("'done'", "'retry'")
    assert str(parts) == "review#1, attempt 2: output, condition, error, edge"


@pytest.mark.parametrize(
    ("fields", "aspect"),
    [
        ({"worker": "other"}, "worker"),
        ({"worker": None}, "worker"),
        ({"input": 2}, "input"),
        ({"output": 2}, "output"),
        ({"error": ErrorInfo("E", "x")}, "error"),
        ({"next_step": "b"}, "edge"),
    ],
)
def test_each_aspect_is_told_by_its_name(fields, aspect):
    parts = compare(events(record()), events(record(**fields))).first_divergence
    assert parts.aspects == (aspect,)
    assert parts.differences[0].where == aspect


def test_times_and_usage_are_no_difference():
    other = record(duration_s=9.0, started_at=5.0, usage={"cost_usd": 1.0, "input_tokens": 5})
    comparison = compare(events(record()), events(other))
    assert comparison.same
    assert comparison.totals.set_index("measure").loc["duration_s", "delta"] == 8.5


def test_attempts_are_aligned_by_identity_not_by_order():
    frame = compare(
        events(record(1, "x"), record(2, "y"), record(3, "z")),
        events(record(1, "x"), record(2, "new"), record(3, "z")),
    ).steps
    assert list(zip(frame["path"], frame["found_in"], strict=True)) == [
        ("x#1", "both"),
        ("new#1", "B"),
        ("y#1", "A"),
        ("z#1", "both"),
    ]
    assert frame["same"].tolist() == [True, False, False, True]


def test_an_attempt_that_only_one_run_made_is_a_divergence():
    parts = compare(events(record(1), record(2, "b")), events(record(1))).first_divergence
    assert (parts.path, parts.only_in, parts.aspects) == ("b#1", "A", ())
    assert str(parts) == "b#1, attempt 1: only in A"


def test_a_run_still_going_is_told_from_one_that_went_elsewhere():
    done = site_run(OK)
    going = site_hub([OK]).start("site", "goal", run_id="slow")
    going.step()
    comparison = compare(done, going)
    assert comparison.first_divergence.path == "code#1"
    assert "B has not ended; it may still do what only the other did." in str(comparison)
    assert "code#1, attempt 1: only in A; B has not ended" in str(comparison)
    assert not comparison.same
    going.run()
    assert not comparison.same
    assert compare(done, going).same


def test_the_data_at_the_end_is_compared_entry_by_entry():
    def run(**data):
        return run_of(step("a"), workers={"a": lambda _: 0}, initial_data=data)

    comparison = compare(run(x={"n": [1, 2]}, gone=1, same=NO), run(x={"n": [1, 3]}, new="v", same=NO))
    assert not comparison.same
    assert comparison.same_way
    found = rows(comparison.data[["key", "change", "where", "a", "b"]])
    assert found == [
        ["x", "changed", "x['n'][1]", "2", "3"],
        ["gone", "removed", "gone", "1", pd.NA],
        ["new", "added", "new", pd.NA, "'v'"],
    ]


def test_totals_are_b_less_a():
    totals = compare(site_run(OK), site_run(NO, NO, NO, OK, run_id="b")).totals.set_index("measure")
    assert totals.loc["attempts", ["a", "b", "delta"]].tolist() == [4, 8, 4]
    assert totals.loc["input_tokens", "delta"] == 100
    assert totals.loc["cost_usd", "delta"] == pytest.approx(0.01)
    assert totals.loc["duration_s", "delta"] == pytest.approx(3 * 0.5 + 2 + 4 + 1.5)


def test_what_a_run_did_not_tell_is_missing_in_the_totals():
    totals = compare(events(record()), events(record(usage={"cost_usd": 2.0}))).totals.set_index("measure")
    assert totals.loc["cost_usd"].tolist() == [pd.NA, 2.0, pd.NA]


def test_different_workflows_have_nothing_in_common_and_say_so():
    other = run_of(step("elsewhere"), workers={"elsewhere": str})
    text = str(compare(site_run(OK), other))
    assert "they have no step in common" in text
    assert "Different workflows: 'site' and 'flow'." in text


def test_a_workflow_that_changed_between_the_runs_is_told():
    started = events(record())[0]
    text = str(compare([started, record()], [started._replace(fingerprint="g"), record()]))
    assert "The workflow, or a worker of it, changed between them" in text


@pytest.mark.parametrize(
    ("a", "b", "verdict"),
    [
        (events(), events(), "neither has an attempt on record"),
        (events(), events(record()), "A has no attempt on record"),
        (events(record()), [], "B has no attempt on record"),
        ([], events(data={"x": 1}), "neither has an attempt on record"),
        (WorkflowContext("mine", "goal"), events(), "neither has an attempt on record"),
    ],
)
def test_an_empty_run_is_compared(a, b, verdict):
    comparison = compare(a, b)
    assert str(comparison).startswith(f"Comparison: {verdict}")
    assert set(comparison._repr_mimebundle_()) == {"text/plain", "text/html"}
    for frame, expected in ((comparison.steps, STEPS), (comparison.data, DATA), (comparison.totals, TOTALS)):
        assert dtypes(frame) == expected


class Raises:
    def __eq__(self, _):
        raise RuntimeError("no ==")

    def __repr__(self):
        raise RuntimeError("no repr")

    __hash__ = None


class Arrays:
    def __eq__(self, _):
        return np.array([True, False])

    __hash__ = None


AWKWARD = [
    float("nan"), float("inf"), pd.DataFrame({"a": [1, 2]}), np.arange(3), Raises(), Arrays(), object(), {1, 2}, b"\xff",
    "\ud800", "x" * 10**6, {"deep": [[[[[[1]]]]]]}, {("a", 1): 2}, 10**5_000, pd.NA,
]  # fmt: skip


@pytest.mark.parametrize("value", AWKWARD, ids=lambda value: type(value).__name__)
def test_any_value_is_compared_and_shown(value):
    a = events(record(input=value, output=value, changes=Changes({"k": value}, ())))
    b = events(record(input=1, output=[value], changes=Changes({"k": 1}, ())))
    assert compare(a, a).same
    comparison = compare(a, b)
    assert comparison.first_divergence.aspects == ("input", "output")
    shown = comparison._repr_mimebundle_()
    assert set(shown) == {"text/plain", "text/html"}
    assert len(shown["text/html"]) < 20_000
    assert dtypes(parquet(comparison.steps)) == STEPS
    assert comparison.data["key"].tolist() == ["k", "a_output"]


@pytest.mark.parametrize("at", one_in(3))
def test_text_from_runs_never_becomes_markup(at):
    payload = PAYLOADS[at]

    def run(other):
        said = record(
            step=payload, worker=payload + other, output={payload: payload + other}, error=ErrorInfo(payload, payload + other),
            next_step=payload + other, changes=Changes({payload: payload + other}, ()),
        )  # fmt: skip
        return events(said, run=payload + other)

    comparison = compare(run("1"), run("2"))
    assert not comparison.same
    shown = comparison._repr_mimebundle_()
    allowed = {"div", "p", "strong", "table", "caption", "thead", "tbody", "tr", "th", "td"}
    tree = html5lib.parseFragment(shown["text/html"], namespaceHTMLElements=False)
    for element in tree.iter():
        assert element.tag in allowed | {"DOCUMENT_FRAGMENT"}
        assert set(element.attrib) <= {"scope", "style", "class"}
        assert element.attrib.get("class", PLAIN) == PLAIN
        assert "url" not in element.attrib.get("style", "")
    for text in shown.values():
        assert all(char.isprintable() or char == "\n" for char in text)
        text.encode("utf-8")


def test_the_view_stays_short_however_long_the_runs_are():
    a = events(*(record(i, f"s{i}", output=i) for i in range(1, 2_001)))
    b = events(*(record(i, f"s{i}", output=-i if i % 2 else i) for i in range(1, 2_001)))
    text = str(compare(a, b))
    assert len(text.splitlines()) < 150
    assert "lines more; .steps has them all" in text


def test_attempts_alike_in_a_row_share_a_line():
    a = events(*(record(i, f"s{i}") for i in range(1, 101)))
    b = events(*(record(i, f"s{i}", output=1 if i == 50 else None) for i in range(1, 101)))
    text = str(compare(a, b))
    assert "= s1#1 to s49#1: 49 attempts alike" in text
    assert "≠ s50#1  [output]" in text
    assert "Attempts (99 alike, 1 differ, 0 only in A, 0 only in B)" in text


def test_differences_are_marked_by_signs_and_words():
    shown = compare(events(record(1), record(2, "b")), events(record(1, output=1), record(2, "c")))._repr_mimebundle_()
    for text in shown.values():
        for mark in ("≠ a#1", "A b#1", "B c#1", "only in A", "only in B"):
            assert mark in text


def test_a_display_that_breaks_shows_its_reason():
    comparison = compare(events(record()), events(record(output=1)))
    broken = dataclasses.replace(comparison, a=None)
    assert broken._repr_mimebundle_()["text/plain"].startswith("This comparison could not be shown: AttributeError")


def test_a_history_made_by_hand_may_use_an_identity_twice():
    entry = {"step": "a", "visit": 1, "attempt": 1}
    assert len(compare([entry, entry], [entry]).steps) == 2


def test_what_has_no_history_is_refused():
    with pytest.raises(TypeError, match="There is no history in an int"):
        compare(events(), 7)


def test_the_frames_survive_parquet():
    comparison = compare(site_run(NO, OK, initial_data={"x": 1}), site_run(OK, run_id="b", initial_data={"x": 2}))
    for frame, expected in ((comparison.steps, STEPS), (comparison.data, DATA), (comparison.totals, TOTALS)):
        assert dtypes(frame) == expected
        assert_survives_parquet(frame)


def test_a_difference_can_be_pickled():
    parts = compare(site_run(OK), site_run(NO, OK, run_id="b")).first_divergence
    assert pickle.loads(pickle.dumps(parts)) == parts


@settings(deadline=None, max_examples=examples(50))  # the first one imports pandas
@given(recorded_events())
def test_a_run_is_the_same_as_itself(run):
    comparison = compare(run, run)
    assert comparison.same
    assert comparison.data.empty
    assert len(comparison.steps) == len(run) - 1


@settings(deadline=None, max_examples=examples(25))  # the first one imports pandas
@given(recorded_events(), recorded_events())
def test_comparing_the_other_way_round_finds_the_same_pairs(one, other):
    forth, back = compare(one, other), compare(other, one)
    assert forth.same == back.same
    assert forth.same_data == back.same_data
    assert len(forth.steps) == len(back.steps)
    assert forth.steps["same"].sum() == back.steps["same"].sum()
    assert set(forth.data["key"]) == set(back.data["key"])
    assert {"text/plain", "text/html"} == set(forth._repr_mimebundle_())
