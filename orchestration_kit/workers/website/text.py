"""Turns untrusted text into text that is safe to show: cleaned, shortened, its script known.

Escaping is not done here: that is the templates' task, always and for every value.
"""

from __future__ import annotations

import unicodedata
from collections import Counter

_JOINERS = "\u200c\u200d"  # part of many scripts and of joined emoji
_RIGHT_TO_LEFT = frozenset({"R", "AL"})
# ISO 15924 codes. "und" (undetermined) is honest: a script is not a language. See BCP 47.
_SCRIPTS = {
    "ARABIC": "und-Arab",
    "CJK": "und-Hani",
    "CYRILLIC": "und-Cyrl",
    "DEVANAGARI": "und-Deva",
    "GREEK": "und-Grek",
    "HANGUL": "ko",
    "HEBREW": "und-Hebr",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "THAI": "und-Thai",
}


def clean(text: str) -> str:
    r"""Return `text` normalized (NFC), on one line, without controls, surrogates or bidi overrides.

    >>> clean("Luna\x00  Bakery\n")
    'Luna Bakery'
    """
    kept = "".join(_visible(char) for char in unicodedata.normalize("NFC", text))
    return " ".join(kept.split())


def _visible(char: str) -> str:
    if char.isspace():
        return " "
    category = unicodedata.category(char)
    noncharacter = 0xFDD0 <= ord(char) <= 0xFDEF or ord(char) & 0xFFFE == 0xFFFE
    if noncharacter or category in {"Cc", "Cs", "Co"}:
        return " "
    if category == "Cf" and char not in _JOINERS:
        return ""
    return char


def shorten(text: str, limit: int) -> str:
    """Return at most `limit` characters of `text`, cut at a word where one ends late enough.

    >>> shorten("A bakery by the river", 12)
    'A bakery by…'
    """
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    head, space, _ = cut.rpartition(" ")
    if space and text[limit - 1] != " " and len(head) >= limit // 2:
        cut = head
    return cut.rstrip(" ,;:-" + _JOINERS) + "…"


def capitalized(text: str) -> str:
    """Return `text` with its first letter large and the rest untouched.

    >>> capitalized("rye bread from Porto")
    'Rye bread from Porto'
    """
    return text[:1].upper() + text[1:]


def script_of(text: str) -> tuple[str, str]:
    """Return the language tag and the direction of the script most of `text` is written in.

    >>> script_of("Luna Bakery")
    ('en', 'ltr')
    >>> script_of("مقهى القمر")
    ('und-Arab', 'rtl')
    """
    letters = [char for char in text if char.isalpha()]
    if not letters:
        return "en", "ltr"
    scripts = Counter(unicodedata.name(char, "LATIN").split()[0].split("-")[0] for char in letters)
    script = max(sorted(scripts), key=lambda name: scripts[name])
    right_to_left = sum(unicodedata.bidirectional(char) in _RIGHT_TO_LEFT for char in letters)
    return _SCRIPTS.get(script, "en"), "rtl" if right_to_left * 2 > len(letters) else "ltr"
