"""Types of one's own, by name: pydantic models, dataclasses, Enums and NamedTuples. Restoring runs none of their code.

A type is known once it was registered, or once a value of it was put on record in this process. A record only names
it: nothing is imported to find it. A class that is defined again (its cell was run again) takes the place of the first.
"""

from __future__ import annotations

import dataclasses
import enum
import sys
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from pydantic import BaseModel

from orchestration_kit.definition.workers import WorkerType
from orchestration_kit.engine.state import WorkflowState
from orchestration_kit.journal.errors import JournalError, UnknownType

K = TypeVar("K", bound=type)


class TypeChanged(JournalError):
    """A stored value does not fit the class of its name any more; nothing was made of it."""

    def __init__(self, name: str, kind: str, problem: str) -> None:
        super().__init__(name, kind, problem)
        self.name, self.kind, self.problem = name, kind, problem

    def __str__(self) -> str:
        return (
            f"The record holds a {self.kind} named {self.name!r}, whose class has changed since: {self.problem}. "
            "Define the class as it was and register it with register_type(...), or start the run anew."
        )


_TYPES: dict[str, type] = {}
"""What is registered, by name."""
_NAMES: WeakKeyDictionary[type, str] = WeakKeyDictionary()
"""The name of a type, also of one whose place was taken by a later one."""


def register_type(cls: K, name: str | None = None) -> K:
    """Make a type known, so that its values can be read from a journal; returns it, so that it can decorate.

    Args:
        cls: a pydantic model, a dataclass, an Enum or a NamedTuple.
        name: what records call it; its module and qualified name where nothing is given. One that stays the same when
            the class moves keeps old journals readable.

    >>> @register_type
    ... @dataclasses.dataclass
    ... class Finding:
    ...     text: str

    Raises:
        TypeError: a type of another kind.
    """
    if not isinstance(cls, type) or kind_of(cls) is None:
        what = getattr(cls, "__qualname__", None) or type(cls).__qualname__
        raise TypeError(
            f"{what} cannot be registered: only pydantic models, dataclasses, Enums and NamedTuples can. "
            f"Write register_type(Finding), where Finding is such a class."
        )
    if name is None:
        name = _NAMES.get(cls) or f"{cls.__module__}.{cls.__qualname__}"
    _NAMES[cls] = name
    _TYPES[name] = cls
    return cls


def known_types() -> list[str]:
    """Return the names of the types that can be read, sorted."""
    return sorted(_TYPES)


def kind_of(cls: Any) -> str | None:
    """Return what kind of type this is, in words; None where it is none that can be registered."""
    if issubclass(cls, enum.Enum):
        return "Enum"
    if issubclass(cls, BaseModel):
        return "pydantic model"
    if dataclasses.is_dataclass(cls):
        return "dataclass"
    return "NamedTuple" if tuple in cls.__mro__ and hasattr(cls, "_field_defaults") else None


def name_of(cls: type) -> str:
    """Return the name of a type. Meeting a value of it makes it known, unless it has been replaced by a later one."""
    name = _NAMES.get(cls)
    if name is None or _TYPES.get(name) is not cls:
        name = name or f"{cls.__module__}.{cls.__qualname__}"
        known = _TYPES.get(name)
        if known is None or not _is_current(known):
            register_type(cls, name)
    return name


def _is_current(cls: type) -> bool:
    """Whether a type is what its module has under its name now."""
    found: Any = sys.modules.get(cls.__module__)
    for part in cls.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is cls


def lookup_any(name: str) -> type | None:
    """Return the type of a name, whatever kind it is of; None where none is registered."""
    return _TYPES.get(name)


def lookup(name: str, kind: str) -> Any:
    """Return the type of a name.

    Raises:
        UnknownType: none is registered.
        TypeChanged: another kind of type is.
    """
    found = _TYPES.get(name)
    if found is None:
        raise UnknownType(name, kind, known_types())
    if kind_of(found) != kind:
        raise TypeChanged(name, kind, f"it is a {kind_of(found)} now")
    return found


# The kit's own Enums, by names that stay the same wherever they live.
register_type(WorkflowState, "orchestration_kit.WorkflowState")
register_type(WorkerType, "orchestration_kit.WorkerType")
