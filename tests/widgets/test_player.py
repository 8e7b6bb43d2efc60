"""A player does what is clicked and says how the run stands; late, double and hostile clicks do no harm."""

from __future__ import annotations

import base64
import json
import threading
import zlib

import pytest

from orchestration_kit import (
    Action,
    ApprovalStep,
    Branch,
    MapStep,
    Player,
    Run,
    RunLimits,
    SQLiteJournal,
    SubworkflowStep,
    WaitStep,
    create_default_engine,
)
from orchestration_kit.journal.errors import JournalUnavailable
from orchestration_kit.testing import ScriptedWorker
from tests.hostile import PAYLOADS
from tests.support import hub_of, step, workflow_of
from tests.widgets.hands import ByHand, click, svg_of

ECHO = {name: (lambda given: given) for name in "abc"}


def a_hub(**workers):
    return hub_of(workflow_of(step("a", "b", max_retries=0), step("b", "c"), step("c")), {**ECHO, **workers})


def a_player(run=None, **workers):
    run = run or a_hub(**workers).start("flow", "go", run_id="r")
    ticker = ByHand()
    return Player(run, ticker=ticker), ticker


def settled(player, ticker):
    """Wait for what was begun, then send what is new."""
    player.run.wait(10)
    ticker.call_all()
    return player


# --- going on


def test_it_begins_before_the_first_visit():
    player, _ = a_player()
    assert player.shown["words"] == "ready before a#1"
    assert player.shown["coming"]["input"] == {"text": "go", "how": "text", "whole": True}
    assert player.shown["buttons"]["step"] == ""
    assert player.shown["buttons"]["back"] != ""


@pytest.mark.parametrize("other", [4, None, workflow_of(step("a"))])
def test_something_else_than_a_run_is_refused_with_the_right_call(other):
    with pytest.raises(TypeError, match=r"A Player is of a Run, not of \w+\. For example: Player\(hub\.start"):
        Player(other)


def test_a_step_makes_one_visit():
    player, ticker = a_player()
    click(player, "step", at="a#1")
    settled(player, ticker)
    assert player.run.machine.recorded == 1
    assert player.shown["words"] == "paused before b#1"
    assert player.panel["visit"]["path"] == "a#1"
    assert player.shown["at"] == ["b"]


def test_a_run_goes_to_the_end():
    player, ticker = a_player()
    click(player, "run_on")
    settled(player, ticker)
    assert player.shown["state"] == "completed"
    assert player.shown["progress"]["done"] == 3
    assert player.shown["buttons"]["run"] == "It has ended."


def test_pause_lets_what_is_under_way_finish():
    begun, go = threading.Event(), threading.Event()
    player, ticker = a_player(a=lambda given: (begun.set(), go.wait(10))[1])
    click(player, "run_on")
    begun.wait(10)
    ticker.call_all()
    assert player.shown["words"] == "at work on a#1"
    click(player, "pause")
    assert player.shown["words"] == "pausing: a#1 is finished first"
    click(player, "pause")
    assert player.notice["text"] == "It is pausing already."
    go.set()
    settled(player, ticker)
    assert player.shown["words"] == "paused before b#1"


def test_stop_ends_the_run_and_twice_is_once():
    begun, go = threading.Event(), threading.Event()
    player, ticker = a_player(a=lambda given: (begun.set(), go.wait(10))[1])
    click(player, "run_on")
    begun.wait(10)
    click(player, "stop")
    assert player.run.cancel_reason == "stopped in the player"
    click(player, "stop")
    assert player.notice["text"] in ("It is stopping already.", "It has ended.")
    go.set()
    settled(player, ticker)
    assert player.shown["state"] == "cancelled"
    assert player.shown["words"] == "stopped: stopped in the player"


def test_a_stopped_run_is_resumed():
    player, ticker = a_player()
    click(player, "step")
    settled(player, ticker)
    click(player, "stop")
    ticker.call_all()
    assert (player.shown["state"], player.shown["resumes"]) == ("cancelled", True)
    click(player, "run_on")
    settled(player, ticker)
    assert player.shown["state"] == "completed"
    assert [entry["path"] for entry in player.run.history] == ["a#1", "b#1", "c#1"]


def test_a_double_click_makes_one_visit():
    player, ticker = a_player()
    click(player, "step", at="a#1")
    player.run.wait(10)
    click(player, "step", at="a#1")
    settled(player, ticker)
    assert player.run.machine.recorded == 1
    assert "comes to b#1 next" in player.notice["text"]


def test_a_click_while_it_runs_says_so():
    begun, go = threading.Event(), threading.Event()
    player, ticker = a_player(a=lambda given: (begun.set(), go.wait(10))[1])
    click(player, "run_on")
    begun.wait(10)
    for name in ("step", "run_on", "skip", "back", "retry"):
        click(player, name)
        assert player.notice["text"] == "It is running now: pause it first.", name
    go.set()
    settled(player, ticker)
    assert player.shown["state"] == "completed"


def test_a_retry_makes_the_failed_visit_again():
    player, ticker = a_player(b=ScriptedWorker(ValueError("no luck"), "fine"))
    click(player, "run_on")
    settled(player, ticker)
    assert player.shown["state"] == "failed"
    assert player.panel["visit"]["error"] == {"type": "ValueError", "text": "no luck"}
    assert "ValueError: no luck" in player.panel["visit"]["traceback"]
    click(player, "retry")
    settled(player, ticker)
    assert player.shown["words"] == "paused before c#1"
    assert player.run.history[-1]["output"] == "fine"


def test_a_skip_puts_out_what_was_given():
    player, ticker = a_player()
    click(player, "skip", at="a#1", text='{"by": "hand"}', how="json")
    settled(player, ticker)
    assert player.run.history[0]["output"] == {"by": "hand"}
    assert player.panel["visit"]["words"] == "skipped"


def test_a_player_hears_again_after_the_run_was_resumed_elsewhere():
    hub = a_hub()
    run = hub.start("flow", "go", run_id="r")
    player, ticker = a_player(run)
    run.step()
    run.cancel()
    hub.resume("r", verbose=False)
    settled(player, ticker)
    assert player.shown["state"] == "completed"


# --- another input, another time


def test_an_edited_input_goes_on_in_a_fork_and_says_so():
    player, ticker = a_player()
    click(player, "step")
    first = settled(player, ticker).run
    click(player, "step", at="b#1", text="other", how="text")
    settled(player, ticker)
    assert player.run is not first
    assert player.run.history[-1]["input"] == "other"
    assert player.shown["lineage"] == "fork of r at b#1"
    assert "You are in a fork now" in player.notice["text"]
    assert first.machine.recorded == 1
    assert [one["run"] for one in player.shown["runs"]] == ["r", player.run.run_id]


def test_the_first_input_can_be_edited_too():
    player, ticker = a_player()
    click(player, "run_on", at="a#1", text='["x"]', how="json")
    settled(player, ticker)
    assert player.run.context.data["c_output"] == ["x"]
    assert player.shown["lineage"] == "fork of r at a#1"


def test_an_input_that_is_the_same_makes_no_fork():
    player, ticker = a_player()
    click(player, "step", at="a#1", text="go", how="text")
    settled(player, ticker)
    assert player.run.run_id == "r"


def test_what_is_no_json_is_told_and_does_nothing():
    player, _ = a_player()
    click(player, "step", at="a#1", text="{oops", how="json")
    assert player.notice["level"] == "error"
    assert "that is no JSON" in player.notice["text"]
    assert player.run.machine.recorded == 0


def test_back_goes_to_an_earlier_visit_in_a_fork():
    player, ticker = a_player()
    click(player, "run_on")
    settled(player, ticker)
    click(player, "back", at=1)
    assert player.shown["words"] == "paused before b#1"
    assert player.shown["lineage"] == "fork of r at b#1"
    click(player, "open_parent")
    assert (player.run.run_id, player.shown["state"]) == ("r", "completed")
    click(player, "open_parent")
    assert player.notice["text"] == "This run began by itself."


def test_back_without_a_visit_takes_the_last():
    player, ticker = a_player()
    click(player, "step")
    settled(player, ticker)
    click(player, "back")
    assert player.shown["coming"]["path"] == "a#1"


# --- looking


def test_a_node_shows_its_last_visit():
    player, ticker = a_player()
    click(player, "run_on")
    settled(player, ticker)
    click(player, "choose", node="a")
    assert (player.panel["visit"]["path"], player.panel["chosen"]) == ("a#1", True)
    click(player, "choose")
    assert (player.panel["visit"]["path"], player.panel["chosen"]) == ("c#1", False)


def test_a_node_that_was_not_visited_says_so():
    player, _ = a_player()
    click(player, "choose", node="c")
    assert player.notice["text"] == "c was not visited yet."


def test_the_conditions_of_a_way_on_are_told():
    steps = [
        step("a", "b", branches=[Branch(when="visits > 1", to="c"), Branch(when="output == 'go'", to="b")]),
        step("b"),
        step("c"),
    ]
    player, ticker = a_player(hub_of(workflow_of(*steps), ECHO).start("flow", "go"))
    click(player, "step")
    settled(player, ticker)
    why = player.panel["visit"]["why"]
    assert [(one["text"], one["held"][2:]) for one in why] == [
        ("visits > 1", "does not hold"),
        ("output == 'go'", "holds"),
    ]
    assert player.panel["visit"]["way"] == "the first condition that holds"


def test_the_data_bus_shows_what_just_changed():
    def b(given, context):
        context.data["files"] = ["x"]
        return given

    player, ticker = a_player(b=b)
    for _ in range(2):
        click(player, "step")
        settled(player, ticker)
    click(player, "open_tab", tab="data")
    assert [(row["key"], row["new"]) for row in player.panel["data"]["rows"]] == [
        ("files", True),
        ("b_output", True),
        ("a_output", False),
    ]
    click(player, "open_key", key="files")
    assert json.loads(player.panel["data"]["value"]["text"]) == ["x"]


def test_attempts_are_sent_a_window_at_a_time():
    loop = [step("a", "a", branches=[Branch(when="visits >= 100", to="c")]), step("c")]
    player, ticker = a_player(hub_of(workflow_of(*loop), ECHO).start("flow", "go"))
    click(player, "run_on")
    settled(player, ticker)
    click(player, "open_tab", tab="visits")
    list_ = player.panel["visits"]
    assert (list_["total"], list_["first"], list_["last"], len(list_["rows"])) == (101, 61, 101, 40)
    click(player, "turn_page", last=61)
    assert player.panel["visits"]["rows"][0]["path"] == "a#22"


def test_nothing_big_is_sent():
    player, ticker = a_player(a=lambda given: {"text": "x" * 5_000_000, "list": list(range(100_000))})
    click(player, "step")
    settled(player, ticker)
    for tab in ("visit", "visits", "data", "runs"):
        click(player, "open_tab", tab=tab)
        assert len(json.dumps([player.shown, player.panel])) < 40_000
    assert player.shown["coming"]["input"]["whole"] is False


def test_limits_are_shown_with_their_share():
    def a(given, context):
        context.add_usage(input_tokens=60, output_tokens=20, cost_usd=0.4)
        return given

    run = a_hub(a=a).start("flow", "go", limits=RunLimits(max_tokens=100, max_cost_usd=1.0))
    player, ticker = a_player(run)
    click(player, "step")
    settled(player, ticker)
    shares = {one["label"]: one.get("share") for one in player.shown["used"]}
    assert (shares["tokens"], shares["cost"]) == (0.8, 0.4)


def test_pieces_of_an_output_are_shown_while_it_is_made():
    seen, go = [], threading.Event()

    def a(given):
        yield "one "
        yield "two"
        go.wait(10)

    player, ticker = a_player(a=a)
    click(player, "step")
    while not seen:
        ticker.call_all()
        seen = [one for one in player.shown["pieces"] if one["text"] == "one two"]
    assert seen == [{"path": "a#1", "text": "one two"}]
    go.set()
    settled(player, ticker)
    assert player.shown["pieces"] == []


# --- who is asked


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


# --- messages


def test_ten_thousand_events_make_few_messages_and_end_in_the_last_state():
    loop = [step("a", "a", branches=[Branch(when="visits >= 5000", to="c")]), step("c")]
    run = hub_of(workflow_of(*loop), ECHO).start("flow", "go", limits=RunLimits(max_steps=20_000))
    player, ticker = a_player(run)
    heard, sent = [], []
    run.audience.observers.append(heard.append)
    player.observe(lambda change: sent.append(change.name), names=["shown", "panel", "picture"])
    player.send = lambda *_, **__: sent.append("groups")
    run.run()
    assert len(heard) > 10_000
    assert ticker.planned == 1  # all of them are one message yet to be sent
    ticker.call_all()
    assert len(sent) <= 4
    assert player.shown["words"] == "completed"
    assert player.shown["used"][0]["text"] == "5,001"
    assert 'data-state="succeeded"' in svg_of(player)


def test_the_picture_is_sent_whole_when_the_run_rests():
    player, ticker = a_player()
    before = svg_of(player)
    click(player, "run_on")
    settled(player, ticker)
    assert svg_of(player) != before
    assert svg_of(player).count('data-state="succeeded"') == 3


def test_the_theme_of_the_page_is_that_of_the_picture():
    player, _ = a_player()
    light = svg_of(player)
    player.theme = "dark"
    assert svg_of(player) != light
    assert "#14181d" in svg_of(player)


def test_a_closed_player_lets_go_of_the_run():
    player, ticker = a_player()
    run = player.run
    player.close()
    assert run.audience.observers == []
    assert run.resting_observers == []
    run.run()
    ticker.call_all()
    assert run.state.value == "completed"


def test_its_repr_is_fixed():
    assert repr(a_player()[0]) == "<Player>"


def test_a_run_opens_its_player():
    run = a_hub().start("flow", "go")
    assert isinstance(run, Run)
    assert run.player().run is run


# --- what comes from the browser, and what goes there, is not trusted


@pytest.mark.parametrize(
    "message",
    [
        {"intent": "step", "args": {"at": 5}},
        {"intent": "step", "args": {"text": 5}},
        {"intent": "step", "args": {"text": "x", "how": "pickle"}},
        {"intent": "back", "args": {"at": 10**9}},
        {"intent": "back", "args": {"at": "x"}},
        {"intent": "choose", "args": {"at": -1}},
        {"intent": "choose", "args": {"node": ["x"]}},
        {"intent": "turn_page", "args": {"last": "x"}},
        {"intent": "turn_page", "args": {"last": -5}},
        {"intent": "open_tab", "args": {"tab": "__class__"}},
        {"intent": "open_key", "args": {"key": {}}},
        {"intent": "open_run", "args": {"run": None}},
        {"intent": "approve", "args": {"request": "nothing"}},
        {"intent": "send_event", "args": {"event": "none"}},
        {"intent": "follow", "args": {"run": 1}},
        {"intent": "run_on", "args": {"unknown": 1}},
        {"intent": "step", "args": []},
        {"intent": "step", "args": {"at": "a#1", "text": "[" * 100_000, "how": "json"}},
    ],
)
def test_odd_messages_do_no_harm(message):
    player, ticker = a_player()
    player._hear(player, message, [])
    player.run.wait(10)
    ticker.call_all()
    assert json.dumps([player.shown, player.panel, player.notice])
    assert player.run.machine.recorded <= 1


@pytest.mark.parametrize("payload", PAYLOADS[::7])
def test_hostile_text_is_sent_as_text_only(payload):
    def b(given, context):
        context.data[payload or "key"] = payload
        raise ValueError(payload)

    run = hub_of(workflow_of(step("a", "b"), step("b")), {"a": lambda given: {payload: payload}, "b": b}).start(
        "flow", payload or "goal"
    )
    player, ticker = a_player(run)
    click(player, "run_on")
    settled(player, ticker)
    for tab in ("visit", "visits", "data"):
        click(player, "open_tab", tab=tab)
        sent = json.dumps([player.shown, player.panel, player.notice])
        assert len(sent) < 60_000
        assert "\\u001b" not in sent
        sent.encode("utf-8")
    still = player._still_now()["text/html"]
    assert still.count("<") == 5
    svg = base64.b64decode(still.partition("base64,")[2].partition('"')[0]).decode()
    assert "<script" not in svg
    assert zlib.decompress(base64.b64decode(player.picture)).decode() == player._live.full()
