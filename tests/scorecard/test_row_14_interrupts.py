"""Row 14: a real Ctrl-C in a blocking cell stops within a second, leaves nothing running, and the run goes on."""

from __future__ import annotations

import os
import signal
import time

from orchestration_kit.journal.sqlite import SQLiteJournal
from tests.scorecard.driving import answer_of
from tests.scorecard.forks import until
from tests.scorecard.interrupting import hub_of, run_cells

CELLS = 20


def test_an_interrupt_stops_a_blocking_cell_at_once_and_the_run_goes_on(tmp_path, template, figure):
    pid = template.fork(run_cells, str(tmp_path), CELLS)
    slowest_s, threads = 0.0, []
    for number in range(CELLS):
        name = f"cell{number}"
        until((tmp_path / f"{name}.waits").exists, f"{name} blocks")
        begun = time.monotonic()
        os.kill(pid, signal.SIGINT)
        answer = answer_of(tmp_path, name)
        slowest_s = max(slowest_s, time.monotonic() - begun)
        assert answer.get("state") == "cancelled", answer
        threads.append(answer["threads"])
        after = answer_of(tmp_path, f"{name}-after")
        assert after["children"] == ""
        assert after["state"] == ("completed" if number % 4 < 2 else None)
    assert template.wait(pid) == 0
    assert slowest_s < 1.0
    assert max(threads[4:]) <= max(threads[:4]), f"threads are left behind: {threads}"
    with SQLiteJournal(tmp_path / "runs.db") as journal:
        for number in range(CELLS):
            name = f"cell{number}"
            hub = hub_of(str(tmp_path), journal, name, number % 2 == 1)
            assert hub.resume(name, verbose=False).state == "completed"
            calls = (tmp_path / f"{name}.calls").read_text().splitlines()
            assert len(calls) == 2  # the one that was interrupted, and again after it
            assert calls[0] == calls[1]  # with the same key
    figure(
        f"row 14: {CELLS} interrupts of a blocking cell: the slowest stops after {slowest_s * 1e3:.0f} ms, no orphan"
    )
