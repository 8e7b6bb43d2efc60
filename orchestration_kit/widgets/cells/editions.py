"""The editions of a run: itself, and the forks that edited cells make of it. Names them, and finds them again.

`review-1` is followed by `review-1~2`, `review-1~3`: so a notebook that is run from the top after a restart of its
kernel finds the newest one by the id that it began with.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from orchestration_kit.errors import UnknownRun

if TYPE_CHECKING:
    from orchestration_kit.engine.orchestrator import Orchestrator
    from orchestration_kit.engine.run import Run

_EDITION = re.compile(r"(?P<first>.+)~(?P<number>[1-9]\d{0,8})", re.DOTALL)
MOST_ANCESTORS = 50
"""How many editions back are looked at for what need not be made again."""


def first_id(run_id: str) -> str:
    """Return the id that a run began with.

    >>> first_id("review-1~3"), first_id("review-1")
    ('review-1', 'review-1')
    """
    found = _EDITION.fullmatch(run_id)
    return run_id if found is None else found["first"]


def number_of(run_id: str) -> int:
    """Return which edition a run is.

    >>> number_of("review-1~3"), number_of("review-1")
    (3, 1)
    """
    found = _EDITION.fullmatch(run_id)
    return 1 if found is None else int(found["number"])


def numbers_on_record(hub: Orchestrator, first: str) -> list[int]:
    """Return which editions of a run a hub knows."""
    ids = [summary.run_id for summary in hub.runs(run_id_contains=first)]
    return sorted(number_of(run_id) for run_id in ids if first_id(run_id) == first)


def edition_id(first: str, number: int) -> str:
    """Return the id of an edition."""
    return first if number == 1 else f"{first}~{number}"


def newest(hub: Orchestrator, run_id: str) -> Run | None:
    """Return the newest edition of the run that has this id, or began with it; None where there is none.

    An id that names an edition (`review-1~2`) means that one.
    """
    if first_id(run_id) == run_id and (numbers := numbers_on_record(hub, run_id)):
        run_id = edition_id(run_id, numbers[-1])
    return _known(hub, run_id)


def ancestors(hub: Orchestrator, run: Run) -> list[Run]:
    """Return the runs that a run was forked from, the nearest first, as far as they are known."""
    found: list[Run] = []
    started = run.machine.started
    while started.parent is not None and started.forked_at is not None and len(found) < MOST_ANCESTORS:
        parent = _known(hub, started.parent)
        if parent is None:
            break
        found.append(parent)
        started = parent.machine.started
    return found


def _known(hub: Orchestrator, run_id: str) -> Run | None:
    try:
        return hub.get_run(run_id)
    except UnknownRun:
        return None
