"""An approval box over many runs, over those of other processes, and what becomes of it."""

from __future__ import annotations

import gc
import threading
from weakref import ref

import pytest

from orchestration_kit import (
    ApprovalBox,
    ApprovalStep,
    MemoryJournal,
    ParallelStep,
    SQLiteJournal,
    SubworkflowStep,
    WaitStep,
    approvals,
)
from tests.support import hub_of, step, workflow_of
from tests.widgets.hands import ByHand, click
from tests.widgets.test_approval import ECHO, a_box, a_hub, key_in, said, sign, waiting


def test_questions_of_all_runs_come_and_go():
    hub = a_hub()
    box = approvals(hub, ticker=ByHand())
    assert (box.questions, box.about[:28]) == ([], "No run waits for an approval")
    runs = [waiting(hub, run_id=name) for name in ("one", "two")]
    box.refresh()
    assert [one["run"] for one in box.questions] == ["one", "two"]
    click(box, "approve", key=key_in(box, 1), go_on=True)
    runs[1].wait(10)
    box.refresh()
    assert [one["run"] for one in box.questions] == ["one"]


def test_a_run_that_nobody_named_is_answered_through_the_handle_that_is_held(tmp_path):
    with SQLiteJournal(tmp_path / "runs.db") as journal:
        hub = a_hub(journal=journal)
        runs = [waiting(hub, run_id=None) for _ in range(2)]
        box = approvals(hub, ticker=ByHand())
        for _ in runs:
            click(box, "approve", key=key_in(box), go_on=True)
            box.refresh()
        assert [run.wait(10).state for run in runs] == ["completed", "completed"]


def test_a_question_appears_as_soon_as_it_is_asked():
    hub = a_hub()
    ticker = ByHand()
    box = approvals(hub, ticker=ticker)
    waiting(hub)
    ticker.call_all()
    assert len(box.questions) == 1


def test_events_and_times_are_nobodys_approval():
    workflow = workflow_of(WaitStep(step_id="paid", event="paid", on_success="done"), step("done"))
    run = hub_of(workflow, ECHO).start("flow", "go")
    run.run()
    assert a_box(run).questions == []


def test_questions_of_branches_and_of_sub_workflows_are_asked_too():
    inner = workflow_of(sign(prompt="Inner?", on_success="done", on_failure=None), step("done"), name="inner")
    outer = workflow_of(
        ParallelStep(step_id="both", branches={"law": "ask", "ship": "ship"}, on_success="done"),
        ApprovalStep(step_id="ask", prompt="Law?"),
        SubworkflowStep(step_id="ship", workflow="inner"),
        step("done"),
    )
    hub = hub_of(inner, ECHO)
    hub.register_workflow(outer)
    run = hub.start("flow", "go", run_id="r")
    run.run()
    box = a_box(run)
    assert sorted((one["prompt"], one["path"]) for one in box.questions) == [
        ("Inner?", "sign#1"),
        ("Law?", "both#1[law]/ask#1"),
    ]
    for _ in range(2):
        click(box, "approve", key=key_in(box), go_on=True)
        run.wait(10)
        box.refresh()
    assert run.state == "completed"


def test_twenty_five_are_shown_and_the_others_counted():
    hub = a_hub()
    runs = [waiting(hub, run_id=f"r{number:02}") for number in range(28)]
    box = approvals(hub, ticker=ByHand())
    assert (len(runs), len(box.questions), box.more) == (28, 25, 3)


# --- runs of other processes


def test_a_run_on_record_is_answered_without_its_workers(tmp_path):
    path = tmp_path / "runs.db"
    with SQLiteJournal(path) as journal:
        waiting(a_hub(journal=journal))
    box = approvals(path, ticker=ByHand())
    assert (box.can_go_on, box.questions[0]["prompt"]) == (False, "Send it back?")
    click(box, "approve", key=key_in(box))
    assert "orchestrator.resume('r')" in said(box)
    box.close()
    with SQLiteJournal(path) as journal:
        assert a_hub(journal=journal).resume("r", verbose=False).state == "completed"


def test_a_run_that_goes_on_elsewhere_is_seen_as_it_is_there(tmp_path):
    with SQLiteJournal(tmp_path / "runs.db") as journal, SQLiteJournal(tmp_path / "runs.db") as other:
        run = waiting(a_hub(journal=journal))
        box = a_box(run)
        answered = a_hub(journal=other).get_run("r")
        answered.approve()
        answered.run()
        box.refresh()
        assert box.questions == []
        assert "was approved already" in said(box)
        assert "it is completed" in box.about


def test_a_run_that_is_driven_elsewhere_cannot_be_answered_and_that_is_said(tmp_path):
    with SQLiteJournal(tmp_path / "runs.db") as journal, SQLiteJournal(tmp_path / "runs.db") as other:
        waiting(a_hub(journal=journal))
        box = a_box(other)
        key = key_in(box)
        stored = journal.find_run("r")
        journal.claim("r", stored.holder)
        click(box, "approve", key=key)
        assert box.notice["level"] == "error"
        assert "r" in said(box)
        assert "drive" in said(box)


def test_a_path_without_a_journal_makes_none(tmp_path):
    with pytest.raises(Exception, match="there is no such file, and none was made"):
        approvals(tmp_path / "runs.db")
    assert list(tmp_path.iterdir()) == []


def test_something_else_than_runs_is_refused_with_the_right_call():
    with pytest.raises(TypeError, match=r"ApprovalBox\(run\), or approvals\(orchestrator\)"):
        ApprovalBox(3)


# --- its life


def test_a_closed_box_listens_to_nobody():
    hub = a_hub(journal=MemoryJournal())
    before = len(hub.observers)
    run = waiting(hub)
    box, one = approvals(hub, ticker=ByHand()), a_box(run)
    listening = len(run.audience.observers), len(run.resting_observers)
    assert listening == (2, 2)
    box.close()
    one.close()
    assert (len(hub.observers), run.audience.observers, run.resting_observers) == (before, [], [])


def test_runs_that_are_over_are_let_go():
    hub = a_hub()
    run, named = waiting(hub, run_id=None), waiting(hub, run_id="last")
    box = approvals(hub, ticker=ByHand())
    run.cancel()
    assert run.audience.observers != []
    box.refresh()
    assert (run.audience.observers, run.resting_observers) == ([], [])
    held = ref(run)
    del run
    gc.collect()
    assert held() is None
    assert [one["run"] for one in box.questions] == [named.run_id]
    box.close()


def test_an_answer_to_a_run_that_is_driven_reaches_its_driver():
    started, release = threading.Event(), threading.Event()

    def slow(given):
        started.set()
        release.wait(10)
        return given

    workflow = workflow_of(
        ParallelStep(step_id="both", branches={"law": "ask", "slow": "slow"}, on_success="done"),
        ApprovalStep(step_id="ask", prompt="Law?"),
        step("slow", is_terminal=False),
        step("done"),
    )
    run = hub_of(workflow, {**ECHO, "slow": slow}).start("flow", "go", run_id="r")
    run.play()
    started.wait(10)
    box = a_box(run)
    while not box.questions:
        box.refresh()
    click(box, "approve", key=key_in(box), go_on=True)
    release.set()
    assert run.wait(10).state == "completed"


def test_its_name_is_the_same_every_time():
    assert repr(a_box(waiting(a_hub()))) == "<ApprovalBox>"
