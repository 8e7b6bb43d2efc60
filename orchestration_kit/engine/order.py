"""Events in the order of the workflow: branch by branch, whatever the order in which they ended. Pure functions.

Within a branch one thing follows another, so the order there is that of arrival. Branches follow one another by
definition or input order, and what they did stands between their opening and the join. What is no part of a branch's
own doing (a fork, a resume, an end, a limit) parts the record into sections, each in this order by itself. Events that
came before somebody waited for them stand at the beginning of their section, and so does that a run went on after a
crash: when that was is no matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, cast

from orchestration_kit.engine.events import (
    Answered,
    AttemptFinished,
    BranchesOpened,
    Event,
    EventReceived,
    RunFinished,
    RunResumed,
    WaitStarted,
)

UNDO = "undo"
"""The key of the branch that undoes what the others did."""
SPAWN = "spawn"
"""The key of the branch that a spawned workflow runs in."""
_ITEM = re.compile(r"[0-9]+(\.([0-9]+-)*[0-9]+)*")


def scope_of(path: str) -> str:
    """Return the scope of a position.

    >>> scope_of("research#1[3]/draft#1"), scope_of("draft#1")
    ('research#1[3]/', '')
    """
    return path[: path.rfind("/") + 1]


def opener_of(scope: str) -> tuple[str, str]:
    """Return the visit that opened a scope, and the scope's key.

    >>> opener_of("research#1[3]/")
    ('research#1', '3')
    """
    opener, _, key = scope[:-2].rpartition("[")
    return opener, key


def depth_of(key: str) -> tuple[int, tuple[tuple[int, ...], ...]]:
    """Return where an item comes among the items of a map: those that were added after the others, by who added them.

    >>> sorted(["1", "0.1-0", "0.0", "10", "0"], key=depth_of)
    ['0', '1', '10', '0.0', '0.1-0']
    """
    parts = tuple(tuple(int(number) for number in part.split("-")) for part in key.split("."))
    return len(parts), parts


def place_of(path: str) -> list[Any]:
    """Return what positions are sorted by, so that branches come in the order of their items.

    >>> sorted(["m#1[10]/ask#1", "m#1[9]/ask#1", "m#1[9]/ask#2"], key=place_of)
    ['m#1[9]/ask#1', 'm#1[9]/ask#2', 'm#1[10]/ask#1']
    """
    found: list[Any] = []
    for segment in path.split("/"):
        name, _, key = segment.removesuffix("]").partition("[")
        step, _, number = name.partition("#")
        found.append((step, int(number or 0), (0, *depth_of(key)) if _ITEM.fullmatch(key) else (1, key)))
    return found


def in_order(events: Iterable[Event]) -> list[Event]:
    """Return events as they stand in the workflow; given in any order that a run can make them in."""
    found: list[Event] = []
    section: list[AttemptFinished | BranchesOpened | WaitStarted | Answered] = []
    kept: list[Event] = []
    last: Event | None = None
    keys: dict[str, tuple[str, ...]] = {}
    for event in events:
        if isinstance(event, (AttemptFinished, BranchesOpened, WaitStarted, Answered)):
            section.append(event)
            if isinstance(event, BranchesOpened) and event.keys is not None:
                keys[event.path] = event.keys
        elif isinstance(event, EventReceived) or (isinstance(event, RunResumed) and not isinstance(last, RunFinished)):
            kept.append(event)
        else:
            found += kept
            found += _section(section, keys)
            kept.clear()
            section.clear()
            found.append(event)
        last = event
    return [*found, *kept, *_section(section, keys)]


def _section(
    section: list[AttemptFinished | BranchesOpened | WaitStarted | Answered], keys: dict[str, tuple[str, ...]]
) -> Iterator[Event]:
    own: dict[str, list[Event]] = {}
    """By scope: what happened in it, one after another."""
    for event in section:
        own.setdefault(event.scope if isinstance(event, AttemptFinished) else scope_of(event.path), []).append(event)
    branches, openers = _branches(own)
    # Without recursion: nesting may be deep. What is to come lies on a stack, the next on top.
    stack: list[tuple[str | None, Event | None]] = [("", None)]
    while stack:
        scope, event = stack.pop()
        if scope is None:
            yield cast("Event", event)
            continue
        coming: list[tuple[str | None, Event | None]] = []
        events = own.get(scope, ())
        opened = {path for one in events if (path := _opens(one)) is not None}
        for path in openers.get(scope, ()):
            if path not in opened:  # opened in a section before this one
                coming += _children(path, branches, keys)
        for one in events:
            coming.append((None, one))
            if (path := _opens(one)) is not None:
                coming += _children(path, branches, keys)
        if not scope and "" in branches:
            coming += _children("", branches, keys)  # what the run undid
        stack += reversed(coming)


def _branches(scopes: Iterable[str]) -> tuple[dict[str, dict[str, str]], dict[str, list[str]]]:
    """Return by visit the scopes it opened, by key; and by scope the visits in it that opened any."""
    branches: dict[str, dict[str, str]] = {}
    openers: dict[str, list[str]] = {}
    for one in scopes:
        scope = one
        while scope:
            opener, key = opener_of(scope)
            if opener not in branches:
                branches[opener] = {}
                if opener:
                    openers.setdefault(scope_of(opener), []).append(opener)
            if key in branches[opener]:
                break
            branches[opener][key] = scope
            scope = scope_of(opener)
    return branches, openers


def _opens(event: Event) -> str | None:
    """Return the visit whose branches begin with an event."""
    if isinstance(event, BranchesOpened):
        return event.path
    is_spawn = isinstance(event, AttemptFinished) and event.detail is not None and "spawn" in event.detail
    return cast("AttemptFinished", event).path if is_spawn else None


def _children(
    opener: str, branches: dict[str, dict[str, str]], keys: dict[str, tuple[str, ...]]
) -> list[tuple[str | None, Event | None]]:
    scopes = branches.get(opener, {})
    named = keys.get(opener, ())
    ordered = [key for key in named if key in scopes]
    others = [key for key in scopes if key not in named and key not in (UNDO, SPAWN)]
    ordered += sorted(others, key=depth_of)
    ordered += [key for key in (SPAWN, UNDO) if key in scopes and key not in named]
    return [(scopes[key], None) for key in ordered]
