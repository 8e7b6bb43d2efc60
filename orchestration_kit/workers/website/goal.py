"""Reads a goal: who or what the site is for, where, when and about what. Rules only, no guessing AI.

>>> reading = read_goal("Build a website for Luna Bakery in Lisbon")
>>> reading.name, reading.place
('Luna Bakery', 'Lisbon')
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from orchestration_kit.workers.website.text import clean, script_of, shorten
from orchestration_kit.workers.website.words import (
    ACRONYMS,
    ASKING,
    CJK_ASKING,
    CONNECTORS,
    MONTHS,
    NAME_MARKERS,
    PLACE_MARKERS,
    PRAISE,
    SEASONS,
    STOPS,
    SUBJECT_MARKERS,
    TOPIC_MARKERS,
    WEEKDAYS,
)

LONGEST_GOAL = 2_000
LONGEST_NAME = 48
LONGEST_TOPIC = 36
_MOST_TOPICS = 6

_QUOTED = re.compile(r"[\"“„«「『《]([^\"”“»」』》<>]{2,60})[\"”“»」』》]")
# Letters, digits and the marks that are part of a letter in Arabic, Hebrew, Indic and Thai.
_LETTER = (
    r"(?:[^\W_]|[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f"
    r"\u0900-\u0dff\u0e31-\u0e4e\u200c\u200d])"
)
_TOKEN = re.compile(rf"{_LETTER}+(?:['’.&+-]{_LETTER}+)*[+#]*|&|[.,;:!?()]")
_PUNCTUATION = frozenset(".,;:!?()")
_COMMON = ASKING | PRAISE | ACRONYMS | MONTHS | WEEKDAYS | SUBJECT_MARKERS | STOPS
_ASKING = ASKING | PRAISE


@dataclass(frozen=True, slots=True)
class GoalReading:
    """What a goal says. Everything but `text` may be absent."""

    text: str
    """The goal, cleaned and cut to `LONGEST_GOAL`."""
    name: str
    """A proper name, as written; or ''."""
    place: str
    when: str
    """A month, season or date; or ''."""
    subjects: tuple[str, ...]
    """What the site may be about, in the goal's own words, the likeliest first."""
    topics: tuple[str, ...]
    """Things the goal lists: wares, themes, courses."""


def read_goal(goal: str) -> GoalReading:
    """Return what the text of a goal says about the site it asks for."""
    text = clean(goal)[:LONGEST_GOAL]
    tokens = _TOKEN.findall(text)
    runs = _proper_runs(tokens)
    place = next((run for before, run in runs if before in PLACE_MARKERS), "")
    subjects = [_leading(tokens), *_phrases(tokens, SUBJECT_MARKERS)]
    if not any(subjects):
        subjects = [_what_remains(text, tokens)]
    return GoalReading(
        text=text,
        name=shorten(_name(text, tokens, runs), LONGEST_NAME),
        place=shorten(place, 30) if script_of(text)[0] == "en" else "",
        when=_when(tokens),
        subjects=tuple(shorten(subject, LONGEST_NAME) for subject in subjects if subject),
        topics=_topics(tokens),
    )


def _name(text: str, tokens: list[str], runs: list[tuple[str, str]]) -> str:
    quoted = _QUOTED.search(text)
    if quoted:
        return " ".join(_TOKEN.findall(quoted[1]))
    called = _called(tokens)
    if called:
        return called
    not_names = PLACE_MARKERS | TOPIC_MARKERS
    return next((run for before, run in runs if before not in not_names), "")


def _called(tokens: list[str]) -> str:
    """Return the words after 'called' or its like, up to the end of the phrase."""
    for index, token in enumerate(tokens):
        if token.casefold() in NAME_MARKERS:
            name: list[str] = []
            for follower in tokens[index + 1 : index + 7]:
                folded = follower.casefold()
                ends = folded in STOPS or (folded in SUBJECT_MARKERS - CONNECTORS)
                if follower in _PUNCTUATION or (ends and follower == folded):
                    break
                name.append(follower)
            return " ".join(name)
    return ""


def _is_proper(tokens: list[str], index: int) -> bool:
    """Whether a word is written like a name. The 'New' of 'New York' is one, that of 'New website' is not."""
    if index >= len(tokens) or not tokens[index][0].isupper():
        return False
    folded = tokens[index].casefold()
    if folded in PRAISE:
        return _is_proper(tokens, index + 1)
    return folded not in _COMMON


def _proper_runs(tokens: list[str]) -> list[tuple[str, str]]:
    """Return (the word before, the run) for each run of capitalized words.

    A single capital at the very start says nothing: every sentence begins with one.
    """
    runs: list[tuple[str, str]] = []
    index = 0
    while index < len(tokens):
        start = index
        while _is_proper(tokens, index) or (index > start and tokens[index : index + 1] and _connects(tokens, index)):
            index += 1
        if index > max(start, 1):
            before = [token.casefold() for token in tokens[max(0, start - 2) : start]]
            if before and before[-1] in {"the", "a", "an"}:
                before.pop()
            runs.append((before[-1] if before else "", " ".join(tokens[start:index])))
        index += index == start
    return runs


def _connects(tokens: list[str], index: int) -> bool:
    return tokens[index].casefold() in CONNECTORS and _is_proper(tokens, index + 1)


def _leading(tokens: list[str]) -> str:
    """Return what the goal says before its first marker, as in 'guitar lessons for beginners'."""
    leading: list[str] = []
    for token in tokens:
        folded = token.casefold()
        if token in _PUNCTUATION or folded in STOPS | SUBJECT_MARKERS:
            return " ".join(leading[:5]) if leading else ""
        if folded not in _ASKING:
            leading.append(token if leading or token[1:] != token[1:].lower() else folded)
    return ""


def _phrases(tokens: list[str], markers: frozenset[str]) -> list[str]:
    """Return the phrases after each marker, without the words that only ask for a site."""
    found: list[str] = []
    for index, token in enumerate(tokens):
        if token.casefold() not in markers:
            continue
        phrase: list[str] = []
        for follower in tokens[index + 1 :]:
            folded = follower.casefold()
            joins = phrase and folded in {"for", "of"} and token.casefold() not in {"for", "of"}
            if follower in _PUNCTUATION or folded in STOPS or (folded in markers and not joins):
                break
            if folded not in _ASKING:
                phrase.append(follower)
        if phrase:
            found.append(" ".join(phrase[:6]).removesuffix(" and").removesuffix(" for"))
    return found


def _what_remains(text: str, tokens: list[str]) -> str:
    """Return the words that do more than ask, for a goal that marks no subject."""
    if script_of(text)[0] in {"und-Hani", "ja"}:
        for chunk in CJK_ASKING:
            text = text.replace(chunk, "")
        return " ".join(_TOKEN.findall(text))[:12]
    telling = [token for token in tokens if token not in _PUNCTUATION and token.casefold() not in _ASKING | STOPS]
    return " ".join(telling[:4])


def _when(tokens: list[str]) -> str:
    for index, token in enumerate(tokens):
        folded = token.casefold()
        if folded in SEASONS:
            return folded
        if folded in MONTHS and token[0].isupper():
            around = (tokens[index - 1] if index else "", *tokens[index + 1 : index + 2])
            numbers = [near for near in around if near.isdecimal() and len(near) <= 4]
            return " ".join([token, *numbers[:1]])
    return ""


def _topics(tokens: list[str]) -> tuple[str, ...]:
    """Return what the goal lists after 'about', 'selling', 'with' and their like."""
    topics: list[str] = []
    for index, token in enumerate(tokens):
        if token.casefold() not in TOPIC_MARKERS:
            continue
        item: list[str] = []
        for follower in [*tokens[index + 1 : index + 16], "."]:
            folded = follower.casefold()
            ends = follower in ".;:!?()" or folded in STOPS | SUBJECT_MARKERS - {"of"}
            if ends or follower in {",", "&"} or folded == "and":
                topics.append(" ".join(item))
                item = []
            elif folded not in _ASKING:
                item.append(follower)
            if ends:
                break
    fitting = [topic for topic in dict.fromkeys(topics) if 0 < len(topic) <= LONGEST_TOPIC]
    return tuple(fitting[:_MOST_TOPICS])
