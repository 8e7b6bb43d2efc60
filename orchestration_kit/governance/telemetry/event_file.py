"""A file of lines that several processes may add to, and that survives whichever of them dies."""

from __future__ import annotations

import errno
import os
import threading
import time
from contextlib import suppress
from pathlib import Path

from orchestration_kit.governance.telemetry.errors import InvalidTelemetry


class EventFile:
    """Adds lines to a file, each with one write at its end.

    Args:
        path: The file. Made where it is missing, for its owner alone to read.
        rotate_bytes: From this size on the file is put aside as `NAME.<30 digits>.jsonl`, and another one begun.
        keep: So many files that were put aside stay; None: all.

    Raises:
        InvalidTelemetry: the file cannot be opened, or holds something else than lines of JSON.
    """

    def __init__(self, path: Path, *, rotate_bytes: int | None = None, keep: int | None = None) -> None:
        if rotate_bytes is not None and rotate_bytes < 1:
            raise InvalidTelemetry(
                f"rotate_bytes={rotate_bytes!r} is no size", "Write for example rotate_bytes=50_000_000."
            )
        if keep is not None and keep < 0:
            raise InvalidTelemetry(f"keep={keep!r} is no number of files", "Write for example keep=10, or keep=None.")
        self.path, self._rotate_bytes, self._keep = path, rotate_bytes, keep
        self._lock = threading.Lock()
        self._file: int | None = None
        self._is_torn = False
        self._open()

    def write(self, line: bytes) -> None:
        """Add a line, which has no line break in it.

        Raises:
            OSError: the disk is full, or the file cannot be written any more.
        """
        with self._lock:
            if self._file is None:
                return
            if self._rotate_bytes is not None:
                self._rotate()
            data = line + b"\n"
            if self._is_torn:
                data = b"\n" + data
            self._is_torn = True
            if os.write(self._file, data) < len(data):
                raise OSError(errno.ENOSPC, "a line was written in part; there is no room left", str(self.path))
            self._is_torn = False

    def close(self) -> None:
        """Close it. What is written after that is left out."""
        with self._lock:
            file, self._file = self._file, None
            if file is not None:
                os.close(file)

    def _open(self) -> None:
        try:
            _check(self.path)
            self._file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
            size = os.fstat(self._file).st_size
            self._is_torn = size > 0 and _last_byte(self._file, size) != b"\n"  # somebody died while writing
        except OSError as error:
            hint = "Give a path that this process may write to, in a folder that is there."
            raise InvalidTelemetry(f"{str(self.path)!r} cannot be opened ({error.strerror or error})", hint) from None

    def _rotate(self) -> None:
        """Put the file aside where it is large, or follow another process that has.

        Without a lock: at worst two processes do it at once, and a file is put aside that has few lines. None is lost.
        """
        file = self._file
        if file is None or self._rotate_bytes is None:
            return
        own = os.fstat(file)
        try:
            there = self.path.stat()
            is_same = (own.st_dev, own.st_ino) == (there.st_dev, there.st_ino)
        except FileNotFoundError:
            is_same = False
        if is_same and own.st_size < self._rotate_bytes:
            return
        if is_same:
            name = f"{self.path.stem}.{time.time_ns():020d}{os.getpid():010d}{self.path.suffix}"
            with suppress(FileNotFoundError):  # another process was a moment faster
                self.path.replace(self.path.with_name(name))
            if self._keep is not None:
                for old in put_aside(self.path)[: -self._keep or None]:
                    old.unlink(missing_ok=True)
        self._open()
        os.close(file)


def put_aside(path: Path) -> list[Path]:
    """Return the files that were put aside, oldest first."""
    stem, suffix = f"{path.stem}.", path.suffix
    found = [
        one
        for one in path.parent.glob("*")
        if one.name.startswith(stem) and one.name.endswith(suffix) and _is_number(one.name[len(stem) :], suffix)
    ]
    return sorted(found)


def _is_number(rest: str, suffix: str) -> bool:
    digits = rest.removesuffix(suffix)
    return len(digits) == 30 and digits.isascii() and digits.isdecimal()


def _last_byte(file: int, size: int) -> bytes:
    os.lseek(file, size - 1, os.SEEK_SET)
    return os.read(file, 1)


def _check(path: Path) -> None:
    """See that lines are added to no file of another kind: the journal itself, say."""
    if path.is_dir():
        raise InvalidTelemetry(f"{str(path)!r} is a folder", "Give a file in it, such as 'runs.events.jsonl'.")
    if not path.exists():
        return
    with path.open("rb") as file:
        head = file.read(1)
    if head not in {b"", b"{", b"\n"}:
        raise InvalidTelemetry(
            f"{str(path)!r} holds something else than lines of JSON",
            "Give another path, such as 'runs.events.jsonl'; or the orchestrator, for a file next to its journal.",
        )
