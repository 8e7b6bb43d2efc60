"""Turn values into JSON and back: equal, and of the same type. Never pickles; a record cannot make it run code.

```text
encode   value -> plain data    what JSON has no word for is tagged: {"$datetime": "2026-01-31T12:00:00"}
dumps    plain data -> bytes    compact UTF-8 JSON
loads    bytes -> value         parsed and restored in one go
decode   plain data -> value    for what was parsed already, such as a cassette's YAML
```

User data cannot forge a tag: a dict with a key that starts with `$` is written in pairs, `{"$dict": [[key, value]]}`.
Large parts are handed on as blobs, named by their content, so that they are stored once.

Kinds: those of the standard library in `kinds.py`, types of one's own in `own_types.py`, numpy in `arrays.py`, pandas
in `tables.py` and `columns.py`, Arrow in `arrow.py`. What cannot come back exactly as it was is refused, with a hint.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

import msgspec

from orchestration_kit.engine.values import MAX_DEPTH
from orchestration_kit.journal.codec import kinds, optional, own_types
from orchestration_kit.journal.codec.reading import READERS, GetBlob, Reader, StoreFailed, damaged, expect
from orchestration_kit.journal.codec.registry import TypeChanged, register_type
from orchestration_kit.journal.codec.room import with_room
from orchestration_kit.journal.codec.writing import (
    BLOB_BYTES,
    MAX_FLOAT,
    MAX_INT,
    TOO_DEEP,
    PutBlob,
    Refused,
    Writer,
    content_digest,
    dumps,
    is_clean,
    type_name,
)
from orchestration_kit.journal.errors import JournalCorrupt, NotRecordable

__all__ = [
    "BLOB_BYTES",
    "GetBlob",
    "PutBlob",
    "TypeChanged",
    "content_digest",
    "decode",
    "dumps",
    "encode",
    "loads",
    "register_type",
]

_type: Any = type

kinds.install()
own_types.install()
optional.install()


def encode(value: Any, where: str, put_blob: PutBlob | None = None) -> Any:
    """Return a value as plain data: dict, list, str, int, float, bool and None only.

    Parts that need no tag are not copied: use what is returned before anybody changes `value`.

    Args:
        value: what to put on record.
        where: what it is, for errors: `"output of step 'draft'"`.
        put_blob: keeps bytes and returns their digest; parts over 16 KiB go there. None: everything stays in place.

    >>> from datetime import date
    >>> encode({"due": date(2026, 1, 31), "$date": "mine"}, "output of step 'plan'")
    {'$dict': [['due', {'$date': '2026-01-31'}], ['$date', 'mine']]}

    Raises:
        NotRecordable: some part cannot be put on record; the error names it, and says what to do.
    """
    try:
        size = _plain_size(value, 0)
    except RecursionError:
        size = -1
    if size >= 0 and (size <= BLOB_BYTES or put_blob is None):
        return value
    writer = Writer(put_blob)
    try:
        plain = with_room(writer.part, value)
        if put_blob is not None and writer.size > BLOB_BYTES:
            content = dumps(plain)
            if len(content) > BLOB_BYTES:
                return {"$blob": put_blob(content)}
    except Refused as refused:
        raise _not_recordable(where, refused) from None
    except RecursionError:
        raise NotRecordable(where, type_name(value), TOO_DEEP, "Flatten it.") from None
    return plain


def _plain_size(value: Any, depth: int) -> int:  # noqa: C901, PLR0912 - the hot path: written out, no calls
    """Return about how many bytes of JSON a value takes, or -1 where it holds something that is not plain."""
    kind = _type(value)
    if kind is dict:
        if depth > MAX_DEPTH:
            return -1
        size = 12 * len(value)
        for key, part in value.items():
            if type(key) is not str or key[:1] == "$" or not (key.isascii() or is_clean(key)):
                return -1
            kind = _type(part)
            if kind is str:
                if not (part.isascii() or is_clean(part)):
                    return -1
                size += len(part)
            elif kind is int:
                if not -MAX_INT <= part < MAX_INT:
                    return -1
            elif kind is float:
                if not -MAX_FLOAT <= part <= MAX_FLOAT:
                    return -1
            elif kind is not bool and part is not None:
                more = _plain_size(part, depth + 1)
                if more < 0:
                    return -1
                size += more
        return size
    if kind is list:
        if depth > MAX_DEPTH:
            return -1
        size = 4 * len(value)
        for part in value:
            kind = _type(part)
            if kind is str:
                if not (part.isascii() or is_clean(part)):
                    return -1
                size += len(part)
            else:
                more = _plain_size(part, depth + 1)
                if more < 0:
                    return -1
                size += more
        return size
    if kind is str:
        return len(value) if value.isascii() or is_clean(value) else -1
    if kind is int:
        return 4 if -MAX_INT <= value < MAX_INT else -1
    if kind is float:
        return 8 if -MAX_FLOAT <= value <= MAX_FLOAT else -1
    return 4 if value is None or kind is bool else -1


def _not_recordable(where: str, refused: Refused) -> NotRecordable:
    path = refused.path[::-1]
    if len(path) > 12:
        path = [*path[:6], "…", *path[-3:]]
    place = f"{where} at {''.join(path).strip()}" if path else where
    return NotRecordable(place, refused.type_name, refused.reason, refused.hint)


def loads(text: bytes | str, get_blob: GetBlob | None = None) -> Any:
    """Parse JSON and restore the values in it.

    >>> loads(b'{"due":{"$date":"2026-01-31"}}')
    {'due': datetime.date(2026, 1, 31)}

    Raises:
        JournalCorrupt: it is not JSON, or not what `encode` writes, or a blob is missing or changed.
        UnknownType: it holds a value of a type that is not registered here.
        TypeChanged: it holds a value whose class has other fields by now.
        JournalUnavailable: it needs a library that is not installed here.
    """
    if type(text) is bytes and b"$" not in text and b"\\" not in text:
        try:
            return _plain_decoder.decode(text)  # nothing to restore: most rows are read here
        except (ValueError, RecursionError):
            pass  # said below what is wrong, with room on the stack
    try:
        return with_room(_parse, text, Reader(get_blob))
    except StoreFailed as failed:
        raise failed.error from None
    except RecursionError:
        raise JournalCorrupt(None, "it is nested too deeply") from None


def decode(plain: Any, get_blob: GetBlob | None = None) -> Any:
    """Restore the values in plain data that was parsed already. Raises what `loads` raises.

    >>> decode({"total": {"$decimal": "19.90"}})
    {'total': Decimal('19.90')}
    """
    try:
        return with_room(Reader(get_blob).plain, plain)
    except StoreFailed as failed:
        raise failed.error from None
    except RecursionError:
        raise JournalCorrupt(None, "it is nested too deeply") from None


def _parse(text: bytes | str, reader: Reader) -> Any:
    try:
        raw = text.encode() if isinstance(text, str) else text
        # A key that starts with "$" shows in the text, bare or escaped. Without one there is nothing to restore. Single
        # bytes first: they are found twenty times as fast.
        if (b"$" not in raw or b'"$' not in raw) and (b"\\" not in raw or b"\\u0024" not in raw):
            return _plain_decoder.decode(raw)
        text = str(raw, "utf-8")
        if reader.get_blob is None and not reader.inside_blob:
            decoder = _TAG_DECODER
        else:
            decoder = json.JSONDecoder(object_hook=reader.object, parse_constant=_refuse_constant, parse_float=_finite)
        value, end = decoder.raw_decode(text)
    except (ValueError, TypeError) as error:
        raise JournalCorrupt(None, f"it is not JSON ({error!s:.120})") from None
    if end != len(text):
        damaged("there is more text after its end")
    return value


def _finite(text: str) -> float:
    value = float(text)
    if not -MAX_FLOAT <= value <= MAX_FLOAT:
        raise ValueError("a number is too large")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


_plain_decoder = msgspec.json.Decoder()
_TAG_DECODER = json.JSONDecoder(object_hook=Reader(None).object, parse_constant=_refuse_constant, parse_float=_finite)


def _read_blob(reader: Reader, payload: Any) -> Any:
    # A blob holds no further one of its kind: a small record could unfold into any number of them.
    expect(not reader.inside_blob, "a blob in a blob")
    return _parse(reader.blob(payload), Reader(reader.get_blob, inside_blob=True))


READERS["$blob"] = _read_blob
