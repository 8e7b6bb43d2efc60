"""Keep other processes out while a small file is read, changed and replaced."""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    fcntl: Any = None
else:
    try:
        import fcntl
    except ImportError:  # not on Windows
        fcntl = None

_POLL_S = 0.005


@contextmanager
def exclusive(path: Path, wait_s: float) -> Generator[None]:
    """Hold the right to replace a file; threads and processes take turns.

    Where the system can, its directory is locked: nothing is left behind, and the lock of a process that dies is gone
    at once. Elsewhere a file beside it is the lock.

    Raises:
        TimeoutError: somebody else holds it for longer than `wait_s`.
    """
    deadline = time.monotonic() + wait_s
    directory = _open_directory(path.parent)
    if directory is not None:
        try:
            _until(deadline, path, lambda: _lock(directory))
            yield
        finally:
            os.close(directory)
        return
    lock = path.with_name(f".{path.name}.lock")
    _until(deadline, path, lambda: _create(lock))
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def _until(deadline: float, path: Path, take: Any) -> None:
    while not take():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{path} has been locked by another process for too long: is one stuck while it writes?")
        time.sleep(_POLL_S)


def _open_directory(path: Path) -> int | None:
    """Return the directory, opened, where it can be locked."""
    if fcntl is None:
        return None
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        _lock(descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    except OSError:  # a file system without locks
        os.close(descriptor)
        return None
    return descriptor


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _create(lock: Path) -> bool:
    with suppress(FileExistsError):
        os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        return True
    return False
