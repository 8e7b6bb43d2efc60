"""Values of every kind that the codec keeps. Records name the classes by this module."""

import dataclasses
import datetime as dt
import enum
import functools
import math
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import pandas as pd
import pydantic
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, RootModel

from orchestration_kit import WorkerType, WorkflowState
from orchestration_kit.journal.codec import content_digest, decode, dumps, encode, loads
from tests.journal.codec_tables import ARRAYS, ARROW, BERLIN, LARGE, PLUS_2, TABLES

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


DEEP: dict[str, Any] = {
    "deep lists": nested(200, lambda value: [value]),
    "deep dicts": nested(200, lambda value: {"a": value}),
    "deep tuples": nested(200, lambda value: (value,)),
    "deep tags": nested(200, lambda value: {"$tuple": value}),
    "deep models": nested(200, lambda value: Box(content=value)),
    "deep dataclasses": nested(200, lambda value: Point(1.0, value)),
}

CASES: dict[str, Any] = {**PLAIN, **MOMENTS, **OWN, **ARRAYS, **TABLES, **ARROW, **LARGE}
