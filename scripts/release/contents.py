"""Say what is missing in a wheel, and what has no business there, from its names alone."""

from __future__ import annotations

import re
from collections.abc import Iterable

from scripts.release.bundled import ROOT

_PACKAGE = ROOT / "orchestration_kit"
_LEFT_OUT = re.compile(r"(^|/)(frontend|node_modules|__pycache__|\.[^/]+)(/|$)|\.pyc$")
_FOREIGN = re.compile(
    r"(^|/)(tests?|node_modules|frontend|__pycache__|\.[^/]+)(/|$)"  # sources of tests and bundles, caches, dotfiles
    r"|\.(pyc|jsx|ts|map|db|db-wal|db-shm|sqlite|log|orig|rej|bak)$"
)
MOST_BYTES = 2_000_000


def due() -> set[str]:
    """Return every file of the package that a wheel has to hold."""
    below = (path.relative_to(ROOT).as_posix() for path in _PACKAGE.rglob("*") if path.is_file())
    return {name for name in below if not _LEFT_OUT.search(name)}


def faults(names: Iterable[str], version: str) -> list[str]:
    """Return what is wrong with the names of a wheel, in sentences; nothing where it is whole."""
    held = set(names)
    about = f"orchestration_kit-{version}.dist-info"
    needed = due() | {
        f"{about}/{name}"
        for name in (
            "METADATA",
            "WHEEL",
            "RECORD",
            "entry_points.txt",
            "licenses/LICENSE",
            "licenses/THIRD_PARTY_LICENSES.txt",
            "sboms/orchestration-kit.cdx.json",
        )
    }
    told = [f"{name} is missing" for name in sorted(needed - held)]
    for name in sorted(held):
        if _FOREIGN.search(name):
            told.append(f"{name} has no business there")
        elif name not in needed:
            told.append(f"{name} is not in the tree, or stands beside the package")
    return told
