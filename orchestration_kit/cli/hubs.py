"""Imports a user's module and takes the Orchestrator from it: the only place where a user's code is run."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
import traceback
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from orchestration_kit.cli.journals import existing, opened
from orchestration_kit.engine.orchestrator import Orchestrator
from orchestration_kit.errors import OrchestrationError, did_you_mean, listed
from orchestration_kit.journal.codec.registry import kind_of, register_type
from orchestration_kit.journal.sqlite import SQLiteJournal


class NoHub(OrchestrationError):
    """There is no Orchestrator where `--hub` says, or it cannot be used."""

    def __init__(self, place: str, reason: str, hint: str) -> None:
        super().__init__(place, reason, hint)
        self.place, self.reason, self.hint = place, reason, hint

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}. {self.hint}"


@contextmanager
def hub_at(place: str, journal: Path | None) -> Generator[Orchestrator]:
    """Take the Orchestrator at `MODULE:NAME`, with the journal that is meant.

    Args:
        place: The module, and the Orchestrator in it, or a function without arguments that returns one.
        journal: The journal named on the command line. The hub's own has to be the same; a hub that has none gets it,
            or the one of this folder.

    Raises:
        NoHub: there is none, or it keeps its runs elsewhere.
        JournalUnavailable: there is no such journal.
    """
    hub = _hub(place)
    if hub.journal is not None:
        if journal is not None:
            _check_same(place, hub, existing(journal))
        yield hub
        return
    with opened(journal) as found:
        hub.journal = found
        try:
            yield hub
        finally:
            hub.journal = None


def import_module(name: str) -> ModuleType:
    """Import a module, from the current folder too, and make the types in it known, so that a record may hold them.

    Raises:
        NoHub: there is none, or its own code raised.
    """
    here = os.getcwd()  # noqa: PTH109 - sys.path holds texts
    if here not in sys.path:
        sys.path.insert(0, here)
    if name.endswith(".py") or not all(part.isidentifier() for part in name.split(".")):
        stem = name.removesuffix(".py").replace("/", ".").strip(".")
        raise NoHub(repr(name), "this is not how a module is named", f"Name it as in an import: {stem or 'my_flow'}")
    try:
        module = importlib.import_module(name)
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and error.name and f"{name}.".startswith(f"{error.name}."):
            hint = _modules_near(name)
            raise NoHub(repr(name), "there is no such module", hint) from None
        *_, last = traceback.extract_tb(error.__traceback__)
        where = "" if isinstance(error, SyntaxError) else f" ({last.filename}, line {last.lineno})"
        raise NoHub(
            repr(name), f"importing it raised {type(error).__name__}: {error}{where}", "Mend that, and try again."
        ) from error
    for found in vars(module).values():
        if isinstance(found, type) and kind_of(found) is not None:
            register_type(found)
    return module


def _hub(place: str) -> Orchestrator:
    module_name, colon, name = place.partition(":")
    if not module_name or (colon and not name):
        raise NoHub(repr(place), "this names no hub", "Write --hub MODULE:NAME, such as --hub my_flow:hub")
    module = import_module(module_name)
    found: Any = module
    hint = f"It could be one of these: {listed(_candidates(module))}."
    if not name:
        raise NoHub(repr(place), "this names a module alone", f"Write --hub {module_name}:NAME. {hint}")
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise NoHub(repr(place), f"{module_name} has no {name!r}", hint) from None
    return _made(place, found, hint)


def _candidates(module: ModuleType) -> list[str]:
    """Return the names of what may be a hub, or make one."""
    return [
        key
        for key, value in vars(module).items()
        if isinstance(value, Orchestrator)
        or (inspect.isfunction(value) and value.__module__ == module.__name__ and not _needed(value))
    ]


def _needed(function: Any) -> list[str]:
    """Return the parameters without which a function cannot be called."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    optional = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [one.name for one in parameters if one.default is one.empty and one.kind not in optional]


def _made(place: str, found: Any, hint: str) -> Orchestrator:
    if isinstance(found, Orchestrator):
        return found
    if not callable(found):
        raise NoHub(repr(place), f"this is {type(found).__name__}, no Orchestrator", hint)
    needed = _needed(found)
    if needed:
        raise NoHub(repr(place), f"it cannot be called without {listed(needed)}", hint)
    try:
        made = found()
    except Exception as error:
        raise NoHub(repr(place), f"it raised {type(error).__name__}: {error}", "Mend that, and try again.") from error
    if inspect.iscoroutine(made):
        made.close()
    if not isinstance(made, Orchestrator):
        raise NoHub(repr(place), f"it returned {type(made).__name__}, no Orchestrator", hint)
    return made


def _check_same(place: str, hub: Orchestrator, path: Path) -> None:
    own = hub.journal
    if isinstance(own, SQLiteJournal) and own.path.exists() and own.path.samefile(path):
        return
    where = str(own.path) if isinstance(own, SQLiteJournal) else repr(own)
    raise NoHub(
        repr(place),
        f"it keeps its runs in {where}, not in {path}",
        "Leave --journal out, or make the Orchestrator without a journal.",
    )


def _modules_near(name: str) -> str:
    found = sorted(path.stem for path in Path().glob("*.py"))
    return f"In this folder there are: {listed(found)}.{did_you_mean(name, found)}"
