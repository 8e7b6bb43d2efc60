"""What runs in the processes that row 1 kills."""

from __future__ import annotations

import hashlib
import time

from orchestration_kit.journal.sqlite import SQLiteJournal
from tests.scorecard.publishing import Calls, hub_of, start_or_reopen

BUSY_S = 0.0006
"""How long a worker takes at most, so that kills hit workers too, and not commits alone."""


def drive_all(folder: str, run_ids: list[str]) -> None:
    """Drive runs to their end, one after the other, until somebody kills this process."""
    with SQLiteJournal(f"{folder}/runs.db") as journal:
        for run_id in run_ids:
            calls = Calls(folder, run_id)

            def around(context, mark, calls=calls):
                if mark == "A":
                    digest = hashlib.sha256(context.idempotency_key.encode()).digest()
                    end = time.perf_counter() + BUSY_S * digest[0] / 255
                    while time.perf_counter() < end:
                        pass
                calls.note(context, mark)

            start_or_reopen(hub_of(journal, around), run_id).run()
