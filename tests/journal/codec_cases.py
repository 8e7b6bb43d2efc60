"""Values of every kind that the codec keeps, and an equality that is stricter than any `==`."""

import dataclasses
import datetime as dt
import enum
import functools
import math
import struct
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pydantic
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, RootModel

from orchestration_kit import WorkerType, WorkflowState
from orchestration_kit.journal.codec import content_digest, decode, dumps, encode, loads

T = TypeVar("T")


class Blobs:
    """Where blobs go in a test."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def put(self, content: bytes) -> str:
        assert isinstance(content, bytes)
        digest = content_digest(content)
        self.kept[digest] = content
        return digest


def back(value: Any) -> Any:
    """The value as it comes back from a record without blobs."""
    return loads(dumps(encode(value, "a value")))


def back_from_blobs(value: Any) -> Any:
    blobs = Blobs()
    return loads(dumps(encode(value, "a value", blobs.put)), blobs.kept.__getitem__)


def back_from_plain(value: Any) -> Any:
    return decode(encode(value, "a value"))


# Equality


def exact(a: Any, b: Any) -> bool:
    """Whether two values are equal and of the same types, all the way down."""
    if type(a) is not type(b):
        return False
    for kind, same in _EXACT.items():
        if isinstance(a, kind):
            return bool(same(a, b))
    if dataclasses.is_dataclass(a):
        return exact(_state(a), _state(b))
    return a is b if a is None or a is pd.NaT or a is pd.NA else bool(a == b)


def _all(a: Any, b: Any) -> bool:
    return len(a) == len(b) and all(map(exact, a, b))


def _zone(value: Any) -> Any:
    zone = value.tzinfo
    return (type(zone), getattr(zone, "key", None), zone and zone.utcoffset(None), zone and zone.tzname(None))


def _moments(a: Any, b: Any) -> bool:
    return a.replace(tzinfo=None) == b.replace(tzinfo=None) and a.fold == b.fold and _zone(a) == _zone(b)


def _sets(a: Any, b: Any) -> bool:
    rest = list(b)
    for one in a:
        partner = next((at for at, other in enumerate(rest) if exact(one, other)), None)
        if partner is None:
            return False
        del rest[partner]
    return not rest


def _arrays(a: Any, b: Any) -> bool:
    if a.dtype != b.dtype or a.dtype.str != b.dtype.str or a.shape != b.shape:
        return False
    return _all(a.ravel().tolist(), b.ravel().tolist()) if a.dtype.kind == "O" else a.tobytes() == b.tobytes()


def _dtypes(a: Any, b: Any) -> bool:
    return a == b and type(a) is type(b) and repr(a) == repr(b) and getattr(a, "storage", 0) == getattr(b, "storage", 0)


def _columns(a: Any, b: Any) -> bool:
    if not _dtypes(a.dtype, b.dtype) or len(a) != len(b):
        return False
    if isinstance(a, pd.Categorical):
        return exact(a.categories, b.categories) and exact(np.asarray(a.codes), np.asarray(b.codes))
    return _all(list(a), list(b))


def _labelled(a: Any, b: Any) -> bool:
    return exact(a.index, b.index) and exact(a.attrs, b.attrs) and a.flags == b.flags


def _indexes(a: Any, b: Any) -> bool:
    if isinstance(a, pd.MultiIndex):
        levels = zip(a.levels, b.levels, strict=True)
        return (
            exact(list(a.names), list(b.names))
            and all(exact(one, other) for one, other in levels)
            and all(map(np.array_equal, a.codes, b.codes))
        )
    frequencies = getattr(a, "freq", None) == getattr(b, "freq", None)
    return exact(a.name, b.name) and _columns(a.array, b.array) and frequencies


def _state(value: Any) -> dict[str, Any]:
    kind = type(value)
    cached = {name for name in dir(kind) if isinstance(getattr(kind, name, None), functools.cached_property)}
    fields = dataclasses.fields(value) if dataclasses.is_dataclass(value) else ()
    state = {field.name: getattr(value, field.name) for field in fields if hasattr(value, field.name)}
    rest = getattr(value, "__dict__", {})
    return state | {name: rest[name] for name in sorted(rest) if name not in cached and not name.startswith("__")}


_EXACT: dict[Any, Callable[[Any, Any], bool]] = {
    enum.Enum: lambda a, b: a is b or a == b,
    np.generic: lambda a, b: (
        a.dtype == b.dtype and (a.tobytes() == b.tobytes() if a.dtype.kind != "f" else a == b or a != a)
    ),
    float: lambda a, b: struct.pack("d", a) == struct.pack("d", b) or (math.isnan(a) and math.isnan(b)),
    complex: lambda a, b: exact([a.real, a.imag], [b.real, b.imag]),
    (list, tuple): _all,
    deque: lambda a, b: a.maxlen == b.maxlen and _all(a, b),
    defaultdict: lambda a, b: a.default_factory is b.default_factory and _all(list(a.items()), list(b.items())),
    dict: lambda a, b: _all(list(a.items()), list(b.items())),
    (set, frozenset): _sets,
    type(pd.NaT): lambda a, b: a is b,
    pd.Timestamp: lambda a, b: a == b and a.unit == b.unit and a.nanosecond == b.nanosecond and _moments(a, b),
    pd.Timedelta: lambda a, b: a == b and a.unit == b.unit,
    (dt.datetime, dt.time): _moments,
    dt.timezone: lambda a, b: a == b and a.tzname(None) == b.tzname(None),
    Decimal: lambda a, b: str(a) == str(b),
    np.ndarray: _arrays,
    pd.DataFrame: lambda a, b: (
        _labelled(a, b)
        and exact(a.columns, b.columns)
        and all(_columns(a.iloc[:, at].array, b.iloc[:, at].array) for at in range(a.shape[1]))
    ),
    pd.Series: lambda a, b: _labelled(a, b) and exact(a.name, b.name) and _columns(a.array, b.array),
    pd.Index: _indexes,
    pd.api.extensions.ExtensionArray: _columns,
    pa.Table: lambda a, b: a.schema.equals(b.schema, check_metadata=True) and exact(a.to_pylist(), b.to_pylist()),
    pa.RecordBatch: lambda a, b: a.schema.equals(b.schema, check_metadata=True) and exact(a.to_pylist(), b.to_pylist()),
    (pa.Array, pa.ChunkedArray): lambda a, b: a.type == b.type and exact(a.to_pylist(), b.to_pylist()),
    BaseModel: lambda a, b: (
        exact(_state(a), _state(b))
        and a.__pydantic_fields_set__ == b.__pydantic_fields_set__
        and exact(a.__pydantic_extra__, b.__pydantic_extra__)
        and exact(a.__pydantic_private__, b.__pydantic_private__)
    ),
}


# Types of one's own


class Colour(enum.Enum):
    RED = 1
    GREEN = (0, 255, 0)


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Access(enum.Flag):
    READ = enum.auto()
    WRITE = enum.auto()
    RUN = enum.auto()


class Finding(BaseModel):
    text: str
    weight: float = 1.0
    tags: list[str] = Field(default_factory=list)


class Report(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)
    findings: dict[str, Finding]
    by: WorkerType = WorkerType.CODER
    _seen: int = PrivateAttr(default=0)
    _note: str = PrivateAttr()

    @functools.cached_property
    def count(self) -> int:
        return len(self.findings)


class Names(RootModel[list[str]]):
    pass


class Box(BaseModel, Generic[T]):
    content: T


class Loud(BaseModel):
    """Raises whenever its own code runs."""

    text: str

    def __init__(self, **data: Any) -> None:
        raise AssertionError("its __init__ ran")

    def __setattr__(self, name: str, value: Any) -> None:
        raise AssertionError("its __setattr__ ran")

    @pydantic.field_validator("text")
    @classmethod
    def check(cls, text: str) -> str:
        raise AssertionError("a validator ran")

    def model_post_init(self, context: Any) -> None:
        raise AssertionError("model_post_init ran")


def loud(text: str) -> Loud:
    made = object.__new__(Loud)
    object.__setattr__(made, "__dict__", {"text": text})
    object.__setattr__(made, "__pydantic_fields_set__", {"text"})
    object.__setattr__(made, "__pydantic_extra__", None)
    object.__setattr__(made, "__pydantic_private__", None)
    return made


@dataclasses.dataclass
class Point:
    x: float
    y: Any = None
    label: str = dataclasses.field(init=False, default="p")
    later: Any = dataclasses.field(init=False)

    @functools.cached_property
    def length(self) -> float:
        return math.hypot(self.x, self.y)


@dataclasses.dataclass(frozen=True, slots=True)
class Key:
    name: str
    parts: tuple[int, ...] = ()


@dataclasses.dataclass(frozen=True)
class Strict:
    x: int

    def __post_init__(self) -> None:
        if self.x < 0:
            raise AssertionError("__post_init__ ran")


@pydantic.dataclasses.dataclass
class Checked:
    x: int


class Place(NamedTuple):
    name: str
    at: Any = None


Pair = namedtuple("Pair", "a b")


class Everything(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    frame: Any
    point: Point
    keys: dict[Any, Any]


def report() -> Report:
    made = Report(findings={"a": Finding(text="A")}, extra_field=Decimal("1.50"), **{"$date": [1]})
    made._seen = 3
    assert made.count == 1
    return made


def negative() -> Strict:
    made = Strict(1)
    object.__setattr__(made, "x", -1)
    return made


def point_with_more() -> Point:
    made = Point(3.0, 4.0)
    made.later = {1, 2}
    made.extra = Place("here")  # type: ignore[attr-defined]
    assert made.length == 5.0
    return made


def nested(depth: int, wrap: Callable[[Any], Any]) -> Any:
    value: Any = "bottom"
    for _ in range(depth):
        value = wrap(value)
    return value


BERLIN = ZoneInfo("Europe/Berlin")
PLUS_2 = dt.timezone(dt.timedelta(hours=2))

PLAIN: dict[str, Any] = {
    "none": None,
    "booleans": [True, False, 1, 0],
    "whole numbers": [0, -1, 2**63 - 1, -(2**63), 2**63, -(2**63) - 1, 2**64, 10**5000, -(10**5000)],
    "floats": [0.0, -0.0, 1.5, 1e308, 5e-324, float("inf"), float("-inf"), float("nan")],
    "texts": ["", "x", "Ünï", "😀", "\x00\x7f", "a\u2028b", "$date", '"$', "\\u0024"],
    "surrogates": ["\ud83d", "\ude00", "\ud83d" + "\ude00", {"\udc00": "\udc00"}, "a\udfffb"],
    "bytes": [b"", b"\x00\xff", bytes(range(256)), bytearray(b"abc")],
    "complex": [1 + 2j, complex("nan"), complex(-0.0, float("inf"))],
    "tuples": [(), (1,), ((1, 2), [3]), ("$tuple",)],
    "sets": [set(), {1, 2.5, "x", None, (1, 2)}, frozenset(), frozenset({frozenset({1}), b"x"})],
    "lists": [[], [[]], [1, [2, [3]]]],
    "dict": {"a": 1, "b": {"c": [1, 2]}, "": None},
    "dict keys": {1: "a", "1": "b", None: "c", 2.5: "d", (1, "x"): "e", b"k": "f", False: "g", frozenset({1}): "h"},
    "dict order": {"z": 1, "a": 2, "m": 3},
    "deques": [deque(), deque([1, 2], maxlen=5), deque([1])],
    "ranges": [range(3), range(5, -5, -2), range(10**30)],
    "ordered": OrderedDict([("b", 1), ("a", 2), (3, 4)]),
    "counter": Counter({"a": 3, "b": -1, 4: 0}),
    "defaultdicts": [defaultdict(list, {"a": [1]}), defaultdict(None, {1: 2}), defaultdict(int)],
    "decimals": [Decimal(x) for x in ("0", "-0", "1.50", "1E+10", "NaN", "sNaN", "sNaN12", "-Infinity", "1e-999")],
    "fractions": [Fraction(1, 3), Fraction(-7), Fraction(10**40, 3)],
    "uuid": UUID("12345678-1234-5678-1234-567812345678"),
    "paths": [Path("a/b"), Path(), Path("/x y"), PurePosixPath("a"), PureWindowsPath("C:\\x"), Path("\udcff")],
    "enums": [Colour.RED, Colour.GREEN, Level.LOW, WorkflowState.COMPLETED, WorkerType.CODER],
    "flags": [Access.READ, Access.READ | Access.RUN, Access(0)],
    "enum keys": {Colour.RED: 1, Level.HIGH: 2, Key("a"): 3},
}
MOMENTS: dict[str, Any] = {
    "dates": [dt.date(2026, 1, 31), dt.date.min, dt.date.max],
    "datetimes": [dt.datetime(2026, 1, 31, 12), dt.datetime.min, dt.datetime.max, dt.datetime(1, 1, 1, 0, 0, 0, 1)],
    "utc": dt.datetime(2026, 1, 31, tzinfo=dt.UTC),
    "offsets": [
        dt.datetime(2026, 1, 31, tzinfo=PLUS_2),
        dt.datetime(2026, 1, 31, tzinfo=dt.timezone(dt.timedelta(seconds=-3601, microseconds=5))),
        dt.datetime(2026, 1, 31, tzinfo=dt.timezone(dt.timedelta(hours=2), "MINE")),
    ],
    "zones": [dt.datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=fold) for fold in (0, 1)],
    "folds": [dt.datetime(2026, 10, 25, 2, 30, fold=1), dt.time(2, 30, fold=1)],
    "times": [dt.time(), dt.time(23, 59, 59, 999999), dt.time(1, tzinfo=PLUS_2), dt.time(1, tzinfo=BERLIN)],
    "timedeltas": [dt.timedelta(), dt.timedelta.min, dt.timedelta.max, dt.timedelta(-1, 5, 7)],
    "zones alone": [BERLIN, ZoneInfo("UTC"), dt.UTC, PLUS_2, dt.timezone(dt.timedelta(0), "Z")],
}
OWN: dict[str, Any] = {
    "model": Finding(text="x"),
    "model with more": report(),
    "root model": Names(["a", "b"]),
    "generic models": [Box[int](content=1), Box[list[Finding]](content=[Finding(text="y", tags=["t"])])],
    "model that is loud": loud("quiet"),
    "dataclass": Point(1.0),
    "dataclass with more": point_with_more(),
    "frozen slots": [Key("a"), Key("b", (1, 2))],
    "post init": negative(),
    "pydantic dataclass": Checked(3),
    "named tuples": [Place("here", {"x": 1}), Pair(1, (2,))],
    "all at once": Everything(
        frame=pd.DataFrame({"a": [Finding(text="z"), None]}), point=Point(1.0, Key("k")), keys={Key("k"): {Level.LOW}}
    ),
}


def object_array(values: list[Any], shape: tuple[int, ...]) -> Any:
    made = np.empty(len(values), dtype=object)
    for at, value in enumerate(values):
        made[at] = value
    return made.reshape(shape)


ARRAYS: dict[str, Any] = {
    **{
        f"array {kind}": np.array([0, 1, 100]).astype(kind)
        for kind in ("?", "i1", "u1", "i2", ">i2", "u4", ">i8", "u8", "f2", "f4", ">f8", "f8", "c8", ">c16", "longdouble")
    },
    "array of texts": [np.array(["a", "Ünï", ""]), np.array(["a"], dtype=">U3"), np.array([b"x", b""])],
    "array of moments": [np.array(["2026-01-01", "NaT"], dtype=f"M8[{unit}]") for unit in ("D", "s", "ns", "M")],
    "array of spans": [np.array([1, -5], dtype="m8[ms]"), np.array([3], dtype="m8[25s]"), np.array([1], dtype="m8")],
    "array of nan": np.array([[np.nan, -0.0], [np.inf, 1]]),
    "array shapes": [np.array(5), np.zeros((0, 3)), np.zeros((2, 0, 2)), np.arange(24).reshape(2, 3, 4), np.array([])],
    "array in Fortran order": np.asfortranarray(np.arange(6).reshape(2, 3)),
    "array not contiguous": np.arange(10)[::2],
    "array of objects": object_array([1, "a", None, [1, 2], (1,), np.array([1, 2]), np.array(3), {"$x": 1}], (2, 4)),
    "array of nothing": np.empty((0, 2), dtype=object),
    "array of one object": object_array([{"a": 1}], ()),
    "numpy scalars": [
        np.float64(1.5), np.float32("nan"), np.int8(-1), np.uint64(2**64 - 1), np.bool_(True), np.complex64(1j),
        np.str_("a\x00"), np.bytes_(b"a\x00"), np.datetime64("2026-01-01"), np.datetime64("NaT"), np.timedelta64(5, "h"),
        np.longdouble("1.1"), np.float16(1), np.str_(""),
    ],
}  # fmt: skip

TABLES: dict[str, Any] = {
    "frame": pd.DataFrame({"a": [1, 2], "b": [1.5, np.nan], "c": ["x", None], "d": [True, False]}),
    "frame empty": pd.DataFrame(),
    "frame without columns": pd.DataFrame(index=pd.Index(["x", "y"], name="i")),
    "frame without rows": pd.DataFrame({"a": pd.Series([], dtype="int8"), "b": pd.Series([], dtype="str")}),
    "frame of numpy types": pd.DataFrame(
        {kind: np.array([0, 1, 100]).astype(kind) for kind in ("?", "i1", "u2", "i4", "u8", "f4", "f8", "c16")}
    ),
    "frame of objects": pd.DataFrame(
        {
            "mixed": pd.Series([1, "a", None, np.nan, pd.NA, pd.NaT, {"a": [1]}, (1, 2)], dtype=object),
            "texts": pd.Series(["a"] * 8, dtype=object),
            "decimals": [Decimal(i) for i in range(8)],
            "dates": [dt.date(2026, 1, i + 1) for i in range(8)],
            "arrays": [np.arange(i) for i in range(8)],
        }
    ),
    "frame nullable": pd.DataFrame(
        {
            "i": pd.array([1, None, 3], dtype="Int64"),
            "u": pd.array([1, None, 3], dtype="UInt8"),
            "f": pd.array([1.5, None, 3], dtype="Float32"),
            "b": pd.array([True, None, False], dtype="boolean"),
        }
    ),
    "frame of texts": pd.DataFrame(
        {
            "default": ["a", None, "Ünï"],
            "python": pd.array(["a", None, ""], dtype=pd.StringDtype("python")),
            "pyarrow": pd.array(["a", None, ""], dtype=pd.StringDtype("pyarrow")),
            "python nan": pd.array(["a", None, "\ud800"], dtype=pd.StringDtype("python", na_value=np.nan)),
        }
    ),
    "frame of categories": pd.DataFrame(
        {
            "c": pd.Categorical(["a", "b", None], categories=["b", "a", "unused"], ordered=True),
            "n": pd.Categorical([1, 2, 1]),
            "t": pd.Categorical(pd.to_datetime(["2026-01-01", None, "2026-01-02"])),
            "o": pd.Categorical(["y", 1, None], categories=pd.Index([1, "y"], dtype=object)),
        }
    ),
    "frame of moments": pd.DataFrame(
        {
            "naive": pd.to_datetime(["2026-01-01", None]),
            "seconds": pd.array(np.array(["2026-01-01", "NaT"], "M8[s]")),
            "ns": np.array(["2026-01-01T00:00:00.000000001", "NaT"], "M8[ns]"),
            "utc": pd.to_datetime(["2026-01-01", None], utc=True),
            "zone": pd.to_datetime(["2026-10-25 00:30", "2026-10-25 01:30"], utc=True).tz_convert("Europe/Berlin"),
            "offset": pd.to_datetime(["2026-01-01", None], utc=True).tz_convert(PLUS_2),
            "span": pd.to_timedelta([1, None], unit="h"),
            "period": pd.PeriodIndex(["2026-01", "NaT"], freq="M"),
            "interval": pd.arrays.IntervalArray.from_tuples([(0, 1), (1.5, 2)], closed="both"),
        }
    ),
    "frame of arrow types": pd.DataFrame(
        {
            "i": pd.array([1, None], dtype=pd.ArrowDtype(pa.int32())),
            "l": pd.array([[1, 2], None], dtype=pd.ArrowDtype(pa.list_(pa.int64()))),
            "t": pd.array([dt.datetime(2026, 1, 1), None], dtype=pd.ArrowDtype(pa.timestamp("us", "UTC"))),
        }
    ),
    "frame duplicate names": pd.DataFrame([[1, "a", 2.5]], columns=["x", "x", "y"], index=["r"]),
    "frame other names": pd.DataFrame([[1, 2, 3]], columns=pd.Index([1, ("a", 2), None], dtype=object)),
    "frame of levels": pd.DataFrame(
        [[1, 2], [3, 4]],
        columns=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["x", None]),
        index=pd.MultiIndex.from_product([[dt.date(2026, 1, 1)], ["p", "q"]], names=["day", "side"]),
    ),
    "series": pd.Series([1, 2], name="s", index=["a", "b"]),
    "series other": [pd.Series([], dtype=object), pd.Series([1.5], name=("a", 1)), pd.Series([{"a": 1}])],
    "series index twice": pd.Series([1, 2, 3], index=[np.nan, "a", "a"]),
    "indexes": [
        pd.RangeIndex(5), pd.RangeIndex(1, 10, 3, name="r"), pd.Index([1, 2], dtype="int8"), pd.Index(["a", "b"]),
        pd.Index(["a", 1, None], dtype=object, name=(1, 2)), pd.Index([True, False]), pd.Index([], dtype=object),
        pd.Index([1, None], dtype="Int64"), pd.CategoricalIndex(["a", "b"], name="c"), pd.interval_range(0, 3, name="i"),
        pd.PeriodIndex(["2026Q1"], freq="Q-NOV"), pd.to_timedelta([1, 2], unit="s"), pd.Index(["a"], dtype=object),
        pd.Index([dt.date(2026, 1, 1)]), pd.Index([1.5, np.nan]),
    ],
    "indexes of moments": [
        pd.date_range("2026-01-01", periods=3, freq="D"), pd.date_range("2026-01-01", periods=3, freq="2h", tz="Europe/Berlin"),
        pd.date_range("2026-01-01", periods=3, freq="ME", tz=PLUS_2, name="m"), pd.timedelta_range("1h", periods=3, freq="h"),
        pd.DatetimeIndex(["2026-01-01", "2026-01-05"], tz="UTC"), pd.date_range("2026-01-01", periods=3, freq="W-WED", unit="ns"),
        pd.bdate_range("2026-01-01", periods=3),
    ],
    "multi indexes": [
        pd.MultiIndex.from_arrays([[1, 1, None], ["a", "b", "a"]], names=["x", "x"]),
        pd.MultiIndex.from_arrays([[], []]),
        pd.MultiIndex.from_product([[1, 2, 3], ["a"]])[:2],
    ],
    "pandas scalars": [
        pd.NaT, pd.NA, pd.Timestamp("2026-01-01"), pd.Timestamp("2026-01-01", tz="UTC"), pd.Timestamp(1, unit="ns"),
        pd.Timestamp("2026-10-25 01:30", tz="UTC").tz_convert("Europe/Berlin"), pd.Timestamp("2026-01-01", tz=PLUS_2),
        pd.Timestamp("1500-01-01").as_unit("s"), pd.Timedelta("1D 2ns"), pd.Timedelta(5, "s"), pd.Period("2026-01", "M"),
        pd.Period("2026-01-01", "15min"), pd.Interval(0, 1.5, "left"), pd.Interval(pd.Timestamp(0), pd.Timestamp(1)),
    ],
    "pandas arrays": [
        pd.array([1, None]), pd.array(["a", None]), pd.Categorical(["a"]), pd.array([1.5, None], dtype="Float64"),
        pd.arrays.NumpyExtensionArray(np.array([1, 2])), pd.array(pd.to_datetime(["2026-01-01"])),
        pd.array(pd.to_timedelta([1], unit="s")),
    ],
}  # fmt: skip


def _frame_with_extras() -> pd.DataFrame:
    made = pd.DataFrame({"a": [1]})
    made.attrs = {"source": Path("x.csv"), "$date": [Decimal(1)], 3: "three"}
    made.flags.allows_duplicate_labels = False
    return made


TABLES["frame with attrs"] = _frame_with_extras()

ARROW: dict[str, Any] = {
    "arrow tables": [
        pa.table({"a": [1, None], "b": ["x", "y"], "c": [[1], None], "d": [{"k": 1.5}, None]}),
        pa.table({"a": pa.array([], pa.decimal128(10, 2))}),
        pa.table({"a": [float("nan")]}).replace_schema_metadata({"by": "me"}),
        pa.table({"a": [1, 2, 3]}).slice(1, 1),
        pa.table({"a": [1, 2]}).select([]),
    ],
    "arrow dictionaries": pa.chunked_array(
        [pa.array(["a", "b"]).dictionary_encode(), pa.array(["c"]).dictionary_encode()]
    ),
    "arrow batches": [pa.record_batch({"a": [1, 2]}), pa.record_batch({"a": pa.array([], pa.int8())})],
    "arrow arrays": [
        pa.array([1, None]), pa.array([], pa.string()), pa.array(["a"]).dictionary_encode(), pa.array([None]),
        pa.array([dt.datetime(2026, 1, 1, tzinfo=dt.UTC)]), pa.chunked_array([[1], [2, 3]]), pa.chunked_array([], pa.int8()),
        pa.array([1, 2, 3]).slice(1),
    ],
}  # fmt: skip

LARGE: dict[str, Any] = {
    "long text": "ab" * 20_000,
    "long text with surrogates": "é\ud800" * 20_000,
    "long bytes": bytes(50_000),
    "long list": list(range(20_000)),
    "long of everything": {"text": "x" * 50_000, "n": [1, 2], "array": np.arange(10_000.0), "rest": ["y" * 1000] * 40},
    "long whole number": 7**20_000,
    "long array": np.zeros((100, 100), ">f4"),
    "long frame": pd.DataFrame({"a": np.arange(10_000), "b": ["text"] * 10_000}),
    "long arrow": pa.table({"a": list(range(10_000))}),
}

DEEP: dict[str, Any] = {
    "deep lists": nested(200, lambda value: [value]),
    "deep dicts": nested(200, lambda value: {"a": value}),
    "deep tuples": nested(200, lambda value: (value,)),
    "deep tags": nested(200, lambda value: {"$tuple": value}),
    "deep models": nested(200, lambda value: Box(content=value)),
    "deep dataclasses": nested(200, lambda value: Point(1.0, value)),
}

CASES: dict[str, Any] = {**PLAIN, **MOMENTS, **OWN, **ARRAYS, **TABLES, **ARROW, **LARGE}
