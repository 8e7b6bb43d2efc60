"""What is known of the run itself and of each branch at a row: its data, and what its coming attempt gets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orchestration_kit.engine.order import depth_of
from orchestration_kit.journal.skeleton import Worker

UNKNOWN: Any = object()
"""Stands for an input that no row told; the row of the attempt holds it then."""


class KnownScope:
    """One thread of control: the run itself, or one branch."""

    __slots__ = ("_added", "data", "input", "openers", "output", "shape", "workers", "written")

    def __init__(
        self, data: dict[str, Any], given: Any, shape: str = "", workers: dict[str, Worker] | None = None
    ) -> None:
        self.data = data
        self.input = given
        """What the coming attempt gets, if its input transformer makes nothing else of it."""
        self.output: Any = None
        """The last output."""
        self.workers: dict[str, Worker] = {} if workers is None else workers
        """Who made the last attempt at a step, in branches that are alike; the header knows nothing of workflows within
        the workflow."""
        self.shape = shape
        """Where it is, without visit numbers and items: what branches that are alike have in common."""
        self._added: dict[str, tuple[int, int, int]] = {}
        """By which of the branches in it added items: the row that did last, how many before it, and how many by it."""
        self.openers: list[str] = []
        """Visits in it that opened branches."""
        self.written: set[str] | None = None
        """Of a branch that undoes others: what it wrote. That goes to the scope it was opened in."""

    def number_added(self, adder: str, index: int, count: int) -> int:
        """Return the number of the first of `count` items added by row `index`; asked twice, it is the same."""
        at, before, then = self._added.get(adder, (index, 0, 0))
        first = before if at == index else before + then
        self._added[adder] = (index, first, count)
        return first


class KnownGroup:
    """The branches that one visit opened."""

    __slots__ = ("_positions", "above", "given", "inputs", "items", "keys", "prefixes", "shape")

    def __init__(
        self, keys: tuple[str, ...] | None, inputs: list[Any] | None, given: Any, above: KnownScope, step: str
    ) -> None:
        self.keys = keys
        self.inputs = inputs
        self.above = above
        """The scope that its visit is in."""
        self.shape = f"{above.shape}{step}"
        """Where its visit is, without numbers and items."""
        self.given = given
        """What the visit got."""
        self.items: dict[str, Any] = {}
        """Items that were added while it ran, by key."""
        self.prefixes: list[str] = []
        """Its branches that there are rows of."""
        self._positions: dict[str, int] | None = None

    def input_of(self, key: str) -> Any:
        """Return what the first visit of a branch gets."""
        if key in self.items:
            return self.items[key]
        if self.keys is None:
            inputs = self.inputs or []
            return inputs[int(key)] if key.isdecimal() and key.isascii() and int(key) < len(inputs) else UNKNOWN
        if self.inputs is None:
            return self.given
        at = self.position_of(key)
        return UNKNOWN if at is None or at >= len(self.inputs) else self.inputs[at]

    def position_of(self, key: str) -> int | None:
        """Return which of the branches has this key; None for items, and where there is none."""
        if self._positions is None:
            self._positions = {name: at for at, name in enumerate(self.keys or ())}
        return self._positions.get(key)

    def in_order(self) -> Iterator[str]:
        """Go through the keys of all branches, in the order of the workflow."""
        if self.keys is not None:
            yield from self.keys
        else:
            yield from map(str, range(len(self.inputs or ())))
        yield from sorted(self.items, key=depth_of)
