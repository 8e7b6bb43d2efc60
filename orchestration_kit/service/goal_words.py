"""A goal, or the description of a worker, as clauses of telling words. Text is data: nothing in it is carried out."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace

from orchestration_kit.service.function_words import (
    BREAKS,
    CONDITIONS,
    LIST_BREAKS,
    NEGATIONS,
    OBJECTS,
    POLITE,
    REQUESTS,
    SENDING,
    SPEAKERS,
    STOP_WORDS,
    TOPIC,
    VERBS_OF_BEING,
)

_UNSEEN = re.compile("\x1b\\[[0-9;]*[A-Za-z]|[\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]")
"""Colours of a terminal, and marks of no width."""
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NOT = re.compile(r"\b(?:[a-z]+n't|dont)\b")
_TOKEN = re.compile(r"[^\W_]+|[.,;:!?&()\n\u2013\u2014]")
_NOT_NEGATED = [["only"], ["just"], ["forget"], ["hesitate"], ["nur"], ["matter"], ["vergessen"]]
MAX_CHARACTERS, MAX_WORDS, MAX_LENGTH = 20_000, 400, 40
"""What is looked at of a text: what a goal is about stands at its beginning."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text, and where it stands."""

    text: str
    clause: int
    """Which clause it is part of; -1: it stands between two, or is not wanted."""
    is_topic: bool = False
    """What the thing is about or for, not what is to be done: 'bakery' in 'a website for a bakery'."""

    @property
    def tells(self) -> bool:
        """Whether it tells something of what is wanted."""
        return self.clause >= 0 and self.text not in STOP_WORDS and not self.text.isdigit()


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a text, up to 'and', 'then', a comma or a full stop."""

    said: str
    """As it was said, in small letters."""
    orders: int | None
    """The place of its first word, where that is an order for sure: 'teach' in 'teach my dog'."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text, taken apart."""

    words: tuple[Word, ...]
    """All of them, in order: phrases are words next to one another."""
    clauses: tuple[Clause, ...]

    def telling(self) -> list[str]:
        """Return the words that tell something, in order."""
        return [word.text for word in self.words if word.tells]


def read(text: str) -> Text:
    """Return a text, taken apart; what is not wanted ('but do not publish it') tells nothing.

    >>> read("Please translate it for Ann, then CHECK it & don't send it").telling()
    ['translate', 'ann', 'check']
    """
    words: list[Word] = []
    clauses: list[Clause] = []
    clause: list[str] = []
    in_topic, is_wanted = False, True
    tokens = tokens_of(text)
    for place, token in enumerate([*tokens, "."]):
        if token in BREAKS or token in LIST_BREAKS:
            if clause:
                clauses.append(_clause(clause, place))
            following = tokens[place + 1 : place + 3]
            orders = clauses[-1].orders if clause else None
            if orders is not None and tokens[orders] in SENDING:  # 'email it' is an order, and 'an email' a thing
                words[orders] = replace(words[orders], text="send")
            is_order = len(following) == 2 and following[1] in OBJECTS
            in_topic = in_topic and token in LIST_BREAKS and not is_order and not set(following[:1]) & BREAKS
            clause, is_wanted = [], True
            words.append(Word(token, -1))
            continue
        if token in NEGATIONS:
            is_wanted = tokens[place + 1 : place + 2] in _NOT_NEGATED
        if not clause and not in_topic:
            is_condition = place > 0 and tokens[place - 1] in CONDITIONS  # 'after I approve it'
            in_topic = _is_told(tokens[place:]) and not is_condition
        in_topic = in_topic or (token in TOPIC and bool(clause))
        clause.append(token)
        words.append(Word(token, len(clauses) if is_wanted else -1, in_topic))
    return Text(tuple(words), tuple(clauses))


def _is_told(tokens: list[str]) -> bool:
    """Whether a clause tells how things are, and asks for nothing: 'our customers have many questions'."""
    end = next((at for at, token in enumerate(tokens) if token in BREAKS or token in LIST_BREAKS), len(tokens))
    clause = tokens[:end]
    says = clause[0] in SPEAKERS or (clause[0] in OBJECTS and not VERBS_OF_BEING.isdisjoint(clause))
    return says and REQUESTS.isdisjoint(clause)


def _clause(tokens: list[str], end: int) -> Clause:
    """Return a clause of these words, before this place."""
    polite = 0
    while polite < len(tokens) and tokens[polite] in POLITE:
        polite += 1
    spoken = tokens[polite:]
    is_order = len(spoken) > 1 and spoken[1] in OBJECTS and spoken[0] not in STOP_WORDS
    return Clause(" ".join(tokens), end - len(spoken) if is_order else None)


def tokens_of(text: str) -> list[str]:
    """Return the words and the punctuation of a text, in small letters and without accents.

    >>> tokens_of("The review-bot can't ReviewCode: *ever*")
    ['the', 'review', 'bot', 'can', 'not', 'review', 'code', ':', 'ever']
    """
    seen = _UNSEEN.sub("", text[:MAX_CHARACTERS])
    spaced = _CAMEL.sub(" ", unicodedata.normalize("NFKC", seen).replace("\u2019", "'"))
    plain = unicodedata.normalize("NFKD", _NOT.sub(_negation, spaced.casefold()))
    without_marks = "".join(c for c in plain if not unicodedata.combining(c))
    found = _TOKEN.findall(without_marks)[: 2 * MAX_WORDS]
    return [token[:MAX_LENGTH] for token in found]


def _negation(found: re.Match[str]) -> str:
    return "can not" if found[0] == "can't" else f"{found[0][:-3]} not" if found[0].endswith("n't") else "do not"
