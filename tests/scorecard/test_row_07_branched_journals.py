"""Row 7, of runs with branches, waits, spawned and inner workflows: an old journal of them opens, replays and goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration_kit.engine.replay import replay
from orchestration_kit.journal.loading import load_run
from orchestration_kit.journal.sqlite import SQLiteJournal
from tests.histories import make_journal_v1_branches as v1

CONTENT = json.loads(v1.CONTENT.read_text())


@pytest.fixture
def journal(tmp_path) -> Iterator[SQLiteJournal]:
    """A copy: what is checked out may be read-only, and is to stay as it is."""
    copy = tmp_path / "journal.db"
    copy.write_bytes(v1.JOURNAL.read_bytes())
    with SQLiteJournal(copy, lease_s=0.2) as journal:
        yield journal


def test_an_old_journal_lists_and_loads_every_branched_run_as_it_was(journal, figure):
    assert json.loads(json.dumps(v1.content_of(v1.hub_of(journal)))) == CONTENT
    assert journal.integrity_check() == []
    attempts = sum(len(run["way"]) for run in CONTENT.values())
    figure(f"row 7: journal_v1_branches.db: {len(CONTENT)} runs, {attempts} attempts")


@pytest.mark.parametrize("run_id", CONTENT)
def test_every_branched_run_of_an_old_journal_replays_with_and_without_its_workers(journal, run_id):
    for hub in (v1.hub_of(journal), v1.Orchestrator(journal=journal)):
        again = replay(hub.get_run(run_id))
        assert again.is_same, again
        assert again.attempts == len(CONTENT[run_id]["way"])


def test_a_map_of_an_old_journal_goes_on_where_its_driver_died(journal):
    made = []

    def side(given, context):
        made.append(context.path)
        return [context.branch, context.path]

    hub = v1.hub_of(journal, side=side)
    context = hub.resume("left", verbose=False)
    assert context.state == "completed"
    assert made == []  # all of that was on record
    assert replay(hub.get_run("left")).is_same


@pytest.mark.parametrize("answers", [True, False])
def test_a_run_of_an_old_journal_that_waits_can_be_answered(journal, answers):
    hub = v1.hub_of(journal)
    run = hub.get_run("waits")
    if answers:
        run.approve({"by": "bob"}, "ask#1[person]/sign#1")
    else:
        run.reject("no", "ask#1[person]/sign#1")
    hub.clock.advance(120)
    assert run.run().state == ("completed" if answers else "failed")
    assert load_run(journal, "waits").events == run.machine.arrivals()


def test_a_branched_run_of_an_old_journal_can_be_forked_and_deleted(journal):
    hub = v1.hub_of(journal)
    fork = hub.get_run("map").fork("last#1", run_id="again")
    assert fork.run().state == "completed"
    assert fork.history[:-1] == hub.get_run("map").history[:-1]
    hub.forget("made")
    assert journal.find_run("made/sub#1") is None


def test_the_script_makes_the_same_branched_content_again(tmp_path, monkeypatch):
    monkeypatch.setattr(v1, "JOURNAL", tmp_path / "again.db")
    monkeypatch.setattr(v1, "CONTENT", tmp_path / "again.json")
    folder = Path(tmp_path / "folder")
    folder.mkdir()
    v1.make(folder)
    assert json.loads((tmp_path / "again.json").read_text()) == CONTENT
