"""Row 1, in the middle of a map: SIGKILL loses no finished branch, and what is finished is not run again."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from orchestration_kit.engine.replay import replay
from orchestration_kit.journal.processes import started
from orchestration_kit.journal.sqlite import SQLiteJournal
from orchestration_kit.testing import assert_same_flow
from tests.scorecard import mapping
from tests.scorecard.forks import Template, until
from tests.scorecard.mapping import AT_ONCE, ATTEMPTS
from tests.scorecard.publishing import Ledger

LINE_BYTES = 60


@pytest.fixture(scope="module")
def template():
    template = Template("tests.scorecard.warm", "tests.scorecard.mapping")
    yield template
    template.close()


def kill_and_resume(folder: Path, template: Template, door: str, kills: int, seed: int) -> Counter[str]:
    """Drive runs in processes that are killed `kills` times, each followed by another, until all runs are over."""
    draw, found = random.Random(seed), Counter[str]()
    while found["kills"] < kills:
        ledger = Ledger(folder, f"{door}-{found['runs']}")
        found["runs"] += 1
        status = None
        while status != 0:
            pid = template.fork(mapping.drive, str(folder), ledger.run_id, door)
            enough = ledger.calls.size + draw.randrange(1, 120) * LINE_BYTES
            until(lambda: started(pid) is None or ledger.calls.size >= enough, "calls")
            time.sleep(draw.uniform(0.0, 0.002))
            os.kill(pid, signal.SIGKILL)
            status = template.wait(pid)
            assert status in (0, -signal.SIGKILL)
            found["kills"] += status != 0
            with SQLiteJournal(folder / "runs.db") as journal:
                ledger.look(journal)
        repeats = ledger.repeats()
        found["repeats"] += repeats.total()
        found["lost"] += ledger.lost + (len(ledger.committed) != ATTEMPTS)
        found["doubled"] += ledger.doubled
        found["other keys"] += len(ledger.keys_of_repeats_differ())
        found["steps"] += ATTEMPTS
        _assert_as_if_nothing_happened(folder, ledger.run_id)
    return found


def _assert_as_if_nothing_happened(folder: Path, run_id: str) -> None:
    plain = mapping.hub(None).start("mapping", "goal", {"seen": []}, run_id=run_id)
    plain.run()
    with SQLiteJournal(folder / "runs.db") as journal:
        run = mapping.hub(journal).get_run(run_id)
        assert_same_flow(run, plain)
        assert run.context.data == plain.context.data
        assert [entry["path"] for entry in run.history] == [entry["path"] for entry in plain.history]
        assert replay(run).is_same


def hold_row_1_in_a_map(folder: Path, template: Template, door: str, kills: int) -> str:
    found = kill_and_resume(folder, template, door, kills, seed=len(door))
    assert (found["lost"], found["doubled"], found["other keys"]) == (0, 0, 0), found
    assert found["repeats"] <= found["kills"] * 2 * AT_ONCE  # each item is looked at from two sides at once
    return (
        f"row 1, in a map of {mapping.ITEMS} items, {AT_ONCE} at once, {door}: {found['kills']} kills, {found['steps']} steps: "
        f"{found['lost']} lost, {found['doubled']} run twice, {found['repeats']} in-flight repeats"
    )


@pytest.mark.parametrize("door", ["threads", "async"])
def test_a_kill_in_a_map_repeats_no_finished_item(tmp_path, template, figure, door):
    figure(hold_row_1_in_a_map(tmp_path, template, door, 8))


@pytest.mark.soak
@pytest.mark.parametrize("door", ["threads", "async"])
def test_two_hundred_kills_in_maps_repeat_no_finished_item(tmp_path, template, figure, door):
    figure(hold_row_1_in_a_map(tmp_path, template, door, 200))
