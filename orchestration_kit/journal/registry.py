"""Types of one's own, by name: pydantic models, dataclasses, Enums and NamedTuples. Restoring runs none of their code.

A type is known once it was registered, or once a value of it was put on record in this process. A record only names
it: nothing is imported to find it. A class that is defined again (its cell was run again) takes the place of the first.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import sys
import types
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

from pydantic import BaseModel, Secret, SecretBytes, SecretStr
from pydantic_core import PydanticUndefined

from orchestration_kit.definition.workers import WorkerType
from orchestration_kit.engine.state import WorkflowState
from orchestration_kit.errors import listed
from orchestration_kit.journal.errors import JournalError, UnknownType
from orchestration_kit.journal.reading import READERS, Reader, expect, sequence
from orchestration_kit.journal.writing import FINDERS, Write, Writer, refuse

K = TypeVar("K", bound=type)

_ABSENT: Any = object()


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


def _name_of(cls: type) -> str:
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


def _lookup(name: str, kind: str) -> Any:
    found = _TYPES.get(name)
    if found is None:
        raise UnknownType(name, kind, known_types())
    if kind_of(found) != kind:
        raise TypeChanged(name, kind, f"it is a {kind_of(found)} now")
    return found


# Enums


def _write_enum(writer: Writer, value: enum.Enum, _: int) -> Any:
    cls = cast("Any", type(value))
    writer.size += 60
    if cls._member_map_.get(value._name_) is value:
        return {"$enum": [_name_of(cls), value._name_]}
    if not isinstance(value, enum.Flag) or cls._missing_.__func__ is not cast("Any", enum.Flag._missing_).__func__:
        refuse(value, "it is no member of its own Enum", f"Use one of {listed(cls._member_map_)}.")
    return {"$enum": [_name_of(cls), writer.part(value.value)]}


def _read_enum(_: Reader, payload: Any) -> enum.Enum:
    name, member = sequence(payload, str, object)
    cls = _lookup(name, "Enum")
    if type(member) is str:
        if member not in cls._member_map_:
            raise TypeChanged(name, "Enum", f"{member!r} is gone; there are {listed(cls._member_map_)}")
        return cls._member_map_[member]
    expect(type(member) is int and issubclass(cls, enum.Flag))
    expect(cls._missing_.__func__ is cast("Any", enum.Flag._missing_).__func__)
    return cls(member)


# Pydantic models


def _write_model(writer: Writer, value: BaseModel, depth: int) -> Any:
    cls = type(value)
    _refuse_built_in_state(value)
    state = {name: part for name, part in vars(value).items() if name in cls.model_fields or not _is_cached(cls, name)}
    for name, field in cls.model_fields.items():
        if name not in state and field.is_required():
            refuse(value, f"its field {name!r} has no value", f"Give it one: {cls.__name__}({name}=...).")
    fields = writer.mapping(state, depth, ".{}")
    names: set[str] = value.__pydantic_fields_set__
    extra, private = value.__pydantic_extra__, value.__pydantic_private__
    return {
        "$model": [
            _name_of(cls),
            fields,
            None if names == cls.model_fields.keys() else writer.items(sorted(names), depth),
            None if extra is None else writer.mapping(extra, depth, ".{}"),
            None if private is None else writer.mapping(private, depth, ".{}"),
        ]
    }


def _read_model(_: Reader, payload: Any) -> BaseModel:
    name, fields, names, extra, private = sequence(payload, str, dict, object, object, object)
    cls: type[BaseModel] = _lookup(name, "pydantic model")
    state = dict[str, Any]()
    for field_name, field in cls.model_fields.items():
        if field_name in fields:
            state[field_name] = fields.pop(field_name)
        else:
            default = _ABSENT if field.default is PydanticUndefined else field.default
            state[field_name] = _default(name, "pydantic model", field_name, default, field.default_factory)
    _refuse_left_over(name, "pydantic model", fields)
    expect(names is None or (type(names) is list and all(type(one) is str for one in names)))
    expect((extra is None) is (cls.model_config.get("extra") != "allow") or extra in ({}, None))
    expect((extra is None or type(extra) is dict) and (private is None or type(private) is dict))
    _refuse_left_over(name, "pydantic model", [one for one in private or () if one not in cls.__private_attributes__])
    if private is None and cls.__private_attributes__:
        private = {}
    made = object.__new__(cls)
    for slot, part in (
        ("__dict__", state),
        ("__pydantic_fields_set__", set(cls.model_fields if names is None else names)),
        ("__pydantic_extra__", extra),
        ("__pydantic_private__", private),
    ):
        object.__setattr__(made, slot, part)
    return made


def _refuse_secret(_: Writer, value: Any, __: int) -> Any:
    refuse(
        value,
        "a secret must not reach a journal",
        "Read it where it is used (from the environment, say), and keep only its name on record.",
    )


# Dataclasses


def _write_dataclass(writer: Writer, value: Any, depth: int) -> Any:
    cls = cast("Any", type(value))
    _refuse_built_in_state(value)
    state = _state(value)
    fields = dict[str, Any]()
    for field in dataclasses.fields(cls):
        part = state.pop(field.name, _ABSENT)
        if part is _ABSENT:
            if hasattr(getattr(cls, field.name, None), "__set__"):
                refuse(value, f"its field {field.name!r} is a property", "Keep its value in a field of its own.")
            part = getattr(cls, field.name, _ABSENT) if field.name not in _slots(cls) else _ABSENT
        if part is not _ABSENT:
            fields[field.name] = part
        elif field.init or _has_default(field):
            refuse(value, f"its field {field.name!r} has no value", f"Set value.{field.name}.")
    others = {name: part for name, part in state.items() if not _is_cached(cls, name)}
    written = [_name_of(cls), writer.fields(fields, depth)]
    return {"$dataclass": [*written, writer.mapping(others, depth, ".{}")] if others else written}


def _read_dataclass(_: Reader, payload: Any) -> Any:
    expect(type(payload) is list and len(payload) in {2, 3})
    name, fields, others = sequence([*payload, {}][:3], str, dict, dict)
    cls = _lookup(name, "dataclass")
    made = object.__new__(cls)
    slots = _slots(cls)
    state: dict[str, Any] = getattr(made, "__dict__", {})
    for field in dataclasses.fields(cls):
        if field.name in fields:
            part = fields.pop(field.name)
        elif not field.init and not _has_default(field):
            continue  # it had no value when it was written either
        else:
            default = _ABSENT if field.default is dataclasses.MISSING else field.default
            factory = None if field.default_factory is dataclasses.MISSING else field.default_factory
            part = _default(name, "dataclass", field.name, default, factory)
        others[field.name] = part
    _refuse_left_over(name, "dataclass", fields)
    for key, part in others.items():
        if key in slots:
            slots[key].__set__(made, part)
        elif hasattr(made, "__dict__"):
            state[key] = part
        else:
            raise TypeChanged(name, "dataclass", f"there is no place for {key!r} any more")
    return made


def _has_default(field: dataclasses.Field[Any]) -> bool:
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


_SLOTS: WeakKeyDictionary[type, dict[str, Any]] = WeakKeyDictionary()


def _slots(cls: Any) -> dict[str, Any]:
    """Return the slots of a class by name: the descriptors themselves, which run no code of the user's."""
    slots = _SLOTS.get(cls)
    if slots is None:
        slots = {
            name: part
            for base in reversed(cls.__mro__)
            for name, part in cast("dict[str, Any]", vars(base)).items()
            if isinstance(part, types.MemberDescriptorType)
        }
        _SLOTS[cls] = slots
    return slots


def _state(value: Any) -> dict[str, Any]:
    state = dict[str, Any](getattr(value, "__dict__", {}))
    for name, slot in _slots(cast("Any", type(value))).items():
        try:
            state[name] = slot.__get__(value)
        except AttributeError:
            continue
    return state


# NamedTuples


def _write_named_tuple(writer: Writer, value: Any, depth: int) -> Any:
    cls = cast("Any", type(value))
    if getattr(value, "__dict__", None):
        refuse(value, "it has attributes beside its fields", "Make the class a dataclass.")
    return {"$namedtuple": [_name_of(cls), writer.fields(dict(zip(cls._fields, value, strict=True)), depth)]}


def _read_named_tuple(_: Reader, payload: Any) -> Any:
    name, fields = sequence(payload, str, dict)
    cls = _lookup(name, "NamedTuple")
    parts: list[Any] = []
    for field in cls._fields:
        default = cls._field_defaults.get(field, _ABSENT)
        parts.append(fields.pop(field) if field in fields else _default(name, "NamedTuple", field, default, None))
    _refuse_left_over(name, "NamedTuple", fields)
    return cast("Any", tuple).__new__(cls, parts)


# What they share

_FACTORIES: frozenset[Any] = frozenset({list, dict, set, tuple, frozenset, str, int, float, bool})
_ATOMS: frozenset[type] = frozenset({str, int, float, bool, type(None), bytes, tuple, frozenset})


def _default(name: str, kind: str, field: str, default: Any, factory: Any) -> Any:
    """Return the value of a field that the class got since, if that takes no code of the user's."""
    if type(default) in _ATOMS or isinstance(default, enum.Enum):
        return default
    factory = getattr(factory, "__origin__", factory)  # dict[str, int] makes a dict
    if default is _ABSENT and factory in _FACTORIES:
        return factory()
    raise TypeChanged(name, kind, f"the field {field!r} is new, and has no plain default")


def _refuse_left_over(name: str, kind: str, fields: Any) -> None:
    if fields:
        raise TypeChanged(name, kind, f"it has no field {', '.join(map(repr, list(fields)[:3]))} any more")


def _is_cached(cls: type, name: str) -> bool:
    """Whether an entry is what a cached property keeps: it is computed again when somebody asks."""
    return isinstance(getattr(cls, name, None), functools.cached_property)


_HEAP_TYPE = 1 << 9


def _refuse_built_in_state(value: Any) -> None:
    """Refuse an instance that is also a list, an exception or the like: there is more to it than its fields."""
    for base in type(value).__mro__[:-1]:
        if not base.__flags__ & _HEAP_TYPE:
            refuse(value, f"it is also a {base.__name__}", "Keep that part in a field of its own.")


def _find(value: Any) -> Write | None:
    if isinstance(value, enum.Enum):
        return _write_enum
    if isinstance(value, (SecretStr, SecretBytes, Secret)):
        return _refuse_secret
    if isinstance(value, type):
        return None
    if isinstance(value, BaseModel):
        return _write_model
    if dataclasses.is_dataclass(value):
        return _write_dataclass
    return _write_named_tuple if kind_of(cast("Any", type(value))) == "NamedTuple" else None


def install() -> None:
    """Make these kinds known to the writer and the reader, and the kit's own Enums by names that stay."""
    FINDERS.append(_find)
    READERS.update(
        {
            "$enum": _read_enum,
            "$model": _read_model,
            "$dataclass": _read_dataclass,
            "$namedtuple": _read_named_tuple,
        }
    )
    register_type(WorkflowState, "orchestration_kit.WorkflowState")
    register_type(WorkerType, "orchestration_kit.WorkerType")
