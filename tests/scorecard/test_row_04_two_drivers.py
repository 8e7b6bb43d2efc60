"""Row 4: two processes, or two threads, drive one run: one of them does, and the other is told who."""

from __future__ import annotations

import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from orchestration_kit.errors import RunStateError
from orchestration_kit.journal.errors import RunLocked
from orchestration_kit.journal.memory import MemoryJournal
from orchestration_kit.journal.sqlite import SQLiteJournal
from tests.scorecard.driving import answer_of, drive, try_to_drive
from tests.scorecard.forks import Template, until
from tests.scorecard.publishing import (
    ATTEMPTS,
    GOAL,
    Calls,
    Ledger,
    assert_as_if_nothing_happened,
    hub_of,
    start_or_reopen,
)


def test_a_second_process_is_refused_at_once_and_told_who_drives(tmp_path, template, figure):
    first = template.fork(drive, str(tmp_path), "first", 10.0, True)
    until((tmp_path / "first.waits").exists, "the first comes to the step")
    second = template.fork(drive, str(tmp_path), "second", 10.0, False)
    with SQLiteJournal(tmp_path / "runs.db") as journal:
        begun = time.monotonic()
        with pytest.raises(RunLocked, match=rf"process {first}\b"):
            hub_of(journal).resume("r", verbose=False)
        here_s = time.monotonic() - begun
    assert here_s < 1.0
    (tmp_path / "go").touch()  # `second` waits for it with patience: 10 s, by `start_or_reopen`
    assert (template.wait(first), template.wait(second)) == (0, 0)
    assert answer_of(tmp_path, "first")["state"] == "completed"
    executions = sum(call.mark == "B" for call in Calls(tmp_path, "r").read())
    assert executions == ATTEMPTS
    with SQLiteJournal(tmp_path / "runs.db") as journal:
        assert_as_if_nothing_happened(journal, "r")
    figure(f"row 4: the second is refused after {here_s * 1e3:.0f} ms; {executions} executions of {ATTEMPTS} attempts")


def race(folder: Path, template: Template, racers: int) -> Counter[str]:
    """Have several processes resume one run at one moment."""
    with SQLiteJournal(folder / "runs.db") as journal:
        run = hub_of(journal, Calls(folder, "r").note).start("publishing", GOAL, {"given": [1, 2]}, run_id="r")
        run.step()
        run.step()
    names = [f"racer{n}" for n in range(racers)]
    pids = [template.fork(try_to_drive, str(folder), name) for name in names]
    for name in names:
        until((folder / f"{name}.waits").exists, name)
    (folder / "go").touch()
    assert [template.wait(pid) for pid in pids] == [0] * racers
    answers = [answer_of(folder, name) for name in names]
    refused = [answer for answer in answers if "error" in answer]
    for answer in refused:
        # RunStateError: it looked before the winner began, and came to the lease after the winner was done.
        assert answer["error"] in ("RunLocked", "RunStateError"), answer
        assert answer["after_s"] < 1.0
    ledger = Ledger(folder, "r")
    with SQLiteJournal(folder / "runs.db") as journal:
        if len(refused) == racers:  # `resume` lets go once before it drives: each may have met another in that moment
            hub_of(journal, ledger.calls.note).resume("r", verbose=False)
        ledger.look(journal)
        assert_as_if_nothing_happened(journal, "r")
    assert sum(call.mark == "B" for call in ledger.calls.read()) == ATTEMPTS
    return Counter(str(answer.get("error", "finished, or found it finished")) for answer in answers)


def hold_races(folder: Path, template: Template, count: int) -> str:
    found: Counter[str] = Counter()
    for number in range(count):
        part = folder / str(number)
        part.mkdir()
        found += race(part, template, 3)
    return f"row 4: {count} races of 3 processes: executions = steps in each; {dict(found)}"


def test_of_processes_that_resume_at_one_moment_one_drives(tmp_path, template, figure):
    figure(hold_races(tmp_path, template, 10))


@pytest.mark.soak
def test_of_processes_that_resume_at_one_moment_one_drives_in_every_race(tmp_path, template, figure):
    figure(hold_races(tmp_path, template, 300))


@pytest.mark.parametrize("journals", ["one journal", "two journals on one file", "one journal in memory"])
def test_two_hubs_of_one_process_do_not_drive_one_run(tmp_path, journals):
    path, calls = tmp_path / "runs.db", Calls(tmp_path, "r")
    first = MemoryJournal() if "memory" in journals else SQLiteJournal(path)
    second = SQLiteJournal(path) if "two" in journals else first
    waits, go = threading.Event(), threading.Event()

    def around(context, mark):
        calls.note(context, mark)
        if mark == "B" and context.path == "draft#2":
            waits.set()
            assert go.wait(30)

    with first, second:
        driver = threading.Thread(target=start_or_reopen(hub_of(first, around), "r").run)
        driver.start()
        try:
            assert waits.wait(30)
            hub = hub_of(second, calls.note)
            for _ in range(3):
                with pytest.raises(RunLocked, match="this process"):
                    hub.resume("r", verbose=False)
        finally:
            go.set()
            driver.join()
        assert hub.resume("r", verbose=False).state == "completed"
        assert_as_if_nothing_happened(second, "r")
    assert sum(call.mark == "B" for call in calls.read()) == ATTEMPTS


def test_two_threads_do_not_drive_one_handle(tmp_path):
    calls, waits, go = Calls(tmp_path, "r"), threading.Event(), threading.Event()

    def around(context, mark):
        calls.note(context, mark)
        if mark == "B" and context.path == "draft#2":
            waits.set()
            assert go.wait(30)

    with SQLiteJournal(tmp_path / "runs.db") as journal:
        hub = hub_of(journal, around)
        run = start_or_reopen(hub, "r")
        driver = threading.Thread(target=run.run)
        driver.start()
        try:
            assert waits.wait(30)
            with pytest.raises(RunStateError, match="driven already"):
                run.run()
            with pytest.raises(RunStateError, match="driven already"):
                hub.resume("r", verbose=False)
        finally:
            go.set()
            driver.join()
        assert run.state == "completed"
    assert sum(call.mark == "B" for call in calls.read()) == ATTEMPTS
