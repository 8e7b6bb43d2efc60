"""A player: who is asked, and other runs."""

from __future__ import annotations

import threading

import pytest

from orchestration_kit import (
    Action,
    ApprovalStep,
    MapStep,
    RunLimits,
    SQLiteJournal,
    SubworkflowStep,
    WaitStep,
    create_default_engine,
)
from orchestration_kit.journal.errors import JournalUnavailable
from tests.support import hub_of, step, workflow_of
from tests.widgets.hands import click, svg_of
from tests.widgets.test_player import ECHO, a_hub, a_player, settled


def asking(*more):
    steps = [
        step("a", "sign"),
        ApprovalStep(step_id="sign", prompt="Send it?", on_success="c", on_failure="b", schema={"type": "boolean"}),
        step("b"),
        step("c"),
    ]
    return hub_of(workflow_of(*steps), ECHO).start("flow", "go", run_id="r")


def test_what_is_asked_is_shown_and_approved_and_the_run_goes_on():
    player, ticker = a_player(asking())
    click(player, "run_on")
    settled(player, ticker)
    (question,) = player.shown["asked"]
    assert (player.shown["words"], question["prompt"]) == ("waits for approval of sign#1", "Send it?")
    assert "answer" in player.shown["buttons"]["run"]
    click(player, "approve", request=question["request"], text="true")
    settled(player, ticker)
    assert player.shown["state"] == "completed"
    assert player.notice["text"] == "Approved. The run goes on."


def test_an_action_that_a_person_is_asked_about_was_not_tried_again():
    gate = create_default_engine(allowed_domains=["shop.example"], on_violation="ask")
    mail = Action("send_email", {"to": "eve@mail.test", "subject": "Hello", "body": "."})
    hub = hub_of(workflow_of(step("a")), {"a": lambda _: mail}, constraints=gate, actions={"send_email": str})
    player, ticker = a_player(hub.start("flow", "go", run_id="r"))
    click(player, "run_on")
    settled(player, ticker)
    visit = player.panel["visit"]
    assert visit["words"] == "refused by a rule, so that a person is asked"
    assert visit["way"] == "once a person has decided"
    (question,) = player.shown["asked"]
    click(player, "approve", request=question["request"], text="true")
    settled(player, ticker)
    assert (player.shown["state"], player.panel["visit"]["words"]) == ("completed", "ok")


def test_after_a_step_an_answer_leaves_the_next_step_to_the_person():
    player, ticker = a_player(asking())
    for _ in range(2):
        click(player, "step")
        settled(player, ticker)
    click(player, "reject", request=player.shown["asked"][0]["request"], reason="not yet")
    settled(player, ticker)
    assert player.notice["text"] == "Rejected. Step or Run goes on from there."
    click(player, "step")
    settled(player, ticker)
    assert player.run.history[-1]["error"].endswith("not yet")


def test_a_no_needs_a_reason():
    player, ticker = a_player(asking())
    for _ in range(2):
        click(player, "step")
        settled(player, ticker)
    question = player.shown["asked"][0]["request"]
    click(player, "reject", request=question, reason="  ")
    assert player.notice["text"].startswith("Say why")
    assert player.run.waiting[0].hash == question


def test_what_was_said_of_an_earlier_click_goes_away():
    player, ticker = a_player()
    click(player, "pause")
    assert player.notice["text"] == "Nobody works on it."
    click(player, "step")
    settled(player, ticker)
    assert player.notice["text"] == ""


def test_it_says_what_stopped_a_run_also_where_others_hear_of_it_later():
    player, ticker = a_player()

    def no_more(**_):
        raise OSError("the disk is full")

    player.run._drive = no_more
    player.run.resting_observers.append(ticker.call_all)  # looks before whoever waits is told
    click(player, "run_on")
    with pytest.raises(OSError, match="the disk is full"):
        player.run.wait(10)
    ticker.call_all()
    assert player.notice["text"] == "The run could not go on: OSError: the disk is full"


def test_a_journal_that_cannot_be_read_is_told_and_looked_at_again(tmp_path, monkeypatch):
    with SQLiteJournal(tmp_path / "runs.db") as journal:
        run = hub_of(workflow_of(step("a", "b"), step("b")), ECHO, journal=journal).start("flow", "go", run_id="r")
        run.step()
        player, ticker = a_player(run)
        other = hub_of(workflow_of(step("a", "b"), step("b")), ECHO, journal=journal).resume("r", verbose=False)
        assert other.state.value == "completed"

        def locked(_):
            raise JournalUnavailable("runs.db", "it is locked", "Try again.")

        with monkeypatch.context() as patch:
            patch.setattr(run.hub, "get_run", locked)
            ticker.call_all()
            assert "The journal cannot be read now" in player.notice["text"]
        ticker.call_all()
        assert player.run.state.value == "completed"


def test_a_second_answer_and_one_that_does_not_fit_are_refused():
    player, ticker = a_player(asking())
    click(player, "run_on")
    settled(player, ticker)
    request = player.shown["asked"][0]["request"]
    click(player, "approve", request=request, text="7")
    assert "does not fit" in player.notice["text"]
    click(player, "approve", request=request)
    settled(player, ticker)
    click(player, "approve", request=request)
    assert player.notice["level"] == "error"
    assert player.shown["state"] == "completed"


def test_an_event_is_sent():
    steps = [WaitStep(step_id="wait", event="paid", on_success="c"), step("c")]
    player, ticker = a_player(hub_of(workflow_of(*steps), ECHO).start("flow", "go"))
    click(player, "run_on")
    settled(player, ticker)
    assert player.shown["asked"][0]["event"] == "paid"
    click(player, "send_event", event="paid", text='{"sum": 3}')
    settled(player, ticker)
    assert player.run.history[-1]["output"] == {"sum": 3}


def test_stop_while_it_waits():
    player, ticker = a_player(asking())
    click(player, "run_on")
    settled(player, ticker)
    click(player, "stop")
    ticker.call_all()
    assert (player.shown["state"], player.shown["asked"]) == ("cancelled", [])


# --- other runs


def test_a_sub_run_can_be_opened_but_not_driven():
    inner = workflow_of(step("a"), name="inner")
    hub = hub_of(inner, ECHO)
    hub.register_workflow(
        workflow_of(SubworkflowStep(step_id="sub", workflow="inner", on_success="c"), step("c"), name="outer")
    )
    player, ticker = a_player(hub.start("outer", "go", run_id="r"))
    click(player, "run_on")
    settled(player, ticker)
    click(player, "open_tab", tab="runs")
    (child,) = player.panel["runs"]
    assert (child["workflow"], child["state"]) == ("inner", "completed")
    click(player, "open_run", run=child["run"])
    assert player.shown["lineage"] == "within r"
    assert player.shown["buttons"]["step"].startswith("It is part of another run")
    click(player, "step")
    assert player.notice["text"].startswith("It is part of another run")
    click(player, "open_parent")
    assert player.run.run_id == "r"


def nested():
    """A run that waits within its sub-workflow; its player, and one of the run within it."""
    inner = workflow_of(ApprovalStep(step_id="ask", prompt="Well?", on_success="a"), step("a"), name="inner")
    hub = hub_of(inner, ECHO)
    hub.register_workflow(
        workflow_of(SubworkflowStep(step_id="sub", workflow="inner", on_success="c"), step("c"), name="outer")
    )
    run = hub.start("outer", "go", run_id="r")
    run.run()
    return a_player(run), a_player(run.children["sub#1"])


def test_what_is_answered_within_a_sub_run_is_seen_in_the_player_of_the_outer_one():
    (player, ticker), _ = nested()
    assert player.shown["buttons"]["step"].startswith("It waits for an answer")
    player.run.approve()
    ticker.call_all()
    assert (player.shown["asked"], player.shown["buttons"]["step"]) == ([], "")
    assert player.shown["words"] == "what it waited for is there"


def test_an_answer_in_the_player_of_a_sub_run_goes_on_with_the_outer_one():
    (outer, _), (player, ticker) = nested()
    click(player, "approve", request=player.shown["asked"][0]["request"])
    assert outer.run.wait(10).state.value == "completed"
    ticker.call_all()
    assert player.shown["state"] == "completed"
    assert [entry["path"] for entry in outer.run.history] == ["sub#1", "c#1"]


def test_the_player_of_a_sub_run_says_which_run_goes_on():
    _, (player, _) = nested()
    click(player, "pause")
    click(player, "approve", request=player.shown["asked"][0]["request"])
    assert player.notice["text"] == "Approved. Step or Run of r goes on from there."


def test_a_limit_that_bounds_each_branch_is_not_held_against_their_sum():
    each = MapStep(step_id="each", body="a", over="data.items", on_success="b")
    run = hub_of(workflow_of(each, step("a"), step("b")), ECHO).start(
        "flow", "go", {"items": [1, 2, 3]}, limits=RunLimits(max_steps=3)
    )
    run.run()
    player, _ = a_player(run)
    assert player.shown["used"][0] == {"label": "attempts", "text": "5"}


def test_a_run_of_a_journal_is_shown(tmp_path):
    journal = SQLiteJournal(tmp_path / "runs.db")
    hub = hub_of(workflow_of(step("a", "b"), step("b")), ECHO, journal=journal)
    hub.start("flow", "go", run_id="r").step()
    again = hub_of(workflow_of(step("a", "b"), step("b")), ECHO, journal=journal)
    player, ticker = a_player(again.get_run("r"))
    assert player.shown["words"] == "paused before b#1"
    assert player.shown["journal"] is True
    click(player, "run_on")
    player.run.wait(10)
    ticker.call_all()
    assert player.shown["state"] == "completed"


def test_a_run_that_another_process_drives_is_followed(tmp_path):
    flow = workflow_of(step("a", "b"), step("b"))
    first = hub_of(flow, ECHO, journal=SQLiteJournal(tmp_path / "runs.db")).start("flow", "go", run_id="r")
    first.step()
    other = hub_of(flow, ECHO, journal=SQLiteJournal(tmp_path / "runs.db")).get_run("r")
    player, ticker = a_player(other)
    first.step()
    for _ in range(3):
        ticker.call_all()
    assert player.shown["state"] == "completed"
    assert svg_of(player).count('data-state="succeeded"') == 2
    ticker.call_all()
    assert ticker.planned == 0  # it has ended: nobody looks any more


def test_a_run_of_a_journal_that_is_locked_says_so(tmp_path):
    journal = SQLiteJournal(tmp_path / "runs.db")
    begun, go = threading.Event(), threading.Event()
    slow = {"a": lambda given: (begun.set(), go.wait(10))[1], "b": lambda given: given}
    flow = workflow_of(step("a", "b"), step("b"))
    first = hub_of(flow, slow, journal=journal).start("flow", "go", run_id="r")
    first.put_on_record()
    other = hub_of(flow, ECHO, journal=SQLiteJournal(tmp_path / "runs.db")).get_run("r")
    first.play()
    begun.wait(10)
    player, ticker = a_player(other)
    player.run.log.wait_s = 0.0
    click(player, "run_on")
    with pytest.raises(Exception, match="drive"):
        player.run.wait(10)
    ticker.call_all()
    assert player.notice["level"] == "error"
    go.set()
    first.wait(10)


def test_an_unknown_run_is_told():
    player, _ = a_player()
    click(player, "open_run", run="nowhere")
    assert player.notice["text"].startswith("UnknownRun")


def test_a_run_has_one_player_that_is_made_anew_once_it_is_closed_or_shows_another_run():
    run = a_hub().start("flow", "go")
    first = run.player()
    assert run.player() is first
    assert len(run.resting_observers) == 1
    first.close()
    second = run.player()
    assert second is not first
    fork = run.fork(at="a#1")
    second.follow(fork)
    assert run.player() is not second


def test_two_players_show_one_run():
    run = a_hub().start("flow", "go")
    (one, ticker), (other, other_ticker) = a_player(run), a_player(run)
    click(one, "run_on")
    settled(one, ticker)
    settled(other, other_ticker)
    assert one.shown["words"] == other.shown["words"] == "completed"
    one.close()
    click(other, "back", at=0)
    assert other.shown["coming"]["path"] == "a#1"
