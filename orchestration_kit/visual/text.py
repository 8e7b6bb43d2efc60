"""Text that may be drawn: any value becomes clean, short, measured text. Never markup, never an error."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
TOOLTIP_LIMIT = 1_200
"""Characters of a tooltip; a worker's output of megabytes must not land in a notebook file."""

_UNDRAWABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f"  # control characters: most are not even legal in XML
    "\u202a-\u202e\u2066-\u2069"  # bidi overrides: they would turn the text around them
    "\ufdd0-\ufdef\ufeff\ufffe\uffff]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_SPACE = re.compile(r"\s+")


def clean(value: object) -> str:
    r"""Return the text of `value` without what XML or a terminal cannot carry; lines are kept.

    >>> clean("a\x00b\x1b[31m")
    'ab[31m'
    """
    try:
        text = value if isinstance(value, str) else str(value)
    except Exception as error:  # noqa: BLE001 - a broken __str__ of a user's object must not cost the whole picture
        text = f"<{type(value).__name__}: {type(error).__name__} in str()>"
    if text.isprintable():  # nearly always: no control, format or surrogate character in it
        return text
    return _UNDRAWABLE.sub("", _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text))


def one_line(value: object, limit: int = 10_000) -> str:
    r"""Return clean text on one line, at most `limit` characters.

    >>> one_line("two\n  lines"), one_line("a long name", 6)
    ('two lines', 'a lon…')
    """
    text = value[: 4 * limit + 64] if isinstance(value, str) else value
    return shorten(_SPACE.sub(" ", clean(text)).strip(), limit)


def shorten(text: str, limit: int) -> str:
    """Return `text`, or its beginning and an ellipsis."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)].rstrip() + ELLIPSIS


def tooltip(*lines: object) -> str:
    """Return the non-empty lines as one capped text."""
    cleaned = (clean(line[:TOOLTIP_LIMIT] if isinstance(line, str) else line).strip() for line in lines)
    return shorten("\n".join(line for line in cleaned if line), TOOLTIP_LIMIT)


# Widths of Helvetica (and Arial, Liberation Sans) in thousandths of the font size, by character.
_NARROW = {c: w for chars, w in (("ijl'", 222), ("It ./:,;![]\\fI|", 278), ('r()-`{}"*', 345)) for c in chars}
_WIDE = {
    c: w for chars, w in (("mM", 833), ("W@", 980), ("wCDHNRU&", 722), ("GOQ", 778), ("ABEKPSVXY%", 680)) for c in chars
}


@lru_cache(maxsize=8_192)
def width(text: str, size: float, *, bold: bool = False) -> float:
    """Return about how wide `text` is drawn, in points; a little generous, as fonts differ between machines."""
    total = 0
    for char in text:
        if char < "\x80":
            total += _NARROW.get(char) or _WIDE.get(char) or 556
        elif unicodedata.combining(char) or unicodedata.category(char) in ("Cf", "Mn", "Me"):
            continue
        else:
            total += 1_050 if unicodedata.east_asian_width(char) in "WF" else 690
    return total / 1_000 * size * (1.08 if bold else 1.02)


def fit(text: str, room: float, size: float, *, bold: bool = False) -> str:
    """Return `text`, shortened until it is no wider than `room`."""
    if width(text, size, bold=bold) <= room:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if width(text[:middle] + ELLIPSIS, size, bold=bold) <= room:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + ELLIPSIS


def wrap(text: str, room: float, size: float, *, lines: int) -> list[str]:
    """Return `text` broken at spaces into at most `lines` lines no wider than `room`, the last one shortened."""
    words = text.split()
    result: list[str] = []
    while words and len(result) < lines - 1:
        count = 1
        while count < len(words) and width(" ".join(words[: count + 1]), size) <= room:
            count += 1
        result.append(fit(" ".join(words[:count]), room, size))
        words = words[count:]
    if words:
        result.append(fit(" ".join(words), room, size))
    return result
