"""An entry of the catalogue: what it is for in words people use, whom it takes, and the workflow it builds."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from orchestration_kit.definition import WorkerDefinition, WorkflowDefinition
from orchestration_kit.service.goal_words import tokens_of
from orchestration_kit.templates.parts import AnyWorker


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """Somebody an entry needs.

    >>> role = Role(name="reviewer", types=("reviewer", "editor"), does="review", words="review, proofread")
    >>> role.is_required, role.most
    (True, 1)
    """

    name: str
    types: tuple[str, ...]
    """Worker types that fit exactly, the best first."""
    does: str
    """What it does, as it is said: 'nobody here can ...'."""
    words: str = ""
    """Words of what it can do, between commas; who has none of these types fits by them."""
    is_required: bool = True
    only_if_asked: bool = False
    """Somebody who is there is taken only where the goal asks for what it does."""
    least: int = 1
    most: int = 1
    """How many may fill it."""
    follows: bool = False
    """It works on what others made: a goal that orders nothing but this does not ask for the others."""
    first: str = ""
    last: str = ""
    """Where several fill it and their order matters: words of those who go first, and of those who go last."""
    by_goal: bool = False
    """Whoever can do what the goal says fits as well."""


@dataclass(frozen=True, slots=True)
class Filled:
    """The roles of an entry with who fills them, as a builder takes them.

    >>> filled = Filled({"writer": "coder", "judges": {"style": "reviewer", "facts": "tester"}})
    >>> filled.one("writer"), list(filled.several("judges")), filled.maybe("editor")
    ('coder', ['style', 'facts'], None)
    """

    workers: Mapping[str, AnyWorker | Mapping[str, AnyWorker]]
    """By role: a worker type, or the worker itself where others of its type do something else; of a role that several
    fill, a mapping of them."""
    asks_person: bool = False
    """The goal says that a person has to agree."""

    def has(self, role: str) -> bool:
        """Whether somebody fills a role."""
        return role in self.workers

    def one(self, role: str) -> AnyWorker:
        """Return who fills a role."""
        worker = self.workers[role]
        if isinstance(worker, Mapping):
            raise TypeError(f"several fill the role {role!r}: take .several({role!r})")
        return worker

    def maybe(self, role: str) -> AnyWorker | None:
        """Return who fills a role, or None."""
        return self.one(role) if role in self.workers else None

    def several(self, role: str) -> Mapping[str, AnyWorker]:
        """Return all who fill a role, by name."""
        workers = self.workers[role]
        return workers if isinstance(workers, Mapping) else {role: workers}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A kind of goal, and the workflow for it.

    >>> from orchestration_kit.templates import create_gated_chain
    >>> entry = Entry(
    ...     name="bake", about="Bake a cake", example="Bake a cake for Ann", words="bake, cake, birthday cake",
    ...     roles=(Role(name="baker", types=("baker",), does="bake"),),
    ...     build=lambda filled: create_gated_chain({"bake": filled.one("baker")}, name="bake"),
    ... )
    >>> entry.cues
    (('bake',), ('cake',), ('birthday', 'cake'))
    """

    name: str
    about: str
    """What it is for, in a sentence."""
    example: str
    """A goal that it is for."""
    words: str
    """Words and phrases that people ask for it with, between commas: one of them is to be in the goal. Words count in
    all their forms; with `=` before it in just this one: `=documents` is not 'document'."""
    roles: tuple[Role, ...]
    build: Callable[[Filled], WorkflowDefinition]
    also: str = ""
    """Words that may stand beside them in such goals, and alone ask for nothing."""
    asks_person: bool = False
    """A person has to agree in it: it is for goals that say so."""
    notes: str = ""
    """What its workers have to hand over so that it works, or what else one has to know."""
    cues: tuple[tuple[str, ...], ...] = field(init=False)
    """`words`, each as its words."""
    exact: frozenset[str] = field(init=False)
    """Those of them that count in just this form."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "cues", phrases_of(self.words))
        object.__setattr__(self, "exact", frozenset(re.findall(r"=(\w+)", self.words)))

    @property
    def required(self) -> tuple[Role, ...]:
        """The roles that it cannot do without."""
        return tuple(role for role in self.roles if role.is_required)


@lru_cache(maxsize=1_000)
def phrases_of(words: str) -> tuple[tuple[str, ...], ...]:
    """Return phrases, written between commas, each as its words.

    >>> phrases_of("landing page, Sign-off")
    (('landing', 'page'), ('sign', 'off'))
    """
    found = (tuple(tokens_of(phrase)) for phrase in re.split(r"[,\n]", words))
    return tuple(dict.fromkeys(phrase for phrase in found if phrase))


def worker_as_asked(worker: WorkerDefinition, *, by_type: bool) -> AnyWorker:
    """Return a worker as a template takes it: any of its type, or itself."""
    return str(worker.worker_type) if by_type else worker
