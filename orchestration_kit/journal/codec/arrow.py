"""Arrow tables, record batches and arrays: Arrow's own stream format. Extension types are refused, both ways.

An extension type restores itself by code of its own, which a record must not be able to start. Loaded when a value or
a record needs it; pyarrow is optional.
"""

from __future__ import annotations

from typing import Any

from orchestration_kit.journal.codec.reading import Reader, expect, install_hint, sequence
from orchestration_kit.journal.codec.writing import Write, Writer, refuse

_EXTENSION = b"ARROW:extension:name"
"""The key in a schema that makes Arrow look for an extension type."""


def _pyarrow() -> Any:
    import pyarrow as pa

    return pa


def find(value: Any) -> Write | None:
    """Return what writes a value of pyarrow's; None for anything else."""
    try:
        pa = _pyarrow()
    except ImportError:
        refuse(value, "it takes pyarrow to write it, which cannot be imported", f"{install_hint('pyarrow')}.")
    if isinstance(value, (pa.Table, pa.RecordBatch, pa.ChunkedArray, pa.Array)):
        return _write
    if isinstance(value, pa.Scalar):
        refuse(value, "scalars of Arrow are not kept", "Use value.as_py().")
    return None


def _write(writer: Writer, value: Any, _: int) -> Any:
    pa = _pyarrow()

    writer.size += 40
    kind, table = _as_table(pa, value)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    content = sink.getvalue().to_pybytes()
    if _EXTENSION in content:
        refuse(value, "it has columns of an extension type", "Cast them to their storage type.")
    back = pa.ipc.open_stream(content).read_all()
    if back.schema != table.schema or back.num_rows != table.num_rows:
        refuse(value, "Arrow does not restore it as it is", "Use value.to_pylist().")
    return {"$arrow": [kind, writer.raw(content)]}


def _as_table(pa: Any, value: Any) -> tuple[str, Any]:
    if isinstance(value, pa.Table):
        return "table", value
    if isinstance(value, pa.RecordBatch):
        return "batch", pa.Table.from_batches([value])
    kind = "chunked" if isinstance(value, pa.ChunkedArray) else "array"
    return kind, pa.table([value], names=["values"])


def read(reader: Reader, payload: Any) -> Any:
    """Make what was written, after checking every value in it."""
    pa = _pyarrow()

    kind, content = sequence(payload, str, object)
    content = reader.raw(content)
    expect(_EXTENSION not in content, "an extension type")
    try:
        table: Any = pa.ipc.open_stream(content).read_all()
        table.validate(full=True)
    except (OSError, MemoryError) as error:  # what Arrow says of bytes that are none of its own
        raise ValueError(str(error)) from None
    if kind == "table":
        return table
    if kind == "batch":
        table = table.combine_chunks()
        batches = table.to_batches()
        expect(len(batches) <= 1)
        return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)
    expect(kind in {"chunked", "array"} and table.num_columns == 1)
    column = table.column(0)
    return column if kind == "chunked" else column.combine_chunks()
