"""Decides which kind of site a goal asks for, and which features, by the words in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from orchestration_kit.workers.website.content import KINDS, KindContent, load_features, load_kind

_KEYWORD_WEIGHT, _HINT_WEIGHT = 3, 1
_ENOUGH = 2
"""One hint alone decides nothing."""
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Recognised:
    """The kind of a site and the keyword that gave it away ('' if none did)."""

    kind: KindContent
    word: str


def recognise_kind(text: str) -> Recognised:
    """Return the kind of site that `text` speaks of most; `generic` if of none.

    >>> recognise_kind("a landing page for a bakery").kind.kind
    'restaurant'
    """
    folded = text.casefold()
    best, best_score, best_word = load_kind("generic"), _ENOUGH - 1, ""
    for kind in KINDS:
        content = load_kind(kind)
        strong = [word for word in content.keywords if _mentions(folded, word)]
        weak = [word for word in content.hints if _mentions(folded, word)]
        score = _KEYWORD_WEIGHT * len(strong) + _HINT_WEIGHT * len(weak)
        if score > best_score:
            best, best_score, best_word = content, score, (strong or [""])[0]
    return Recognised(best, best_word)


def recognise_features(text: str) -> tuple[str, ...]:
    """Return the features that `text` names, in the order of `content/features.yaml`."""
    folded = text.casefold()
    return tuple(
        name for name, feature in load_features().items() if any(_mentions(folded, word) for word in feature["words"])
    )


def is_feature(phrase: str) -> bool:
    """Whether a phrase names a part of a site ('contact form') rather than something it is about."""
    return bool(recognise_features(phrase))


def _mentions(folded: str, word: str) -> bool:
    return bool(_pattern(word).search(folded))


@cache
def _pattern(word: str) -> re.Pattern[str]:
    if _UNSPACED.search(word):
        return re.compile(re.escape(word))
    # A stem ends in '*': "пекарн*" finds every case of the word.
    stem, ending = (word[:-1], r"\w*") if word.endswith("*") else (word, r"(?:'?s|es)?")
    return re.compile(rf"\b{re.escape(stem)}{ending}\b")
