"""What is told of a plan for a goal: why this workflow, why these workers; or why there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from orchestration_kit.errors import listed, nearest
from orchestration_kit.service.errors import CannotServe

if TYPE_CHECKING:
    from orchestration_kit.service.catalogue.entry import Role
    from orchestration_kit.service.fitting import Place
    from orchestration_kit.service.index import Index
    from orchestration_kit.service.matching import Scored
    from orchestration_kit.service.straight import Told
    from orchestration_kit.service.weighing import Asked


def choice_words(
    asked: Asked,
    best: Scored | None,
    scored: Sequence[Scored],
    places: Mapping[str, Place],
    unserved: Sequence[Told],
) -> list[str]:
    """Return sentences on each choice: the entry, the workers, what is left over."""
    words = [_entry_words(asked, best)]
    if asked.asks_person:
        words.append(
            "A person is asked in it, as the goal says: the run waits for run.approve() or run.reject(reason)."
        )
    taken = "" if best is None else best.cast.entry.name
    better = [one for one in scored if one.is_near and one.cast.missing and one.cast.entry.name != taken]
    words += [f"{one.cast.entry.name} would fit, too, but {one.why_not}." for one in better[:2]]
    words += [_place_words(name, place) for name, place in places.items()]
    if best is not None:
        words += [
            f"Nobody here can {role.does}, so that this part is left out. {how_to_register(role)}"
            for role in best.cast.missing
        ]
        idle = [role for role in best.cast.entry.roles if role.only_if_asked and role.name not in places]
        for role in idle:
            if able := [one for one in best.cast.unused if one.kind in role.types]:
                words.append(f"{able[0].name!r} could {role.does} as well; say so in the goal, and it will.")
        if best.cast.entry.notes:
            words.append(best.cast.entry.notes)
    for one in {one.word: one for one in unserved}.values():
        how = "" if one.role is None else f" {how_to_register(one.role)}"
        words.append(f"Not part of it: nobody here is free to do '{one.word}'.{how}")
    for place in asked.unknown:
        clause = asked.text.clauses[asked.text.words[place].clause].said
        words.append(f"Not part of it: '{clause[:80]}' is no task known here.")
    return words


def _entry_words(asked: Asked, best: Scored | None) -> str:
    if best is None:
        return "A straight pipeline: the workers that the goal names, one after the other, in the order of its words."
    entry = best.cast.entry
    hits = listed(dict.fromkeys(asked.text.words[place].text for place in sorted(best.covered)), 8)
    further = f"; with further workers {best.served:.0%}" if best.served > best.score else ""
    return f"{entry.name}: {entry.about}. It covers {best.score:.0%} of what is asked for ({hits}){further}."


def _place_words(name: str, place: Place) -> str:
    taken = place.taken[0]
    if len(place.taken) > 1:
        return f"{name}: {listed([repr(one.name) for one in place.taken])}."
    how = (
        f"of the type {str(taken.worker.worker_type)!r}"
        if taken.kind in place.role.types
        else "by what its type, name and description say"
    )
    others = [repr(one) for one in place.names if one != taken.name]
    also = f" {listed(others)} could do it as well." if others else ""
    return f"{name}: {taken.name!r}, {how}.{also}"


def how_to_register(role: Role) -> str:
    """Return whom to register for a role."""
    if role.by_goal:
        return "Register a worker whose worker_type or description says what is to be done."
    several = f"at least {role.least} workers" if role.least > 1 else "a worker"
    whose = "whose worker_type is" if role.least == 1 else "whose worker_types are such as"
    return f"Register {several} {whose} {role.types[0]!r}, or whose description says '{role.does}'."


def refusal(goal: str, asked: Asked, scored: Sequence[Scored], told: Sequence[Told], index: Index) -> CannotServe:
    """Return the error that says why a goal cannot be served, and what could be."""
    near = next((one for one in scored if one.is_near), None)
    is_cast_missing = near is not None and bool(near.cast.missing)
    undone = _undone(asked, told if not is_cast_missing else ())
    missing = {**_missing(near.cast.missing, told), **undone} if near and is_cast_missing else undone
    names = [one.cast.entry.name for one in scored if one.score > 0][:3]
    known = [f"{one.name} ({one.worker.worker_type})" for one in index.able]
    feasible = [one.cast.entry.example for one in scored if not one.cast.missing]
    others = [one.cast.entry.example for one in scored if one.cast.missing]
    return CannotServe(goal, missing, names, known, feasible, others, _hint(asked, scored))


def _missing(roles: Sequence[Role], told: Sequence[Told]) -> dict[str, str]:
    missing: dict[str, str] = {}
    for role in roles:
        if role.by_goal and role.least == 1 and told:
            missing[f"nobody here can '{told[0].word}'"] = _register(told[0].word)
        else:
            who = "nobody here" if role.least == 1 else f"fewer than {role.least} here"
            missing[f"{who} can {role.does}"] = how_to_register(role)
    return missing


def _undone(asked: Asked, told: Sequence[Told]) -> dict[str, str]:
    """Return what is to be done, by the words of the goal, and nobody does."""
    unknown = {asked.text.words[place].clause: asked.text.words[place].text for place in asked.unknown}
    undone = {one.clause: one for one in told if not one.able}
    missing: dict[str, str] = {}
    for clause in sorted(unknown.keys() | undone.keys()):
        if clause in unknown:
            missing[f"nobody here can '{unknown[clause]}'"] = _register(unknown[clause])
        elif (role := undone[clause].role) is not None:
            missing |= _missing([role], ())
        else:
            missing[f"nobody here can '{undone[clause].word}'"] = _register(undone[clause].word)
    return missing


def _register(word: str) -> str:
    return f"Register a worker whose worker_type or description says '{word}', or say it in other words."


def _hint(asked: Asked, scored: Sequence[Scored]) -> str:
    """Return what was meant, where a word is nearly one that is known."""
    cues = {cue[0] for one in scored for cue in one.cast.entry.cues if len(cue) == 1 and len(cue[0]) > 4}
    known = sorted(cues | {"build", "create"})
    meant: dict[str, str] = {}
    for word in asked.text.words:
        if word.tells and len(word.text) > 4 and word.text not in known:
            near = nearest(word.text, known)
            if near is not None and _is_slip(word.text, near) and not _is_plural(word.text, near):
                meant[word.text] = near
    return " ".join(f"Did you mean {near!r} by {said!r}?" for said, near in meant.items())


def _is_plural(one: str, other: str) -> bool:
    return one.rstrip("s") == other.rstrip("s")


def _is_slip(said: str, meant: str) -> bool:
    """Whether one word is another with letters that changed places, or one of them wrong."""
    if sorted(said) == sorted(meant):
        return True
    if len(said) == len(meant):
        return sum(a != b for a, b in zip(said, meant, strict=True)) == 1
    longer, shorter = sorted((said, meant), key=len, reverse=True)
    return len(longer) == len(shorter) + 1 and any(
        longer[:at] + longer[at + 1 :] == shorter for at in range(len(longer))
    )
