"""Turn `[project]` of pyproject.toml into the packages that pip installs beside ours, with their licences."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.release.bundled import ROOT

_SPDX = {
    "BSD": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "BSD 3-Clause License": "BSD-3-Clause",
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "MIT License": "MIT",
    "The MIT License (MIT)": "MIT",
    "ISC License (ISCL)": "ISC",
    "Python Software Foundation License": "PSF-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Dual License": "Apache-2.0 OR BSD-3-Clause",
}
"""What projects wrote before there was a field for SPDX expressions."""
_EXPRESSION = re.compile(r"[A-Za-z0-9.-]+(?: (?:AND|OR) [A-Za-z0-9.-]+)*")
_OF_THE_TEXT = {"ipywidgets": "BSD-3-Clause", "matplotlib": "LicenseRef-matplotlib"}
"""Where the metadata holds no more than "BSD", or a whole text: read by a person."""


@dataclass(frozen=True)
class Declared:
    """A package that ours asks for."""

    name: str
    extras: tuple[str, ...]
    """Its own extras that we ask for."""
    range: str
    """As pip has it."""
    for_extras: tuple[str, ...]
    """The extras of ours that need it; empty where everybody does."""
    licence: str
    """An SPDX expression."""


def declared_packages() -> list[Declared]:
    """Return what is asked for, by name. Needs an environment with everything in it, such as `.venv`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found: dict[str, tuple[Requirement, set[str]]] = {}
    for extra, texts in [("", project["dependencies"]), *project["optional-dependencies"].items()]:
        for text in texts:
            one = Requirement(text)
            _, users = found.setdefault(canonicalize_name(one.name), (one, set()))
            users.add(extra)
    return [
        Declared(
            name,
            tuple(sorted(one.extras)),
            str(one.specifier),
            () if "" in users else tuple(sorted(users)),
            licence_of(name),
        )
        for name, (one, users) in sorted(found.items())
    ]


def licence_of(name: str) -> str:
    """Return the licence of an installed package as an SPDX expression, or why that is not known.

    >>> licence_of("pydantic")
    'MIT'
    """
    told = metadata.metadata(name)
    if known := _OF_THE_TEXT.get(canonicalize_name(name)):
        return known
    if expression := told.get("License-Expression"):
        return str(expression)
    classified = [text.rpartition(" :: ")[2] for text in told.get_all("Classifier") or [] if text.startswith("License")]
    written = str(told.get("License") or "").strip().removeprefix("UNKNOWN")
    for text in [written, *classified]:
        if spdx := _SPDX.get(
            text, text if re.fullmatch(r"[A-Za-z0-9.-]+(?: (?:AND|OR) [A-Za-z0-9.-]+)*", text) else ""
        ):
            return spdx
    return "unknown: " + (written.splitlines() or ["nothing is said"])[0][:60]
