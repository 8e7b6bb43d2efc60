"""Writes a site into a directory: completely or not at all, and never over somebody else's files.

The files are staged in a new sibling directory, which then takes the place of the old one. A manifest
in the site lists what was written, so that the next deployment knows what it may replace.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import unicodedata
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, cast

from orchestration_kit.workers.website.bus import as_mapping
from orchestration_kit.workers.website.errors import ForeignDirectory, UnsafePath

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

MANIFEST = ".orchestration_kit_site.json"
_RESERVED = frozenset(
    {"con", "prn", "aux", "nul"} | {f"{port}{digit}" for port in ("com", "lpt") for digit in range(1, 10)}
)
_FORBIDDEN = frozenset('<>:"|?*\\')
_LONGEST_PART = 120


def path_problem(path: str) -> str:
    """Return why a path may not be part of a site, as the end of a sentence; '' if it may.

    >>> path_problem("images/hero.svg")
    ''
    >>> path_problem("../secret")
    "leaves the directory with '..'"
    """
    parts = path.split("/")
    rules = (
        (not path or path.startswith("/"), "is absolute or empty"),
        (".." in parts, "leaves the directory with '..'"),
        (any(part in {"", "."} for part in parts), "has an empty part"),
        (any(map(_is_forbidden, path)), "holds a character that not every file system takes"),
        (any(len(part) > _LONGEST_PART for part in parts), "has a part that is too long"),
        (any(part.endswith((" ", ".")) for part in parts), "has a part that ends with a dot or a space"),
        (
            any(part.split(".")[0].casefold() in _RESERVED for part in parts),
            "has a part that Windows reserves for devices",
        ),
        (path.casefold() == MANIFEST, "is the name of the manifest"),
    )
    return next((problem for broken, problem in rules if broken), "")


def _is_forbidden(char: str) -> bool:
    return char in _FORBIDDEN or unicodedata.category(char) in {"Cc", "Cs"}


def check_paths(files: Mapping[str, str]) -> None:
    """Raise `UnsafePath` for a path that is unsafe or would collide with another."""
    taken: dict[str, str] = {}
    for path in sorted(files):
        problem = path_problem(path)
        if problem:
            raise UnsafePath(path, problem)
        other = taken.setdefault(path.casefold(), path)
        if other != path:
            raise UnsafePath(path, f"differs from {other!r} only in letter case")
    for path in sorted(files):
        for parent in PurePosixPath(path).parents:
            if str(parent).casefold() in taken:
                raise UnsafePath(path, f"needs {str(parent)!r} as a directory, which is a file")


def check_target(out_dir: Path) -> None:
    """Raise `ForeignDirectory` unless a deployment may take the place of what is at `out_dir`."""
    shown = str(out_dir)
    if out_dir.is_symlink():
        raise ForeignDirectory(shown, "is a symbolic link")
    if not out_dir.exists():
        return
    if not out_dir.is_dir():
        raise ForeignDirectory(shown, "is not a directory")
    there = sorted(path for path in out_dir.rglob("*") if path.is_symlink() or not path.is_dir())
    if not there:
        if any(out_dir.iterdir()):
            raise ForeignDirectory(shown, "holds directories that no deployment made")
        return
    written = _written_before(out_dir)
    for path in there:
        name = path.relative_to(out_dir).as_posix()
        if name == MANIFEST:
            continue
        if name not in written or path.is_symlink():
            raise ForeignDirectory(shown, f"holds {name!r}, which no deployment wrote")
        if hashlib.sha256(path.read_bytes()).hexdigest() != written[name]:
            raise ForeignDirectory(shown, f"holds {name!r}, which was changed after it was deployed")


def _written_before(out_dir: Path) -> dict[str, str]:
    manifest = out_dir / MANIFEST
    if manifest.is_symlink() or not manifest.is_file():
        raise ForeignDirectory(str(out_dir), f"is not empty and has no {MANIFEST}")
    try:
        listed = as_mapping(json.loads(manifest.read_text(encoding="utf-8")))
    except ValueError as error:
        raise ForeignDirectory(str(out_dir), f"has a {MANIFEST} that cannot be read") from error
    files = as_mapping(listed.get("files")) if listed else None
    if files is None or not all(isinstance(digest, str) for digest in files.values()):
        raise ForeignDirectory(str(out_dir), f"has a {MANIFEST} that lists no files")
    return cast("dict[str, str]", dict(files))


@contextmanager
def staged_site(files: Mapping[str, str], out_dir: Path) -> Generator[Path]:
    """Write the site beside `out_dir`, hand it over for a look, then put it in its place.

    If the body raises, `out_dir` stays as it was and nothing is left behind.

    Raises:
        UnsafePath: a file would land elsewhere, or two would collide.
        ForeignDirectory: `out_dir` holds something that no deployment wrote.
    """
    check_paths(files)
    check_target(out_dir)
    out_dir.parent.mkdir(parents=True, exist_ok=True)
    workshop = Path(tempfile.mkdtemp(prefix=f".{out_dir.name}-", dir=out_dir.parent))
    try:
        staged = workshop / "new"
        staged.mkdir()
        _write(files, staged)
        yield staged
        check_target(out_dir)  # somebody may have written there meanwhile
        _swap(staged, out_dir, aside=workshop / "old")
    finally:
        shutil.rmtree(workshop)


def _write(files: Mapping[str, str], staged: Path) -> None:
    digests: dict[str, str] = {}
    for path, text in sorted(files.items()):
        content = text.encode("utf-8")
        target = staged.joinpath(*path.split("/"))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        digests[path] = hashlib.sha256(content).hexdigest()
    manifest = {"written_by": "orchestration_kit", "files": digests}
    (staged / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _swap(staged: Path, out_dir: Path, *, aside: Path) -> None:
    if not out_dir.exists():
        staged.rename(out_dir)
        return
    out_dir.rename(aside)
    try:
        staged.rename(out_dir)
    except OSError:
        aside.rename(out_dir)  # the old site comes back
        raise
