"""Arrays, frames and tables that the codec keeps, and values too large for a row of a journal."""

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa

BERLIN = ZoneInfo("Europe/Berlin")
PLUS_2 = dt.timezone(dt.timedelta(hours=2))


def object_array(values: list[Any], shape: tuple[int, ...]) -> Any:
    made = np.empty(len(values), dtype=object)
    for at, value in enumerate(values):
        made[at] = value
    return made.reshape(shape)


HAS_NO_UNIT = np.lib.NumpyVersion(np.__version__) < "2.5.0"
"""Whether moments and spans may do without a unit; numpy 2.5 is about to take that away."""
ARRAYS: dict[str, Any] = {
    **{
        f"array {kind}": np.array([0, 1, 100]).astype(kind)
        for kind in ("?", "i1", "u1", "i2", ">i2", "u4", ">i8", "u8", "f2", "f4", ">f8", "f8", "c8", ">c16", "longdouble")
    },
    "array of texts": [np.array(["a", "Ünï", ""]), np.array(["a"], dtype=">U3"), np.array([b"x", b""])],
    "array of moments": [np.array(["2026-01-01", "NaT"], dtype=f"M8[{unit}]") for unit in ("D", "s", "ns", "M")],
    "array of spans": [np.array([1, -5], dtype="m8[ms]"), np.array([3], dtype="m8[25s]"), *([np.array([1], dtype="m8")] if HAS_NO_UNIT else [])],
    "array of nan": np.array([[np.nan, -0.0], [np.inf, 1]]),
    "array shapes": [np.array(5), np.zeros((0, 3)), np.zeros((2, 0, 2)), np.arange(24).reshape(2, 3, 4), np.array([])],
    "array in Fortran order": np.asfortranarray(np.arange(6).reshape(2, 3)),
    "array not contiguous": np.arange(10)[::2],
    "array of objects": object_array([1, "a", None, [1, 2], (1,), np.array([1, 2]), np.array(3), {"$x": 1}], (2, 4)),
    "array of nothing": np.empty((0, 2), dtype=object),
    "array of one object": object_array([{"a": 1}], ()),
    "numpy scalars": [
        np.float64(1.5), np.float32("nan"), np.int8(-1), np.uint64(2**64 - 1), np.bool_(True), np.complex64(1j),
        np.str_("a\x00"), np.bytes_(b"a\x00"), np.datetime64("2026-01-01"), np.datetime64("NaT", "s"), np.timedelta64(5, "h"),
        *([np.datetime64("NaT")] if HAS_NO_UNIT else []), np.longdouble("1.1"), np.float16(1), np.str_(""),
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
