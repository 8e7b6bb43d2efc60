"""What the API reference holds: which public names belong on which page. Needs no Sphinx, so that a test can ask it.

A name is public where it stands in the `__all__` of `orchestration_kit` or of a package below it. Each object is
documented once, under the shortest path it can be imported from.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

import orchestration_kit
from orchestration_kit.errors import OrchestrationError


@dataclass(frozen=True)
class Area:
    """One page of the reference."""

    name: str
    """The name of the page: `docs/reference/<name>.md`."""
    modules: tuple[str, ...] = ()
    """Modules whose public names it holds, below `orchestration_kit`."""
    handed: tuple[str, ...] = ()
    """By module: classes that nobody imports, as they are what methods return and functions are called with."""


AREAS = (
    Area("definition", ("definition",)),
    Area("checks", ("checks",)),
    Area(
        "engine",
        handed=(
            "engine.past: Moment",
            "engine.replay: Replay",
            "engine.summary: RunSummary",
            "engine.asking: Request",
            "engine.data: DataView Changes",
            "engine.interrupts: RunCancelled",
            "engine.events: HistoryEntry RunStarted RunResumed RunForked RunFinished AttemptStarted AttemptFinished",
            "engine.events: PartialOutput BranchesOpened WaitStarted EventReceived Answered LimitReached ErrorInfo",
        ),
    ),
    Area(
        "journal",
        ("journal", "journal.cassette", "journal.codec", "journal.sqlite", "journal.conformance"),
        (
            "journal.port: Row StoredRun WholeRun Standing Facts Lease Owner Holder",
            "journal.cassette.recording: Recording",
        ),
    ),
    Area("history", ("history",), ("history.divergence: Pair", "history.branch_pairs: BranchPair")),
    Area("visual", ("visual",), ("visual.theme: Paint", "visual.diagram: Drawing")),
    Area("widgets", ("widgets.cells", "widgets.monitor")),
    Area("workers", ("workers.llm", "workers.patterns", "workers.website")),
    Area("governance", ("governance.rules", "governance.telemetry", "governance.wisdom")),
    Area("evaluation", ("evaluation",)),
    Area("executors", ("executors", "executors.conformance"), ("engine.executor_port: Executor Call",)),
    Area(
        "reliability", ("reliability",), ("reliability.fit_found: Memory FirstPassage", "reliability.changing: Change")
    ),
    Area("scale", ("scale",)),
    Area(
        "service",
        ("service", "service.catalogue"),
        ("service.pipeline: Explanation", "service.rollout: Tried", "service.watchdog: Trip"),
    ),
    Area("interchange", ("interchange",)),
    Area("templates", ("templates",)),
    Area("testing", ("testing",)),
    Area("cli", ("cli", "demo")),
    Area("errors"),
)
"""In the order of the reference. A public package that is in none of them fails `tests/docs/test_reference.py`."""


@dataclass(frozen=True)
class Public:
    """One public name."""

    module: str
    """Where to import it from."""
    name: str
    value: Any
    handed: bool = False
    """Whether it is handed out, and not imported."""

    @property
    def path(self) -> str:
        """What it is called in the reference."""
        return f"{self.module}.{self.name}"


def public_packages() -> list[str]:
    """Return every package of the kit that has an `__all__`, the kit itself first."""
    below = pkgutil.walk_packages(orchestration_kit.__path__, "orchestration_kit.")
    packages = [module.name for module in below if module.ispkg]
    return ["orchestration_kit", *(name for name in packages if hasattr(importlib.import_module(name), "__all__"))]


def public_names(module: ModuleType) -> list[str]:
    """Return the `__all__` of a module; without one, the functions and classes that it defines."""
    listed = getattr(module, "__all__", None)
    if listed is not None:
        return list(listed)
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and inspect.getmodule(value) is module and callable(value)
    ]


def _identity(value: Any, name: str) -> object:
    """Tell what makes two names the same object: constants are taken by name, as equal ones may be shared."""
    return id(value) if isinstance(value, type) or callable(value) or inspect.ismodule(value) else name


@cache
def reference() -> dict[str, list[Public]]:
    """Return what each area documents: each object once, in the order in which it is listed."""
    taken: set[object] = set()
    found: dict[str, list[Public]] = {area.name: [] for area in AREAS}

    def take(area: str, module: str, name: str, *, handed: bool = False) -> None:
        value = getattr(importlib.import_module(module), name)
        if (one := _identity(value, name)) not in taken and not inspect.ismodule(value):
            taken.add(one)
            found[area].append(Public(module, name, value, handed))

    for name in orchestration_kit.__all__:
        take(orchestration_kit._HOMES[name].split(".")[0], "orchestration_kit", name)  # noqa: SLF001
    for area in AREAS:
        for below in area.modules:
            module = f"orchestration_kit.{below}"
            for name in public_names(importlib.import_module(module)):
                take(area.name, module, name)
        for below, names in (line.split(": ") for line in area.handed):
            for name in names.split():
                take(area.name, f"orchestration_kit.{below}", name, handed=True)
    for error in sorted(_errors(), key=lambda one: one.__name__):
        take("errors", error.__module__, error.__name__)
    return found


def _errors() -> set[type]:
    """Return every error class of the kit, of the modules that can be imported without an extra."""
    for module in pkgutil.walk_packages(orchestration_kit.__path__, "orchestration_kit."):
        if not module.name.endswith((".__main__", ".page")):
            with suppress(ModuleNotFoundError):
                importlib.import_module(module.name)
    seen: set[type] = set()
    todo: list[type] = [OrchestrationError]
    while todo:
        one = todo.pop()
        if one not in seen and one.__module__.startswith("orchestration_kit"):
            seen.add(one)
            todo += one.__subclasses__()
    return seen
