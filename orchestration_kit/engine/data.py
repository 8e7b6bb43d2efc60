"""The data bus as one visit sees it: a real dict of its own, whose changes are known afterwards."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, MutableMapping, ValuesView
from typing import Any, NamedTuple

from orchestration_kit.engine.values import ATOMS, isolate, same

_ABSENT: Any = object()
_read = dict.__getitem__


class Changes(NamedTuple):
    """What a visit changed on the data bus."""

    updated: dict[str, Any]
    removed: tuple[str, ...]


class DataView(MutableMapping[str, Any], dict[str, Any]):  # pyright: ignore[reportIncompatibleMethodOverride]
    """A dict over the data bus. Reads copy containers first, so that a nested change stays in the view.

    `MutableMapping` comes first so that each of its methods goes through the five below; being a `dict` too,
    the view works with `json.dumps`, `**data` and `isinstance`.

    >>> view = DataView({"items": [1]})
    >>> view["items"].append(2)
    >>> view.changes()
    Changes(updated={'items': [1, 2]}, removed=())
    """

    __slots__ = ("_base", "_touched")

    def __init__(self, base: dict[str, Any]) -> None:
        dict.__init__(self, base)
        self._base = base
        self._touched: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        value = _read(self, key)
        if type(value) in ATOMS or key in self._touched:
            return value
        copied = isolate(value)
        if copied is not value:
            self._touched.add(key)
            dict.__setitem__(self, key, copied)
        return copied

    def __setitem__(self, key: str, value: Any) -> None:
        if not isinstance(key, str):
            raise TypeError(f"the data bus has text keys, not {key!r}; write context.data[str(key)]")
        self._touched.add(key)
        dict.__setitem__(self, key, value)

    def __delitem__(self, key: str) -> None:
        dict.__delitem__(self, key)
        self._touched.add(key)

    def __iter__(self) -> Iterator[str]:
        return dict.__iter__(self)

    def __len__(self) -> int:
        return dict.__len__(self)

    def __contains__(self, key: object) -> bool:
        return dict.__contains__(self, key)

    def items(self) -> ItemsView[str, Any]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return ItemsView(self)

    def values(self) -> ValuesView[Any]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return ValuesView(self)

    def copy(self) -> dict[str, Any]:
        return {key: isolate(value) for key, value in dict.items(self)}

    def __or__(self, other: Any) -> dict[str, Any]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self.copy() | dict(other)

    def __ror__(self, other: Any) -> dict[str, Any]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return dict(other) | self.copy()

    def __ior__(self, other: Any) -> DataView:  # pyright: ignore[reportIncompatibleMethodOverride]
        self.update(other)
        return self

    def __eq__(self, other: object) -> bool:
        return dict(dict.items(self)) == other

    __hash__ = None  # pyright: ignore[reportAssignmentType]

    def __repr__(self) -> str:
        return dict.__repr__(self)

    def __reduce__(self) -> Any:
        return (dict, (self.copy(),))

    def changes(self) -> Changes | None:
        """Return what differs from the bus, as copies; None where nothing does.

        Raises:
            ValueTooDeep: a new value is nested too deeply to be put on record.
        """
        updated: dict[str, Any] = {}
        removed: list[str] = []
        for key in sorted(self._touched):
            before = self._base.get(key, _ABSENT)
            if key in self:
                now = isolate(_read(self, key))
                if not same(before, now):
                    updated[key] = now
            elif before is not _ABSENT:
                removed.append(key)
        return Changes(updated, tuple(removed)) if updated or removed else None
