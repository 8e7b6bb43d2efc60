"""Open the file of an approved plan, and no other: no link is followed on the way."""

from __future__ import annotations

import io
import os
from typing import IO, Any

_FLAGS = {
    "r": os.O_RDONLY,
    "w": os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
    "x": os.O_WRONLY | os.O_CREAT | os.O_EXCL,
    "a": os.O_WRONLY | os.O_CREAT | os.O_APPEND,
}


def open_checked(path: str, mode: str = "r", *, encoding: str | None = "utf-8") -> IO[Any]:
    """Open a resolved path, folder by folder, and follow no link: none that was put there after the check (CWE-367).

    Where the system cannot do that (Windows), the file is opened as usual.

    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder).resolve() / "note.txt"
    ...     with open_checked(str(path), "w") as file:
    ...         _ = file.write("hello")
    ...     path.read_text()
    'hello'

    Args:
        path: An absolute path as an approved plan has it.
        mode: As for `open`: `r`, `w`, `x` or `a`, with `b` for bytes.
        encoding: Of the text.

    Raises:
        ValueError: the path is not absolute, or the mode is another.
        OSError: the file cannot be opened, or a link stands in the way.
    """
    kind = mode.replace("b", "").replace("t", "")
    if kind not in _FLAGS or not os.path.isabs(path):  # noqa: PTH117 - text, as the plan has it
        raise ValueError(f"open_checked({path!r:.200}, {mode!r:.10}): give an absolute path, and r, w, x or a")
    text_encoding = None if "b" in mode else encoding
    if os.open not in os.supports_dir_fd or not hasattr(os, "O_NOFOLLOW"):
        return open(path, mode, encoding=text_encoding)  # noqa: PTH123 - text, as the plan has it
    *folders, name = [part for part in path.split("/") if part]
    here = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    try:
        for folder in folders:
            following = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here)
            os.close(here)
            here = following
        found = os.open(name, _FLAGS[kind] | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666, dir_fd=here)
    finally:
        os.close(here)
    return io.open(found, mode, encoding=text_encoding)  # noqa: UP020 - not the name that a notebook may have replaced
