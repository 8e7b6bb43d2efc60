"""Figures of a monitor are those of the frames, step by step; rows are read as far as needed, and no further."""

from __future__ import annotations

import pandas as pd
import pytest

from orchestration_kit import ApprovalStep, Branch, MapStep, ParallelStep, SQLiteJournal, WaitStep, compare_many
from orchestration_kit.journal.glances import Attempt, Over, Wait, read
from orchestration_kit.visual import visualize
from orchestration_kit.visual.overlay_fold import overlay_of
from orchestration_kit.widgets.monitor.figures import RunFigures, overlay_of_all, summed
from orchestration_kit.widgets.monitor.lines import RunLine
from tests.support import hub_of, step, workflow_of

ECHO = {name: (lambda given: given) for name in "abcd"}


def flaky():
    calls = iter(range(1_000))

    def work(given, context):
        context.add_usage(input_tokens=10, output_tokens=2, cost_usd=0.25)
        if next(calls) % 3 == 0:
            raise ValueError("not yet")
        return given

    return work


@pytest.fixture
def runs(tmp_path):
    workflow = workflow_of(
        step("a", "b", max_retries=2, on_failure="d"),
        step("b", branches=(Branch(when="visits < 3", to="a", label="again"),), on_success="c", is_terminal=False),
        MapStep(step_id="c", over="data.items", body="each", on_success="d"),
        step("each", worker_type="b", is_terminal=False),
        step("d"),
    )
    with SQLiteJournal(tmp_path / "runs.db") as journal:
        hub = hub_of(workflow, {**ECHO, "a": flaky()}, journal=journal)
        made = [hub.start("flow", "go", {"items": [1, 2, 3]}, run_id=f"r{number}") for number in range(4)]
        for run in made:
            run.run()
        yield made, journal


def attempts(journal, run):
    return [one for one in read(journal.rows(run.run_id)) if isinstance(one, Attempt)]


def all_figures(made, journal):
    model = visualize(made[0].workflow).model
    found = []
    for run in made:
        figures = RunFigures(model)
        figures.add(attempts(journal, run))
        found.append(figures)
    return found, model


def test_figures_by_step_are_those_of_compare_many(runs):
    made, journal = runs
    found, model = all_figures(made, journal)
    steps = summed(found, [], model)
    frame = compare_many(made).set_index("step")
    for ours, theirs in (("a", "a"), ("b", "b"), ("d", "d"), ("each", "c[each]/each")):
        row = (
            frame.loc[theirs if theirs in frame.index else f"{theirs}"]
            if theirs in frame.index
            else frame.loc["c/each"]
        )
        assert (steps[ours].visits, steps[ours].attempts, steps[ours].failures) == (
            row["visits"],
            row["attempts"],
            row["failures"],
        )
        assert steps[ours].quantile_s(0.5) == pytest.approx(row["duration_p50_s"])
        assert steps[ours].quantile_s(0.95) == pytest.approx(row["duration_p95_s"])
        rate = steps[ours].failure_rate
        assert 1 - rate == pytest.approx(row["success_rate"])
    assert steps["a"].cost_usd == pytest.approx(frame.loc["a", "cost_mean_usd"] * steps["a"].attempts)


def test_edges_are_taken_as_often_as_the_pictures_of_all_runs_say(runs):
    made, journal = runs
    found, model = all_figures(made, journal)
    overlay = overlay_of_all(found, summed(found, [], model))
    expected = {}
    for run in made:
        for edge, times in overlay_of(run.history, state="completed", model=model).traversals.items():
            expected[edge] = expected.get(edge, 0) + times
    assert dict(overlay.traversals) == expected


def test_figures_grow_with_every_attempt(runs):
    made, journal = runs
    model = visualize(made[0].workflow).model
    at_once, one_by_one = RunFigures(model), RunFigures(model)
    for one in attempts(journal, made[0]):
        one_by_one.add([one])
    at_once.add(attempts(journal, made[0]))
    assert summed([at_once], [], model) == summed([one_by_one], [], model)


def test_where_runs_stand_now_is_seen_on_the_steps():
    model = visualize(workflow_of(step("a", "b"), step("b"))).model
    lines = [
        RunLine("one", "flow", 1.0, at="a"),
        RunLine("two", "flow", 1.0, at="b", state="waiting", waits={"b#1": Wait("b#1", "approval", 1.0, None)}),
        RunLine("three", "flow", 1.0, at="b", state="completed"),
    ]
    overlay = overlay_of_all([], summed([], lines, model))
    assert overlay.step("a").state == "running"
    assert (overlay.step("b").state, overlay.step("b").words) == ("waiting", "1 waiting")


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 0.95, 1.0])
def test_quantiles_are_those_of_pandas(share):
    from orchestration_kit.widgets.monitor.figures import StepFigures

    durations = [0.4, 9.0, 1.5, 3.0, 0.1, 7.2]
    assert StepFigures(durations_s=durations).quantile_s(share) == pytest.approx(pd.Series(durations).quantile(share))
    assert StepFigures().quantile_s(share) is None


def test_rows_tell_of_waits_branches_and_ends(tmp_path):
    workflow = workflow_of(
        ParallelStep(step_id="both", branches={"x": "ask", "y": "b"}, on_success="late"),
        ApprovalStep(step_id="ask", prompt="Well?"),
        step("b", is_terminal=False),
        WaitStep(step_id="late", for_s=0.001, on_success="d"),
        step("d"),
    )
    with SQLiteJournal(tmp_path / "runs.db") as journal:
        run = hub_of(workflow, ECHO, journal=journal).start("flow", "go", run_id="r")
        run.run()
        line = RunLine("r", "flow", 1.0)
        line.take(read(journal.rows("r")))
        assert list(line.waits) == ["both#1[x]/ask#1"]
        assert (line.waits["both#1[x]/ask#1"].kind, line.at) == ("approval", "both")
        run.approve()
        run.run()
        seen = list(read(journal.rows("r")))
        assert [type(one) for one in seen if isinstance(one, (Wait, Over))] == [Wait, Over, Wait, Over]
        line = RunLine("r", "flow", 1.0)
        line.take(seen)
        assert (line.waits, line.at) == ({}, "d")
        assert line.totals == journal_totals(run)


def journal_totals(run):
    return run.hub.runs()[0].totals


def test_what_is_no_row_is_refused():
    from orchestration_kit.journal.port import Row

    for body in (b"[]", b'["z", 1]', b'["a", 1, 2]', b"{}", b"not JSON"):
        with pytest.raises(ValueError):
            list(read([Row(1, body, b"")]))
