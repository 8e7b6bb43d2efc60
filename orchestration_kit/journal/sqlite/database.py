"""A journal's file: one connection that writes, one that reads; whole commits or none; nothing raw escapes."""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, TypeVar

from orchestration_kit.engine.busy import BUSY, code_of, patiently
from orchestration_kit.engine.file_systems import mounts
from orchestration_kit.journal.errors import JournalCorrupt, JournalError, JournalUnavailable, JournalVersion
from orchestration_kit.journal.sqlite.locations import prepare, refuse_remote
from orchestration_kit.journal.sqlite.schema import MIGRATIONS, PAGE_SIZE, Migration, is_new, migrate

T = TypeVar("T")
Durability = Literal["normal", "full"]

RAW = (sqlite3.Error, UnicodeError, OverflowError, MemoryError)
"""What sqlite3 may raise: `translated` makes a `JournalError` of it."""


class Database:
    """An open journal file. Safe to use from several threads, and across forks."""

    def __init__(
        self,
        path: str,
        *,
        durability: Durability,
        busy_timeout_s: float,
        migrations: Sequence[Migration] = MIGRATIONS,
    ) -> None:
        self.path = path
        self.lock = threading.RLock()
        """Held by whoever writes."""
        self._reading = threading.RLock()
        self._durability: Durability = durability
        self._busy_timeout_s = busy_timeout_s
        self._migrations = migrations
        self._writer: sqlite3.Connection | None = None
        self._hand: sqlite3.Cursor | None = None
        self._reader: sqlite3.Connection | None = None
        self._place: tuple[int, int] | None = None
        self.closed = False
        refuse_remote(path, mounts())
        with _opening:
            prepare(path)
            with self.lock:
                self._open_first()

    def writer(self) -> sqlite3.Connection:
        """Return the connection that writes; the caller holds `lock`."""
        if self._writer is None:
            self._check_open()
            self._writer = self._connect()
        return self._writer

    def hand(self) -> sqlite3.Cursor:
        """Return a cursor of the connection that writes, to be used again and again; the caller holds `lock`."""
        if self._hand is None:
            self._hand = self.writer().cursor()
        return self._hand

    def begin(self, connection: sqlite3.Connection) -> None:
        """Begin a transaction that writes, waiting for other processes."""
        if connection.in_transaction:  # an interrupt came between a commit's failure and its undoing
            connection.execute("ROLLBACK")
        self.patiently(lambda: connection.execute("BEGIN IMMEDIATE"))

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do `work` in a transaction, and commit it; on any exception nothing was changed."""
        with self.lock:
            connection = self.writer()
            try:
                self.check_place()
            except JournalUnavailable:
                self._let_go_of_writer()  # or other ways of writing would go on into a file that nobody finds
                raise
            try:
                self.begin(connection)
                result = work(connection)
                connection.execute("COMMIT")
            except BaseException as error:
                self.undo(connection)
                if isinstance(error, RAW):
                    raise translated(error, self.path) from error
                raise
            return result

    def undo(self, connection: sqlite3.Connection) -> None:
        """Roll back what was begun, whatever became of it."""
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:  # then closing the connection does it
            self._let_go_of_writer()

    def read(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return what a query finds, in one look at the file."""
        with self._reading:
            try:
                if self._reader is None:
                    self._check_open()
                    self._reader = self._connect()
                    self._reader.execute("PRAGMA query_only = ON")
                reader = self._reader
                return self.patiently(lambda: reader.execute(query, values).fetchall())
            except RAW as error:
                raise translated(error, self.path) from error

    def open_reader(self) -> sqlite3.Connection:
        """Return a connection of its own, for a long look at the file; the caller closes it."""
        self._check_open()
        return self._connect()

    def patiently(self, act: Callable[[], T]) -> T:
        """Do something again and again while other processes are in the way."""
        return patiently(act, self._busy_timeout_s)

    def check_place(self) -> None:
        """See that the file is still where it was: SQLite would go on writing to one that was deleted.

        Raises:
            JournalUnavailable: it was deleted, moved or replaced.
        """
        try:
            status = os.stat(self.path)  # noqa: PTH116 - in the way of every commit
        except OSError:
            place = None
        else:
            place = (status.st_dev, status.st_ino)
        if place != self._place:
            raise JournalUnavailable(
                self.path,
                "the file was deleted, moved or replaced while it was open",
                "Put it back where it was, or close this journal and open the path anew.",
            )

    def close(self) -> None:
        """Close the file."""
        with self.lock, self._reading:
            self.closed = True
            self._close_connections()

    def before_fork(self) -> None:
        """Close the file, as SQLite's own record of its locks must not be copied; it opens again when needed."""
        # https://www.sqlite.org/howtocorrupt.html, section 2.6
        self.lock.acquire()
        self._reading.acquire()
        self._close_connections()

    def after_fork(self, *, in_child: bool) -> None:
        """Let others in again."""
        self._reading.release()
        self.lock.release()
        if in_child:
            self.lock, self._reading = threading.RLock(), threading.RLock()

    def _check_open(self) -> None:
        if self.closed:
            raise JournalUnavailable(self.path, "it is closed", "Open it anew with SQLiteJournal(path).")

    def _close_connections(self) -> None:
        self._let_go_of_writer()
        if self._reader is not None:
            with suppress(sqlite3.Error):
                self._reader.close()
            self._reader = None

    def _let_go_of_writer(self) -> None:
        if self._writer is not None:
            with suppress(sqlite3.Error):
                self._writer.close()
        self._writer = self._hand = None

    def _open_first(self) -> None:
        status = Path(self.path).stat()
        self._place = (status.st_dev, status.st_ino)
        try:
            connection = self._connect()
            try:
                self.patiently(lambda: migrate(connection, self.path, self._migrations))
            except BaseException:
                connection.close()
                raise
        except RAW as error:
            raise translated(error, self.path) from error
        self._writer = connection

    def _connect(self) -> sqlite3.Connection:
        self.check_place()
        # Never making a file here: one that vanished must not come back empty.
        connection = sqlite3.connect(
            f"{Path(self.path).as_uri()}?mode=rw", uri=True, timeout=0, isolation_level=None, check_same_thread=False
        )
        try:
            self.patiently(lambda: self._configure(connection))
        except BaseException:
            connection.close()
            raise
        return connection

    def _configure(self, connection: sqlite3.Connection) -> None:
        connection.text_factory = bytes  # a damaged text is found out when it is looked at
        for pragma in ("trusted_schema = OFF", "cell_size_check = ON", "temp_store = MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        if is_new(connection):
            connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {self._durability}")
        connection.execute(f"PRAGMA fullfsync = {'ON' if self._durability == 'full' else 'OFF'}")  # macOS
        # 32 MB in the log before it is copied to the file: what a run writes again and again is copied once.
        connection.execute("PRAGMA wal_autocheckpoint = 4000")
        connection.execute("PRAGMA journal_size_limit = 67108864")


_opening = threading.Lock()
"""Held while a file is made: closing the new file must not drop the locks of another thread on it."""


def is_busy(error: BaseException) -> bool:
    """Whether another process was in the way."""
    return code_of(error) in BUSY


def translated(error: BaseException, path: str) -> JournalError:
    """Return what an error of sqlite3 means to a person.

    >>> print(translated(MemoryError(), "runs.db"))
    The journal runs.db cannot be used: memory is short. Free some, then do the same again.
    """
    code, text = code_of(error), str(error) or type(error).__name__
    name = getattr(error, "sqlite_errorname", "")
    if code == sqlite3.SQLITE_NOTADB:
        return JournalVersion(path, "it is not an SQLite database", "Choose another path; nothing in it was changed.")
    if isinstance(error, MemoryError):
        return JournalUnavailable(path, "memory is short", "Free some, then do the same again.")
    if sys.platform == "emscripten" and code in _UNFIT:  # JupyterLite's folder gives back other bytes
        reason = f"SQLite cannot use it in this folder of the browser ({text}{', ' if name else ''}{name})"
        return JournalUnavailable(path, reason, "Choose a path under /tmp; it lasts as long as the page.")
    found = _MEANINGS.get(code)
    if found is not None:
        reason, hint = found
        return JournalUnavailable(path, f"{reason} ({text}{', ' if name else ''}{name})", hint)
    if isinstance(error, sqlite3.ProgrammingError) and not code:
        return JournalUnavailable(path, f"it is closed ({text})", "Open it anew with SQLiteJournal(path).")
    return JournalCorrupt(None, f"{path}: {text}{', ' if name else ''}{name}")


_UNFIT = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT)
_ACCESS = ("access was refused", "Make the file and its folder readable and writable for this user.")
_LOCKED = (
    "another process kept it locked for too long",
    (
        "See whether a process is stopped in the middle of a write, or a database browser has it open, "
        "then do the same again."
    ),
)
_FAILING = (
    "the disk did not take or give what it should",
    (
        "See whether the disk is full, a limit on file sizes is set (ulimit -f) or the disk is failing, "
        "then do the same again: nothing was half-written."
    ),
)
_MEANINGS: dict[int, tuple[str, str]] = {
    sqlite3.SQLITE_FULL: ("the disk is full", "Free some space, then do the same again: nothing was half-written."),
    sqlite3.SQLITE_IOERR: _FAILING,
    sqlite3.SQLITE_READONLY: (
        "it may only be read",
        "Make the file and its folder writable for this user (chmod u+w), or choose another path.",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "the file cannot be opened",
        "See that the folder is there and this user may write to it, or choose another path.",
    ),
    sqlite3.SQLITE_PERM: _ACCESS,
    sqlite3.SQLITE_AUTH: _ACCESS,
    sqlite3.SQLITE_TOOBIG: ("a value is larger than SQLite takes (1 GB)", "Keep it in a file, and hand on its path."),
    sqlite3.SQLITE_NOMEM: ("memory is short", "Free some, then do the same again."),
    sqlite3.SQLITE_INTERRUPT: ("the call was interrupted", "Do the same again: nothing was half-written."),
} | dict.fromkeys(BUSY, _LOCKED)
