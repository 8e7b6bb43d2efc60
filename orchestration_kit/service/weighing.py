"""How much of what a goal asks for an entry of the catalogue covers: the share of its words' weight, 0 to 1.

A word weighs its inverse document frequency over the entries (Robertson and Sparck Jones 1976, as in BM25), so that a
word that many entries have decides little; the first of a clause twice that, and what something is about or for a
quarter. Words that nobody here knows weigh nothing: they are names and details ('Luna', 'Lisbon'). What is asked first
weighs as much as all that follows: the words of a clause make 1 together, those of each further one half of that.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from orchestration_kit.service.catalogue.acting import PERSON
from orchestration_kit.service.catalogue.entry import Entry, phrases_of
from orchestration_kit.service.fitting import Cast
from orchestration_kit.service.function_words import ABOUT, THINGS
from orchestration_kit.service.goal_words import Text, read
from orchestration_kit.service.index import Index

ENOUGH = 0.5
"""An entry is for a goal where it covers at least half of what is asked for."""
_THINGS = frozenset(
    ["process", "processes", "workflow", "procedure", "system", "form", "page", "rate", "rates", "status"]
)
"""'The approval process' is a thing, and asks nobody."""
_HEAD, _TOPIC, _NEXT_CLAUSE = 2.0, 0.25, 0.5


@dataclass(frozen=True, slots=True)
class Asked:
    """What a goal asks for, in words that are known here."""

    text: Text
    stems: tuple[str, ...]
    """Of every word, by place."""
    weights: Mapping[int, float]
    """Of the words that are known, by place."""
    heads: Mapping[int, int]
    """By clause: the place of the first known word in it that is no topic."""
    cues: Mapping[str, frozenset[int]]
    """By entry: the places of the words and phrases that ask for it."""
    person: frozenset[int]
    """The places of words that say that a person has to agree."""
    phrases: tuple[str, ...]
    """Phrases of several words that are in it and say what somebody of a role does, as their stems."""
    unknown: tuple[int, ...]
    """Places of orders that nobody here knows ('teach my dog')."""

    @property
    def actions(self) -> tuple[str, ...]:
        """What is to be done, in order: stems of words that are no topics, and then of phrases of roles."""
        places = [place for place in sorted(self.weights) if not self.text.words[place].is_topic]
        return tuple(dict.fromkeys([*(self.stems[place] for place in places), *self.phrases]))

    @property
    def asks_person(self) -> bool:
        """Whether a person is to agree. Rather once too often: not only where the goal is about such things."""
        words = self.text.words
        for place in self.person:
            clause = {word.text for word in words[:place] if word.clause == words[place].clause}
            if clause.isdisjoint(ABOUT) and not (place + 1 < len(words) and words[place + 1].text in _THINGS):
                return True
        return False

    def coverage(self, entry: Entry, cast: Cast, index: Index) -> tuple[float, frozenset[int]]:
        """Return the share that an entry covers, 0 to 1, and at which places."""
        covered = self.covered(entry, cast, index)
        total = sum(self.weights.values())
        return (sum(self.weights[place] for place in covered) / total if total else 0.0), covered

    def later(self, clause: int) -> list[int]:
        """Return the places in a clause of known words after the first, topics left out."""
        words = self.text.words
        return sorted(at for at in self.weights if words[at].clause == clause and not words[at].is_topic)[1:]

    def amiss(self, entry: Entry, index: Index) -> str:
        """Return why an entry is not meant, though its words are there; empty: it may be."""
        if not self.cues[entry.name]:
            return "none of its words is in the goal"
        if entry.asks_person and not self.asks_person:
            return "no person is asked in the goal"
        following = frozenset[str]().union(*(index.stem_set(role.words) for role in entry.roles if role.follows))
        heads = self.heads.values()
        if heads and self.cues[entry.name].isdisjoint(heads) and all(self.stems[at] in following for at in heads):
            return "the goal asks for a part of it only"
        return ""

    def share(self, clauses: Iterable[int], besides: frozenset[int]) -> float:
        """Return the share of clauses, without some places in them."""
        total = sum(self.weights.values())
        wanted = {*clauses}
        places = [at for at in self.weights if self.text.words[at].clause in wanted and at not in besides]
        return sum(self.weights[at] for at in places) / total if total else 0.0

    def covered(self, entry: Entry, cast: Cast, index: Index) -> frozenset[int]:
        """Return the places of the known words that belong to an entry, its roles and who fills those by the goal."""
        own = index.stem_set(entry.also)
        for role in entry.roles:
            own |= index.stem_set(role.words) if not role.only_if_asked or role.name in cast.places else frozenset()
        for place in cast.places.values():
            if place.role.by_goal:
                own = own.union(*(one.strong for one in place.taken))
        asks_person = entry.asks_person or cast.asks_person
        places = self.cues[entry.name] | (self.person if asks_person else frozenset[int]())
        orders = {clause.orders for clause in self.text.clauses}
        places = frozenset(at for at in places if at not in orders or self.text.words[at].text not in THINGS)
        return frozenset(at for at in self.weights if at in places or self.stems[at] in own)


def ask(goal: str, entries: Sequence[Entry], index: Index) -> Asked:
    """Return what a goal asks for."""
    text = read(goal)
    stems = tuple(index.stems([word.text if word.clause >= 0 else "" for word in text.words]))
    found = {
        one.name: _found(stems, [tuple(index.stems(cue)) for cue in one.cues if cue[0] not in one.exact])
        | {place for place, word in enumerate(text.words) if word.clause >= 0 and word.text in one.exact}
        for one in entries
    }
    person = _found(stems, [tuple(index.stems(cue)) for cue in phrases_of(PERSON)])
    sought = {order for one in entries for role in one.roles for order in index.orders(role.words) if " " in order}
    phrases = tuple(sorted(order for order in sought if _found(stems, [tuple(order.split(" "))])))
    known = {stem for one in entries for role in one.roles for stem in index.stem_set(role.words)}
    known = known.union(*(one.strong for one in index.able))
    at_cues = frozenset(person).union(*found.values())
    places = [
        place for place, word in enumerate(text.words) if place in at_cues or (word.tells and stems[place] in known)
    ]
    unknown = tuple(
        one.orders
        for one in text.clauses
        if one.orders is not None and one.orders not in places and text.words[one.orders].tells
    )
    heads: dict[int, int] = {}
    for place in places:
        word = text.words[place]
        if not word.is_topic:
            heads.setdefault(word.clause, place)
    counted = [*places]
    if unknown and text.words[unknown[0]].clause == 0:  # what is asked first is nothing that is known here
        counted.insert(0, unknown[0])
    first = {**heads, 0: unknown[0]} if len(counted) > len(places) else heads
    weights = _weights(text, stems, counted, first, _frequencies(entries, index))
    return Asked(text, stems, weights, heads, found, person, phrases, unknown)


def _found(stems: Sequence[str], phrases: Iterable[tuple[str, ...]]) -> frozenset[int]:
    """Return the places of phrases among words."""
    starts: dict[str, list[int]] = {}
    for place, stem in enumerate(stems):
        if stem:
            starts.setdefault(stem, []).append(place)
    return frozenset(
        place
        for phrase in phrases
        for start in starts.get(phrase[0], ())
        if stems[start : start + len(phrase)] == phrase
        for place in range(start, start + len(phrase))
    )


def _weights(
    text: Text, stems: Sequence[str], places: Sequence[int], heads: Mapping[int, int], frequencies: Mapping[str, int]
) -> dict[int, float]:
    """Return the weight of each place: those of a clause make 1 together, of each further clause half of that."""
    raw: dict[int, dict[int, float]] = {}
    for place in places:
        word = text.words[place]
        share = _TOPIC if word.is_topic else _HEAD if heads.get(word.clause) == place else 1.0
        raw.setdefault(word.clause, {})[place] = share * _idf(frequencies.get(stems[place], 0), frequencies[""])
    in_order = sorted(raw, key=lambda clause: (clause not in heads, clause))
    return {
        place: weight / sum(raw[clause].values()) * _NEXT_CLAUSE**rank
        for rank, clause in enumerate(in_order)
        for place, weight in raw[clause].items()
    }


def _frequencies(entries: Sequence[Entry], index: Index) -> dict[str, int]:
    """Return in how many entries each stem stands; under the empty one, how many there are."""
    counts: dict[str, int] = {"": len(entries)}
    for one in entries:
        for stem in {stem for cue in one.cues for stem in index.stems(cue)}:
            counts[stem] = counts.get(stem, 0) + 1
    return counts


def _idf(frequency: int, count: int) -> float:
    return math.log(1.0 + (count - frequency + 0.5) / (frequency + 0.5))
