"""Entries and workers in an SQLite full-text index (FTS5) in memory: stems of words, and rank by BM25."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from orchestration_kit.definition.workers import WorkerDefinition
from orchestration_kit.service.catalogue.entry import Entry, phrases_of
from orchestration_kit.service.goal_words import read, tokens_of

_TOKENIZE = "tokenize = 'porter unicode61 remove_diacritics 2'"
_BRITISH = re.compile(r"(?<=[a-z]{4})is(e|ed|es|er|ers|ing|ation|ations)$")
_LEAD = 2
"""So many telling words at the beginning of each clause of a description say what somebody does; the others may say
what it is about ('repairs what the review finds')."""
_SUFFICE = 2
"""So many words of a role, further on in a description, say it as well."""
_TELL_NOTHING = frozenset(["specialist"])


@dataclass(frozen=True, slots=True)
class Able:
    """A worker, and the stems of the words that say what it can do."""

    worker: WorkerDefinition
    kind: str
    """Its type, in small letters and with underscores."""
    named: frozenset[str]
    """Of its type, its name and the first word of its description: what it is called."""
    strong: frozenset[str]
    """Of its type, its name and the beginning of its description."""
    rest: frozenset[str]

    @property
    def name(self) -> str:
        """Its name."""
        return self.worker.name

    def is_called(self, phrases: Iterable[frozenset[str]]) -> bool:
        """Whether one of these phrases, each as its stems, is what it is called, or how its description begins."""
        return any(phrase <= self.strong for phrase in phrases)

    def can(self, phrases: Sequence[frozenset[str]]) -> bool:
        """Whether these phrases say what it can do."""
        return self.is_called(phrases) or sum(phrase <= self.rest for phrase in phrases) >= _SUFFICE


class Index:
    """Use it in a `with` block: it is in memory, and gone after it."""

    def __init__(self, entries: Sequence[Entry], workers: Iterable[WorkerDefinition]) -> None:
        import sqlite3

        self._stems: dict[str, str] = {}
        self._phrases: dict[str, tuple[frozenset[str], ...]] = {}
        self._db = sqlite3.connect(":memory:")
        self._db.execute(f"CREATE VIRTUAL TABLE tokens USING fts5(word, {_TOKENIZE})")
        self._db.execute("CREATE VIRTUAL TABLE vocabulary USING fts5vocab(tokens, 'instance')")
        self._db.execute(f"CREATE VIRTUAL TABLE entries USING fts5(words, also, roles, {_TOKENIZE})")
        self._db.execute(f"CREATE VIRTUAL TABLE workers USING fts5(kind, name, lead, rest, {_TOKENIZE})")
        ordered = sorted(workers, key=lambda one: (str(one.worker_type), one.name))
        kinds = [_kind(one) for one in ordered]
        rows = [
            (kind.replace("_", " "), " ".join(tokens_of(one.name)), *_said_of(one.description))
            for one, kind in zip(ordered, kinds, strict=True)
        ]
        self._db.executemany("INSERT INTO workers VALUES (?, ?, ?, ?)", map(_indexed, rows))
        of_entries = [
            (one.words, f"{one.also} {one.about}", " ".join(f"{role.does} {role.words}" for role in one.roles))
            for one in entries
        ]
        self._db.executemany("INSERT INTO entries VALUES (?, ?, ?)", map(_indexed, of_entries))
        self._learn(_spelled(token) for row in (*rows, *of_entries) for text in row for token in tokens_of(text))
        self.able = tuple(
            Able(
                one,
                kind,
                self._telling(f"{_doing(row[0])} {_doing(row[1])} {row[2].partition(' ')[0]}"),
                self._telling(f"{_doing(row[0])} {_doing(row[1])} {row[2]}"),
                self._telling(row[3]),
            )
            for one, kind, row in zip(ordered, kinds, rows, strict=True)
        )
        """The workers, by type and name."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def stems(self, tokens: Sequence[str]) -> list[str]:
        """Return the stem of each word, as SQLite's porter tokenizer has it.

        >>> with Index((), ()) as index:
        ...     index.stems(["translating", "translator", "websites"])
        ['translat', 'translat', 'websit']
        """
        spelled = [_spelled(token) for token in tokens]
        self._learn(spelled)
        return [self._stems[token] for token in spelled]

    def phrases(self, words: str) -> tuple[frozenset[str], ...]:
        """Return phrases, written between commas, each as the stems of its words that tell something.

        One of several words of which a single one tells something ('look up') is left out.
        """
        known = self._phrases.get(words)
        if known is None:
            found = [(len(phrase), self._telling(" ".join(phrase))) for phrase in phrases_of(words)]
            telling = (stems for length, stems in found if stems and (length == 1 or len(stems) > 1))
            known = self._phrases[words] = tuple(dict.fromkeys(telling))
        return known

    def stem_set(self, words: str) -> frozenset[str]:
        """Return the stems of the single words among phrases."""
        return frozenset(stem for phrase in self.phrases(words) if len(phrase) == 1 for stem in phrase)

    def orders(self, words: str) -> frozenset[str]:
        """Return what a goal may say for one of these phrases: the stems of a word, or of several with blanks."""
        several = {" ".join(self.stems(phrase)) for phrase in phrases_of(words) if len(phrase) > 1}
        return self.stem_set(words) | several

    def rank_entries(self, tokens: Iterable[str]) -> dict[int, float]:
        """Return how well entries fit words, by place: BM25, more is better."""
        return self._rank("entries", "10.0, 3.0, 1.0", tokens)

    def rank_workers(self, words: str) -> dict[str, float]:
        """Return how well workers fit words, by name: BM25, more is better."""
        found = self._rank("workers", "8.0, 4.0, 2.0, 1.0", tokens_of(words))
        return {self.able[place].name: score for place, score in found.items()}

    def _rank(self, table: str, weights: str, tokens: Iterable[str]) -> dict[int, float]:
        quoted = " OR ".join(f'"{_spelled(token)}"' for token in sorted(set(tokens)) if token.isalnum())
        if not quoted:
            return {}
        query = f"SELECT rowid - 1, round(-bm25({table}, {weights}), 6) FROM {table} WHERE {table} MATCH ?"  # noqa: S608 - one of two
        return dict(self._db.execute(query, (quoted,)).fetchall())

    def _telling(self, text: str) -> frozenset[str]:
        return frozenset(self.stems([token for token in _telling(text) if token not in _TELL_NOTHING]))

    def _learn(self, tokens: Iterable[str]) -> None:
        unknown = sorted({token for token in tokens if token not in self._stems})
        if not unknown:
            return
        self._db.execute("DELETE FROM tokens")
        self._db.executemany("INSERT INTO tokens(rowid, word) VALUES (?, ?)", enumerate(unknown))
        stems = dict(self._db.execute("SELECT doc, term FROM vocabulary ORDER BY doc, offset DESC").fetchall())
        self._stems |= {token: stems.get(place, token) for place, token in enumerate(unknown)}


def _spelled(token: str) -> str:
    """Return a word as it is spelled in American English, as far as that is a rule: its stem is the same then."""
    return _BRITISH.sub(r"iz\1", token)


@lru_cache(maxsize=1_000)
def _indexed(texts: tuple[str, ...]) -> list[str]:
    return [" ".join(_spelled(token) for token in tokens_of(text)) for text in texts]


def _doing(called: str) -> str:
    """Return what somebody is called, and what somebody does who is called so: a 'planner' may 'plan'.

    >>> _doing("senior planner")
    'senior planner seni senio plann planne plan'
    """
    words = called.split()
    doers = [word for word in words if len(word) > 4 and word.endswith(("er", "or"))]
    doing = [form for word in doers for form in (word[:-2], word[:-1], word[:-3] if word[-3] == word[-4] else "")]
    return " ".join([*words, *filter(None, doing)])


@lru_cache(maxsize=5_000)
def _telling(text: str) -> tuple[str, ...]:
    return tuple(read(text).telling())


def _said_of(description: str) -> tuple[str, str]:
    """Return the words that say what somebody does, and the others that tell something."""
    text = read(description)
    lead: list[str] = []
    rest: list[str] = []
    in_clause = Counter[int]()
    for word in text.words:
        if word.tells:
            leads = not word.is_topic and in_clause[word.clause] < _LEAD
            (lead if leads else rest).append(word.text)
            in_clause[word.clause] += 1
    return " ".join(lead), " ".join(rest)


def _kind(worker: WorkerDefinition) -> str:
    return "_".join(token for token in tokens_of(str(worker.worker_type)) if token.isalnum())
