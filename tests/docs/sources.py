"""The modules of the documentation, by name: they lie where Sphinx looks for them, not where Python does."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]


def extension(name: str) -> ModuleType:
    """Return a module of docs/_ext."""
    folder = str(ROOT / "docs" / "_ext")
    sys.path.insert(0, folder)
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(folder)
