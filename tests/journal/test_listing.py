"""Lists of runs, and letting go of them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest

from orchestration_kit import MemoryJournal, Orchestrator, RunLimits, SQLiteJournal, runs_frame
from orchestration_kit.errors import RunStateError, UnknownRun
from orchestration_kit.journal.errors import RunLocked
from orchestration_kit.testing import FakeClock, ScriptedWorker
from tests.support import hub_of, step, workflow_of


@pytest.fixture(params=["none", "memory", "sqlite"])
def journal(request, tmp_path):
    if request.param == "none":
        yield None
        return
    made = MemoryJournal() if request.param == "memory" else SQLiteJournal(tmp_path / "runs.db")
    with made:
        yield made


def hub_with_runs(journal):
    clock = FakeClock()
    hub = hub_of(
        workflow_of(step("a", "b"), step("b")),
        {"a": str.upper, "b": ScriptedWorker("B", OSError("no"), "B", repeat_last=True)},
        journal=journal,
        clock=clock,
    )
    hub.register_workflow(workflow_of(step("a"), name="other"))
    for number, (name, tags) in enumerate(
        [("flow", {"who": "ann"}), ("flow", {"who": "bob", "n": "1"}), ("other", None)]
    ):
        clock.advance(60)
        hub.execute_workflow(name, "go", verbose=False, run_id=f"run {number}", tags=tags)
    return hub


def ids(runs):
    return [run.run_id for run in runs]


def test_runs_are_listed_newest_first_with_what_they_came_to(journal):
    hub = hub_with_runs(journal)
    assert ids(hub.runs()) == ["run 2", "run 1", "run 0"]
    frame = runs_frame(hub.runs()).set_index("run")
    assert frame["state"].tolist() == ["completed", "failed", "completed"]
    assert frame["attempts"].tolist() == [1, 2, 2]
    assert frame.loc["run 1", "reason"] == "b#1 failed: OSError: no"


def test_a_list_of_runs_can_be_read(journal):
    hub = hub_with_runs(journal)
    hub.clock.advance(60)
    hub.get_run("run 1").fork("b", run_id="child", limits=RunLimits(max_steps=1)).run()
    assert [repr(run) for run in hub.runs(workflow="flow")] == [
        "<RunSummary 'child' of flow: failed, 1 attempt, forked from 'run 1' at b#1>",
        "<RunSummary 'run 1' of flow: failed, 2 attempts>",
        "<RunSummary 'run 0' of flow: completed, 2 attempts>",
    ]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"workflow": "flow"}, ["run 1", "run 0"]),
        ({"state": "failed"}, ["run 1"]),
        ({"tags": {"who": "bob"}}, ["run 1"]),
        ({"tags": {"who": "bob", "n": "2"}}, []),
        ({"run_id_contains": "1"}, ["run 1"]),
        ({"started_after": datetime.fromtimestamp(1_700_000_000 + 120, UTC)}, ["run 2", "run 1"]),
        ({"started_before": 1_700_000_000 + 120}, ["run 0"]),
        ({"limit": 1, "offset": 1}, ["run 1"]),
        ({"workflow": "' OR 1=1 --"}, []),
        ({"parent": "run 0"}, []),
    ],
)
def test_runs_are_found_by_what_they_are(journal, filters, found):
    assert ids(hub_with_runs(journal).runs(**filters)) == found


def test_an_unknown_filter_is_refused_with_the_nearest(journal):
    with pytest.raises(TypeError, match="no filter 'worflow'. Did you mean 'workflow'"):
        hub_with_runs(journal).runs(worflow="flow")
    with pytest.raises(ValueError, match="limit is -1"):
        hub_with_runs(journal).runs(limit=-1) if journal is None else Orchestrator(journal=journal).runs(limit=-1)


def test_tags_are_texts():
    hub = hub_with_runs(None)
    with pytest.raises(TypeError, match="tags is a dict of texts"):
        hub.start("flow", "go", tags={"n": 1})


def test_a_run_that_was_let_go_of_is_gone(journal):
    hub = hub_with_runs(journal)
    hub.forget("run 0")
    assert ids(hub.runs()) == ["run 2", "run 1"]
    with pytest.raises(UnknownRun):
        hub.get_run("run 0")
    hub.execute_workflow("flow", "go", verbose=False, run_id="run 0")


def test_a_run_whose_past_is_shared_cannot_be_let_go_of_first(tmp_path):
    with SQLiteJournal(tmp_path / "runs.db") as journal:
        hub = hub_with_runs(journal)
        hub.get_run("run 0").fork("b", run_id="child").run()
        with pytest.raises(RunStateError, match="child share its past"):
            hub.forget("run 0")
        hub.forget("child")
        hub.forget("run 0")


def test_a_run_that_somebody_drives_cannot_be_let_go_of(tmp_path):
    with SQLiteJournal(tmp_path / "runs.db") as journal, SQLiteJournal(tmp_path / "runs.db") as theirs:
        hub = Orchestrator(journal=theirs)

        def nosy(value):
            with pytest.raises(RunLocked):
                hub.forget("r")
            return value

        hub_of(workflow_of(step("a")), {"a": nosy}, journal=journal).execute_workflow(
            "flow", "go", verbose=False, run_id="r"
        )
        hub.forget("r")
        assert hub.runs() == []


def test_a_run_that_is_being_driven_is_listed_as_it_is_now(tmp_path):
    seen = []
    with SQLiteJournal(tmp_path / "runs.db") as journal:

        def b(value):
            seen.extend(Orchestrator(journal=journal).runs())
            return value

        hub_of(workflow_of(step("a", "b"), step("b")), {"a": str.upper, "b": b}, journal=journal).execute_workflow(
            "flow", "go", verbose=False
        )
    assert [(run.state, run.totals.attempts) for run in seen] == [("in_progress", 1)]
    assert "process" in seen[0].driver


def test_a_damaged_run_is_listed_as_that_and_hides_no_other(tmp_path):
    with SQLiteJournal(tmp_path / "runs.db") as journal:
        hub_with_runs(journal)
    with closing(sqlite3.connect(tmp_path / "runs.db")) as raw, raw:
        raw.execute("UPDATE runs SET started_at = started_at + 1 WHERE run_id = ?", (b"run 1",))
    raw.close()
    with SQLiteJournal(tmp_path / "runs.db") as journal:
        found = Orchestrator(journal=journal).runs()
    assert [run.state for run in found] == ["completed", "damaged", "completed"]
    assert "checksum" in found[1].reason
    assert runs_frame(found)["state"].tolist() == ["completed", "damaged", "completed"]
