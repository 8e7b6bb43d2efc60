"""Row 2: a death, an interrupt or a failure before and after every single write of the journal costs nothing."""

from __future__ import annotations

from functools import cache
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest

from orchestration_kit.engine.run import Run
from orchestration_kit.journal.errors import JournalUnavailable
from orchestration_kit.journal.memory import MemoryJournal
from orchestration_kit.journal.port import Journal
from orchestration_kit.journal.sqlite import SQLiteJournal
from orchestration_kit.testing import assert_same_flow
from tests.scorecard.crashing import (
    CRASHED,
    FORKED_AT,
    CrashingJournal,
    drive_until,
    fail,
    interrupt,
    noting_hub,
    run_and_fork,
)
from tests.scorecard.publishing import Ledger, hub_of, uninterrupted


class Point(NamedTuple):
    """Where a process breaks off."""

    at: int
    moment: str


@cache
def expected() -> list[Run]:
    """What comes of it when nothing happens."""
    run = uninterrupted("r")
    run.hub = hub_of(None)
    fork = run.fork(FORKED_AT, {"given": [1, 2, 3]}, run_id="fork")
    fork.run()
    return [run, fork]


@cache
def writes() -> int:
    """How many writes there are when nothing happens."""
    journal = CrashingJournal(MemoryJournal(), -1, "never", interrupt)
    run_and_fork(hub_of(journal))
    return len(journal.writes)


def points() -> list[Point]:
    return [Point(at, moment) for at in range(writes()) for moment in ("before", "after")]


def looked_at(folder: Path, ledgers: list[Ledger]) -> None:
    with SQLiteJournal(folder / "runs.db") as journal:
        for ledger in ledgers:
            ledger.look(journal)


def hold_promise(journal: Journal, ledgers: list[Ledger], breaks: int) -> int:
    """Compare what is on record and what was called with the promise; return the number of repeats."""
    for ledger, run in zip(ledgers, expected(), strict=True):
        ledger.look(journal)
        assert (ledger.lost, ledger.doubled, ledger.keys_of_repeats_differ()) == (0, 0, [])
        assert_same_flow(hub_of(journal).get_run(run.run_id), run)
    repeats = sum(ledger.repeats().total() for ledger in ledgers)
    assert repeats <= breaks
    return repeats


def ledgers_in(folder: Path) -> list[Ledger]:
    # A fork's calls are compared with its own record, whose shared part is not called: nothing is doubled there either.
    return [Ledger(folder, run.run_id, shared=attempts) for run, attempts in zip(expected(), (0, 4), strict=True)]


def test_a_death_before_and_after_every_write_resumes_to_the_same_history(tmp_path, template, figure):
    repeats = 0
    for point in points():
        folder = tmp_path / f"{point.at}-{point.moment}"
        folder.mkdir()
        ledgers = ledgers_in(folder)
        assert template.call(drive_until, str(folder), *point) == CRASHED, point
        looked_at(folder, ledgers)
        with SQLiteJournal(folder / "runs.db") as journal:
            run_and_fork(noting_hub(journal, folder))
            repeats += hold_promise(journal, ledgers, breaks=1)
    figure(f"row 2: {len(points())} crash points: all resume to the same history, {repeats} in-flight repeats")


@pytest.mark.soak
def test_a_second_death_anywhere_in_the_resumed_run_resumes_to_the_same_history(tmp_path, template, figure):
    deaths = repeats = 0
    for first in points():
        for at in count():
            for moment in ("before", "after"):
                folder = tmp_path / f"{first.at}-{first.moment}-{at}-{moment}"
                folder.mkdir()
                ledgers = ledgers_in(folder)
                assert template.call(drive_until, str(folder), *first) == CRASHED, first
                looked_at(folder, ledgers)
                status = template.call(drive_until, str(folder), at, moment)
                assert status in (0, CRASHED)
                with SQLiteJournal(folder / "runs.db") as journal:
                    run_and_fork(noting_hub(journal, folder))
                    repeats += hold_promise(journal, ledgers, breaks=2)
                deaths += 1
            if status == 0:
                break
    figure(f"row 2: {deaths} pairs of crash points: all resume to the same history, {repeats} in-flight repeats")


def broken_off(folder: Path, point: Point, crash) -> tuple[CrashingJournal, object, list[Ledger], BaseException | None]:
    """Drive in this process until something is raised at a point."""
    folder.mkdir()
    ledgers = ledgers_in(folder)
    journal = CrashingJournal(SQLiteJournal(folder / "runs.db"), *point, crash)
    hub = noting_hub(journal, folder)
    try:
        run_and_fork(hub)
    except (KeyboardInterrupt, JournalUnavailable) as error:
        raised = error
    else:
        raised = None
    return journal, hub, ledgers, raised


@pytest.mark.parametrize(
    "where",
    [
        "with the same hub",
        pytest.param("with another hub", marks=pytest.mark.soak),
        pytest.param("in another process", marks=pytest.mark.soak),  # as after the deaths above
    ],
)
def test_an_interrupt_before_and_after_every_write_leaves_a_run_that_goes_on(tmp_path, template, figure, where):
    for point in points():
        folder = tmp_path / f"{point.at}-{point.moment}"
        journal, hub, ledgers, raised = broken_off(folder, point, interrupt)
        assert isinstance(raised, KeyboardInterrupt), point
        with journal:
            for ledger in ledgers:
                ledger.look(journal)
            if where == "with the same hub":
                run_and_fork(hub)
        if where == "in another process":
            assert template.call(drive_until, str(folder), -1, "never") == 0
        with SQLiteJournal(folder / "runs.db") as journal:
            if where == "with another hub":
                run_and_fork(noting_hub(journal, folder))
            assert hold_promise(journal, ledgers, breaks=0) == 0, point
    figure(f"row 2: {len(points())} interrupts at writes, gone on {where}: nothing doubled")


@pytest.mark.parametrize("how", [pytest.param("the same call on the handle", marks=pytest.mark.soak), "resume"])
def test_a_failure_of_any_write_reaches_the_caller_and_the_same_call_goes_on(tmp_path, figure, how):
    failing = [point for point in points() if point.moment == "before"]  # a journal that says so has changed nothing
    for point in failing:
        folder = tmp_path / f"{point.at}-{point.moment}"
        journal, hub, ledgers, raised = broken_off(folder, point, fail)
        with journal:
            assert isinstance(raised, JournalUnavailable), point
            if how == "resume":
                hub.resume(hub.last_run.run_id, verbose=False)
            else:
                assert hub.last_run.run().state == "completed"
            run_and_fork(hub)
            assert hold_promise(journal, ledgers, breaks=0) == 0, point
    figure(f"row 2: {len(failing)} failed writes, gone on with by {how}: nothing doubled")
