"""Parts of scipy, or the error that says how to install it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from orchestration_kit.reliability.errors import MissingReliabilityExtra


def scipy_part(name: str) -> Any:
    """Return a module of scipy.

    >>> scipy_part("special").__name__
    'scipy.special'

    Raises:
        MissingReliabilityExtra: scipy is not installed.
    """
    try:
        return import_module(f"scipy.{name}")
    except ModuleNotFoundError as error:
        raise MissingReliabilityExtra from error
