"""Wait for other processes that use one SQLite file: the way of journals and of lessons."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL)
"""Codes of errors that pass when somebody else is done."""


def code_of(error: BaseException) -> int:
    """Return SQLite's primary code of an error; 0 where it has none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def patiently(act: Callable[[], T], timeout_s: float) -> T:
    """Do something again and again while other processes are in the way, up to the time a person would wait.

    >>> patiently(lambda: "done", timeout_s=1.0)
    'done'

    Raises:
        sqlite3.OperationalError: they still are, or it is another error.
    """
    # Not SQLite's own busy timeout: it sleeps up to 0.1 s at a time, and Ctrl-C would have to wait for its end.
    deadline, pause_s = 0.0, 0.0002
    while True:
        try:
            return act()
        except sqlite3.OperationalError as error:
            if code_of(error) not in BUSY:
                raise
            now = time.monotonic()
            deadline = deadline or now + timeout_s
            if now > deadline:
                raise
        time.sleep(pause_s * random.uniform(0.5, 1.5))  # noqa: S311 - no secret, only out of step with others
        pause_s = min(pause_s * 1.3, 0.01)
