"""Take secrets out of arrays of texts and tables of Arrow's, which the codec writes as bytes. Needs no numpy for it."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any, cast

from orchestration_kit.journal.errors import NotRecordable

_TEXTS = re.compile(r"(?P<order>[|<>])(?P<kind>[US])(?P<length>[1-9]\d{0,8})", re.ASCII)


def redacted_bytes(content: bytes, redact: Callable[[str], str]) -> bytes:
    """Return bytes without the secrets that stand in them as text."""
    text = content.decode("latin-1")
    redacted = redact(text)
    return content if redacted == text else redacted.encode("latin-1", "replace")


def redacted_base64(content: Any, redact: Callable[[str], str]) -> Any:
    """Return bytes in base64 without the secrets that stand in them; what is no base64 stays as it is."""
    try:
        plain = base64.b64decode(content, validate=True)
    except (TypeError, ValueError):
        return content
    redacted = redacted_bytes(plain, redact)
    return content if redacted == plain else base64.b64encode(redacted).decode("ascii")


def redacted_array(payload: list[Any], redact: Callable[[str], str]) -> list[Any]:
    """Return an array (type, shape, bytes) without the secrets in its texts. Its type grows where they were shorter."""
    form = _TEXTS.fullmatch(payload[0]) if len(payload) == 3 and isinstance(payload[0], str) else None
    if form is None or not isinstance(payload[2], str):
        return payload
    encoding = {"S": "latin-1", "U": "utf-32-be" if form["order"] == ">" else "utf-32-le"}[form["kind"]]
    width = 1 if form["kind"] == "S" else 4
    size = int(form["length"]) * width
    try:
        content = base64.b64decode(payload[2], validate=True)
        items = [content[at : at + size].decode(encoding).rstrip("\0") for at in range(0, len(content), size)]
    except ValueError:
        return payload  # a damaged one is refused when it is used
    cleaned = [redact(item) for item in items]
    if cleaned == items:
        return payload
    length = max(map(len, cleaned))
    padded = b"".join(item.ljust(length, "\0").encode(encoding) for item in cleaned)
    dtype = f"{form['order']}{form['kind']}{length}"
    return [dtype, payload[1], base64.b64encode(padded).decode("ascii")]


def checked_table(payload: Any, redact: Callable[[str], str]) -> Any:
    """Return an Arrow table as it is, if there is no secret in it.

    Raises:
        NotRecordable: there is one. Its bytes cannot be changed, and it would be written.
    """
    content = _last(payload)
    if redacted_base64(content, redact) != content:
        raise NotRecordable(
            "what goes into a cassette",
            "an Arrow table that holds a secret",
            "its bytes cannot be changed",
            "Leave that column out.",
        )
    return payload


def _last(payload: Any) -> Any:
    return cast("list[Any]", payload)[-1] if isinstance(payload, list) and payload else None
