"""What a run did, a line each: branches indented below the visit that opened them, large groups cut short."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from orchestration_kit.cli.questions import wording
from orchestration_kit.cli.terminal import Cell, Column, local_time, named, short
from orchestration_kit.engine.account import duration
from orchestration_kit.engine.asking import Request
from orchestration_kit.engine.events import (
    Answered,
    AttemptFinished,
    BranchesOpened,
    Event,
    EventReceived,
    LimitReached,
    RunForked,
    RunResumed,
    WaitStarted,
)
from orchestration_kit.engine.order import SPAWN, UNDO, opener_of, scope_of
from orchestration_kit.errors import counted, listed

COLUMNS = (
    Column("#", rank=6, is_number=True),
    Column("visit", folds=True),
    Column("attempt", rank=4, is_number=True),
    Column("worker", rank=5),
    Column("result"),
    Column("took", rank=3, is_number=True),
    Column("went on to", rank=2),
    Column("note", rank=1, least=16),
)
MAX_BRANCHES = 20
"""So many branches of one visit are shown: those that failed, and the first of the others."""
_LONGEST = 400
_JOINED = {"completed": 0, "failed": 1, "cancelled": 2, "not started": 3}


def rows_of(events: Sequence[Event], waiting: Sequence[Request] = ()) -> Iterator[list[Cell]]:
    """Yield the rows of a table.

    Args:
        events: What happened, in the order of the workflow.
        waiting: What the run waits for.
    """
    groups = _groups(events)
    last: dict[int, list[_Group]] = {}
    for group in reversed(groups.values()):  # inner ones before those around them
        last.setdefault(group.last, []).append(group)
    asked = {one.path: one for one in waiting}
    pending = _pending(events)
    for index, event in enumerate(events):
        scope = _scope(event)
        if all(key in groups[opener].shown for opener, key in _line(scope)):
            row = _row(event, asked, pending)
            if row is not None:
                yield row
        for group in last.get(index, ()):
            if group.hidden and _is_shown(group.path, groups):
                yield _more(group)


class _Group:
    """The branches of one visit."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.ends: dict[str, str] = {}
        """By key: how each branch ended, as far as it has."""
        self.last = 0
        """The last event in it."""
        self.shown: set[str] = set()

    @property
    def hidden(self) -> list[str]:
        return [key for key in self.ends if key not in self.shown]

    def choose(self) -> None:
        """Choose the branches that are shown."""
        aside = [key for key in self.ends if key in (SPAWN, UNDO)]
        failed = [key for key, end in self.ends.items() if end == "failed"]
        chosen = dict.fromkeys([*failed[:MAX_BRANCHES], *self.ends])
        self.shown = {*list(chosen)[:MAX_BRANCHES], *aside}


def _groups(events: Sequence[Event]) -> dict[str, _Group]:
    """Return by visit the branches it opened, as far as anything happened in them."""
    groups: dict[str, _Group] = {}
    for index, event in enumerate(events):
        for opener, key in _line(_scope(event)):
            group = groups.setdefault(opener, _Group(opener))
            group.last = index
            group.ends.setdefault(key, "under way")
        if isinstance(event, AttemptFinished):
            _note_end(event, groups)
    for group in groups.values():
        group.choose()
    return groups


def _note_end(record: AttemptFinished, groups: dict[str, _Group]) -> None:
    joined = groups.get(record.path)
    if joined is not None and record.detail is not None and "branches" in record.detail:
        joined.ends.update((key, end) for key, end in record.detail["branches"].items() if key in joined.ends)
    if record.scope and record.next_step is None and record.retry_in_s is None:
        opener, key = opener_of(record.scope)
        was_cut = record.error is not None and record.error.type == "BranchCancelled"
        end = "completed" if record.error is None else "cancelled" if was_cut else "failed"
        groups[opener].ends[key] = end


def _is_shown(path: str, groups: dict[str, _Group]) -> bool:
    return all(key in groups[opener].shown for opener, key in _line(scope_of(path)))


def _more(group: _Group) -> list[Cell]:
    ends = Counter(group.ends[key] for key in group.hidden)
    told = ", ".join(f"{count:,} {end}" for end, count in ends.items())
    indent = "  " * (len(_line(scope_of(group.path))) + 1)
    cells = [Cell("") for _ in COLUMNS]
    cells[1] = Cell(f"{indent}... and {len(group.hidden):,} more", "dim")
    cells[-1] = Cell(told, "dim")
    return cells


def _scope(event: Event) -> str:
    path = getattr(event, "path", "")
    return event.scope if isinstance(event, AttemptFinished) else scope_of(path)


def _line(scope: str) -> list[tuple[str, str]]:
    """Return the branches that a scope is in, the outermost first: the visit that opened each, and its key."""
    found: list[tuple[str, str]] = []
    while scope.endswith("]/"):
        found.append(opener_of(scope))
        scope = scope_of(found[-1][0])
    return found[::-1]


def _visit(path: str) -> Cell:
    """Return a position below the one of its opener: `[3]/draft#1`, indented."""
    line = _line(scope_of(path))
    if not line:
        return Cell(named(path, 80))
    return Cell(f"{'  ' * len(line)}{named(path[len(line[-1][0]) :], 80)}")


# --- rows


def _pending(events: Sequence[Event]) -> set[str]:
    """Return the visits that were answered, and have not gone on since."""
    found: set[str] = set()
    for event in events:
        if isinstance(event, Answered):
            found.add(event.path)
        elif isinstance(event, AttemptFinished):
            found.discard(event.path)
    return found


def _row(event: Event, asked: dict[str, Request], pending: set[str]) -> list[Cell] | None:
    if isinstance(event, AttemptFinished):
        return _attempt(event)
    if isinstance(event, BranchesOpened):
        return _aside(event.path, "", _opened(event))
    if isinstance(event, WaitStarted) and event.path in asked:
        question = asked[event.path]
        until = "" if question.deadline is None else f" (until {local_time(question.deadline)})"
        return _aside(event.path, "waits", f"{wording(question)}{until}")
    if isinstance(event, Answered) and event.path in pending:
        return _aside(event.path, "answered", f"{_answer(event.kind)}; it goes on when the run is resumed")
    return _mark_of(event)


def _mark_of(event: Event) -> list[Cell] | None:
    if isinstance(event, RunResumed):
        return _mark(f"resumed {local_time(event.resumed_at)}")
    if isinstance(event, RunForked):
        keys = [] if event.changes is None else [*event.changes.updated, *event.changes.removed]
        changed = f", with another {', '.join(named(key, 40) for key in keys)}" if keys else ""
        given = "" if event.input is None else ", with another input"
        return _mark(f"forked from {named(event.parent)} at {named(event.at)}{changed}{given}")
    if isinstance(event, EventReceived):
        when = local_time(event.received_at)
        return _mark(f"the event {named(event.name, 80)} came {when}; nothing waited for it yet")
    if isinstance(event, LimitReached):
        goes = "what was done is undone" if event.next_step is None else f"it goes to {named(event.next_step, 80)}"
        return _mark(f"the limit {event.limit} was reached{event.value}: {goes}")
    return None


def _attempt(record: AttemptFinished) -> list[Cell]:
    error = record.error
    if error is None:
        result = Cell("ok", "green")
    elif error.type == "BranchCancelled":
        result = Cell("stopped", "yellow")
    elif "blocked" in (record.detail or {}):
        result = Cell("asked", "yellow")
    else:
        result = Cell("FAILED", "red") if record.retry_in_s is None else Cell("retried", "yellow")
    notes = [*_besides(record.detail or {}), "from a recording" if record.cached else ""]
    if error is not None:
        notes.append(error.described())
    by = record.worker or (record.worker_type if record.detail else "")
    return [
        Cell(str(record.seq), "dim"),
        _visit(record.path),
        Cell(str(record.attempt) if record.attempt > 1 else ""),
        Cell(named(by, 40) if by else "", "dim"),
        result,
        Cell(duration(record.duration_s)),
        Cell(named(record.next_step, 40) if record.next_step else ""),
        Cell(short("; ".join(note for note in notes if note), _LONGEST), "dim" if error is None else result.style),
    ]


def _besides(detail: dict[str, Any]) -> Iterator[str]:
    """Tell what a step did besides calling a worker."""
    if "undoes" in detail:
        yield f"undoes {detail['undoes']}"
    if "spawn" in detail:
        made = detail["spawn"]["workflow"]
        yield f"spawned {made['name']}, {counted(len(made['steps']), 'step')}"
    if "added" in detail:
        yield f"added {counted(len(detail['added']), 'item')}"
    if "branches" in detail:
        ends = Counter[str](detail["branches"].values())
        told = ", ".join(f"{ends[end]:,} {end}" for end in sorted(ends, key=lambda end: _JOINED.get(end, 9)))
        yield f"joined: {told or 'no branches'}"
    if "answer" in detail:
        yield _answer(detail["answer"])


def _answer(kind: str) -> str:
    return _ANSWERS.get(kind, kind)


_ANSWERS = {"event": "the event came", "kept": "the event had come", "time": "waited", "timeout": "timed out"}


def _opened(event: BranchesOpened) -> str:
    if event.keys is None:
        return f"opened {counted(len(event.inputs or ()), 'item')}"
    return f"opened {listed([named(key, 40) for key in event.keys], 6)}" if event.keys else "opened no branch"


def _aside(path: str, result: str, note: str) -> list[Cell]:
    cells = [Cell("") for _ in COLUMNS]
    cells[1] = _visit(path)
    cells[4] = Cell(result, "magenta")
    cells[-1] = Cell(short(note, _LONGEST), "magenta" if result else "cyan")
    return cells


def _mark(text: str) -> list[Cell]:
    return [*(Cell("") for _ in COLUMNS[:-1]), Cell(short(text, _LONGEST), "cyan")]
