"""Which entries of the data bus are certain to be written, where? Pure functions on places.

A forward "definitely assigned" analysis: an entry counts as written before a step only if every path to that step
wrote it (Aho, Lam, Sethi, Ullman: Compilers, 9.2). After a join it counts if one branch that has to come to its end
wrote it on each of its paths.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator

from orchestration_kit.checks.graph import ASIDE, reachable
from orchestration_kit.checks.places import Place, is_conditional, scope, ways_of
from orchestration_kit.definition.kinds import ParallelStep
from orchestration_kit.definition.steps import TransitionKind

_LEFT_BY = {"failure": "output", "timeout": "nothing", "budget": "nothing"}
"""A failed attempt leaves its output entry and no writes; a step that was not attempted leaves nothing."""


class Written:
    """What is written before each place, one bit for each key that is asked for."""

    def __init__(self, places: dict[str, Place], bits: dict[str, int]) -> None:
        self.places, self.bits = places, bits
        self.all = (1 << len(bits)) - 1
        self.order = {key: index for index, key in enumerate(places)}
        self.joined: dict[str, int] = {}
        """By place: what the join of its branches brings."""
        for key, place in places.items():
            if place.opens:
                self._join(key)

    def before(self, starts: Iterable[str]) -> dict[str, int]:
        """For each place that can be reached, the keys that every path from the starts has written before it."""
        return self._flow(starts, aside=True)

    def _ways(self, key: str, *, aside: bool) -> Iterator[tuple[TransitionKind, str]]:
        place = self.places[key]
        for kind, target in place.ways:
            if aside or kind not in ASIDE:
                yield kind, target
        if aside:
            for _, target in place.opens:
                yield "body", target

    def _flow(self, starts: Iterable[str], *, aside: bool) -> dict[str, int]:
        def neighbours(key: str) -> Iterable[str]:
            return (target for _, target in self._ways(key, aside=aside))

        first = list(starts)
        found = reachable(first, neighbours)
        before = dict.fromkeys(found, self.all)
        before.update(dict.fromkeys(first, 0))
        waiting = deque(sorted(found, key=self.order.__getitem__))
        while waiting:
            key = waiting.popleft()
            after = self._after(key, before[key])
            for kind, target in self._ways(key, aside=aside):
                carried = before[key] if kind == "body" else after[_LEFT_BY.get(kind, "all")]
                if before[target] & ~carried:
                    before[target] &= carried
                    waiting.append(target)
        return before

    def _after(self, key: str, before: int) -> dict[str, int]:
        step = self.places[key].step
        output = before | self.bits.get(f"{step.step_id}_output", 0)
        writes = _any_of(self.bits.get(name, 0) for name in step.writes)
        return {"nothing": before, "output": output, "all": output | writes | self.joined.get(key, 0)}

    def _join(self, key: str) -> None:
        """Work out what the join at a place brings, after those of the branches within it. Without recursion."""
        stack, opened = [key], set[str]()
        while stack:
            one = stack[-1]
            if one not in opened:
                opened.add(one)
                starts = [start for _, start in self.places[one].opens]
                within = reachable(starts, lambda key: ways_of(self.places, key))
                stack += [name for name in within - opened - self.joined.keys() if self.places[name].opens]
            else:
                stack.pop()
                if one not in self.joined:
                    self.joined[one] = self._brought(one)

    def _brought(self, key: str) -> int:
        place = self.places[key]
        step = place.step
        if not isinstance(step, ParallelStep) or step.join != "all" or step.failure == "continue":
            return 0  # a map may be over nothing; losers and failed branches bring nothing
        shared = self._outputs_of_several(place) if len(place.opens) > 1 else 0
        certain = (self._certain(start) for name, start in place.opens if not is_conditional(step, name))
        return _any_of(certain) & ~shared

    def _certain(self, start: str) -> int:
        """What a branch that succeeds has written, on each of its paths."""
        before = self._flow([start], aside=False)
        ends = [self._after(key, before[key])["all"] for key in before if self._may_end(self.places[key])]
        common = self.all if ends else 0
        for left in ends:
            common &= left
        return common

    @staticmethod
    def _may_end(place: Place) -> bool:
        step = place.step
        return step.outcome != "failed" if step.is_terminal else step.on_success is None

    def _outputs_of_several(self, place: Place) -> int:
        """Output entries that more than one branch may have written: nobody says which counts, so none does."""
        counts = Counter(
            output
            for _, start in place.opens
            for output in {f"{self.places[key].step.step_id}_output" for key in scope(self.places, start, maps=False)}
        )
        return _any_of(self.bits.get(output, 0) for output, count in counts.items() if count > 1)


def _any_of(bits: Iterable[int]) -> int:
    found = 0
    for one in bits:
        found |= one
    return found
