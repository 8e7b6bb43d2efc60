"""The data bus as one visit sees it: a real dict of its own, whose changes are known afterwards."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from orchestration_kit.engine.values import ATOMS, isolate, same
from orchestration_kit.errors import MissingEntry

_ABSENT: Any = object()
_plain: Any = dict
_read = _plain.__getitem__
_write = _plain.__setitem__


class Changes(NamedTuple):
    """What a visit changed on the data bus."""

    updated: dict[str, Any]
    removed: tuple[str, ...]

    def apply_to(self, data: dict[str, Any]) -> None:
        """Make the changes in a data bus."""
        data.update(self.updated)
        for key in self.removed:
            data.pop(key, None)


class DataView(dict[str, Any]):
    """A dict over the data bus. Reads copy containers first, so that a nested change stays in the view.

    Being a real `dict`, it works with `json.dumps`, `**data` and `isinstance`. All ways of reading and writing go
    through the five methods below: those of `dict` that would not are taken from `MutableMapping`.

    >>> view = DataView({"items": [1]})
    >>> view["items"].append(2)
    >>> view.changes()
    Changes(updated={'items': [1, 2]}, removed=())
    """

    __slots__ = ("_base", "_locked", "_output_key", "_touched")

    if not TYPE_CHECKING:
        get = MutableMapping.get
        clear = MutableMapping.clear
        update = MutableMapping.update
        setdefault = MutableMapping.setdefault
        items = MutableMapping.items
        values = MutableMapping.values
        __eq__ = MutableMapping.__eq__
        __hash__ = None

    def __init__(self, base: dict[str, Any]) -> None:
        super().__init__(base)
        self._base = base
        self._touched: set[str] = set()
        self._locked: str | None = None
        self._output_key: str | None = None

    def __missing__(self, key: object) -> Any:
        raise MissingEntry(str(key), list(self))

    def __getitem__(self, key: str) -> Any:
        value = _read(self, key)
        if type(value) in ATOMS or key in self._touched:
            return value
        copied = isolate(value)
        if copied is not value:
            self._touched.add(key)
            _write(self, key, copied)
        return copied

    def __setitem__(self, key: str, value: Any) -> None:
        if not isinstance(key, str):
            raise TypeError(f"the data bus has text keys, not {key!r}; write context.data[str(key)]")
        self._check_lock(key)
        self._touched.add(key)
        _write(self, key, value)

    def __delitem__(self, key: str) -> None:
        self._check_lock(key)
        super().__delitem__(key)
        self._touched.add(key)

    def __iter__(self) -> Iterator[str]:
        # Written out, so that dict(view) and {**view} come through __getitem__ too: CPython takes a short cut around
        # it for dicts whose own __iter__ is in place.
        return super().__iter__()

    def pop(self, key: str, *default: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride] - as dict's
        """Remove an entry and return it, or the default."""
        if key not in self and default:
            return default[0]
        value = self[key]
        del self[key]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Remove the entry that was added last, and return it."""
        key = next(reversed(self), None)
        if key is None:
            raise KeyError("the data bus is empty")
        return key, self.pop(key)

    def copy(self) -> dict[str, Any]:
        """Return a plain dict that shares nothing with the bus."""
        return {key: isolate(_read(self, key)) for key in self}

    def __or__(self, other: Any) -> dict[str, Any]:  # pyright: ignore[reportIncompatibleMethodOverride] - a plain dict
        return self.copy() | dict(other)

    def __ror__(self, other: Any) -> dict[str, Any]:  # pyright: ignore[reportIncompatibleMethodOverride] - a plain dict
        return dict(other) | self.copy()

    def __ior__(self, other: Any) -> Self:  # pyright: ignore[reportIncompatibleMethodOverride] - notices the changes
        self.update(other)
        return self

    def __reduce__(self) -> Any:
        return (dict, (self.copy(),))

    def put_output(self, key: str, output: Any) -> None:
        """Show a step's own output on the bus, without making it a change. Once is enough."""
        if self._output_key is None:
            self._output_key = key
            self._touched.discard(key)
            _write(self, key, output)

    def lock(self, reason: str) -> None:
        """Refuse changes from now on, saying why: they would be lost."""
        self._locked = reason

    def _check_lock(self, key: str) -> None:
        if self._locked is not None:
            raise TypeError(f"data[{key!r}] cannot be changed here: {self._locked}")

    def changes(self) -> Changes | None:
        """Return what differs from the bus, as copies; None where nothing does.

        Raises:
            ValueTooDeep: a new value is nested too deeply to be put on record.
        """
        if not self._touched:
            return None
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
