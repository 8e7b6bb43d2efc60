"""Imports and compiles everything that a run of the shared workflow needs, so that forked children begin at once."""

from __future__ import annotations

import orchestration_kit.engine.replay
import orchestration_kit.journal.sqlite  # noqa: F401
from orchestration_kit.journal.memory import MemoryJournal
from tests.scorecard.publishing import hub_of, start_or_reopen

with MemoryJournal() as _journal:  # no threads: they would not survive a fork
    start_or_reopen(hub_of(_journal), "warm").run()
    hub_of(_journal).get_run("warm")
