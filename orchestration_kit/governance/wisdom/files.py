"""Lessons become a file of JSON lines, and back. A file is data from anybody: all of it is right, or none is taken."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn, cast

from orchestration_kit.errors import did_you_mean, listed
from orchestration_kit.governance.wisdom.errors import InvalidLesson, LessonsFileError, WisdomUnavailable
from orchestration_kit.governance.wisdom.lesson import Lesson, layer_of, name_of, names_of, text_of
from orchestration_kit.secrets.finder import Finder

FORMAT, VERSION = "orchestration-kit lessons", 1
MAX_BYTES, MAX_LINE, MAX_LESSONS = 256_000_000, 100_000, 500_000
_NAMES = ("step", "worker", "workflow", "model", "proposed_by", "approved_by")
_COUNTS = ("seen", "use", "success")
_KNOWN = ("text", "layer", "tags", "runs", "status", "reason", *_NAMES, *_COUNTS)
_STATUSES = ("proposed", "approved", "rejected", "retired")


def write_lessons(lessons: Sequence[Lesson], path: str | os.PathLike[str]) -> int:
    """Write lessons to a file, in the place of one that is there; return how many.

    Raises:
        WisdomUnavailable: it cannot be written; what was there before is still there.
    """
    target = Path(path)
    temporary = None
    try:
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=target.parent, delete=False, newline="\n") as file:
            temporary = Path(file.name)
            file.write(json.dumps({"format": FORMAT, "version": VERSION}) + "\n")
            for lesson in lessons:
                fields = asdict(lesson)
                file.write(json.dumps({name: fields[name] for name in _KNOWN if fields[name] not in (None, ())}) + "\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        reason = error.strerror or str(error)
        hint = "Choose a file in a folder that is there and that this user may write to."
        raise WisdomUnavailable(os.fspath(path), f"no export can be written there ({reason})", hint) from error
    finally:
        if temporary is not None:
            with suppress(FileNotFoundError):
                temporary.unlink()
    return len(lessons)


def read_lessons(path: str | os.PathLike[str], now: float) -> list[dict[str, Any]]:
    """Return what a file says of lessons, checked, as `Wisdom` keeps it.

    Raises:
        LessonsFileError: it is no file of lessons, or too large, or a line of it is wrong.
    """
    name = os.fspath(path)
    lines = _lines(name)
    head = _line(name, 1, lines[0])
    if head.get("format") != FORMAT:
        _refuse(name, "it does not begin as one that wisdom.export(path) wrote", "Export it anew.")
    if head.get("version") != VERSION:
        hint = "Update orchestration-kit (pip install --upgrade orchestration-kit)."
        _refuse(name, f"it is of version {head.get('version')!r:.20}, and {VERSION} is known here", hint)
    finder = Finder()
    finder.learn()
    taken: list[dict[str, Any]] = []
    for number, line in enumerate(lines[1:], 2):
        try:
            taken.append({**_checked(_line(name, number, line), finder), "created_at": now, "updated_at": now})
        except InvalidLesson as error:
            _refuse(name, f"line {number} is no lesson, as {error.reason}", f"{error.hint} Nothing of it was taken.")
    return taken


def _lines(name: str) -> list[str]:
    """Return the lines of a file that is neither a device nor huge."""
    path = Path(name)
    try:
        if not path.is_file():
            _refuse(name, "there is no such file", "Name one that wisdom.export(path) wrote.")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        text = content.decode("utf-8")
    except OSError as error:
        _refuse(name, f"it cannot be read ({error.strerror or error})", "See that this user may read it.")
    except UnicodeDecodeError:  # and no wider: a refusal is a ValueError, too
        _refuse(name, "it is no UTF-8 text", "Name one that wisdom.export(path) wrote.")
    if len(content) > MAX_BYTES:
        _refuse(name, f"it is larger than {MAX_BYTES // 1_000_000} MB", "Export fewer: wisdom.export(path, status=...)")
    lines = text.removesuffix("\n").split("\n")
    if len(lines) > MAX_LESSONS + 1:
        _refuse(name, f"it has more than {MAX_LESSONS:,} lines", "Export fewer: wisdom.export(path, status=...)")
    return lines


def _line(name: str, number: int, line: str) -> dict[str, Any]:
    if len(line) > MAX_LINE:
        _refuse(name, f"line {number} has more than {MAX_LINE:,} characters", "No lesson is that long.")
    try:
        found: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        _refuse(name, f"line {number} is no JSON ({error!s:.60})", "Each line holds one lesson as an object.")
    if not isinstance(found, dict):
        _refuse(name, f"line {number} is no object", "Each line holds one lesson as an object.")
    return cast("dict[str, Any]", found)


def _checked(line: dict[str, Any], finder: Finder) -> dict[str, Any]:
    for key in line:
        if key not in _KNOWN:
            reason = f"it has an entry {key!r:.60}, which is not known.{did_you_mean(key[:60], _KNOWN)}"
            raise InvalidLesson(reason.removesuffix("."), f"Known are {listed(_KNOWN, 20)}.")
    about: dict[str, Any] = {
        "text": text_of(line.get("text"), finder),
        "layer": layer_of(line.get("layer", "general")),
        "tags": names_of(line.get("tags", ()), "tags", finder),
        "runs": names_of(line.get("runs", ()), "runs", finder),
        "reason": None if line.get("reason") is None else text_of(line["reason"], finder),
        "status": line.get("status", "proposed"),
    }
    if about["status"] not in _STATUSES:
        raise InvalidLesson(f"its status is {about['status']!r:.60}", f"Choose of {', '.join(_STATUSES)}.")
    about |= {key: name_of(line.get(key), key, finder) for key in _NAMES}
    for key in _COUNTS:
        count: Any = line.get(key, 0)
        if type(count) is not int or not 0 <= count < 2**53:
            raise InvalidLesson(f"its {key} is {count!r:.60}", "Give a whole number, 0 or more.")
        about[key] = count
    if about["success"] > about["use"]:
        raise InvalidLesson("it was of use more often than it was used", "See its use and success.")
    return about


def _refuse(name: str, reason: str, hint: str) -> NoReturn:
    raise LessonsFileError(name, reason, hint)
