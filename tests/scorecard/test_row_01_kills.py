"""Row 1: SIGKILL at random moments loses no completed step and runs none twice."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from orchestration_kit.journal.processes import started
from orchestration_kit.journal.sqlite import SQLiteJournal
from tests.scorecard.forks import Template, until
from tests.scorecard.killing import drive_all
from tests.scorecard.publishing import ATTEMPTS, Ledger, assert_as_if_nothing_happened

LINE_BYTES = 30
"""About as many in a line of a side file."""
PER_LANE = 3
"""Runs that one process drives, one after the other."""


def kill_and_resume(folder: Path, lane: str, kills: int, seed: int) -> dict[str, int]:
    """Drive runs in processes that are killed `kills` times, each followed by another, until all runs are over."""
    draw, template, found = random.Random(seed), Template("tests.scorecard.warm", "tests.scorecard.killing"), Counter()
    ledgers: list[Ledger] = []
    try:
        while found["kills"] < kills:
            batch = [Ledger(folder, f"{lane}-{found['batches']}-{n}") for n in range(PER_LANE)]
            found["batches"] += 1
            ledgers += batch
            found += _drive_batch(folder, batch, draw, template)
    finally:
        template.close()
    with SQLiteJournal(folder / "runs.db") as journal:
        for ledger in ledgers:
            ledger.look(journal)
            repeats = ledger.repeats()
            found["repeats"] += repeats.total()
            found["lost"] += ledger.lost + (len(ledger.committed) != ATTEMPTS)
            found["doubled"] += ledger.doubled
            found["other keys"] += len(ledger.keys_of_repeats_differ())
            found["steps"] += ATTEMPTS
            assert_as_if_nothing_happened(journal, ledger.run_id)
    return found


def _drive_batch(folder: Path, batch: list[Ledger], draw: random.Random, template: Template) -> Counter[str]:
    """Drive some runs to their end, with kills on the way."""
    found: Counter[str] = Counter()
    status = None
    while status != 0:
        pid = template.fork(drive_all, str(folder), [ledger.run_id for ledger in batch])
        _wait_for_moment(pid, batch, draw)
        os.kill(pid, signal.SIGKILL)
        status = template.wait(pid)
        assert status in (0, -signal.SIGKILL)
        found["kills"] += status != 0
        repeats = sum(ledger.repeats().total() for ledger in batch)
        assert repeats <= found["kills"], "one kill, and more than one attempt was made again"
        if draw.random() < 0.5:  # else the next process is the first to see what the kill left
            with SQLiteJournal(folder / "runs.db") as journal:
                for ledger in batch:
                    ledger.look(journal)
    return found


def _wait_for_moment(pid: int, batch: list[Ledger], draw: random.Random) -> None:
    """Wait until the process has made some calls, and a little longer; in one of four, it may not have begun yet."""
    lines = draw.choice([0, *(draw.randrange(1, 40) for _ in range(3))])
    enough = sum(ledger.calls.size for ledger in batch) + lines * LINE_BYTES
    until(lambda: started(pid) is None or sum(ledger.calls.size for ledger in batch) >= enough, "calls")
    time.sleep(draw.uniform(0.0, 0.001 if lines else 0.010))


def hold_row_1(folder: Path, kills: int) -> str:
    """Two processes at a time on one file, each killed again and again."""
    lanes = 2
    with ThreadPoolExecutor(lanes) as pool:
        parts = list(pool.map(lambda n: kill_and_resume(folder, f"lane{n}", -(-kills // lanes), n), range(lanes)))
    found = sum(parts, Counter())
    assert found["kills"] >= kills
    assert (found["lost"], found["doubled"], found["other keys"]) == (0, 0, 0), found
    assert found["repeats"] <= found["kills"]
    return (
        f"row 1: {found['kills']} kills, {found['steps']} steps: {found['lost']} lost, {found['doubled']} run twice, "
        f"{found['repeats']} in-flight repeats"
    )


def test_a_kill_loses_no_completed_step_and_runs_none_twice(tmp_path, figure):
    figure(hold_row_1(tmp_path, 20))


@pytest.mark.soak
def test_five_hundred_kills_lose_no_completed_step_and_run_none_twice(tmp_path, figure):
    figure(hold_row_1(tmp_path, 500))
