"""A player: another input, another time, and what is looked at."""

from __future__ import annotations

import json
import threading

from orchestration_kit import (
    Branch,
    RunLimits,
)
from tests.support import hub_of, step, workflow_of
from tests.widgets.hands import click
from tests.widgets.test_player import ECHO, a_hub, a_player, settled


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
