"""Numpy arrays and scalars: their bytes, under a type and a shape that are checked before numpy sees them.

Loaded when a value or a record needs it. Order in memory (C or Fortran) is not kept; byte order, type and shape are.
"""

from __future__ import annotations

import base64
import math
import re
from typing import Any, cast

import numpy as np

from orchestration_kit.journal.codec.reading import Reader, expect, sequence
from orchestration_kit.journal.codec.writing import Write, Writer, refuse

_DTYPE = re.compile(
    r"""
    [|<>]b1 | [|<>][iu]1 | [<>][iu][248] | [<>]f(2|4|8|12|16) | [<>]c(8|16|24|32)
    | [<>]U[1-9]\d{0,8} | [|]S[1-9]\d{0,8}
    | [<>][mM]8(\[[1-9]?\d{0,8}(Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\])?
    """,
    re.VERBOSE | re.ASCII,
)
_MAX_DIMENSIONS = 32
_SCALARS: dict[str, Any] = {"str": np.str_, "bytes": np.bytes_}


def find(value: Any) -> Write | None:
    """Return what writes an array or a scalar of numpy's; None for anything else."""
    if type(value) is np.ndarray:
        return _write_array
    if isinstance(value, np.ndarray):
        plain = "value.filled(...)" if isinstance(value, np.ma.MaskedArray) else "numpy.array(value, subok=False)"
        refuse(value, "it is a subclass of numpy.ndarray", f"Use {plain}.")
    if isinstance(value, np.generic) and cast("Any", value).__class__.__module__ == "numpy":
        return _write_scalar
    return None


def _write_array(writer: Writer, value: Any, depth: int) -> Any:
    writer.size += 40
    shape = list(value.shape)
    if value.dtype.kind == "O":
        return {"$ndarray": ["object", shape, writer.items(value.ravel().tolist(), depth)]}
    return {"$ndarray": [_dtype_name(value), shape, writer.raw(value.tobytes())]}


def _dtype_name(value: Any) -> str:
    dtype = value.dtype
    if dtype.names is not None:
        refuse(value, "its dtype has fields", "Use pandas.DataFrame(value), or one array for each field.")
    if _DTYPE.fullmatch(dtype.str) is None or np.dtype(dtype.str) != dtype:
        refuse(value, f"its dtype {dtype} has no exact form", "Use value.astype(object), or value.tolist().")
    return cast("str", dtype.str)


def _write_scalar(writer: Writer, value: Any, depth: int) -> Any:
    if isinstance(value, (np.str_, np.bytes_)):  # in an array they would lose the zeros at their end
        plain = str.__str__(value) if isinstance(value, np.str_) else bytes(value)  # its own __str__ cuts too
        return {"$numpy": ["str" if isinstance(value, np.str_) else "bytes", writer.part(plain, depth)]}
    writer.size += 40
    # Its own bytes, however many: a scalar is no blob.
    return {"$numpy": [_dtype_name(value), base64.b64encode(value.tobytes()).decode("ascii")]}


def dtype_of(name: Any) -> np.dtype[Any]:
    """Return a numpy dtype by its name in a record. Numpy never sees a text of another form."""
    expect(type(name) is str and _DTYPE.fullmatch(name) is not None, "no type of an array")
    return np.dtype(name)


def read_array(reader: Reader, payload: Any) -> Any:
    """Make an array of one's own, that can be written to."""
    name, shape, content = sequence(payload, str, list, object)
    expect(len(shape) <= _MAX_DIMENSIONS and all(type(size) is int and 0 <= size < 2**62 for size in shape))
    count = math.prod(shape)
    if name == "object":
        expect(type(content) is list and len(content) == count)
        return np.fromiter(content, dtype=object, count=count).reshape(shape)
    dtype = dtype_of(name)
    array = _from_bytes(reader.raw(content), dtype, count)
    return array.reshape(shape)


def _from_bytes(content: bytes, dtype: np.dtype[Any], count: int) -> Any:
    expect(len(content) == count * dtype.itemsize, "too few or too many bytes")
    if not count:
        return np.empty(0, dtype)
    array = np.frombuffer(content, dtype).copy()
    if dtype.kind == "b":  # any other byte would be a third truth
        expect(int(array.view(np.uint8).max()) <= 1)
    elif dtype.kind == "U":
        expect(int(array.view(np.dtype(f"{dtype.str[0]}u4")).max()) <= 0x10FFFF)
    return array


def read_scalar(reader: Reader, payload: Any) -> Any:
    """Make a scalar of numpy's own type."""
    name, content = sequence(payload, str, object)
    if name in _SCALARS:
        expect(type(content) is (str if name == "str" else bytes))
        return _SCALARS[name](content)
    return _from_bytes(reader.raw(content), dtype_of(name), 1)[0]
