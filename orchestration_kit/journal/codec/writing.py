"""Turn a value into plain JSON data, part by part, with a tag where JSON has no such kind. Changes nothing it is given.

A tag is an object with one key that starts with `$`. Data that has such keys is written in pairs (`$dict`), so that
it can never be taken for a tag.
"""

from __future__ import annotations

import base64
import hashlib
import inspect
import types
from collections.abc import Callable, Iterable
from datetime import tzinfo
from typing import Any, NoReturn, cast

import msgspec

from orchestration_kit.engine.data import DataView
from orchestration_kit.engine.values import MAX_DEPTH
from orchestration_kit.errors import OrchestrationError
from orchestration_kit.journal.codec.room import with_room

BLOB_BYTES = 16 * 1024
"""A part that takes more than this is kept as a blob, where there is somewhere to put blobs."""

MAX_INT = 2**63
"""Whole numbers beyond 64 bits are tagged: most readers of JSON would round them."""
MAX_FLOAT = 1.7976931348623157e308

SHORT = 24
"""Text up to this length is written without a closer look at how long it is."""

PutBlob = Callable[[bytes], str]
"""Keeps bytes, and returns the digest under which they are found."""
Write = Callable[["Writer", Any, int], Any]
"""Turns a value of one kind into plain data; the number is the depth of the value's parts."""


class Refused(OrchestrationError):
    """A part cannot be put on record. The path to it is collected on the way out, innermost part first."""

    def __init__(self, type_name: str, reason: str, hint: str) -> None:
        super().__init__(type_name, reason, hint)
        self.type_name, self.reason, self.hint = type_name, reason, hint
        self.path: list[str] = []

    def __str__(self) -> str:
        return f"{self.type_name} cannot be put on record: {self.reason}. {self.hint}"


class Writer:
    """Writes one value: knows where blobs go, and about how much has been written so far."""

    __slots__ = ("put_blob", "size")

    def __init__(self, put_blob: PutBlob | None) -> None:
        self.put_blob = put_blob
        self.size = 0
        """About how many bytes of JSON; blobs do not count."""

    def part(self, value: Any, depth: int = 0) -> Any:
        """Return a part as plain data.

        Raises:
            Refused: it cannot be put on record.
        """
        kind = cast("Any", type(value))
        if kind is str:
            return self.text(value)
        self.size += 8
        if value is None or kind is bool:
            return value
        if kind is int:
            return value if -MAX_INT <= value < MAX_INT else {"$int": hex(value)}
        if kind is float:
            return value if -MAX_FLOAT <= value <= MAX_FLOAT else {"$float": repr(value)}
        if depth > MAX_DEPTH:
            raise Refused(type_name(value), TOO_DEEP, "Flatten it, or keep a reference (an id, a path) in its place.")
        if kind is dict:
            return self.mapping(value, depth + 1)
        if kind is list:
            return self.items(value, depth + 1)
        return (WRITERS.get(kind) or find_writer(value))(self, value, depth + 1)

    def text(self, value: str) -> Any:
        """Text as it is; as UTF-8 bytes where it holds half a surrogate pair, as a blob where it is long."""
        if len(value) > BLOB_BYTES and self.put_blob is not None:
            return {"$str": self.raw(value.encode("utf-8", "surrogatepass"))}
        self.size += len(value) + 3
        return value if is_clean(value) else {"$str": self.raw(value.encode("utf-8", "surrogatepass"))}

    def raw(self, value: bytes) -> Any:
        """Bytes as base64 text, or as `{"blob": digest}` where they are many."""
        if len(value) > BLOB_BYTES and self.put_blob is not None:
            self.size += 48
            return {"blob": self.put_blob(value)}
        self.size += len(value) * 4 // 3
        return base64.b64encode(value).decode("ascii")

    def items(self, values: Iterable[Any], depth: int) -> list[Any]:
        """Return a list of parts."""
        written: list[Any] = []
        try:
            for value in values:
                if value is None or (type(value) is str and len(value) <= SHORT and value.isascii()):
                    written.append(value)
                    self.size += SHORT
                else:
                    written.append(self.part(value, depth))
        except Refused as refused:
            refused.path.append(f"[{len(written)}]")
            raise
        return written

    def mapping(self, value: dict[Any, Any], depth: int, step: str = "[{!r}]") -> Any:
        """Return an object; pairs where its keys are not plain. `step` is how a path names a part."""
        for key in value:
            if type(key) is not str or key[:1] == "$" or not (key.isascii() or is_clean(key)):
                return {"$dict": self.pairs(value, depth)}
        return self.fields(value, depth, step)

    def fields(self, value: dict[str, Any], depth: int, step: str = ".{}") -> dict[str, Any]:
        """Return an object whose keys are known to be plain."""
        written: dict[str, Any] = {}
        key = ""
        try:
            for key, part in value.items():
                if part is None or (type(part) is str and len(part) <= SHORT and part.isascii()):
                    written[key] = part
                    self.size += SHORT
                else:
                    written[key] = self.part(part, depth)
                    self.size += len(key)
        except Refused as refused:
            refused.path.append(step.format(key))
            raise
        return written

    def pairs(self, value: dict[Any, Any], depth: int) -> list[list[Any]]:
        """Return the entries of a mapping as pairs, in order."""
        written: list[list[Any]] = []
        for key, part in value.items():
            step = f" key {shortened(key)}"
            try:
                plain_key = self.part(key, depth)
                step = f"[{shortened(key)}]"
                written.append([plain_key, self.part(part, depth)])
            except Refused as refused:
                refused.path.append(step)
                raise
        return written


WRITERS: dict[type, Write] = {}
"""By exact type: a subclass is another kind, which nobody here knows how to restore."""
FINDERS: list[Callable[[Any], Write | None]] = []
"""What else can be written: asked in turn for a value whose type is not in `WRITERS`."""

TOO_DEEP = f"it is nested more than {MAX_DEPTH} levels deep, or contains itself"
PLAIN_HINT = (
    "Use plain data instead (dict, list, text, numbers), a dataclass or a pydantic model; keep clients, open files and "
    "connections out of outputs and of the data bus."
)


def find_writer(value: Any) -> Write:
    """Return what writes a value of a kind that is not in `WRITERS`.

    Raises:
        Refused: nothing does.
    """
    if type(value) is DataView:
        return _write_view
    for find in FINDERS:
        write = find(value)
        if write is not None:
            return write
    reason, hint = _why_not(value)
    raise Refused(type_name(value), reason, hint)


_plain: Any = dict


def _write_view(writer: Writer, value: Any, depth: int) -> Any:
    return writer.mapping(dict(_plain.items(value)), depth)


def refuse(value: Any, reason: str, hint: str) -> NoReturn:
    """Raise `Refused` for a value."""
    raise Refused(type_name(value), reason, hint)


_COPIES = (str, int, float, complex, bytes, bytearray, list, tuple, dict, set, frozenset)


def _why_not(value: Any) -> tuple[str, str]:  # noqa: C901 - one well-known kind after the other
    """Return a reason and a hint for a value that nothing can write."""
    kind = cast("Any", type(value))
    base = _known_base(kind)
    if base is not None:
        return (
            f"it is a subclass of {base.rpartition('.')[2]}, which would come back as something else",
            f"Use {base}(value), or register a dataclass, a pydantic model or an Enum in its place.",
        )
    if inspect.isgenerator(value) or hasattr(kind, "__next__") or hasattr(kind, "__anext__"):
        return "it can be read only once", "Make it a list: list(value)."
    if inspect.isawaitable(value):
        return "it was not awaited", "Await it, and return what it gives."
    if isinstance(value, BaseException):
        return "an error holds its stack", "Use its text: str(error)."
    if isinstance(value, (type, types.ModuleType)) or callable(value):
        return "it is code, not data", "Use its name, or the data that it makes."
    if isinstance(value, memoryview):
        return "it is a window on memory that may change", "Use bytes(value)."
    if isinstance(value, (types.MappingProxyType, types.SimpleNamespace)):
        made = "dict(value)" if isinstance(value, types.MappingProxyType) else "vars(value)"
        return "there is no exact way to write it", f"Use {made}."
    if hasattr(kind, "__attrs_attrs__"):
        return "attrs classes are not known here", "Use attrs.asdict(value), or make the class a dataclass."
    if isinstance(value, tzinfo):
        return "only the time zones of the standard library are known here", "Use zoneinfo.ZoneInfo('Europe/Berlin')."
    if kind.__module__ == "array":
        return "there is no exact way to write it", "Use value.tolist(), or a numpy array."
    if kind.__module__.partition(".")[0] == "polars":
        return "polars is not known here", "Use value.to_arrow(), or value.to_pandas()."
    if kind.__module__.partition(".")[0] == "sklearn":
        return (
            "there is no exact way to write it",
            "Write it to a file, with joblib.dump(value, path); return the path.",
        )
    return "there is no exact way to write it", PLAIN_HINT


def _known_base(kind: Any) -> str | None:
    """Return the name of the built-in type, or of the type of pandas', that a type is a subclass of."""
    for base in _COPIES:
        if issubclass(kind, base):
            return base.__name__
    if not kind.__module__.startswith("pandas"):
        for base in kind.__mro__[1:]:
            if base.__module__.startswith("pandas"):
                return f"pandas.{base.__name__}"
    return None


def type_name(value: Any) -> str:
    """Return the name of a value's type, with its module unless it is built in.

    >>> import decimal
    >>> type_name(1), type_name(decimal.Context())
    ('int', 'decimal.Context')
    """
    kind = cast("Any", type(value))
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def shortened(value: Any) -> str:
    """Return a key as a path shows it: never long, whatever it is."""
    try:
        text = repr(value) if type(value) in {str, int, float, bool, bytes, tuple, type(None)} else type_name(value)
    except Exception:  # noqa: BLE001 - a tuple may hold something whose repr raises
        text = type_name(value)
    return text if len(text) <= 60 else text[:59] + "…"


def is_clean(text: str) -> bool:
    """Whether text can be written as UTF-8, that is, holds no half of a surrogate pair."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def content_digest(content: bytes) -> str:
    """Return the name of a blob: BLAKE2b of its bytes, 128 bits, as hex.

    >>> content_digest(b"a report")
    '8f4026a88df2e319059bc16f83fc4986'
    """
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _not_plain(value: Any) -> NoReturn:
    raise TypeError(f"{type_name(value)} is not plain data; give it to encode() first")


_encoder = msgspec.json.Encoder(enc_hook=_not_plain)


def dumps(plain: Any) -> bytes:
    """Return plain data as compact UTF-8 JSON.

    >>> dumps({"approved": True, "notes": ["good", None]})
    b'{"approved":true,"notes":["good",null]}'
    """
    return with_room(_encoder.encode, plain)
