"""Workers and workflows on cases: a row per case and repeat."""

from __future__ import annotations

import math
import sys
import threading

import pandas as pd
import pytest

from orchestration_kit import (
    ApprovalStep,
    Orchestrator,
    RunLimits,
    SQLiteJournal,
    WorkerDefinition,
)
from orchestration_kit.errors import UnknownWorkflow
from orchestration_kit.evaluation import Case, Criterion, Dataset, Rubric, evaluate, summary, wilson_interval
from tests.support import hub_of, step, workflow_of

GREETINGS = Dataset([Case("ada", "ada", "Ada"), Case("neil", "o'neil", "O'neil")], name="greetings")


def exact(output, expected):
    return output == expected


def test_a_function_is_scored_with_one_row_per_case_and_repeat():
    frame = evaluate(str.title, GREETINGS, {"exact": exact, "brief": lambda output: len(output) < 5}, repeats=2)
    assert frame[["case", "repeat", "output", "exact", "brief", "total", "passed"]].values.tolist() == [
        ["ada", 1, "Ada", 1.0, 1.0, 1.0, True],
        ["ada", 2, "Ada", 1.0, 1.0, 1.0, True],
        ["neil", 1, "O'Neil", 0.0, 0.0, 0.0, False],
        ["neil", 2, "O'Neil", 0.0, 0.0, 0.0, False],
    ]
    assert frame["error"].tolist() == [None] * 4
    assert frame["run_id"].nunique() == 4
    assert frame.attrs["dataset"] == "greetings"
    assert frame.attrs["thresholds"] == {"exact": 0.5, "brief": 0.5}


def test_dtypes_are_as_documented_also_where_nothing_is_known():
    frame = evaluate(str.title, GREETINGS, exact)
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == {
        "case": "str",
        "repeat": "int64",
        "output": "object",
        "score": "float64",
        "total": "float64",
        "passed": "bool",
        "error": "object",
        "why": "object",
        "duration_s": "float64",
        "cost_usd": "Float64",
        "tokens": "Int64",
        "run_id": "str",
    }
    assert frame["cost_usd"].isna().all()


def test_inputs_and_outputs_of_every_kind_stay_one_cell():
    table = pd.DataFrame({"a": [1, 2]})
    inputs = [[1, 2], {"a": 1}, table, None, "", 3]
    frame = evaluate(lambda given: given, [{"input": one} for one in inputs], lambda output: True)
    assert frame["output"].tolist()[0] == [1, 2]
    assert frame["output"].iloc[2].equals(table)
    assert frame["output"].tolist()[3:] == [None, "", 3]


def test_a_worker_that_fails_scores_nothing_and_the_rest_goes_on():
    def picky(text):
        if text == "ada":
            raise ValueError("not her")
        return text.capitalize()

    frame = evaluate(picky, GREETINGS, exact)
    assert frame[["score", "total", "passed"]].values.tolist() == [[0.0, 0.0, False], [1.0, 1.0, True]]
    assert "not her" in frame["error"][0]
    assert frame["output"][0] is None


def test_a_criterion_that_fails_is_in_the_row():
    frame = evaluate(str.title, GREETINGS, {"broken": lambda output: 1 / 0, "exact": exact})
    assert frame["broken"].isna().all()
    assert frame["total"].isna().all()
    assert frame["exact"].tolist() == [1.0, 0.0]
    assert frame["why"][0] == "broken: ZeroDivisionError: division by zero"


def test_a_worker_has_its_usage_in_the_row():
    def brain(text, context):
        context.add_usage(input_tokens=10, output_tokens=len(text), cost_usd=0.25, model="m")
        return text.title()

    worker = WorkerDefinition(worker_type="brain", name="Brain", executor=brain)
    frame = evaluate(worker, GREETINGS, exact)
    assert frame["tokens"].tolist() == [13, 16]
    assert frame["cost_usd"].tolist() == [0.25, 0.25]
    assert (frame["duration_s"] > 0).all()


def test_a_program_can_be_evaluated_in_one_line():
    code = "import sys; sys.stdout.write(sys.stdin.read().capitalize())"
    frame = evaluate([sys.executable, "-c", code], GREETINGS, exact)
    assert frame["passed"].tolist() == [True, True]


def greeting_hub(**options):
    return hub_of(
        workflow_of(step("greet", "sign"), step("sign"), name="letter"),
        {"greet": lambda goal, context: f"{context.data.get('word', 'Hello')} {goal}", "sign": lambda text: text + "."},
        **options,
    )


def test_a_workflow_is_run_by_its_name_with_texts_as_goals_and_mappings_as_data():
    cases = [
        {"input": "Ada", "expected": "Hello Ada."},
        {"input": {"goal": "Bob", "word": "Ahoy"}, "expected": "Ahoy Bob."},
        {"name": "Cy", "input": {"word": "Hi"}, "expected": "Hi Cy."},
    ]
    frame = evaluate("letter", cases, exact, hub=greeting_hub())
    assert frame["output"].tolist() == [case["expected"] for case in cases]
    assert frame["passed"].all()


def test_a_workflow_can_be_given_itself_and_another_output_be_scored():
    hub = greeting_hub()
    frame = evaluate(hub.workflows["letter"], [{"input": "Ada"}], bool, hub=hub, output="greet_output")
    assert frame["output"].tolist() == ["Hello Ada"]
    counted = evaluate("letter", [{"input": "Ada"}], bool, hub=hub, output=lambda context: len(context.history))
    assert counted["output"].tolist() == [2]


def test_an_output_that_is_not_there_is_an_error_of_its_row():
    frame = evaluate("letter", [{"input": "Ada"}], bool, hub=greeting_hub(), output="nothing")
    assert frame["error"][0].startswith("there is no output: MissingEntry")


def test_a_run_that_waits_for_somebody_is_an_error_of_its_row():
    hub = Orchestrator()
    hub.register_workflow(workflow_of(ApprovalStep(step_id="sign", prompt="Well?", is_terminal=True), name="ask"))
    frame = evaluate("ask", [{"input": "Ada"}], bool, hub=hub)
    assert "waits at sign#1 (approval)" in frame["error"][0]
    assert not frame["passed"][0]


@pytest.mark.parametrize("given", [{"goal": 3}, {"goal": ""}, {1: 2}])
def test_a_case_that_cannot_begin_a_run_is_an_error_of_its_row(given):
    frame = evaluate("letter", [{"input": given}, {"input": "Ada"}], bool, hub=greeting_hub())
    assert frame["passed"].tolist() == [False, True]
    assert frame["error"][0]


def test_runs_are_kept_and_can_be_found_again(tmp_path):
    hub = greeting_hub(journal=SQLiteJournal(tmp_path / "runs.db"))
    frame = evaluate("letter", GREETINGS, exact, hub=hub, repeats=2, tags={"model": "m1"})
    evaluate(str.title, GREETINGS, exact, hub=hub)
    found = hub.runs(tags={"evaluation": frame.attrs["evaluation"], "case": "neil", "model": "m1"})
    assert {one.run_id for one in found} == set(frame["run_id"][2:])
    assert len(hub.runs(tags={"dataset": "greetings"})) == 6
    again = hub.get_run(frame["run_id"][3])
    assert again.context.data["sign_output"] == frame["output"][3]


def test_a_worker_tried_with_a_hub_takes_nobodys_place():
    hub = greeting_hub()
    evaluate(WorkerDefinition(worker_type="greet", name="greet", executor=str.upper), GREETINGS, exact, hub=hub)
    assert hub.execute_workflow("letter", "Ada", verbose=False).data["sign_output"] == "Hello Ada."


def test_several_at_once_give_the_same_rows_in_the_same_order(tmp_path):
    hub = greeting_hub(journal=SQLiteJournal(tmp_path / "runs.db"))
    cases = [{"input": f"n{at}", "expected": f"Hello n{at}."} for at in range(20)]
    one = evaluate("letter", cases, exact, hub=hub)
    many = evaluate("letter", cases, exact, hub=hub, at_once=6)
    same = ["case", "repeat", "output", "score", "total", "passed", "error", "why"]
    assert one[same].equals(many[same])
    assert many["passed"].all()


def test_at_once_means_at_the_same_time():
    meet = threading.Barrier(3, timeout=20)

    def wait(given):
        meet.wait()
        return given

    frame = evaluate(wait, [{"input": at} for at in range(3)], lambda output: True, at_once=3)
    assert frame["passed"].all()


def test_random_numbers_are_the_same_in_every_evaluation():
    def throw(given, context):
        return context.random.random()

    first, second = (evaluate(throw, GREETINGS, lambda output: output, repeats=3)["output"] for _ in range(2))
    assert first.tolist() == second.tolist()
    assert first.nunique() == 6


@pytest.mark.parametrize("at_once", [1, 2])
def test_an_interrupt_leads_out_and_leaves_no_run_behind(at_once):
    runs = []

    def interrupt(given, context):
        runs.append(context)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(interrupt, GREETINGS, exact, at_once=at_once)
    assert len(runs) <= at_once


def test_limits_count():
    hub = greeting_hub()
    frame = evaluate("letter", [{"input": "Ada"}], bool, hub=hub, limits=RunLimits(max_steps=1))
    assert "max_steps" in frame["error"][0]


@pytest.mark.parametrize(
    ("change", "error", "part"),
    [
        ({"repeats": 0}, ValueError, "repeats is a whole number"),
        ({"repeats": True}, ValueError, "repeats is a whole number"),
        ({"at_once": 1_000}, ValueError, "from 1 to 256"),
        ({"subject": "letter"}, TypeError, "hub=hub"),
        ({"subject": "lettr", "hub": greeting_hub()}, UnknownWorkflow, "Did you mean 'letter'"),
        ({"subject": 3}, TypeError, "No worker can be made of 3"),
        ({"hub": "hub"}, TypeError, "hub is an Orchestrator"),
        ({"dataset": []}, ValueError, "no cases"),
        ({"rubric": {}}, ValueError, "no dimension"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_at_once(change, error, part):
    given = {"subject": str.title, "dataset": GREETINGS, "rubric": exact, **change}
    subject, dataset, rubric = (given.pop(name) for name in ("subject", "dataset", "rubric"))
    with pytest.raises(error, match=part):
        evaluate(subject, dataset, rubric, **given)


def test_a_summary_has_a_mean_and_an_interval_per_dimension():
    rubric = Rubric({"exact": Criterion(exact, weight=2, threshold=1.0), "brief": lambda output: 0.5})
    found = summary(evaluate(str.title, GREETINGS, rubric, repeats=5)).set_index("dimension")
    assert found.index.tolist() == ["exact", "brief", "total", "passed"]
    assert found.loc["exact", ["weight", "threshold", "cases", "scores", "mean", "reached"]].tolist() == [
        2.0,
        1.0,
        2,
        10,
        0.5,
        0.5,
    ]
    # Ten scores, but two cases: the interval is that of two.
    assert found.loc["exact", ["low", "high"]].tolist() == pytest.approx(list(wilson_interval(0.5, 2)))
    assert found.loc["total", "mean"] == pytest.approx(0.5)
    assert found.loc["passed", "mean"] == 0.5


def test_scores_that_are_missing_are_counted_and_in_no_mean():
    def half_broken(output, expected, case):
        return exact(output, expected) if case.name == "ada" else 1 / 0

    row = summary(evaluate(str.title, GREETINGS, half_broken)).iloc[0]
    assert (row["scores"], row["unjudged"], row["mean"]) == (1, 1, 1.0)
    nothing = summary(evaluate(str.title, GREETINGS, lambda output: 1 / 0)).iloc[0]
    assert (nothing["unjudged"], pd.isna(nothing["mean"]), pd.isna(nothing["low"])) == (2, True, True)


def test_tables_of_several_evaluations_can_be_joined_and_summed_up():
    frames = [evaluate(worker, GREETINGS, exact) for worker in (str.title, str.capitalize)]
    assert summary(pd.concat(frames))["mean"].tolist()[0] == 0.75


def test_a_summary_of_something_else_is_refused():
    with pytest.raises(ValueError, match="no table of evaluate"):
        summary(pd.DataFrame({"a": [1]}))


@pytest.mark.parametrize(
    ("share", "count", "low", "high"),
    # R: prop.test(x, n, correct = FALSE)$conf.int
    [(0.0, 10, 0.0, 0.2775328), (0.5, 10, 0.2365931, 0.7634069), (0.9, 100, 0.8256343, 0.9447708)],
)
def test_the_interval_is_wilsons(share, count, low, high):
    assert wilson_interval(share, count) == pytest.approx((low, high), abs=1e-6)


@pytest.mark.parametrize(("share", "count"), [(-0.1, 10), (1.1, 10), (0.5, 0), (math.nan, 10)])
def test_an_interval_of_nothing_is_refused(share, count):
    with pytest.raises(ValueError, match="a share is"):
        wilson_interval(share, count)
