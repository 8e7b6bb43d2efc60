"""What runs in the process of row 12: many runs, one after the other, and what they leave behind."""

from __future__ import annotations

import gc
import json
import os
import threading
from pathlib import Path

from orchestration_kit.journal.sqlite import SQLiteJournal
from tests.scorecard.publishing import GOAL, hub_of


def drive_many(folder: str, count: int) -> None:
    """Drive runs to their end; note what the process holds in the middle and at the end."""
    seen = []
    with SQLiteJournal(f"{folder}/runs.db") as journal:
        hub = hub_of(journal)
        for half in range(2):
            for _ in range(count // 2):
                assert hub.start("publishing", GOAL, {"given": [1, 2]}).run().state == "completed"
            seen.append(_held())
    Path(folder, "held.json").write_text(json.dumps(seen))


def _held() -> dict[str, int]:
    gc.collect()
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return {"bytes": resident, "files": len(os.listdir("/proc/self/fd")), "threads": threading.active_count()}
