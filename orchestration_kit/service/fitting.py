"""Who of the workers fits which role: by type first, else by the words that say what somebody can do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from orchestration_kit.service.catalogue.entry import Entry, Filled, Role
from orchestration_kit.service.goal_words import tokens_of
from orchestration_kit.service.index import Able, Index
from orchestration_kit.templates.parts import AnyWorker

_TAKEN = frozenset(
    [
        "done",
        "failed",
        "end",
        "votes",
        "more_votes",
        "vote",
        "another_vote",
        "tally",
        "break_tie",
        "judge",
        "undecided",
        "round",
        "minutes",
        "route",
        "fallback",
        "no_route",
        "sections",
        "fan_in",
        "plan",
        "tasks",
        "assign",
        "synthesize",
        "no_plans_left",
        "none_accepted",
        "budget_spent",
        "gate_closed",
        "stopped",
        "completed",
    ]
)
"""Ids of steps that templates add themselves."""


@dataclass(frozen=True, slots=True)
class Place:
    """A role with those who could fill it, the best first."""

    role: Role
    able: tuple[Able, ...]
    taken: tuple[Able, ...]
    """Who it was built with."""
    is_by_type: bool
    """Whether its step asks for the type: all workers of it that are there fit. Else it asks for one by name."""

    @property
    def names(self) -> list[str]:
        """The names of those who could fill it."""
        return [one.name for one in self.able]

    def asked(self, one: Able) -> AnyWorker:
        """Return somebody as a template takes it: any of its type, or itself."""
        return str(one.worker.worker_type) if self.is_by_type else one.worker


@dataclass(frozen=True, slots=True)
class Cast:
    """An entry with its roles filled, as far as they can be."""

    entry: Entry
    places: dict[str, Place]
    """By role."""
    missing: tuple[Role, ...]
    """Roles that it cannot do without, and nobody fills."""
    asks_person: bool = False
    unused: tuple[Able, ...] = field(default=())
    """Who has no role in it, by type and name."""

    def filled(self) -> Filled:
        """Return who fills what, as a builder takes it."""
        workers: dict[str, AnyWorker | dict[str, AnyWorker]] = {}
        for name, place in self.places.items():
            if place.role.most > 1:
                workers[name] = {step_id: place.asked(one) for step_id, one in step_names(place.taken).items()}
            else:
                workers[name] = place.asked(place.taken[0])
        return Filled(workers, self.asks_person)


def cast(entry: Entry, index: Index, asked: Sequence[str], *, asks_person: bool) -> Cast:
    """Return an entry with its roles filled.

    Args:
        entry: What needs somebody.
        index: Who is there.
        asked: What the goal asks to be done, in order: stems of words and of phrases.
        asks_person: The goal says that a person has to agree.
    """
    free = list(index.able)
    places: dict[str, Place] = {}
    missing: list[Role] = []
    for role in sorted(entry.roles, key=lambda one: not one.is_required):
        if role.only_if_asked and index.orders(role.words).isdisjoint(asked):
            continue
        found = _fitting(role, entry, index, free, asked)
        if len(found) < role.least:
            if role.is_required:
                missing.append(role)
            continue
        place = _place(role, found, index)
        places[role.name] = place
        gone = {one.name for one in (place.able if place.is_by_type else place.taken)}
        free = [one for one in free if one.name not in gone]
    in_order = {role.name: places[role.name] for role in entry.roles if role.name in places}
    return Cast(entry, in_order, tuple(missing), asks_person, tuple(free))


def fits(role: Role, index: Index, able: Iterable[Able]) -> list[Able]:
    """Return who fits a role: those of its types, in their order; then those whose words say so, by BM25."""
    phrases = index.phrases(role.words)
    ranked = index.rank_workers(role.words)
    found = [one for one in able if one.kind in role.types or one.can(phrases)]
    order = {kind: place for place, kind in enumerate(role.types)}
    return sorted(
        found,
        key=lambda one: (
            order.get(one.kind, len(order)),
            not one.is_called(phrases),
            -ranked.get(one.name, 0.0),
            one.kind,
            one.name,
        ),
    )


def _fitting(role: Role, entry: Entry, index: Index, free: Sequence[Able], asked: Sequence[str]) -> list[Able]:
    elsewhere = {kind for other in entry.roles if other.name != role.name for kind in other.types} - {*role.types}
    mine = [one for one in free if one.kind not in elsewhere]
    found = fits(role, index, mine)
    if role.by_goal:
        order = {stem: place for place, stem in enumerate(asked)}
        fitted = {one.name: place for place, one in enumerate(found)}
        is_named = not index.stem_set(role.words).isdisjoint(order)

        def rank(one: Able) -> tuple[int, int, int]:
            said = min((order[stem] for stem in one.strong if stem in order), default=len(order))
            is_said, is_fit = said < len(order), one.name in fitted
            tier = 0 if is_said and is_fit else 1 if is_fit and is_named else 2 if is_said else 3
            return tier, said, fitted.get(one.name, len(fitted))

        able = [one for one in free if one.name in fitted or not one.strong.isdisjoint(order)]
        found = sorted(able, key=rank)
    return found


def _place(role: Role, found: list[Able], index: Index) -> Place:
    if role.most > 1:
        first, last = index.stem_set(role.first), index.stem_set(role.last)
        taken = sorted(
            found[: role.most],
            key=lambda one: (bool(one.strong & last) - bool(one.strong & first), one.kind, one.name),
        )
        return Place(role, tuple(taken), tuple(taken), is_by_type=_are_one_each(taken, index.able))
    best = found[0]
    same = [one for one in found if one.worker.worker_type == best.worker.worker_type]
    of_type = [one for one in index.able if one.worker.worker_type == best.worker.worker_type]
    if len(same) == len(of_type):
        return Place(role, tuple(same), (best,), is_by_type=True)
    return Place(role, (best,), (best,), is_by_type=False)


def _are_one_each(taken: Sequence[Able], everybody: Sequence[Able]) -> bool:
    """Whether each is the only one of its type."""
    kinds = [str(one.worker.worker_type) for one in everybody]
    return all(kinds.count(str(one.worker.worker_type)) == 1 for one in taken)


def step_names(workers: Sequence[Able]) -> dict[str, Able]:
    """Return workers by what the steps are called at which they work: by type, or by name where types are alike."""
    kinds = [one.kind for one in workers]
    named: dict[str, Able] = {}
    for one in workers:
        is_told_by_type = kinds.count(one.kind) == 1 and one.kind not in ("generic", "")
        name = (one.kind if is_told_by_type else "_".join(tokens_of(one.name)))[:100] or "worker"
        name = f"{name}_worker" if name in _TAKEN else name
        number, unique = 1, name
        while unique in named:
            number += 1
            unique = f"{name}_{number}"
        named[unique] = one
    return named
