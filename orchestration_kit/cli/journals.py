"""Finds and opens the journal that is meant, if it is there. A look never makes one: not even of an empty file."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

from orchestration_kit.cli.options import DEFAULT_JOURNAL
from orchestration_kit.engine.file_systems import mounts
from orchestration_kit.errors import listed
from orchestration_kit.journal.errors import JournalUnavailable
from orchestration_kit.journal.port import StoredRun
from orchestration_kit.journal.processes import judge
from orchestration_kit.journal.sqlite import SQLiteJournal
from orchestration_kit.journal.sqlite.locations import refuse_remote
from orchestration_kit.journal.sqlite.schema import is_new


@contextmanager
def opened(path: Path | None) -> Generator[SQLiteJournal]:
    """Open a journal that exists, the one of this folder where none is named; close it afterwards.

    Raises:
        JournalUnavailable: there is none, or it cannot be used now.
        JournalVersion: it is something else.
        JournalCorrupt: it is damaged.
    """
    with SQLiteJournal(existing(path)) as journal:
        yield journal


def existing(path: Path | None) -> Path:
    """Return the path of a journal, after seeing that there is one.

    Raises:
        JournalUnavailable: there is none.
    """
    wanted = (path or DEFAULT_JOURNAL).expanduser()
    if not wanted.exists():
        raise JournalUnavailable(str(wanted), "there is no such file, and none was made", _elsewhere(wanted))
    if not wanted.is_file():
        raise JournalUnavailable(str(wanted), "it is no file", "Name a journal with --journal FILE.")
    refuse_remote(str(wanted.resolve()), mounts())
    if _is_empty(wanted):
        raise JournalUnavailable(str(wanted), "nothing was ever put into it", _elsewhere(wanted))
    return wanted


def driver_of(stored: StoredRun, journal: SQLiteJournal) -> tuple[str, str]:
    """Return who drives a run and whether that process is alive; nothing where nobody does.

    `alive` and `dead` are certain; of a process in another container or on another machine nothing is known here.
    """
    if stored.holder is None:
        return "", ""
    owner, me = stored.holder.owner, journal.owner
    where = "" if owner.host == me.host else f" on {owner.host}"
    judgement = judge(stored.holder, me)
    return f"process {owner.pid}{where}", "alive" if judgement == "mine" else judgement


def _is_empty(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True)) as connection:
            return is_new(connection)
    except sqlite3.Error:
        return False  # opening it as a journal tells what is wrong


def _elsewhere(wanted: Path) -> str:
    try:
        others = sorted(path.name for path in wanted.parent.glob("*.db") if path.is_file() and path != wanted)
    except OSError:
        others = []
    where = "this folder" if wanted.parent == Path() else str(wanted.parent)
    hint = "Name the journal with --journal FILE, or go to its folder."
    return f"{hint} In {where}: {listed(others)}." if others else hint
