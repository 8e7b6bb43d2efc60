"""A player does what is clicked and says how the run stands; late, double and hostile clicks do no harm."""

from __future__ import annotations

import asyncio
import threading

import pytest

from orchestration_kit import (
    Player,
)
from orchestration_kit.testing import ScriptedWorker
from tests.support import hub_of, step, workflow_of
from tests.widgets.hands import ByHand, click

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


def test_an_attempt_that_was_stopped_is_not_told_as_a_failure_without_a_way():
    begun = threading.Event()

    async def hang(given):
        begun.set()
        await asyncio.sleep(60)

    player, ticker = a_player(a=hang)
    click(player, "run_on")
    begun.wait(10)
    click(player, "stop")
    settled(player, ticker)
    assert player.panel["visit"]["way"] == "the run was stopped here"


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
