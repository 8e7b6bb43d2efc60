"""The file of the lessons: one connection, used by one thread at a time; whole commits or none; nothing raw escapes."""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from orchestration_kit.engine.busy import BUSY, code_of, patiently
from orchestration_kit.engine.file_systems import mounts, remote_file_system
from orchestration_kit.governance.wisdom.errors import WisdomUnavailable
from orchestration_kit.governance.wisdom.schema import MIGRATIONS, Migration, is_new, migrate

T = TypeVar("T")
MEMORY = ":memory:"
_RAW = (sqlite3.Error, UnicodeError, OverflowError, MemoryError)


class Database:
    """An open file of lessons, or one in memory. Safe to use from several threads, and across forks."""

    def __init__(
        self, path: str, *, busy_timeout_s: float = 10.0, migrations: Sequence[Migration] = MIGRATIONS
    ) -> None:
        self.path = path
        self._busy_timeout_s = busy_timeout_s
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._shut: weakref.finalize[..., Database] | None = None
        self._place: tuple[int, int] | None = None
        self.closed = False
        if path != MEMORY:
            _refuse_remote(path)
            _make(path)
        with self._lock:
            try:
                self._place = self._place_now()
                connection = self._open()
                migrate(connection, path, self._begin, migrations)
            except BaseException as error:
                self._let_go()  # whoever keeps the error keeps no open file
                if isinstance(error, _RAW):
                    raise _translated(error, path) from error
                raise
        _open_files.add(self)

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do `work` in a transaction, and commit it; on any exception nothing was changed."""
        with self._lock:
            connection = self._ready()
            try:
                self._begin(connection)
                result = work(connection)
                connection.execute("COMMIT")
            except BaseException as error:
                with suppress(sqlite3.Error):
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                if isinstance(error, _RAW):
                    raise _translated(error, self.path) from error
                raise
            return result

    def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do `work`, which only reads, in one look at the file."""
        with self._lock:
            connection = self._ready()
            try:
                return self._patiently(lambda: _looked(connection, work))
            except _RAW as error:
                raise _translated(error, self.path) from error

    def close(self) -> None:
        """Close the file; lessons in memory are gone."""
        with self._lock:
            self.closed = True
            self._let_go()

    # --- inside

    def _ready(self) -> sqlite3.Connection:
        if self.closed:
            raise WisdomUnavailable(self.path, "it is closed", "Open it anew with Wisdom(path).")
        if self._place != self._place_now():
            self._let_go()
            hint = "Put it back where it was, or open the path anew with Wisdom(path)."
            raise WisdomUnavailable(self.path, "the file was deleted, moved or replaced while it was open", hint)
        if self._connection is None:
            try:
                self._open()
            except _RAW as error:
                raise _translated(error, self.path) from error
        return self._connection  # pyright: ignore[reportReturnType]

    def _place_now(self) -> tuple[int, int] | None:
        if self.path == MEMORY:
            return None
        try:
            status = os.stat(self.path)  # noqa: PTH116 - in the way of every search
        except OSError:
            return (-1, -1)
        return (status.st_dev, status.st_ino)

    def _open(self) -> sqlite3.Connection:
        # Never making a file here: one that vanished must not come back empty.
        uri = "file::memory:" if self.path == MEMORY else f"{Path(os.path.realpath(self.path)).as_uri()}?mode=rw"
        connection = sqlite3.connect(uri, uri=True, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            self._patiently(lambda: _configure(connection))
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        # Nobody has to close lessons, and Python 3.13 warns of a connection that is only forgotten.
        self._shut = weakref.finalize(self, connection.close)
        self._shut.atexit = False
        return connection

    def _begin(self, connection: sqlite3.Connection) -> None:
        if connection.in_transaction:  # an interrupt came between a commit's failure and its undoing
            connection.execute("ROLLBACK")
        # Not a deferred BEGIN: the write that follows one ignores that others may be in the way.
        self._patiently(lambda: connection.execute("BEGIN IMMEDIATE"))

    def _patiently(self, act: Callable[[], T]) -> T:
        """Do something again while other processes are in the way. Ctrl-C gets through between the tries."""
        return patiently(act, self._busy_timeout_s)

    def _let_go(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
        if self._shut is not None:
            self._shut.detach()
        self._connection = self._shut = None

    def before_fork(self) -> None:
        """Close the file: SQLite's record of its locks must not be copied. It opens again when it is needed."""
        # https://www.sqlite.org/howtocorrupt.html, section 2.6
        self._lock.acquire()
        if self.path != MEMORY:
            self._let_go()

    def after_fork(self, *, in_child: bool) -> None:
        """Let others in again."""
        self._lock.release()
        if in_child:
            self._lock = threading.RLock()


_open_files: weakref.WeakSet[Database] = weakref.WeakSet()
_forking: list[Database] = []


def _before_fork() -> None:
    _forking[:] = sorted(_open_files, key=id)
    for database in _forking:
        database.before_fork()


def _after_fork(*, in_child: bool) -> None:
    for database in _forking:
        database.after_fork(in_child=in_child)
    _forking.clear()


if hasattr(os, "register_at_fork"):  # where there is no fork, there is nothing to survive
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=lambda: _after_fork(in_child=False),
        after_in_child=lambda: _after_fork(in_child=True),
    )


def _configure(connection: sqlite3.Connection) -> None:
    for pragma in ("trusted_schema = OFF", "cell_size_check = ON", "temp_store = MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
    if is_new(connection):  # never in a file of another program, which would be changed by it
        connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA cache_size = -16000")


def _looked(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    connection.execute("BEGIN")
    try:
        return work(connection)
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _make(path: str) -> None:
    """Make an empty file that its owner alone can read, if none is there."""
    real = os.path.realpath(path)
    try:
        if Path(real).is_dir():
            raise WisdomUnavailable(path, "it is a folder", "Name a file in it, such as lessons.db.")
        # Only ever a new file: to open and close one that is in use would drop SQLite's locks on it.
        os.close(os.open(real, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return
    except (OSError, ValueError) as error:
        if isinstance(error, WisdomUnavailable):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        hint = "Choose a file in a folder that is there and that this user may write to."
        raise WisdomUnavailable(path, f"it cannot be made ({reason})", hint) from error


def _refuse_remote(path: str) -> None:
    """Refuse a network file system."""
    kind = remote_file_system(os.path.realpath(path), mounts())
    if kind is not None:
        hint = "Keep it on a disk of this machine, and share lessons with wisdom.export(path)."
        raise WisdomUnavailable(path, f"it is on a network or shared file system ({kind})", hint)


def _translated(error: BaseException, path: str) -> WisdomUnavailable:
    """Return what an error of sqlite3 means to a person."""
    code, text = code_of(error), str(error) or type(error).__name__
    reason, hint = _MEANINGS.get(code, (text, "Restore the file from a copy, or choose another path."))
    return WisdomUnavailable(path, reason if reason == text else f"{reason} ({text})", hint)


_MEANINGS: dict[int, tuple[str, str]] = {
    sqlite3.SQLITE_NOTADB: ("it is not an SQLite database", "Choose another path; nothing in it was changed."),
    sqlite3.SQLITE_CORRUPT: ("it is damaged", "Restore it from a copy, or load an export into a new file."),
    sqlite3.SQLITE_FULL: ("the disk is full", "Free some space, then do the same again: nothing was half-written."),
    sqlite3.SQLITE_IOERR: ("the disk did not take or give what it should", "See whether it is full or failing."),
    sqlite3.SQLITE_READONLY: ("it may only be read", "Make the file and its folder writable for this user."),
    sqlite3.SQLITE_CANTOPEN: ("it cannot be opened", "See that the folder is there and this user may write to it."),
} | dict.fromkeys(BUSY, ("another process kept it locked for too long", "See whether one is stopped, then go on."))
