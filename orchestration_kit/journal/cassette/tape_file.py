"""The file of a cassette: read with care, written whole, and shared: two who write it lose nothing of each other's.

It holds recordings in natural order of their paths, and nothing that differs from machine to machine or from time to
time, so that a diff of it shows what changed. It is data: what is read is checked, and nothing of it is executed.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from orchestration_kit.definition.files import parse_yaml
from orchestration_kit.errors import WorkflowFileError, did_you_mean
from orchestration_kit.journal.cassette.errors import CassetteError
from orchestration_kit.journal.cassette.fields import Malformed, from_data
from orchestration_kit.journal.cassette.file_lock import exclusive
from orchestration_kit.journal.cassette.recording import Key, Recording
from orchestration_kit.journal.cassette.tape_text import render
from orchestration_kit.journal.codec.room import with_room

VERSION = 1
MAX_BYTES = 200_000_000
MAX_DEPTH = 900
LOCK_WAIT_S = 20.0
"""How long to wait for another process that is writing the file. A write takes well under a second."""

_HEADER = f"""\
# Recorded outputs of workers, made by orchestration_kit: replayed instead of calling the workers.
# Keep it beside the notebook, in version control. To record anew, delete it, or use mode="record".
cassette: {VERSION}
recordings:
"""
_AGAIN = "Restore it from version control, mend that place, or delete the file and record it anew."

Recordings = dict[Key, Recording]


class CassetteFile:
    """The file of one cassette."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._rendered: dict[Key, tuple[Recording, str]] = {}
        self._seen: tuple[int, int, int] | None = None

    @property
    def exists(self) -> bool:
        """Whether it is there."""
        return self.path.exists()

    @property
    def is_as_seen(self) -> bool:
        """Whether nobody else has written it since it was read or written here."""
        return self._signature() == self._seen

    def load(self) -> Recordings:
        """Return what it holds; nothing where there is no file.

        Raises:
            CassetteError: it is no cassette, is damaged, or cannot be read.
        """
        seen = self._signature()
        try:
            size = self.path.stat().st_size
            if size > MAX_BYTES:
                raise self._error(f"it has {size:,} bytes", f"At most {MAX_BYTES:,} are read. Split it into several.")
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            recordings: Recordings = {}
        except UnicodeDecodeError as error:
            raise self._error(f"it is not UTF-8 text ({error.reason} at byte {error.start:,})", _AGAIN) from None
        except OSError as error:
            raise self._error(str(error.strerror or error), "See that it can be read, or give another path.") from error
        else:
            recordings = self._parsed(text)
        self._seen = seen
        return recordings

    def write(self, known: Recordings, fresh: Mapping[Key, Recording], dropped: Collection[Key] = ()) -> Recordings:
        """Write recordings, and return what the file then holds.

        Where somebody else has written the file meanwhile, theirs are kept; of one key, `fresh` counts.

        Args:
            known: What the file held when it was last read or written here.
            fresh: What is new here.
            dropped: What is to be left out.

        Raises:
            CassetteError: the file that is there is damaged; it is left as it is.
            OSError: it cannot be written.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with exclusive(Path(os.path.realpath(self.path)), LOCK_WAIT_S):
            found = known if self.is_as_seen else self.load()
            merged = {key: one for key, one in {**found, **fresh}.items() if key not in dropped}
            self._replace(self._text(merged))
        return merged

    def _text(self, recordings: Recordings) -> str:
        before, self._rendered = self._rendered, {}
        for key, recording in recordings.items():
            known = before.get(key)
            if known is None or known[0] is not recording:
                known = (recording, "\n".join(with_room(render, [recording.as_data()], 1)))
            self._rendered[key] = known
        blocks = [self._rendered[one.key][1] for one in sorted(recordings.values(), key=lambda one: one.order)]
        return _HEADER + "\n".join(blocks) + "\n" if blocks else _HEADER.rstrip("\n") + " []\n"

    def _replace(self, text: str) -> None:
        """Put a text in the place of the file, at once: a reader sees the old one or the new one."""
        target = Path(os.path.realpath(self.path))
        partial = target.with_name(f".{target.name}.{os.getpid()}-{os.urandom(4).hex()}.tmp")
        try:
            with partial.open("x", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            with suppress(OSError):
                partial.chmod(target.stat().st_mode)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
        self._seen = self._signature()

    def _signature(self) -> tuple[int, int, int] | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns

    def _parsed(self, text: str) -> Recordings:
        try:
            plain = parse_yaml(text, max_characters=MAX_BYTES, max_depth=MAX_DEPTH)
        except WorkflowFileError as error:
            hint = _AGAIN if error.hint.startswith(("Mend", "One file")) else f"{error.hint} {_AGAIN}"
            raise self._error(error.reason, hint) from None
        if plain is None and not text.strip():
            return {}
        entries = self._entries(plain)
        recordings: Recordings = {}
        for number, entry in enumerate(entries, 1):
            try:
                recording = from_data(entry)
            except Malformed as wrong:
                raise self._error(f"in {_named(number, entry)}, {wrong.args[0]}", f"{wrong.args[1]} {_AGAIN}") from None
            except RecursionError:
                raise self._error(f"{_named(number, entry)} is nested too deeply", _AGAIN) from None
            if recording.key in recordings:
                raise self._error(
                    f"{_named(number, entry)} has the same input as one before it", "Delete one of the two."
                )
            recordings[recording.key] = recording
        return recordings

    def _entries(self, plain: Any) -> list[Any]:
        found = cast("dict[str, Any]", plain) if isinstance(plain, dict) else {}
        version, entries = found.get("cassette"), found.get("recordings", [])
        if type(version) is not int or not isinstance(entries, list):
            raise self._error("it is no cassette", f'A cassette begins with "cassette: {VERSION}" and "recordings:".')
        if version != VERSION:
            raise self._error(
                f"it is of version {version}, and {VERSION} is what is read here",
                "Upgrade orchestration_kit, or delete the file and record it anew.",
            )
        for name in found:
            if name not in {"cassette", "recordings"}:
                near = did_you_mean(name, ["cassette", "recordings"])
                raise self._error(f"it has {name!r:.60}.{near}", 'It has "cassette" and "recordings", nothing else.')
        return cast("list[Any]", entries)

    def _error(self, reason: str, hint: str) -> CassetteError:
        return CassetteError(str(self.path), reason, hint)


def _named(number: int, entry: Any) -> str:
    path = cast("dict[str, Any]", entry).get("path") if isinstance(entry, dict) else None
    return f"recording {number} ({path:.60})" if isinstance(path, str) else f"recording {number}"
