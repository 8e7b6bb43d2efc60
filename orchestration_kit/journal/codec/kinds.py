"""The kinds of value that the standard library has and JSON has not: how each is written, and how it is read."""

from __future__ import annotations

import functools
import re
import zoneinfo
from collections import Counter, OrderedDict, defaultdict, deque
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PosixPath, PurePath, PurePosixPath, PureWindowsPath, WindowsPath
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from orchestration_kit.journal.codec.reading import (
    READERS,
    Read,
    Reader,
    damaged,
    expect,
    pairs,
    sequence,
    whole_number,
)
from orchestration_kit.journal.codec.writing import WRITERS, Write, Writer, dumps, refuse

_DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+|Infinity|s?NaN\d*)([eE][+-]?\d+)?", re.ASCII)
_FLOATS = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}
_FACTORIES: dict[str, type] = {
    kind.__name__: kind for kind in (list, dict, set, int, float, str, bool, tuple, frozenset, bytes, deque, Counter)
}


@functools.cache
def zone_names() -> frozenset[str]:
    """The time zones there are here, looked up once: `ZoneInfo` would import what a record calls a zone."""
    return frozenset(zoneinfo.available_timezones())


def _read_str(reader: Reader, payload: Any) -> str:
    return reader.raw(payload).decode("utf-8", "surrogatepass")


def _read_float(_: Reader, payload: Any) -> float:
    return _FLOATS[payload]


def _read_dict(_: Reader, payload: Any) -> dict[Any, Any]:
    return dict(pairs(payload))


def _write_bytes(writer: Writer, value: bytes, _: int) -> Any:
    return {"$bytes": writer.raw(value)}


def _write_bytearray(writer: Writer, value: bytearray, _: int) -> Any:
    return {"$bytearray": writer.raw(bytes(value))}


def _write_complex(writer: Writer, value: complex, depth: int) -> Any:
    return {"$complex": writer.items((value.real, value.imag), depth)}


def _write_tuple(writer: Writer, value: tuple[Any, ...], depth: int) -> Any:
    return {"$tuple": writer.items(value, depth)}


def _write_set(writer: Writer, value: Any, depth: int) -> Any:
    parts = [writer.part(part, depth) for part in value]
    return {f"${type(value).__name__}": sorted(parts, key=dumps)}


def _read_set(kind: Any) -> Read:
    def read(_: Reader, payload: Any) -> Any:
        expect(type(payload) is list)
        return kind(payload)

    return read


def _write_deque(writer: Writer, value: deque[Any], depth: int) -> Any:
    return {"$deque": [value.maxlen, writer.items(value, depth)]}


def _read_deque(_: Reader, payload: Any) -> deque[Any]:
    maxlen, items = sequence(payload, object, list)
    expect(maxlen is None or (type(maxlen) is int and len(items) <= maxlen))
    return deque(items, maxlen)


def _write_range(writer: Writer, value: range, depth: int) -> Any:
    return {"$range": writer.items((value.start, value.stop, value.step), depth)}


def _read_range(_: Reader, payload: Any) -> range:
    return range(*sequence(payload, int, int, int))


def _write_mapping(tag: str) -> Write:
    def write(writer: Writer, value: Any, depth: int) -> Any:
        return {tag: writer.pairs(value, depth)}

    return write


def _read_counter(_: Reader, payload: Any) -> Counter[Any]:
    made: Counter[Any] = Counter()
    cast("Any", dict).update(made, pairs(payload))  # `Counter.update` would add
    return made


def _write_defaultdict(writer: Writer, value: defaultdict[Any, Any], depth: int) -> Any:
    factory: Any = value.default_factory
    name = None if factory is None else str(getattr(factory, "__name__", ""))
    if name is not None and _FACTORIES.get(name) is not factory:
        refuse(value, "its default_factory is code", f"Use dict(value), or one of {', '.join(_FACTORIES)} as factory.")
    return {"$defaultdict": [name, writer.pairs(value, depth)]}


def _read_defaultdict(_: Reader, payload: Any) -> defaultdict[Any, Any]:
    name, entries = sequence(payload, object, list)
    return defaultdict(None if name is None else _FACTORIES[name], pairs(entries))


def _write_datetime(writer: Writer, value: datetime, depth: int) -> Any:
    writer.size += 30
    if not value.fold and (value.tzinfo is None or value.tzinfo is UTC):
        return {"$datetime": value.isoformat()}
    return {
        "$datetime": [
            value.replace(tzinfo=None).isoformat(),
            writer.fields({"tzinfo": value.tzinfo}, depth),
            value.fold,
        ]
    }


def _write_time(writer: Writer, value: time, depth: int) -> Any:
    writer.size += 20
    if not value.fold and value.tzinfo is None:
        return {"$time": value.isoformat()}
    return {
        "$time": [value.replace(tzinfo=None).isoformat(), writer.fields({"tzinfo": value.tzinfo}, depth), value.fold]
    }


def _read_moment(kind: Any) -> Read:
    def read(_: Reader, payload: Any) -> Any:
        if type(payload) is str:
            return kind.fromisoformat(payload)
        text, zone, fold = sequence(payload, str, dict, int)
        return kind.fromisoformat(text).replace(tzinfo=zone["tzinfo"], fold=fold)

    return read


def _read_date(_: Reader, payload: Any) -> date:
    return date.fromisoformat(payload)


def _write_timedelta(_: Writer, value: timedelta, __: int) -> Any:
    return {"$timedelta": [value.days, value.seconds, value.microseconds]}


def _read_timedelta(_: Reader, payload: Any) -> timedelta:
    days, seconds, microseconds = sequence(payload, int, int, int)
    return timedelta(days, seconds, microseconds)


def _write_timezone(writer: Writer, value: timezone, depth: int) -> Any:
    offset, name = value.utcoffset(None), value.tzname(None)
    named = name != timezone(offset).tzname(None)
    return {"$timezone": writer.items((offset, name if named else None), depth)}


def _read_timezone(_: Reader, payload: Any) -> timezone:
    offset, name = sequence(payload, timedelta, object)
    return timezone(offset) if name is None else timezone(offset, name)


def _write_zone(_: Writer, value: ZoneInfo, __: int) -> Any:
    if cast("Any", value).key not in zone_names():
        refuse(
            value, "its key is not among zoneinfo.available_timezones()", "Use ZoneInfo('Europe/Berlin') or the like."
        )
    return {"$zoneinfo": value.key}


def _read_zone(_: Reader, payload: Any) -> ZoneInfo:
    if payload not in zone_names():
        damaged(f"there is no time zone {payload!r:.60} here")
    return ZoneInfo(payload)


def _read_decimal(_: Reader, payload: Any) -> Decimal:
    expect(_DECIMAL.fullmatch(payload) is not None)
    return Decimal(payload)


def _write_decimal(writer: Writer, value: Decimal, _: int) -> Any:
    text = str(value)
    writer.size += len(text)
    return {"$decimal": text}


def _write_fraction(writer: Writer, value: Fraction, depth: int) -> Any:
    return {"$fraction": writer.items((value.numerator, value.denominator), depth)}


def _read_fraction(_: Reader, payload: Any) -> Fraction:
    return Fraction(*sequence(payload, int, int))


def _read_uuid(_: Reader, payload: Any) -> UUID:
    expect(type(payload) is str and len(payload) == 36)
    return UUID(payload)


_PATHS: dict[str, type[PurePath]] = {"pure_posix": PurePosixPath, "pure_windows": PureWindowsPath}


def _write_path(writer: Writer, value: PurePath, _: int) -> Any:
    return {"$path": writer.text(str(value))}


def _read_path(_: Reader, payload: Any) -> Path:
    expect(type(payload) is str)
    return Path(payload)


def _write_pure_path(writer: Writer, value: PurePath, _: int) -> Any:
    flavour = "pure_posix" if type(value) is PurePosixPath else "pure_windows"
    return {"$pure_path": [flavour, writer.text(str(value))]}


def _read_pure_path(_: Reader, payload: Any) -> PurePath:
    flavour, text = sequence(payload, str, str)
    return _PATHS[flavour](text)


def _plainly(tag: str, make: Any) -> Write:
    """What writes a kind whose payload is one plain value."""

    def write(writer: Writer, value: Any, _: int) -> Any:
        writer.size += 30
        return {tag: make(value)}

    return write


_KINDS: tuple[tuple[tuple[type, ...], Write, str, Read], ...] = (
    ((bytes,), _write_bytes, "$bytes", lambda reader, payload: reader.raw(payload)),
    ((bytearray,), _write_bytearray, "$bytearray", lambda reader, payload: bytearray(reader.raw(payload))),
    ((complex,), _write_complex, "$complex", lambda _, payload: complex(*sequence(payload, float, float))),
    ((tuple,), _write_tuple, "$tuple", _read_set(tuple)),
    ((set,), _write_set, "$set", _read_set(set)),
    ((frozenset,), _write_set, "$frozenset", _read_set(frozenset)),
    ((deque,), _write_deque, "$deque", _read_deque),
    ((range,), _write_range, "$range", _read_range),
    ((OrderedDict,), _write_mapping("$ordered_dict"), "$ordered_dict", lambda _, payload: OrderedDict(pairs(payload))),
    ((Counter,), _write_mapping("$counter"), "$counter", _read_counter),
    ((defaultdict,), _write_defaultdict, "$defaultdict", _read_defaultdict),
    ((datetime,), _write_datetime, "$datetime", _read_moment(datetime)),
    ((time,), _write_time, "$time", _read_moment(time)),
    ((date,), _plainly("$date", date.isoformat), "$date", _read_date),
    ((timedelta,), _write_timedelta, "$timedelta", _read_timedelta),
    ((timezone,), _write_timezone, "$timezone", _read_timezone),
    ((ZoneInfo,), _write_zone, "$zoneinfo", _read_zone),
    ((Decimal,), _write_decimal, "$decimal", _read_decimal),
    ((Fraction,), _write_fraction, "$fraction", _read_fraction),
    ((UUID,), _plainly("$uuid", str), "$uuid", _read_uuid),
    ((PosixPath, WindowsPath), _write_path, "$path", _read_path),
    ((PurePosixPath, PureWindowsPath), _write_pure_path, "$pure_path", _read_pure_path),
)


def install() -> None:
    """Make these kinds known to the writer and the reader."""
    for types, write, tag, read in _KINDS:
        WRITERS.update(dict.fromkeys(types, write))
        READERS[tag] = read
    READERS.update(
        {
            "$str": _read_str,
            "$int": lambda _, payload: whole_number(payload),
            "$float": _read_float,
            "$dict": _read_dict,
        }
    )
