"""Row 3: a driver that was stopped past its lease finds its run taken over, and commits nothing any more."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from orchestration_kit.engine.events import AttemptFinished
from orchestration_kit.journal.errors import JournalUnavailable, RunLocked
from orchestration_kit.journal.loading import load_run
from orchestration_kit.journal.sqlite import SQLiteJournal
from tests.scorecard.driving import WAITS_AT, answer_of, drive
from tests.scorecard.forks import Template, until
from tests.scorecard.publishing import ATTEMPTS, Calls, Ledger, assert_as_if_nothing_happened, hub_of

LEASE_S = 0.3


def stopped_and_taken_over(folder: Path, template: Template) -> bool:
    """Stop a driver, take its run over, let it go on; False where it was stopped inside a commit, and blocks all."""
    ledger = Ledger(folder, "r")
    zombie = template.fork(drive, str(folder), "zombie", LEASE_S, True)
    until((folder / "zombie.waits").exists, "the driver comes to the step")
    os.kill(zombie, signal.SIGSTOP)
    try:
        with SQLiteJournal(folder / "runs.db", lease_s=LEASE_S, busy_timeout_s=2.0) as journal:
            ledger.look(journal)
            hub = hub_of(journal, Calls(folder, "r").note)
            begun = time.monotonic()
            with pytest.raises(RunLocked, match=f"process {zombie}"):
                hub.resume("r", verbose=False)  # alive, as far as can be seen: nobody takes it at once
            assert time.monotonic() - begun < 1.0
            try:
                hub.resume("r", verbose=False, wait_s=20.0)
            except JournalUnavailable:
                return False
            taken = load_run(journal, "r")
            (folder / "go").touch()
            os.kill(zombie, signal.SIGCONT)
            assert template.wait(zombie) == 0
            assert answer_of(folder, "zombie").get("error") == "LeaseLost"
            after = load_run(journal, "r")
            assert after.events == taken.events
            assert journal.find_run("r").holder is None
            ledger.look(journal)
            assert sum(isinstance(event, AttemptFinished) for event in after.events) == ATTEMPTS
            assert (ledger.lost, ledger.doubled) == (0, 0)
            assert ledger.repeats() == {WAITS_AT: 1}
            assert_as_if_nothing_happened(journal, "r")
    finally:
        (folder / "go").touch()
        if template.is_waited_for(zombie):
            os.kill(zombie, signal.SIGCONT)
            template.wait(zombie)
    return True


def hold_row_3(folder: Path, template: Template, count: int) -> str:
    fenced = attempts = 0
    while fenced < count:
        attempts += 1
        assert attempts < 2 * count + 3, "again and again stopped inside a commit, which takes a thousandth of the time"
        part = folder / str(attempts)
        part.mkdir()
        fenced += stopped_and_taken_over(part, template)
    return f"row 3: {fenced} drivers stopped past their lease and continued: 0 stale commits, {fenced} told LeaseLost"


def test_a_driver_that_was_stopped_past_its_lease_commits_nothing(tmp_path, template, figure):
    figure(hold_row_3(tmp_path, template, 3))


@pytest.mark.soak
def test_fifty_drivers_that_were_stopped_past_their_lease_commit_nothing(tmp_path, template, figure):
    figure(hold_row_3(tmp_path, template, 50))
