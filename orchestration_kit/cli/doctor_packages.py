"""Is Python, this package and each of its extras there? What an extra needs, the package's own metadata says."""

from __future__ import annotations

import platform
import re
import sqlite3
import sys
from collections.abc import Iterator
from importlib import metadata
from typing import Literal, NamedTuple

from orchestration_kit.errors import listed

NAME = "orchestration-kit"
_REQUIREMENT = re.compile(
    r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?\s*\(?([^;()]*)\)?\s*(?:;\s*(.*))?", re.ASCII
)
_EXTRA = re.compile(r"""extra\s*==\s*['"]([^'"]+)['"]""")
_AT_LEAST = re.compile(r">=\s*([0-9][0-9.]*)")


class Finding(NamedTuple):
    """One thing that was looked at."""

    area: str
    what: str
    state: Literal["ok", "note", "missing", "broken"]
    """`missing`: it would add something; `broken`: something does not work as it is."""
    found: str
    fix: str = ""
    """What to do; empty where there is nothing to do."""


class Needed(NamedTuple):
    """A package that is needed, and from which version on."""

    name: str
    extras: tuple[str, ...]
    at_least: str
    marker: str

    @property
    def text(self) -> str:
        """As pip has it."""
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        return f"{self.name}{extras}{f'>={self.at_least}' if self.at_least else ''}"


def package_findings() -> Iterator[Finding]:
    """Yield what is found of Python, the package, and its extras."""
    where = f"{platform.system()} {platform.release()} {platform.machine()}, SQLite {sqlite3.sqlite_version}"
    yield Finding("python", "Python", "ok", f"{platform.python_version()} at {sys.executable}, {where}")
    try:
        own = metadata.distribution(NAME)
    except metadata.PackageNotFoundError:
        fix = "pip install -e . (in its folder)"
        yield Finding("package", NAME, "note", "it is not installed: what it and its extras need is not known", fix)
        return
    needed = [needed_of(text) for text in own.requires or []]
    lacking = [reason for one in needed if not _EXTRA.search(one.marker) and (reason := lack_of(one))]
    if lacking:
        yield Finding("package", NAME, "broken", f"{own.version}, without {listed(lacking)}", f"pip install -U {NAME}")
    else:
        yield Finding("package", NAME, "ok", own.version)
    for extra in own.metadata.get_all("Provides-Extra") or []:
        yield _extra_finding(extra, [one for one in needed if extra in _EXTRA.findall(one.marker)])


def needed_of(text: str) -> Needed:
    """Return what a requirement asks for.

    >>> needed_of("pydantic-ai-slim[openai]>=2.62; extra == 'llm'")
    Needed(name='pydantic-ai-slim', extras=('openai',), at_least='2.62', marker="extra == 'llm'")
    """
    found = _REQUIREMENT.match(text)
    if found is None:
        return Needed(text.strip(), (), "", "")
    at_least = _AT_LEAST.search(found[3])
    extras = tuple(one.strip() for one in (found[2] or "").split(",") if one.strip())
    return Needed(found[1], extras, at_least[1] if at_least else "", (found[4] or "").strip())


def lack_of(needed: Needed) -> str:
    """Return why a requirement is not met, in words; nothing where it is.

    >>> lack_of(needed_of("no-such-package>=1")), lack_of(needed_of("pydantic>=2"))
    ('no-such-package>=1', '')
    """
    try:
        there = metadata.distribution(needed.name)
    except metadata.PackageNotFoundError:
        return needed.text
    if needed.at_least and _numbers(there.version) < _numbers(needed.at_least):
        return f"{needed.text} (there is {there.version})"
    for text in there.requires or []:  # what its own extras need, where nothing else decides whether they do
        inner = needed_of(text)
        if any(_EXTRA.fullmatch(inner.marker) and extra in _EXTRA.findall(inner.marker) for extra in needed.extras):
            try:
                metadata.distribution(inner.name)
            except metadata.PackageNotFoundError:
                return f"{inner.name} (for {needed.text})"
    return ""


def version_of(name: str) -> str:
    """Return the version of an installed package, or nothing."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _extra_finding(extra: str, needed: list[Needed]) -> Finding:
    if lacking := [reason for one in needed if (reason := lack_of(one))]:
        fix = f'pip install "{NAME}[{extra}]"'
        return Finding("extras", extra, "missing", f"needs {listed(lacking)}", fix)
    return Finding("extras", extra, "ok", listed(f"{one.name} {version_of(one.name)}" for one in needed))


def _numbers(version: str) -> tuple[int, ...]:
    """Return the numbers a version begins with; zeros at the end count for nothing."""
    leading = re.match(r"[0-9.]*", version)
    found = [int(part) for part in leading[0].split(".") if part] if leading else []
    while found and not found[-1]:
        found.pop()
    return tuple(found)
