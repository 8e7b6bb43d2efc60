"""Imports the libraries of the extra `demo` when they are first needed, never earlier."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from orchestration_kit.workers.website.errors import MissingDemoExtra

if TYPE_CHECKING:
    from types import ModuleType


def require(library: str) -> ModuleType:
    """Return the module `library`, or say how to install it.

    Raises:
        MissingDemoExtra: the library, or something it needs, is not installed.
    """
    try:
        return import_module(library)
    except ImportError as error:
        raise MissingDemoExtra(library) from error


def html_parser() -> Any:
    """Return a fresh `html5lib.HTMLParser`, which collects parse errors in `.errors`."""
    return require("html5lib").HTMLParser()
