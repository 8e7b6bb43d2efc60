"""What a player and its page say to each other; nothing of it is trusted."""

from __future__ import annotations

import base64
import json
import zlib

import pytest

from orchestration_kit import (
    Branch,
    Run,
    RunLimits,
)
from tests.hostile import PAYLOADS
from tests.support import hub_of, step, workflow_of
from tests.widgets.hands import click, svg_of
from tests.widgets.test_player import ECHO, a_hub, a_player, settled


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
