"""What the literals of CEL say: numbers, texts, bytes."""

from __future__ import annotations

import re
from typing import Any

_ESCAPED = re.compile(r"\\([0-3][0-7]{2}|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)
_SIMPLE = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
_LONGEST = 2**63


class UInt(int):
    """An integer that is not negative: CEL keeps it apart from the others."""

    __slots__ = ()


def number_of(token: str) -> int | float:
    """Return what a number says.

    >>> number_of("0x1F"), number_of("-2.5"), number_of("7u")
    (31, -2.5, 7)

    Raises:
        ValueError: an integer is over 64 bits.
    """
    if token[-1] in "uU":
        value = int(token[:-1], 0 if "x" in token else 10)
        if not 0 <= value < 2 * _LONGEST:
            raise ValueError(f"{token} is over 64 bits")
        return UInt(value)
    if "x" in token:
        value = int(token, 16)
    elif any(sign in token for sign in ".eE"):
        return float(token)
    else:
        value = int(token)
    if not -_LONGEST <= value < _LONGEST:
        raise ValueError(f"{token} is over 64 bits")
    return value


def text_of(token: str) -> str | bytes:
    r"""Return what a text, or bytes, between quotes says.

    >>> text_of(r"'a\x62'"), text_of(r"r'a\x62'"), text_of("b'a'")
    ('ab', 'a\\x62', b'a')
    """
    start = min(token.index(quote) for quote in "\"'" if quote in token)
    prefix, quoted = token[:start].lower(), token[start:]
    width = 3 if quoted[:3] in ('"""', "'''") and len(quoted) >= 6 else 1
    body = quoted[width:-width]
    if "b" in prefix:
        return body.encode() if "r" in prefix else _bytes_of(body)
    return body if "r" in prefix else _ESCAPED.sub(lambda found: chr(_code_of(found[1])), body)


def _bytes_of(body: str) -> bytes:
    parts, at = list[bytes](), 0
    for found in _ESCAPED.finditer(body):
        if found[1][0] in "uU":
            raise ValueError(f"bytes hold no {found[0]}")
        parts += [body[at : found.start()].encode(), bytes([_code_of(found[1])])]
        at = found.end()
    return b"".join([*parts, body[at:].encode()])


def _code_of(escaped: Any) -> int:
    if len(escaped) == 1:
        return _SIMPLE.get(escaped, ord(escaped))
    code = int(escaped[1:], 16) if escaped[0] in "xXuU" else int(escaped, 8)
    if code > 0x10FFFF or 0xD800 <= code < 0xE000:
        raise ValueError(f"\\{escaped} is no character")
    return code
