"""What changed in a value, as a patch: a list that grew by one entry is stored as that entry.

A patch is plain JSON data:

```text
["=", value]                              another value
["d", [[key, patch], ...], [key, ...]]    a dict: entries changed or added, entries removed
["l", start, end, [value, ...]]           a list: what stands between the first `start` and the last `end` entries
["i", index, patch]                       a list in which one entry changed
```
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from orchestration_kit.engine.values import same

ABSENT: Any = object()
_SMALL = 4
"""Entries below which a container is stored whole."""

Patch = list[Any]


def diff(old: Any, new: Any, encode: Callable[[Any], Any]) -> Patch:
    """Return the patch that leads from `old` (ABSENT: nothing was there) to `new`, its values encoded.

    >>> diff(["a"] * 9, [*["a"] * 9, "b"], encode=lambda value: value)
    ['l', 9, 0, ['b']]
    """
    kind = cast("Any", type(new))
    if kind is type(old) and kind in (dict, list) and len(new) >= _SMALL:
        return _dict_diff(old, new, encode) if kind is dict else _list_diff(old, new, encode)
    return ["=", encode(new)]


def _dict_diff(old: dict[Any, Any], new: dict[Any, Any], encode: Callable[[Any], Any]) -> Patch:
    kept = [key for key in old if key in new]
    has_plain_keys = all(type(key) is str for key in (*old, *new))
    # Keys that were there keep their order, new ones come last: else a patch would lose the order.
    if not has_plain_keys or list(new)[: len(kept)] != kept:
        return ["=", encode(new)]
    changed = [key for key in new if key not in old or not same(old[key], new[key])]
    if len(changed) > len(new) // 2:
        return ["=", encode(new)]
    removed = [key for key in old if key not in new]
    entries = [[encode(key), diff(old.get(key, ABSENT), new[key], encode)] for key in changed]
    return ["d", entries, [encode(key) for key in removed]]


def _list_diff(old: list[Any], new: list[Any], encode: Callable[[Any], Any]) -> Patch:
    shorter = min(len(old), len(new))
    start = 0
    for before, after in zip(old, new, strict=False):
        if before is not after and not same(before, after):
            break
        start += 1
    end = 0
    while end < shorter - start and same(old[-1 - end], new[-1 - end]):
        end += 1
    if len(old) == len(new) == start + end + 1:
        return ["i", start, diff(old[start], new[start], encode)]
    if start + end <= len(new) // 2:
        return ["=", encode(new)]
    return ["l", start, end, [encode(value) for value in new[start : len(new) - end]]]


def apply(old: Any, patch: Any) -> Any:
    """Return what a patch makes of a value; `old` is left as it is. The patch's values are decoded already.

    >>> apply({"a": 1, "b": [1, 2]}, ["d", [["b", ["l", 2, 0, [3]]]], ["a"]])
    {'b': [1, 2, 3]}

    Raises:
        ValueError: (or a TypeError, LookupError) the patch does not fit the value.
    """
    kind, *parts = cast("list[Any]", patch)
    if kind == "=" and len(parts) == 1:
        return parts[0]
    if kind == "d" and type(old) is dict:
        return _apply_to_dict(cast("dict[Any, Any]", old), *parts)
    if type(old) is not list or kind not in ("i", "l"):
        raise ValueError(f"a patch that does not fit: {str(patch)[:80]}")
    entries = cast("list[Any]", old)
    if kind == "i":
        index, part = parts
        return [*entries[:index], apply(entries[index], part), *entries[index + 1 :]]
    start, end, middle = parts
    if not (start >= 0 and end >= 0 and start + end <= len(entries)):
        raise ValueError(f"a patch keeps {start} and {end} of {len(entries)} entries")
    return [*entries[:start], *middle, *entries[len(entries) - end :]]


def _apply_to_dict(old: dict[Any, Any], changed: list[Any], removed: list[Any]) -> dict[Any, Any]:
    new = dict(old)
    for key in removed:
        del new[key]
    for key, part in changed:
        new[key] = apply(new.get(key, ABSENT), part)
    return new
