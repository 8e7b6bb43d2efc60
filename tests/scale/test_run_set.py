"""What a set of runs tells, and how it is looked at."""

from __future__ import annotations

import gc
import tracemalloc
import weakref

import pandas as pd
import pytest

from orchestration_kit import MemoryJournal, Run, SQLiteJournal, history_frame, transitions_frame, usage_frame
from orchestration_kit.errors import RunStateError, UnknownRun
from orchestration_kit.scale import run_many
from tests.scale.sets import GOALS, hub_of, moody


@pytest.fixture
def runs():
    return run_many("flow", GOALS, hub=hub_of(MemoryJournal(), draft=moody), repeats=3, seed=7, name="set")


def dtypes(frame):
    return {name: str(dtype) for name, dtype in frame.dtypes.items()}


def test_runs_are_taken_by_place_id_and_goal(runs):
    assert isinstance(runs[0], Run)
    assert [runs[0].run_id, runs[-1].run_id] == ["set/1/1", "set/6/3"]
    assert runs["set/2/3"].run_id == runs["2", 3].run_id == runs[2, 3].run_id == "set/2/3"
    assert [run.run_id for run in runs[:2]] == ["set/1/1", "set/1/2"]
    for wrong in ("set/2/4", ("2", 4), "x"):
        with pytest.raises(UnknownRun):
            runs[wrong]
    with pytest.raises(IndexError, match="has 18 runs; there is no runs"):
        runs[18]


def test_a_frame_has_one_row_a_run_in_the_order_of_goals(runs):
    frame = runs.frame()
    assert dtypes(frame) == {
        "run": "string",
        "goal_id": "category",
        "goal": "string",
        "repeat": "Int64",
        "state": "category",
        "reason": "string",
        "success": "boolean",
        "steps": "Int64",
        "attempts": "Int64",
        "duration_s": "float64",
        "tokens": "Int64",
        "cost_usd": "Float64",
        "output": "object",
    }
    assert frame["run"].tolist() == runs.run_ids
    assert frame["goal"].tolist() == [goal for goal in GOALS for _ in range(3)]
    assert frame["repeat"].tolist() == [1, 2, 3] * 6
    for row, run in zip(frame.itertuples(), runs, strict=True):
        assert row.state == run.state
        assert row.success == (run.state == "completed")
        assert row.attempts == len(run.history)
        assert row.steps == len({entry["step"] for entry in run.history})
        assert row.output == (run.context.get_last_output() if row.success else None)
        assert (row.tokens, row.cost_usd) == ((8, 0.5) if row.success else (pd.NA, pd.NA)) or pd.isna(row.tokens)
    assert set(frame["state"]) == {"completed", "failed"}


def test_a_frame_without_outputs_reads_no_run(runs):
    frame = runs.frame(outputs=False)
    pd.testing.assert_frame_equal(frame, runs.frame().drop(columns="output"))


def test_runs_that_were_not_begun_have_their_rows():
    def draft(goal):
        if goal == "goal 3":
            raise KeyboardInterrupt
        return goal

    hub = hub_of(draft=draft)
    with pytest.raises(KeyboardInterrupt):
        run_many("flow", GOALS, hub=hub, name="set")
    runs = hub.last_many
    frame = runs.frame()
    assert frame["state"].tolist() == ["completed"] * 2 + ["cancelled"] + ["not started"] * 3
    assert frame["success"].isna().tolist() == [False, False, True, True, True, True]
    assert frame["attempts"].isna().tolist() == [False] * 3 + [True] * 3
    assert len(list(runs)) == 3
    with pytest.raises(RunStateError, match=r"\(not started\): it was not begun yet. It is made by .resume\(\)"):
        runs[4]
    assert runs.outputs()[2:] == [None] * 4
    assert len(runs.history()) == 7


def test_frames_of_all_attempts_are_those_of_the_runs(runs):
    handles = list(runs)
    pd.testing.assert_frame_equal(runs.history(), history_frame(handles))
    pd.testing.assert_frame_equal(runs.transitions(), transitions_frame(handles))
    pd.testing.assert_frame_equal(runs.usage(), usage_frame(handles))


def test_failures_tell_where_and_why(runs):
    failures = runs.failures()
    frame = runs.frame()
    assert failures["run"].tolist() == frame[frame["state"] == "failed"]["run"].tolist()
    assert set(failures["error_type"]) == {"ValueError"}
    assert failures["path"].tolist() == ["draft#1"] * len(failures)
    assert failures["worker"].tolist() == ["the writer"] * len(failures)
    assert failures["error"].tolist() == [f"no idea for {goal}" for goal in failures["goal"]]
    assert failures["reason"].str.contains("draft#1 failed").all()
    assert len(run_many("flow", ["a"], hub=hub_of()).failures()) == 0


def test_a_set_says_in_a_line_how_it_stands(runs):
    counts = runs.state
    expected = f"<RunSet 'set' of flow: 18 runs: {counts['completed']} completed, {counts['failed']} failed>"
    assert repr(runs) == expected
    assert list(counts) == ["completed", "failed"]


def test_text_of_workers_is_escaped_in_a_notebook():
    evil = "<img src=x onerror=alert(1)>"

    def draft(goal):
        raise ValueError(evil)

    hub = hub_of(draft=draft)
    html = run_many(
        "flow", [{"goal": evil, "id": evil}] + [f"{n}" for n in range(9)], hub=hub, name="<b>"
    )._repr_html_()
    assert "<img" not in html
    assert "&lt;img src=x" in html
    assert "<b><b>" not in html
    assert "and 5 more" in html


def test_a_notebook_shows_counts_and_cost(runs):
    html = runs._repr_html_()
    for part in ("18 runs of <code>flow</code>", "completed", "failed", "goals", "repeats", "$"):
        assert part in html


def test_an_output_may_be_a_table():
    table = pd.DataFrame({"a": [1]})
    runs = run_many("flow", ["a", "b"], hub=hub_of(MemoryJournal(), done=lambda _: table))
    pd.testing.assert_frame_equal(runs.frame()["output"][1], table)


def test_a_set_can_be_read_by_another_hub_on_the_journal(tmp_path):
    with SQLiteJournal(tmp_path / "runs.db", group_commit=True) as journal:
        first = run_many("flow", GOALS, hub=hub_of(journal, draft=moody), name="set")
        with SQLiteJournal(tmp_path / "runs.db") as again:
            second = run_many("flow", GOALS, hub=hub_of(again, draft=moody), name="set")
            pd.testing.assert_frame_equal(first.frame(), second.frame())
            pd.testing.assert_frame_equal(first.history(), second.history())
        assert journal.integrity_check() == []


def test_with_a_journal_no_handle_stays_in_memory():
    alive = weakref.WeakSet()
    hub = hub_of(MemoryJournal())
    adopt = hub.adopt

    def noted(*args, **options):
        run = adopt(*args, **options)
        alive.add(run)
        return run

    hub.adopt = noted
    runs = run_many("flow", [f"goal {n}" for n in range(50)], hub=hub, name="set")
    gc.collect()
    assert {run.run_id for run in alive} <= {"set/50/1"}, "but for the last run of the hub"
    for _ in runs:
        pass
    runs.frame(), runs.history(), runs.recorded()
    gc.collect()
    assert len(hub.handles()) <= 2


def grown_by(path, count):
    """By how many bytes a set of so many runs grows the process, while it is made and looked at."""
    with SQLiteJournal(path, group_commit=True) as journal:
        hub = hub_of(journal)
        run_many("flow", ["warm up"], hub=hub)
        gc.collect()
        tracemalloc.start()
        try:
            runs = run_many("flow", [f"goal {n}" for n in range(count)], hub=hub, name="set")
            gc.collect()
            held, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert runs.state == {"completed": count}
        return held


@pytest.mark.soak
def test_memory_stays_bounded(tmp_path):
    few, many = grown_by(tmp_path / "few.db", 100), grown_by(tmp_path / "many.db", 600)
    assert (many - few) / 500 < 2_500, "a run costs its place in the plan, and no machine"


@pytest.mark.soak
def test_memory_stays_bounded_over_ten_thousand_runs(tmp_path):
    assert grown_by(tmp_path / "many.db", 10_000) < 25_000_000


def test_a_monitor_shows_a_set_while_it_is_made():
    from orchestration_kit import Monitor

    hub = hub_of(MemoryJournal(), done=lambda found: seen.append(len(hub.journal.follow().look().runs)) or "x")
    seen: list[int] = []
    run_many("flow", GOALS[:3], hub=hub, name="set")
    assert seen == [1, 2, 3]
    assert Monitor(hub) is not None


def test_a_set_tells_how_reliable_its_workflow_is():
    from orchestration_kit.reliability import reliability

    goals = [{"goal": "the same", "id": f"{n}"} for n in range(8)]
    runs = run_many("flow", goals, hub=hub_of(MemoryJournal(), draft=moody), repeats=5, seed=3, name="set")
    found = runs.reliability(seed=1)
    share = runs.state["completed"] / len(runs)
    assert found.p_success.low < share < found.p_success.high
    assert found.p_success == reliability(runs, seed=1).p_success
    assert len(found.frailty.trials) == 8, "goals are told apart by their ids"


def test_a_set_whose_journal_was_closed_says_so(tmp_path):
    with SQLiteJournal(tmp_path / "runs.db") as journal:
        runs = run_many("flow", ["a"], hub=hub_of(journal), name="set")
    assert "1 run, and the journal cannot be read now" in repr(runs)
    assert runs._repr_html_() is None
