"""From a goal in words and the workers at hand to a workflow: by the words, the same every time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestration_kit.definition import ApprovalStep
from orchestration_kit.definition.workers import WorkerDefinition, WorkerType
from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.engine.arguments import check_goal
from orchestration_kit.errors import InvalidWorkflow
from orchestration_kit.service.catalogue import CATALOGUE, Entry
from orchestration_kit.service.explaining import choice_words, refusal
from orchestration_kit.service.fitting import Cast, Place, cast, step_names
from orchestration_kit.service.index import Able, Index
from orchestration_kit.service.lengthening import lengthened, quiet
from orchestration_kit.service.straight import Told, gate, part_of, place_of, row_entry, row_of, tell
from orchestration_kit.service.weighing import ENOUGH, Asked, ask
from orchestration_kit.templates.parts import AnyWorker


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalPlan:
    """A workflow for a goal, and how it was found."""

    workflow: WorkflowDefinition
    """Sound: the checks find no error in it."""
    entry: Entry
    """What it was made by."""
    roles: dict[str, list[str]]
    """By role: the names of those who could fill it, the best first."""
    score: float
    """The share of what the goal asks for that the entry covers, 0 to 1."""
    scores: list[tuple[str, float, str]]
    """All entries, the nearest first: name, score, and why it was not taken; empty for the one that was."""
    words: list[str]
    """Sentences that explain each choice."""


@dataclass(frozen=True, slots=True)
class Scored:
    """An entry, held against a goal."""

    cast: Cast
    score: float
    covered: frozenset[int]
    why_not: str
    """Empty: it can be taken."""
    served: float
    """The share that is covered together with further workers, before and after it."""
    is_near: bool
    """Whether it is for such goals, be there somebody for it or not."""


def plan_goal(goal: str, workers: Sequence[WorkerDefinition], *, entries: Sequence[Entry] | None = None) -> GoalPlan:
    """Return the workflow that serves a goal with these workers.

    The goal's words are held against a catalogue of templates (BM25, and the share of the words' weight that an entry
    covers), and the workers against the roles of each entry. Where no entry fits, and the goal names what workers
    here can do one after the other, they work in a row. The goal is data: its words choose, and nothing else.

    >>> plan = plan_goal("I need a homepage for my bakery", package_workers())
    >>> plan.entry.name, [str(step.worker_type) for step in plan.workflow.steps.values()][:3]
    ('build_website', ['product_manager', 'coder', 'reviewer'])

    Args:
        goal: What is to be reached, in words.
        workers: Who is there. Their order does not matter.
        entries: Further entries for the catalogue; one of the same name takes another's place.

    Raises:
        CannotServe: nobody here can do it, or it does not say what is to be done; it says what is missing.
        InvalidGoal: the goal is empty, or far too long.
        InvalidWorkflow: an entry of your own builds a workflow that is not sound.
    """
    check_goal(goal)
    catalogue = _catalogue(entries)
    with Index(catalogue, workers) as index:
        asked = ask(goal, catalogue, index)
        told = tell(asked, catalogue, index)
        scored = _scored(catalogue, asked, told, index)
        best = next((one for one in scored if not one.why_not), None)
        row = row_of(told)
        is_complete = bool(told) and all(one.able for one in told) and not asked.unknown
        if best is not None:
            left = [one for one in told if asked.heads[one.clause] not in best.covered]
            further = {one.clause: one for one in left if _free(one, best.cast)}
            if len(further) == len(left) or not is_complete or len(row) < 2:
                return _by_entry(asked, best, scored, left, index)
        if is_complete:
            return _by_row(asked, row, scored, index)
        part = next((one for one in scored if _is_part_enough(one, asked, told, index)), None)
        if part is not None:
            return _by_part(asked, part, scored)
        raise refusal(goal, asked, scored, told, index)


def package_workers() -> list[WorkerDefinition]:
    """Return the workers that come with the kit: they build websites. They need the extra `demo` when they work.

    >>> [worker.name for worker in package_workers()]
    ['Product manager', 'Coder', 'Reviewer']
    """
    from orchestration_kit.workers.website import website_workers

    return [one for one in website_workers(".") if one.worker_type != WorkerType.DEPLOYER]


def _catalogue(further: Sequence[Entry] | None) -> tuple[Entry, ...]:
    own = tuple(further or ())
    for one in own:
        if not isinstance(one, Entry):
            raise TypeError(f"entries has {one!r:.80}, which is no Entry. Write Entry(name=..., words=..., build=...).")
    names = {one.name for one in own}
    return (*own, *(one for one in CATALOGUE if one.name not in names))


def _scored(catalogue: Sequence[Entry], asked: Asked, told: Sequence[Told], index: Index) -> list[Scored]:
    """Return all entries, the nearest first: by what is served with further workers, then by what is their own."""
    ranked = index.rank_entries(word.text for word in asked.text.words if word.tells)
    found: list[tuple[tuple[float, float, float, int], Scored]] = []
    for order, entry in enumerate(catalogue):
        made = cast(entry, index, asked.actions, asks_person=asked.asks_person)
        cues = asked.cues[entry.name]
        score, covered = asked.coverage(entry, made, index) if cues else (0.0, frozenset[int]())
        served = score
        if not cues.isdisjoint(asked.heads.values()):
            further = {one.clause for one in told if asked.heads[one.clause] not in covered and _free(one, made)}
            served += asked.share(further, covered)
        amiss = asked.amiss(entry, index)
        is_near = bool(covered) and served >= ENOUGH and not amiss
        why_not = amiss or _why_not(made, score, covered, is_near=is_near)
        rank = (-round(served, 2), -round(score, 2), -ranked.get(order, 0.0), order)
        found.append((rank, Scored(made, score, covered, why_not, served, is_near)))
    return [one for _, one in sorted(found, key=lambda pair: pair[0])]


def _why_not(made: Cast, score: float, covered: frozenset[int], *, is_near: bool) -> str:
    if not covered:
        return "none of its words is in the goal"
    if not is_near:
        return f"it covers {score:.0%} of what is asked for"
    return f"nobody here can {' or '.join(role.does for role in made.missing)}" if made.missing else ""


def _free(told: Told, made: Cast) -> Able | None:
    unused = {one.name for one in made.unused}
    return next((one for one in told.able if one.name in unused), None)


def _by_entry(asked: Asked, best: Scored, scored: list[Scored], left: list[Told], index: Index) -> GoalPlan:
    made = best.cast
    workflow = made.entry.build(made.filled())
    first = min((asked.text.words[place].clause for place in best.covered), default=0)
    further = [(one.clause < first, able) for one in left if (able := _free(one, made)) is not None]
    further = list({able.name: (goes_before, able) for goes_before, able in further}.values())
    workflow, places = _with_further(workflow, further, index, is_gate_missing=_is_gate_missing(asked, workflow))
    workflow = quiet(workflow) if _has_generic(index) else workflow
    taken = made.places | places
    unserved = [one for one in left if _free(one, made) is None]
    words = choice_words(asked, best, scored, taken, unserved)
    return _plan(workflow, made.entry, taken, best.served, scored, words)


def _is_gate_missing(asked: Asked, workflow: WorkflowDefinition) -> bool:
    return asked.asks_person and not any(isinstance(one, ApprovalStep) for one in workflow.steps.values())


def _with_further(
    workflow: WorkflowDefinition, further: Sequence[tuple[bool, Able]], index: Index, *, is_gate_missing: bool
) -> tuple[WorkflowDefinition, dict[str, Place]]:
    """Return a workflow with further workers before and after it, and a person who agrees before those after it."""
    before: list[tuple[str, AnyWorker]] = []
    after: list[tuple[str, AnyWorker]] = []
    places: dict[str, Place] = {}
    if is_gate_missing:
        after.append((_unique("ask_person", workflow, places), gate()))
    for step_id, (goes_before, one) in zip(step_names([one for _, one in further]), further, strict=True):
        name = _unique(step_id, workflow, places)
        places[name] = place_of(one, name, index)
        (before if goes_before else after).append((name, places[name].asked(one)))
    return lengthened(workflow, before, after), places


def _unique(step_id: str, workflow: WorkflowDefinition, places: dict[str, Place]) -> str:
    number, unique = 1, step_id
    while unique in workflow.steps or unique in places:
        number += 1
        unique = f"{step_id}_{number}"
    return unique


def _by_row(asked: Asked, row: list[Able], scored: list[Scored], index: Index) -> GoalPlan:
    entry, workflow, places = row_entry(row, index, asks_person=asked.asks_person)
    words = choice_words(asked, None, scored, places, [])
    return _plan(workflow, entry, places, 1.0, scored, words)


def _is_part_enough(one: Scored, asked: Asked, told: Sequence[Told], index: Index) -> bool:
    """Whether nobody but those who look at the work of others is missing, and the goal does not ask for them."""
    made = one.cast
    is_row = all(place.role.most == 1 for place in made.places.values()) and not made.entry.asks_person
    missing = all(role.follows and index.orders(role.words).isdisjoint(asked.actions) for role in made.missing)
    is_all = not asked.unknown and all(asked.heads[part.clause] in one.covered for part in told)
    return one.is_near and bool(made.places) and is_row and missing and is_all


def _by_part(asked: Asked, part: Scored, scored: list[Scored]) -> GoalPlan:
    made = part.cast
    workflow = part_of(made, asks_person=asked.asks_person)
    words = choice_words(asked, part, scored, made.places, [])
    return _plan(workflow, made.entry, made.places, part.score, scored, words)


def _has_generic(index: Index) -> bool:
    return any(one.worker.worker_type == WorkerType.GENERIC for one in index.able)


def _plan(  # noqa: PLR0913, PLR0917 - what a plan is made of
    workflow: WorkflowDefinition,
    entry: Entry,
    places: dict[str, Place],
    score: float,
    scored: list[Scored],
    words: list[str],
) -> GoalPlan:
    errors = [one for one in workflow.problems() if one.severity == "error"]
    if errors:
        raise InvalidWorkflow(workflow.name, tuple(errors))
    others = [
        (
            one.cast.entry.name,
            one.score,
            "" if one.cast.entry is entry else one.why_not or f"{entry.name} fits better",
        )
        for one in scored
    ]
    return GoalPlan(
        workflow=workflow,
        entry=entry,
        roles={name: place.names for name, place in places.items()},
        score=score,
        scores=others,
        words=words,
    )
