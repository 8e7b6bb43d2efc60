"""The words of a text, as lessons are indexed and searched by them. A query is nothing but its words: no syntax."""

from __future__ import annotations

import re
import unicodedata

MAX_WORDS, MAX_LENGTH = 400, 40
_SEEN = 20_000
"""Characters of a text that are looked at."""
_WORD = re.compile(r"[぀-ヿ㐀-鿿가-힣]|[^\W_぀-ヿ㐀-鿿가-힣]+")
"""Letters and digits in a row; in scripts without blanks, each character."""


def words_of(text: str) -> list[str]:
    """Return the words of a text, in order, without accents, capitals and the s of a plural.

    >>> words_of('The PAGE-titles "café" OR NEAR(x, 2)')
    ['the', 'page', 'title', 'cafe', 'or', 'near', 'x', '2']
    """
    plain = unicodedata.normalize("NFKD", text[:_SEEN].casefold())
    without_marks = plain if plain.isascii() else "".join(c for c in plain if not unicodedata.combining(c))
    found = _WORD.findall(unicodedata.normalize("NFC", without_marks))[:MAX_WORDS]
    return [_singular(word[:MAX_LENGTH]) for word in found]


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word[-1] == "s" and word[-2] != "s" else word


def match_of(words: list[str]) -> str:
    """Return words as a query of FTS5: each in quotes, so that none is an operator.

    >>> match_of(["page", "or"])
    '"page" OR "or"'
    """
    return " OR ".join('"' + word.replace('"', '""') + '"' for word in words)
