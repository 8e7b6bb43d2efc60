"""A journal around a journal, which breaks off before or after one of its writes, and what runs in such processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from orchestration_kit import Orchestrator
from orchestration_kit.engine.run import Run
from orchestration_kit.errors import UnknownRun
from orchestration_kit.journal.errors import JournalUnavailable
from orchestration_kit.journal.port import Facts, Holder, Journal, Lease, Owner, Row, RunQuery, Standing, StoredRun
from orchestration_kit.journal.sqlite import SQLiteJournal
from tests.scorecard.publishing import GOAL, Calls, hub_of

CRASHED = 9
"""The exit code of a process that died where it was told to."""
FORKED_AT = "review#2"


class CrashingJournal(Journal):
    """Hands everything on; at write number `at` (from 0), it calls `crash` before or after handing on."""

    def __init__(self, inner: Journal, at: int, moment: str, crash: Callable[[str], Any]) -> None:
        self.inner, self.at, self.moment, self.crash = inner, at, moment, crash
        self.lease_s = inner.lease_s
        self.writes: list[str] = []

    def _write(self, name: str, act: Callable[[], Any]) -> Any:
        number = len(self.writes)
        self.writes.append(name)
        if (number, self.moment) == (self.at, "before"):
            self.crash(f"before write {number}, {name}")
        result = act()
        if (number, self.moment) == (self.at, "after"):
            self.crash(f"after write {number}, {name}")
        return result

    @property
    def owner(self) -> Owner:
        return self.inner.owner

    def create(self, facts: Facts, standing: Standing, blobs: Mapping[str, bytes], rows: Sequence[Row] = ()) -> Lease:
        return self._write("create", lambda: self.inner.create(facts, standing, blobs, rows))

    def claim(self, run_id: str, expected: Holder | None) -> Lease:
        return self._write("claim", lambda: self.inner.claim(run_id, expected))

    def append(
        self,
        lease: Lease,
        rows: Sequence[Row],
        blobs: Mapping[str, bytes],
        *,
        standing: Standing | None = None,
        release: bool = False,
    ) -> None:
        name = f"append of {len(rows)}{', release' if release else ''}"
        self._write(name, lambda: self.inner.append(lease, rows, blobs, standing=standing, release=release))

    def renew(self, lease: Lease) -> None:
        self._write("renew", lambda: self.inner.renew(lease))

    def find_run(self, run_id: str) -> StoredRun | None:
        return self.inner.find_run(run_id)

    def find_runs(self, query: RunQuery) -> list[StoredRun]:
        return self.inner.find_runs(query)

    def rows(self, run_id: str, *, after: int = 0) -> list[Row]:
        return self.inner.rows(run_id, after=after)

    def blob(self, digest: str) -> bytes | None:
        return self.inner.blob(digest)

    def delete(self, run_ids: Collection[str]) -> int:
        return self.inner.delete(run_ids)

    def close(self) -> None:
        self.inner.close()


def die(_: str) -> None:
    """End the process at once: no clean-up, no flush."""
    os._exit(CRASHED)


def interrupt(_: str) -> None:
    """What Ctrl-C does."""
    raise KeyboardInterrupt


def fail(where: str) -> None:
    """What a full disk does."""
    raise JournalUnavailable("runs.db", f"the disk is full {where}", "Free some space, then do the same again.")


def noting_hub(journal: Journal, folder: str | Path) -> Orchestrator:
    """A hub whose workers note their calls, one side file per run."""
    return hub_of(journal, lambda context, mark: Calls(folder, context.workflow_id).note(context, mark))


def run_and_fork(hub: Orchestrator) -> list[Run]:
    """Drive a run to its end, some of it by hand, then a fork of it; from wherever the last process came to."""
    run = _gone_on_with(hub, "r", lambda: hub.start("publishing", GOAL, {"given": [1, 2]}, run_id="r"))
    if not run.is_finished:
        run.step()  # lets go of the run in between
        run.run()
    fork = _gone_on_with(hub, "fork", lambda: run.fork(FORKED_AT, {"given": [1, 2, 3]}, run_id="fork"))
    fork.run()
    return [run, fork]


def _gone_on_with(hub: Orchestrator, run_id: str, begin: Callable[[], Run]) -> Run:
    try:
        hub.get_run(run_id)
    except UnknownRun:
        return begin()
    return hub.reopen(run_id, wait_s=10.0)


def drive_until(folder: str, at: int, moment: str) -> None:
    """Run in a process of its own: drive, and die at a write."""
    journal = CrashingJournal(SQLiteJournal(f"{folder}/runs.db"), at, moment, die)
    run_and_fork(noting_hub(journal, folder))
    journal.close()
