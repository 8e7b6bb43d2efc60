"""Find the interpreters that a release is tried on."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

MINORS = (11, 12, 13, 14)
"""Of Python 3; what pyproject.toml promises."""


def found_pythons() -> dict[str, str]:
    """Return the interpreters of this machine by version, such as `{"3.11": "/usr/bin/python3.11"}`.

    Looked for on PATH and where pyenv keeps them; PYTHONS=path:path names others, which come first.
    """
    named = [path for path in os.environ.get("PYTHONS", "").split(os.pathsep) if path]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found: dict[str, str] = {}
    for minor in MINORS:
        version = f"3.{minor}"
        kept = sorted(pyenv.glob(f"{version}.*/bin/python{version}"), reverse=True)
        on_path = shutil.which(f"python{version}")
        for candidate in [*named, *map(str, kept), *([on_path] if on_path else [])]:
            if version_of(candidate) == version:
                found[version] = candidate
                break
    return found


def version_of(python: str) -> str:
    """Return the version of an interpreter, such as `3.11`; nothing where it does not run, or cannot make venvs."""
    asked = "import sys, venv, ensurepip, ssl, sqlite3; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([python, "-c", asked], capture_output=True, text=True, check=False, timeout=30)  # noqa: S603
    except OSError:
        return ""
    return done.stdout.strip() if not done.returncode else ""
