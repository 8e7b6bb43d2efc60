"""A glance at a row says of an event what the event itself says, in every journal there ever was."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from orchestration_kit import SQLiteJournal
from orchestration_kit.engine.events import Answered, AttemptFinished, WaitStarted
from orchestration_kit.journal.glances import Attempt, Mark, Over, Wait, read
from orchestration_kit.journal.loading import load_run
from orchestration_kit.journal.port import RunQuery
from tests.histories import make_journal_v1  # noqa: F401 - registers the types that are on record

HISTORIES = Path(__file__).parents[1] / "histories"


def glance_at(event):
    """What a glance has to say of an event; None where only that something happened."""
    if isinstance(event, AttemptFinished):
        error = None if event.error is None else (event.error.type, event.error.message)
        told = (event.path, event.attempt, event.started_at, event.duration_s, event.next_step)
        return (*told, error, event.retry_in_s, event.usage, event.cached)
    if isinstance(event, WaitStarted):
        return event.path, event.kind, event.asked_at, event.until
    return (event.path, event.answered_at) if isinstance(event, Answered) else None


def told_by(glance):
    if isinstance(glance, Attempt):
        told = (glance.path, glance.attempt, glance.started_at, glance.duration_s, glance.next_step)
        return (*told, glance.error, glance.retry_in_s, glance.usage, glance.cached)
    return None if isinstance(glance, Mark) else tuple(glance)


@pytest.mark.parametrize("name", ["journal_v1.db", "journal_v1_branches.db"])
def test_glances_and_events_of_old_journals_agree(name, tmp_path):
    shutil.copy(HISTORIES / name, tmp_path / name)
    kinds = set()
    with SQLiteJournal(tmp_path / name) as journal:
        for stored in journal.find_runs(RunQuery()):
            run_id = stored.facts.run_id
            glances = list(read(journal.rows(run_id)))
            events = load_run(journal, run_id).events
            own = events[len(events) - len(glances) :]  # a fork shares what was before
            assert [told_by(one) for one in glances] == [glance_at(one) for one in own]
            kinds |= {type(one) for one in glances}
    assert kinds >= {Attempt, Mark}
    assert ("branches" not in name) or kinds == {Attempt, Mark, Wait, Over}
