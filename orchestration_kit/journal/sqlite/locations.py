"""Where a journal may live: on a disk of this machine, as SQLite's log needs shared memory and locks that hold."""

from __future__ import annotations

import os
from pathlib import Path

from orchestration_kit.engine.file_systems import remote_file_system
from orchestration_kit.journal.errors import JournalUnavailable


def refuse_remote(path: str, mountinfo: str) -> None:
    """Refuse a path that is not on a disk of this machine.

    Raises:
        JournalUnavailable: naming the file system and the remedy.
    """
    kind = remote_file_system(os.path.realpath(path), mountinfo)
    if kind is not None:
        raise JournalUnavailable(
            path,
            f"it is on a network or shared file system ({kind}), where two processes could not be kept apart",
            "Keep the journal on a disk of this machine (under /tmp, for example), and copy it to the share with "
            "journal.backup(path).",
        )


def prepare(path: str) -> None:
    """Make an empty file that its owner alone can read, if none is there: a journal may hold what is private.

    Raises:
        JournalUnavailable: it cannot be made there.
    """
    real = os.path.realpath(path)
    folder = Path(real).parent
    try:
        if Path(path).is_dir():
            raise JournalUnavailable(path, "it is a folder", "Name a file in it, such as runs.db.")
        if not folder.is_dir():
            raise JournalUnavailable(path, f"the folder {folder} is not there", f"Make it first: mkdir -p {folder}")
        # Only ever a new file: to open and close one that is in use would drop SQLite's locks on it.
        os.close(os.open(real, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return
    except (OSError, ValueError) as error:
        if isinstance(error, JournalUnavailable):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise JournalUnavailable(
            path, f"a file cannot be made there ({reason})", "Choose a folder that this user may write to."
        ) from error
