"""A run at other times: looking back, forking, replaying, and running again only what changed."""

from __future__ import annotations

import pandas as pd
import pytest

from orchestration_kit import (
    Branch,
    MemoryJournal,
    SQLiteJournal,
    WorkerDefinition,
    data_frame,
    history_frame,
    replay,
    runs_frame,
)
from orchestration_kit.engine.replay import parting_at
from orchestration_kit.errors import DefinitionChanged, DuplicateRun, UnknownVisit
from orchestration_kit.testing import FakeClock, ScriptedWorker
from tests.support import hub_of, step, workflow_of

REVIEWED = workflow_of(
    step("write", "review"),
    step("review", "publish", success_when="output.ok", on_failure="write"),
    step("publish"),
)


@pytest.fixture(params=["none", "memory", "sqlite"])
def journal(request, tmp_path):
    if request.param == "none":
        yield None
        return
    made = MemoryJournal() if request.param == "memory" else SQLiteJournal(tmp_path / "runs.db")
    with made:
        yield made


def reviewed(journal, *verdicts, **workers):
    """A finished run: written, rejected once, written again, accepted, published."""
    calls: list[str] = []

    def write(value, context):
        calls.append("write")
        context.data["tone"] = context.data.get("tone", "dry")
        context.data["drafts"] = [*context.data.get("drafts", []), context.visit]
        return f"{context.data['tone']} draft {context.visit}"

    def publish(value, context):
        calls.append("publish")
        return f"published {context.data['write_output']}"

    review = ScriptedWorker(*(verdicts or ({"ok": False}, {"ok": True})), repeat_last=True)
    found = {"write": write, "review": review, "publish": publish, **workers}
    hub = hub_of(REVIEWED, found, journal=journal, clock=FakeClock())
    run = hub.start("flow", "goal", {"start": 1}, run_id="r")
    run.run()
    return hub, run, calls


def test_a_moment_shows_how_things_stood_when_a_visit_began(journal):
    _, run, _ = reviewed(journal)
    then = run.at("write#2")
    assert (then.data["drafts"], then.data["tone"]) == ([1], "dry")
    assert [entry["path"] for entry in then.history] == ["write#1", "review#1"]
    assert then.input == {"error": then.input["error"], "output": {"ok": False}}
    assert then.context.current_step == "write"
    assert run.at("write#1").history == []
    assert dict(run.at("publish").data) == {
        key: value for key, value in run.context.data.items() if key != "publish_output"
    }


def test_a_moment_is_drawn_as_things_stood_then(journal):
    _, run, _ = reviewed(journal)
    shown = run.at("review#1")._repr_mimebundle_()
    assert "✓ succeeded, 1 visit" in shown["text/plain"]
    assert shown["text/plain"].count("not visited") == 1  # publish
    assert "<svg" in shown["image/svg+xml"]
    assert repr(run.at("review#1")) == "<review#1 of run 'r': 1 attempt before it>"
    assert repr(run.at("write#2")) == "<write#2 of run 'r': 2 attempts before it>"


def test_a_visit_that_never_was_is_refused_with_those_that_were(journal):
    _, run, _ = reviewed(journal)
    with pytest.raises(UnknownVisit, match="no visit 'review#3'.*Did you mean 'review#.'.*write#1, review#1, write#2"):
        run.at("review#3")
    with pytest.raises(UnknownVisit, match="Its visits: write#1, write#2"):
        run.fork("write")


def test_a_fork_goes_another_way_and_leaves_its_parent_as_it_was(journal):
    hub, run, calls = reviewed(journal)
    before = (run.history, dict(run.context.data))
    calls.clear()
    fork = run.fork("write#2", {"tone": "lively"}, run_id="lively")
    assert (fork.state, fork.next_step, calls) == ("in_progress", "write", [])
    assert fork.run().data["publish_output"] == "published lively draft 2"
    assert calls == ["write", "publish"]
    assert (run.history, dict(run.context.data)) == before
    assert [entry["path"] for entry in fork.history] == [entry["path"] for entry in run.history]
    assert fork.history[:2] == run.history[:2]
    assert hub.get_run("lively") is fork


def test_a_fork_may_give_its_first_visit_another_input(journal):
    given = []
    _, run, _ = reviewed(journal, publish=lambda value: given.append(value) or value)
    run.fork("publish", input={"ok": "by hand"}).run()
    assert given == [{"ok": True}, {"ok": "by hand"}]


def test_a_fork_of_a_fork_shares_what_its_parent_shared(journal):
    hub, run, _ = reviewed(journal)
    child = run.fork("review#2", {"n": 1}, run_id="child")
    child.run()
    early = child.fork("write#2", {"n": 2}, run_id="early")
    early.run()
    late = child.fork("publish#1", {"n": 3}, run_id="late")
    late.run()
    assert early.context.data["n"] == 2
    assert child.at("review#2").data["n"] == 1
    assert "n" not in run.at("review#2").data
    assert [late.context.data["n"], child.context.data["n"], run.context.data.get("n")] == [3, 1, None]
    if journal is not None:
        other = hub_of(REVIEWED, {name: str for name in ("write", "review", "publish")}, journal=journal)
        for known in (child, early, late):
            loaded = other.get_run(known.run_id)
            assert loaded.events == known.events
            assert dict(loaded.context.data) == dict(known.context.data)


def test_a_fork_uses_the_workers_registered_now(journal):
    hub, run, _ = reviewed(journal)
    hub.register_worker(WorkerDefinition(worker_type="publish", name="press", executor=lambda value: "printed"))
    assert run.fork("publish").run().data["publish_output"] == "printed"


def test_a_fork_by_a_workflow_that_would_not_have_come_there_is_refused(journal):
    hub, run, _ = reviewed(journal)
    hub.register_workflow(workflow_of(step("write", "publish"), step("publish")))
    with pytest.raises(DefinitionChanged, match="part at write#1"):
        run.fork("review#2")
    assert [run.run_id for run in hub.runs()] == ["r"]


def test_a_fork_under_a_used_id_is_refused(journal):
    _, run, _ = reviewed(journal)
    run.fork("publish", run_id="x")
    if journal is not None:
        run.fork("publish", run_id="y").run()
        with pytest.raises(DuplicateRun):
            run.fork("publish", run_id="y")


def test_the_frames_show_parent_and_fork_point(journal):
    hub, run, _ = reviewed(journal)
    fork = run.fork("review#2", {"n": 1}, run_id="child")
    fork.run()
    frame = runs_frame([run, fork]).set_index("run")
    assert frame.loc["child", ["parent", "forked_at"]].tolist() == ["r", "review#2"]
    assert frame.loc["r", ["parent", "forked_at"]].isna().all()
    listed = runs_frame(hub.runs()).set_index("run")
    pd.testing.assert_frame_equal(listed.loc[["r", "child"]], frame.loc[["r", "child"]], check_categorical=False)
    changes = data_frame(fork)
    set_by_fork = changes[changes["key"] == "n"]
    assert set_by_fork[["seq", "path", "after"]].values.tolist() == [[3, "review#2", "1"]]


def test_replay_takes_the_same_path_without_calling_anybody(journal):
    _, run, calls = reviewed(journal)
    calls.clear()
    report = replay(run)
    assert report.is_same
    assert (report.attempts, calls) == (5, [])
    assert dict(report.context.data) == dict(run.context.data)
    assert "the same path, 5 attempts" in str(report)
    assert replay(run.context).is_same


def test_replay_says_where_another_workflow_would_lead_elsewhere(journal):
    _, run, _ = reviewed(journal)
    strict = REVIEWED.model_copy(deep=True)
    strict.add_step(step("review", "publish", success_when="output.ok && visits > 2", on_failure="write"), replace=True)
    report = replay(run, workflow=strict)
    assert not report.is_same
    assert (report.parting.path, report.attempts) == ("review#2", 3)
    assert (report.parting.recorded, report.parting.expected) == ("it goes on to 'publish'", "it goes on to 'write'")
    assert str(report) == (
        "Run 'r' parts after 3 attempts, at review#2, attempt 1:\n"
        "  on record, it goes on to 'publish'\n"
        "  by this workflow, it goes on to 'write'"
    )
    assert replay(run, workflow=REVIEWED.model_copy(update={"description": "better"})).is_same


def test_replay_wants_a_run():
    with pytest.raises(TypeError, match="replay takes a Run"):
        replay([{"step": "a"}])


def test_refresh_runs_only_what_changed_and_what_depends_on_it(journal):
    hub, run, calls = reviewed(journal)
    assert run.refresh() is run
    hub.register_worker(WorkerDefinition(worker_type="publish", name="publish", executor=lambda value: "printed"))
    calls.clear()
    renewed = run.refresh(run_id="new")
    assert calls == []
    assert renewed.context.data["publish_output"] == "printed"
    assert history_frame(renewed)["cached"].tolist() == [False] * 5
    assert (renewed.machine.started.parent, renewed.machine.started.forked_at) == ("r", "publish#1")


def test_refresh_reuses_what_comes_after_a_change_that_changed_nothing(journal):
    hub, run, calls = reviewed(journal)

    def write(value, context):  # another worker that comes to the same
        calls.append("new write")
        context.data["tone"] = context.data.get("tone", "dry")
        context.data["drafts"] = [*context.data.get("drafts", []), context.visit]
        return "{} draft {}".format(context.data["tone"], context.visit)

    hub.register_worker(WorkerDefinition(worker_type="write", name="write", executor=write))
    calls.clear()
    renewed = run.refresh()
    assert calls == ["new write", "new write"]
    frame = history_frame(renewed)
    assert frame[["path", "cached"]].values.tolist() == [
        ["write#1", False], ["review#1", True], ["write#2", False], ["review#2", True], ["publish#1", True],
    ]  # fmt: skip
    assert dict(renewed.context.data) == dict(run.context.data)
    assert renewed.state == "completed"
    if journal is not None:
        assert (
            hub_of(REVIEWED, {name: str for name in ("write", "review", "publish")}, journal=journal)
            .get_run(renewed.run_id)
            .events
            == renewed.events
        )


def test_refresh_with_another_goal_or_data_runs_what_they_reach(journal):
    _, run, calls = reviewed(journal)
    calls.clear()
    renewed = run.refresh({"tone": "lively"})
    assert calls == ["write", "publish"]  # accepted at once: the reviewer was asked before
    assert renewed.context.data["publish_output"] == "published lively draft 1"
    calls.clear()
    again = run.refresh(goal="another goal")
    assert again.context.goal == "another goal"
    assert again.history[0]["input"] == "another goal"


def test_refresh_follows_a_workflow_that_leads_elsewhere_from_there(journal):
    hub, run, calls = reviewed(journal)
    flow = workflow_of(
        step("write", "review"),
        step(
            "review",
            "publish",
            success_when="output.ok",
            on_failure="write",
            branches=[Branch(when="visits == 2", to="seal")],
        ),
        step("seal", "publish", worker_type="write"),
        step("publish"),
    )
    hub.register_workflow(flow)
    renewed = run.refresh()
    assert renewed.machine.started.forked_at == "review#2"
    assert [entry["step"] for entry in renewed.history][-3:] == ["review", "seal", "publish"]


def test_to_ask_where_a_visit_would_lead_leaves_no_mark_on_it():
    """Else an interrupt in the wait before it would go on record as an attempt."""
    hub, run, _ = reviewed(None)
    other = hub.start("flow", "goal")
    assert parting_at(other.machine, run.machine.records[0]) is None
    visit = other.machine.upcoming()
    assert (visit.started_at, visit.evaluated, visit.facts, visit.output) == (0.0, (), None, None)
