"""A straight row of workers in the order of a goal's words, and who takes on what an entry leaves over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestration_kit.definition import ApprovalStep, WorkflowDefinition
from orchestration_kit.service.catalogue.entry import Entry, Filled, Role
from orchestration_kit.service.fitting import Cast, Place, fits, step_names
from orchestration_kit.service.function_words import SENDING
from orchestration_kit.service.index import Able, Index
from orchestration_kit.service.weighing import Asked
from orchestration_kit.templates import create_gated_chain
from orchestration_kit.templates.parts import AnyWorker


@dataclass(frozen=True, slots=True)
class Told:
    """A clause of a goal, with who can do it."""

    clause: int
    word: str
    """What is to be done, as it was said."""
    able: tuple[Able, ...]
    """Nobody: `role` is missing, where one is known."""
    role: Role | None
    """Which role of the catalogue does such a thing; None: only the workers here know the word."""


def tell(asked: Asked, entries: Sequence[Entry], index: Index) -> list[Told]:
    """Return who can do each clause that orders something, in the order of the words."""
    roles = [role for one in entries for role in one.roles if role.words and not role.by_goal]
    told: list[Told] = []
    for clause, head in sorted(asked.heads.items()):
        first = _told(asked, clause, head, roles, index)
        if not first.able and first.role is None and asked.text.clauses[clause].orders != head:
            # a thing stands first: 'my essay, proofread'
            later = (_told(asked, clause, place, roles, index) for place in asked.later(clause))
            first = next((one for one in later if one.able), first)
        told.append(first)
    return told


def _told(asked: Asked, clause: int, place: int, roles: Sequence[Role], index: Index) -> Told:
    stem, said = asked.stems[place], asked.text.words[place].text
    doing = sorted((rank, order) for order, role in enumerate(roles) if (rank := _rank(role, stem, index)) is not None)
    role = roles[doing[0][1]] if doing else None
    names = frozenset([stem, *index.stems(sorted(SENDING))] if said == "send" else [stem])
    direct = [one for one in index.able if not names.isdisjoint(one.named)]
    if direct:
        ranked = index.rank_workers(said)
        kinds = {one.name: names.isdisjoint(index.stems(one.kind.split("_"))) for one in direct}
        direct.sort(key=lambda one: (kinds[one.name], -ranked.get(one.name, 0.0), one.kind, one.name))
        return Told(clause, said, tuple(direct), role)
    for _, order in doing:
        if roles[order].least == 1 and (found := fits(roles[order], index, index.able)):
            return Told(clause, said, tuple(found), roles[order])
    return Told(clause, said, (), role)


def _rank(role: Role, stem: str, index: Index) -> int | None:
    """Return how early a word stands among those of a role; None: it does not."""
    phrases = index.phrases(role.words)
    return phrases.index(frozenset([stem])) if frozenset([stem]) in phrases else None


def row_of(told: Sequence[Told]) -> list[Able]:
    """Return one worker for each clause; the same one twice in a row works once."""
    row: list[Able] = []
    for one in told:
        if one.able and not (row and row[-1].name == one.able[0].name):
            row.append(one.able[0])
    return row


def row_entry(
    row: Sequence[Able], index: Index, *, asks_person: bool
) -> tuple[Entry, WorkflowDefinition, dict[str, Place]]:
    """Return a straight pipeline of workers as an entry, a workflow, and who could work at each step.

    Where a person is to agree, that is before the last of them acts.
    """
    steps: dict[str, AnyWorker] = {}
    places: dict[str, Place] = {}
    for number, (step_id, one) in enumerate(_named(row), start=1):
        if asks_person and number == len(row):
            steps["ask_person"] = gate()
        place = place_of(one, step_id, index)
        places[step_id] = place
        steps[step_id] = place.asked(one)
    name = "_".join(steps)
    workflow = create_gated_chain(steps, name=name if len(name) <= 100 else f"pipeline_of_{len(steps)}_steps")

    def build(_filled: Filled) -> WorkflowDefinition:
        return workflow

    entry = Entry(
        name="straight_pipeline",
        about="The workers that the goal names, in the order of its words",
        example="Translate the text, check it and publish it",
        words="",
        roles=tuple(place.role for place in places.values()),
        build=build,
    )
    return entry, workflow, places


def place_of(one: Able, name: str, index: Index) -> Place:
    """Return a place of its own for a worker: any of its type, where that says what it does."""
    kind = str(one.worker.worker_type)
    alike = [other for other in index.able if str(other.worker.worker_type) == kind]
    is_by_type = one.kind != "generic" and (len(alike) == 1 or bool(one.strong & set(index.stems(one.kind.split("_")))))
    role = Role(name=name, types=(one.kind,), does=name)
    return Place(role, tuple(alike) if is_by_type else (one,), (one,), is_by_type)


def part_of(made: Cast, *, asks_person: bool) -> WorkflowDefinition:
    """Return those who fill roles of an entry, in a row: for one that somebody is missing for."""
    steps: dict[str, AnyWorker] = {}
    for number, (name, place) in enumerate(made.places.items(), start=1):
        if asks_person and number == len(made.places):
            steps["ask_person"] = gate()
        steps[name] = place.asked(place.taken[0])
    return create_gated_chain(steps, name=made.entry.name)


def gate() -> ApprovalStep:
    """Return a step at which a person agrees."""
    return ApprovalStep(step_id="ask_person", description="A person decides", prompt="May it go on?")


def _named(row: Sequence[Able]) -> list[tuple[str, Able]]:
    """Return the steps of a row; who works twice has two."""
    unique = list({one.name: one for one in row}.values())
    names = {one.name: step_id for step_id, one in step_names(unique).items()}
    seen: dict[str, int] = {}
    named: list[tuple[str, Able]] = []
    for one in row:
        step_id = names[one.name]
        seen[step_id] = seen.get(step_id, 0) + 1
        named.append((step_id if seen[step_id] == 1 else f"{step_id}_again_{seen[step_id] - 1}", one))
    return named
