"""What is done from a monitor, and trouble."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from orchestration_kit import AlertRules, MemoryJournal, Monitor, RunLimits, SQLiteJournal
from orchestration_kit.widgets.monitor.table import MOST_ROWS
from tests.hostile import PAYLOADS
from tests.widgets.hands import click
from tests.widgets.test_monitor import (
    a_hub,
    a_page,
    a_watched_hub,  # noqa: F401 - fixtures
)


def test_a_run_is_opened_in_a_player_and_closed(watched):
    hub, source = watched
    hub.start("flow", "go", run_id="r").run()
    page, monitor = a_page(source)
    page.click("open_run", "r")
    assert monitor._below.run.run_id == "r"
    assert monitor.opened["title"] == "Run r"
    assert "player()" in monitor.opened["how"]
    page.click("put_away")
    assert (monitor.child, monitor.opened, monitor._below) == ("", {}, None)


def test_a_run_that_is_open_is_followed_where_another_process_drives_it(tmp_path):
    with SQLiteJournal(tmp_path / "runs.db") as journal:
        run = a_hub(journal).start("flow", "go", run_id="r")
        run.step()
        page, monitor = a_page(tmp_path / "runs.db")
        page.click("open_run", "r")
        assert monitor._below.run.machine.recorded == 1
        run.step()
        run.approve()
        run.run()
        monitor.refresh()
        assert monitor._below.run.state == "completed"


def test_what_a_run_asks_is_answered_from_the_list(watched):
    hub, source = watched
    run = hub.start("flow", "go", run_id="r")
    run.run()
    page, monitor = a_page(source)
    page.click("ask", "r")
    box = monitor._below
    assert monitor.opened["title"] == "What run r asks"
    click(box, "approve", key=box.questions[0]["key"], go_on=True)
    if source is hub:
        assert hub.get_run("r").wait(10).state == "completed"
    else:
        assert "orchestrator.resume('r')" in box.notice["text"]
    monitor.refresh()
    assert page.row("r")["asks"] == 0


def test_a_run_is_cancelled_once(watched):
    hub, source = watched
    run = hub.start("flow", "go", run_id="r")
    run.run()
    page, monitor = a_page(source)
    page.click("cancel", "r")
    assert "It is cancelled" in monitor.notice["text"]
    assert page.row("r")["state"] == "cancelled"
    page.click("cancel", "r")
    assert "is cancelled already" in monitor.notice["text"]


def test_a_run_that_another_process_drives_cannot_be_cancelled_and_that_is_said(tmp_path):
    with SQLiteJournal(tmp_path / "runs.db") as journal:
        a_hub(journal).start("flow", "go", run_id="r").run()
        journal.claim("r", journal.find_run("r").holder)
        page, monitor = a_page(tmp_path / "runs.db")
        page.click("cancel", "r")
        assert monitor.notice["level"] == "error"
        assert "driven" in monitor.notice["text"] or "drives" in monitor.notice["text"]


def test_a_monitor_that_only_looks_changes_nothing():
    hub = a_hub()
    run = hub.start("flow", "go", run_id="r")
    run.run()
    page, monitor = a_page(hub, changes=False)
    for intent in ("cancel", "ask"):
        page.click(intent, "r")
        assert "only looks" in monitor.notice["text"]
    page.click("open_run", "r")
    player = monitor._below
    assert set(player.shown["buttons"].values()) == {"This monitor only looks."}
    for intent in ("stop", "step", "approve"):
        click(player, intent)
        assert player.notice["text"] == "This monitor only looks. Nothing was changed."
    assert run.state == "waiting"


@pytest.mark.parametrize("name", ["r99", "", "__class__", 3, None])
def test_a_row_that_is_none_opens_nothing(name):
    page, monitor = a_page(a_hub())
    click(monitor, "open_run", id=name)
    assert monitor.notice["level"] == "error"


# --- trouble


def test_a_damaged_run_is_shown_as_that_and_hides_no_other(tmp_path):
    path = tmp_path / "runs.db"
    with SQLiteJournal(path) as journal:
        hub = a_hub(journal)
        for name in ("whole", "damaged"):
            hub.start("flow", "go", run_id=name).step()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "UPDATE rows SET body = replace(body, '\"look\"', '\"hook\"') WHERE id >> 32 = "
            "(SELECT number FROM runs WHERE run_id = ?)",
            (b"damaged",),
        )
    page, monitor = a_page(path)
    assert (page.row("damaged")["state"], page.row("whole")["state"]) == ("damaged", "in_progress")
    assert [alert.kind for alert in monitor.alerts] == ["damaged"]
    monitor.close()


def test_a_journal_that_cannot_be_read_is_told_once(tmp_path):
    path = tmp_path / "runs.db"
    with SQLiteJournal(path) as journal:
        a_hub(journal).start("flow", "go", run_id="r").run()
    page, monitor = a_page(path)
    monitor._source.journal.close()
    for _ in range(3):
        monitor.refresh()
    assert "cannot be read now" in monitor.notice["text"]
    assert monitor.notice["number"] == 1
    assert [row["name"] for row in page.shown] == ["r"]


def test_hostile_texts_are_sent_as_texts():
    hub = a_hub(MemoryJournal())
    for number, text in enumerate(PAYLOADS):
        run = hub.start("flow", "go", run_id=f"{number} {text}"[:300], tags={"t": text[:100].strip() or "t"})
        run.run()
    page, _ = a_page(hub, rules=AlertRules(waiting_s=0.0))
    assert len(page.order) == min(len(PAYLOADS), MOST_ROWS)
    assert [row["name"] for row in page.shown if not row["name"].isprintable()] == []


def test_it_is_of_runs_and_nothing_else(tmp_path):
    with pytest.raises(TypeError, match=r'Monitor\(orchestrator\), or Monitor\("runs.db"\)'):
        Monitor(3)
    with pytest.raises(Exception, match="there is no such file, and none was made"):
        Monitor(tmp_path / "runs.db")


def test_a_closed_monitor_listens_to_nobody_and_closes_the_journal_it_opened(tmp_path):
    hub = a_hub()
    before = len(hub.observers)
    _, monitor = a_page(hub)
    assert len(hub.observers) > before
    monitor.close()
    assert len(hub.observers) == before
    with SQLiteJournal(tmp_path / "runs.db") as journal:
        a_hub(journal).start("flow", "go", run_id="r").run()
    _, monitor = a_page(tmp_path / "runs.db")
    monitor.close()
    with pytest.raises(Exception, match="closed"):
        monitor._source.journal.find_run("r")


def test_limits_are_known_from_the_record(tmp_path):
    hub = a_hub(MemoryJournal(), limits=RunLimits(max_cost_usd=0.55))
    hub.start("flow", "go", run_id="r").run()
    _, monitor = a_page(hub)
    (alert,) = monitor.alerts
    assert (alert.kind, alert.run_id) == ("limit is near", "r")
    assert "max_cost_usd: 0.5 of 0.55 USD are used (91%)" in alert.text
