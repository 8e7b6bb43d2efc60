"""Turn tagged plain data back into values. What is read is never trusted: unknown tags and odd shapes are refused.

Nothing here imports, evaluates or unpickles what a record names. Types are looked up among those registered.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable
from typing import Any, NoReturn, cast

from orchestration_kit.journal.codec.writing import content_digest
from orchestration_kit.journal.errors import JournalCorrupt, JournalError, JournalUnavailable

GetBlob = Callable[[str], bytes | None]
"""Returns the bytes kept under a digest; None, or a `LookupError`, where there are none."""
Read = Callable[["Reader", Any], Any]
"""Makes the value of one tag out of its payload, whose own tags have been read already."""

_DIGEST = re.compile(r"[0-9a-f]{32}")
_WHOLE = re.compile(r"-?0x[0-9a-f]+")

READERS: dict[str, Read] = {}
"""By tag. A tag that is not here is refused."""


class StoreFailed(Exception):
    """Carries an error of the place where blobs are kept past everything that takes errors for damage."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


class Reader:
    """Reads one record."""

    __slots__ = ("get_blob", "inside_blob")

    def __init__(self, get_blob: GetBlob | None, *, inside_blob: bool = False) -> None:
        self.get_blob = get_blob
        self.inside_blob = inside_blob

    def object(self, found: dict[str, Any]) -> Any:
        """Return a JSON object as the value it stands for. Its parts come first, so that they are values already."""
        for key in found:
            if key[:1] == "$":
                return self.tagged(key, found)
        return found

    def tagged(self, tag: str, found: dict[str, Any]) -> Any:
        """Return the value of a tag."""
        read = READERS.get(tag)
        if read is None or len(found) != 1:
            damaged(f"{tag[:40]!r} is not a tag that is known" if read is None else f"{tag!r} stands beside other keys")
        try:
            return read(self, found[tag])
        except (JournalError, StoreFailed, RecursionError):
            raise
        except ImportError as error:
            raise _missing(tag, error) from error
        except Exception as error:
            raise JournalCorrupt(None, f"what {tag!r} holds cannot be read ({_one_line(error)})") from error

    def plain(self, value: Any) -> Any:
        """Return plain data, parsed already, as the value it stands for."""
        kind = cast("Any", type(value))
        if kind is dict:
            made: dict[Any, Any] = {}
            for key, part in value.items():
                if type(key) is not str:
                    damaged(f"an object has the key {key!r:.40}, which is not text")
                made[key] = self.plain(part)
            return self.object(made)
        if kind is list:
            items: list[Any] = []
            for part in value:
                items.append(self.plain(part))  # noqa: PERF401 - half the stack of a comprehension
            return items
        if kind not in _PLAIN:
            damaged(f"it holds a {kind.__name__} that is not tagged; put quotes around text")
        return value

    def raw(self, payload: Any) -> bytes:
        """Return the bytes that `Writer.raw` wrote."""
        if type(payload) is str:
            return base64.b64decode(payload.encode("ascii"), validate=True)
        expect(type(payload) is dict and list(payload) == ["blob"], "no bytes")
        return self.blob(payload["blob"])

    def blob(self, digest: Any) -> bytes:
        """Return the content of a blob, after checking that it is what was put there."""
        expect(type(digest) is str and _DIGEST.fullmatch(digest) is not None, "no digest")
        if self.get_blob is None:
            damaged(f"it needs the blob {digest}, and blobs cannot be kept here")
        try:
            content = self.get_blob(digest)
        except LookupError:
            content = None
        except Exception as error:
            raise StoreFailed(error) from error
        if content is None:
            damaged(f"the blob {digest} is missing")
        content = bytes(content)
        if content_digest(content) != digest:
            damaged(f"the blob {digest} is not what was put there")
        return content


_PLAIN: frozenset[type] = frozenset({str, int, float, bool, type(None)})


def damaged(reason: str) -> NoReturn:
    """Say that a record is damaged.

    Raises:
        JournalCorrupt: always. Which run it is, only the caller knows.
    """
    raise JournalCorrupt(None, reason)


def expect(holds: bool, what: str = "an unexpected shape") -> None:  # noqa: FBT001 - reads like assert
    """Refuse a payload that is not what its tag calls for."""
    if not holds:
        raise ValueError(what)


def sequence(payload: Any, *kinds: type) -> Any:
    """Return a payload, after checking that it is a list of exactly these types; `object` stands for any."""
    expect(type(payload) is list and len(payload) == len(kinds))
    expect(all(kind is object or type(part) is kind for part, kind in zip(payload, kinds, strict=True)))
    return payload


def pairs(payload: Any) -> Iterable[Any]:
    """Return a payload, after checking that it is a list of pairs."""
    expect(type(payload) is list and all(type(pair) is list and len(pair) == 2 for pair in payload))
    return payload


def whole_number(payload: Any) -> int:
    """Return a whole number written in hex: of any size, in time that grows no faster than its length."""
    expect(type(payload) is str and _WHOLE.fullmatch(payload) is not None)
    return int(payload, 16)


def _missing(tag: str, error: ImportError) -> JournalUnavailable:
    library = "pyarrow" if "pyarrow" in str(error) else (error.name or "a library").partition(".")[0]
    return JournalUnavailable(
        f"record of a {tag[1:]}", f"it needs {library}, which is not installed here", install_hint(library)
    )


def install_hint(library: str) -> str:
    """Say how to install an optional library."""
    what = "'orchestration-kit[arrow]'" if library == "pyarrow" else library
    return f"Install it: pip install {what}"


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:120]}" if text else type(error).__name__
