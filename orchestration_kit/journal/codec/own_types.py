"""Values of types of one's own: how each is written, and how it is restored without running any of its code.

No `__init__`, no `__new__`, no validator and no `__setattr__` runs: what was in an instance is put into an empty one.
The names of the fields are compared with those of the class, so that a class that changed is noticed.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import types
from typing import Any, cast
from weakref import WeakKeyDictionary

from pydantic import BaseModel, Secret, SecretBytes, SecretStr
from pydantic_core import PydanticUndefined

from orchestration_kit.errors import listed
from orchestration_kit.journal.codec.reading import READERS, Reader, expect, sequence
from orchestration_kit.journal.codec.registry import TypeChanged, kind_of, lookup, name_of
from orchestration_kit.journal.codec.writing import FINDERS, Write, Writer, refuse

_ABSENT: Any = object()

# Enums


def _write_enum(writer: Writer, value: enum.Enum, _: int) -> Any:
    cls = cast("Any", type(value))
    writer.size += 60
    if cls._member_map_.get(value._name_) is value:
        return {"$enum": [name_of(cls), value._name_]}
    if not isinstance(value, enum.Flag) or cls._missing_.__func__ is not cast("Any", enum.Flag._missing_).__func__:
        refuse(value, "it is no member of its own Enum", f"Use one of {listed(cls._member_map_)}.")
    return {"$enum": [name_of(cls), writer.part(value.value)]}


def _read_enum(_: Reader, payload: Any) -> enum.Enum:
    name, member = sequence(payload, str, object)
    cls = lookup(name, "Enum")
    if type(member) is str:
        if member not in cls._member_map_:
            raise TypeChanged(name, "Enum", f"{member!r} is gone; there are {listed(cls._member_map_)}")
        return cls._member_map_[member]
    expect(type(member) is int and issubclass(cls, enum.Flag))
    expect(cls._missing_.__func__ is cast("Any", enum.Flag._missing_).__func__)
    return cls(member)


# Pydantic models

_MODEL_SLOTS = frozenset({"__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__"})


def _write_model(writer: Writer, value: BaseModel, depth: int) -> Any:
    cls = type(value)
    _refuse_built_in_state(value)
    state = {
        name: part
        for name, part in vars(value).items()
        if name in cls.model_fields or not (name in _MODEL_SLOTS or _is_cached(cls, name))
    }
    for name, field in cls.model_fields.items():
        if name not in state and field.is_required():
            refuse(value, f"its field {name!r} has no value", f"Give it one: {cls.__name__}({name}=...).")
    others = state.keys() - cls.model_fields.keys()
    if others:
        refuse(value, f"it has attributes beside its fields ({listed(sorted(others))})", "Declare them as fields.")
    fields = writer.mapping(state, depth, ".{}")
    names: set[str] = value.__pydantic_fields_set__
    extra, private = value.__pydantic_extra__, value.__pydantic_private__
    return {
        "$model": [
            name_of(cls),
            fields,
            None if names == cls.model_fields.keys() else writer.items(sorted(names), depth),
            None if extra is None else writer.mapping(extra, depth, ".{}"),
            None if private is None else writer.mapping(private, depth, ".{}"),
        ]
    }


def _read_model(_: Reader, payload: Any) -> BaseModel:
    name, fields, names, extra, private = sequence(payload, str, dict, object, object, object)
    cls: type[BaseModel] = lookup(name, "pydantic model")
    names = list(fields) if names is None else names
    state = dict[str, Any]()
    for field_name, field in cls.model_fields.items():
        if field_name in fields:
            state[field_name] = fields.pop(field_name)
        else:
            default = _ABSENT if field.default is PydanticUndefined else field.default
            state[field_name] = _default(name, "pydantic model", field_name, default, field.default_factory)
    _refuse_left_over(name, "pydantic model", fields)
    expect(type(names) is list and all(type(one) is str for one in names))
    expect((extra is None or type(extra) is dict) and (private is None or type(private) is dict))
    allows_extra = cls.model_config.get("extra") == "allow"
    if not allows_extra:
        _refuse_left_over(name, "pydantic model", extra)
    made = object.__new__(cls)
    for slot, part in (
        ("__dict__", state),
        ("__pydantic_fields_set__", set(names)),
        ("__pydantic_extra__", (extra or {}) if allows_extra else None),
        ("__pydantic_private__", _private_state(name, cls, private or {})),
    ):
        if part is not None or slot in _slots(cls):  # a RootModel has None in the class, and no such slots
            object.__setattr__(made, slot, part)
    return made


def _private_state(name: str, cls: type[BaseModel], found: dict[str, Any]) -> dict[str, Any] | None:
    known = cls.__private_attributes__
    _refuse_left_over(name, "pydantic model", [attribute for attribute in found if attribute not in known])
    new = {key: attribute.default for key, attribute in known.items() if type(attribute.default) in _ATOMS}
    return new | found if known else None


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
    written = [name_of(cls), writer.fields(fields, depth)]
    return {"$dataclass": [*written, writer.mapping(others, depth, ".{}")] if others else written}


def _read_dataclass(_: Reader, payload: Any) -> Any:
    expect(type(payload) is list and len(payload) in {2, 3})
    name, fields, others = sequence([*payload, {}][:3], str, dict, dict)
    cls = lookup(name, "dataclass")
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
    return {"$namedtuple": [name_of(cls), writer.fields(dict(zip(cls._fields, value, strict=True)), depth)]}


def _read_named_tuple(_: Reader, payload: Any) -> Any:
    name, fields = sequence(payload, str, dict)
    cls = lookup(name, "NamedTuple")
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
            refuse(value, f"it is a subclass of {base.__name__}", "Keep that part in a field of its own.")


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
    """Make these kinds known to the writer and the reader."""
    FINDERS.append(_find)
    READERS.update(
        {
            "$enum": _read_enum,
            "$model": _read_model,
            "$dataclass": _read_dataclass,
            "$namedtuple": _read_named_tuple,
        }
    )
