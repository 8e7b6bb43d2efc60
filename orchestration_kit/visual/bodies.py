"""Which steps stand inside which step with branches? Those that a run gets to only through its branches.

In the language of flow graphs: the steps that the opening of the branches dominates (Lengauer and Tarjan, "A Fast
Algorithm for Finding Dominators in a Flowgraph", 1979). Dominators nest, so frames do. Found by leaving the opening
out and looking what is still reached, once per step with branches.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from orchestration_kit.visual.model import EdgeKind
from orchestration_kit.visual.ways import Way

Ways = Mapping[str, Sequence[Way]]
_SUCCESS_FIRST: dict[EdgeKind, int] = {
    "entry": 0, "body": 1, "success": 2, "branch": 3, "failure": 4, "timeout": 5, "budget": 6, "compensate": 7,
    "retry": 8, "join": 9,
}  # fmt: skip


def reached_from(starts: Iterable[str], ways: Ways, *, closed: str | None = None) -> dict[str, int]:
    """Return the steps that a run gets to, numbered as a breadth-first walk meets them, good ways first.

    `closed` is a step whose branches are not opened.

    >>> ways = {"m": [Way("body", "a", "", ""), Way("success", "b", "", "")]}
    >>> reached_from(["m"], ways), reached_from(["m"], ways, closed="m")
    ({'m': 0, 'a': 1, 'b': 2}, {'m': 0, 'b': 1})
    """
    seen: dict[str, int] = {}
    for start in starts:
        seen.setdefault(start, len(seen))
    queue = deque(seen)
    while queue:
        step = queue.popleft()
        for way in sorted(ways.get(step, ()), key=lambda way: _SUCCESS_FIRST[way.kind]):
            if way.target not in seen and not (step == closed and way.kind == "body"):
                seen[way.target] = len(seen)
                queue.append(way.target)
    return seen


def owners(steps: Sequence[str], ways: Ways, starts: Sequence[str]) -> dict[str, str]:
    """Return the step inside whose branches each step stands: the innermost one. Those that stand in none are absent.

    >>> m = [Way("body", "a", "", ""), Way("success", "b", "", "")]
    >>> owners(["m", "a", "b"], {"m": m}, ["m"])
    {'a': 'm'}
    """
    openers = [step for step in steps if any(way.kind == "body" for way in ways.get(step, ()))]
    if not openers:
        return {}
    roots = [*starts, *_other_roots(steps, ways, starts)]
    everything = reached_from(roots, ways)
    inside = {one: everything.keys() - reached_from(roots, ways, closed=one).keys() for one in openers}
    found: dict[str, str] = {}
    for opener in sorted(openers, key=lambda one: -len(inside[one])):  # the innermost comes last
        for step in sorted(inside[opener], key=everything.__getitem__):
            found[step] = opener
    return found


def thread(starts: Iterable[str], ways: Ways) -> dict[str, int]:
    """Return the steps of one branch (or of the run itself): branches that are opened on the way are others'."""
    alone = {step: [way for way in ones if way.kind not in ("body", "compensate")] for step, ones in ways.items()}
    return reached_from(starts, alone)


def _other_roots(steps: Sequence[str], ways: Ways, starts: Sequence[str]) -> list[str]:
    """For the steps that no run gets to: where a walk would have to begin, as few as will do."""
    found: list[str] = []
    seen = set(reached_from(starts, ways))
    led_to = {way.target for ones in ways.values() for way in ones if way.kind != "retry"}
    for step in (*(step for step in steps if step not in led_to), *steps):
        if step not in seen:
            found.append(step)
            seen |= reached_from([step], ways).keys()
    return found
