"""Row 7: a journal of each schema version opens, lists, loads, replays and goes on; they are kept in tests/histories."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration_kit.engine.replay import replay
from orchestration_kit.history.differences import same_value
from orchestration_kit.journal.sqlite import SQLiteJournal
from orchestration_kit.testing import FakeClock
from tests.histories import make_journal_v1 as v1

CONTENT = json.loads(v1.CONTENT.read_text())


@pytest.fixture
def journal(tmp_path) -> Iterator[SQLiteJournal]:
    """A copy: what is checked out may be read-only, and is to stay as it is."""
    copy = tmp_path / "journal_v1.db"
    copy.write_bytes(v1.JOURNAL.read_bytes())
    with SQLiteJournal(copy, lease_s=0.2) as journal:
        yield journal


def test_an_old_journal_lists_and_loads_every_run_as_it_was(journal, figure):
    hub = v1.hub_of(journal)
    assert [run.run_id for run in hub.runs()] == list(CONTENT)
    assert json.loads(json.dumps(v1.content_of(hub))) == CONTENT
    assert [run.run_id for run in hub.runs(tags={"team": "a"})] == [
        run_id for run_id, run in CONTENT.items() if run["tags"].get("team") == "a"
    ]
    assert journal.integrity_check() == []
    figure(f"row 7: journal_v1.db: {len(CONTENT)} runs, {sum(len(run['way']) for run in CONTENT.values())} attempts")


@pytest.mark.parametrize("run_id", CONTENT)
def test_every_run_of_an_old_journal_replays_with_and_without_its_workers(journal, run_id):
    for hub in (v1.hub_of(journal), v1.Orchestrator(journal=journal)):
        again = replay(hub.get_run(run_id))
        assert again.is_same, again
        assert again.attempts == len(CONTENT[run_id]["way"])


def test_values_of_many_kinds_come_back_as_they_went_in(journal):
    run = v1.hub_of(journal).get_run("unfinished")
    before = run.at("draft#1").data
    for key, value in v1.values().items():
        assert same_value(before[key], value), key
        assert type(before[key]) is type(value)
    assert run.context.data["plain"]["seen"] == 1
    published = v1.hub_of(journal).get_run("completed").history[-1]["output"]
    assert isinstance(published, v1.Review)
    assert published.findings[0].text == str(len(CONTENT["completed"]["notes"]))


@pytest.mark.parametrize("run_id", ["unfinished", "left"])
def test_an_unfinished_run_of_an_old_journal_goes_on_to_the_end(journal, run_id):
    made = []

    def draft(given, context):
        made.append(context.path)
        return v1._draft(given, context)

    hub = v1.hub_of(journal, draft=draft)
    hub.clock = FakeClock()  # it waits as long as it takes to know that the driver is gone, in no time
    context = hub.resume(run_id, verbose=False)
    assert context.state == "completed"
    assert made == ["draft#2", "draft#2"]  # the first was on record
    assert replay(hub.get_run(run_id)).is_same


def test_a_run_of_an_old_journal_can_be_forked(journal):
    hub = v1.hub_of(journal)
    fork = hub.get_run("completed").fork("judge")
    assert fork.run().state == "completed"
    assert fork.history[:-2] == hub.get_run("completed").history[:-2]


def test_the_script_makes_the_same_content_again(tmp_path, monkeypatch):
    monkeypatch.setattr(v1, "JOURNAL", tmp_path / "again.db")
    monkeypatch.setattr(v1, "CONTENT", tmp_path / "again.json")
    folder = Path(tmp_path / "folder")
    folder.mkdir()
    v1.make(folder)
    assert json.loads((tmp_path / "again.json").read_text()) == CONTENT
