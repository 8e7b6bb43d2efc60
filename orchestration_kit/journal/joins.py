"""What a join puts on record, without what its branches' own rows hold already: how each ended, and their outputs.

How they ended is stored as runs of equal words, in the order of the branches: `[["completed", 998], ["failed", 2]]`. Of
the output, only those entries are stored that are not simply the last output of their branch:

```text
["c", []]              the outputs of the branches that completed, all of them as they are
["f", [[3, value]]]    of those that completed or failed; entry 3 is this value instead
["s", []]              the output of the one branch itself: of a workflow that was spawned
```
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any, cast

from orchestration_kit.engine.order import SPAWN
from orchestration_kit.engine.values import same
from orchestration_kit.journal.known import UNKNOWN, KnownGroup

Encode = Callable[[Any], Any]

_ENDS: dict[str, tuple[str, ...]] = {"c": ("completed",), "f": ("completed", "failed")}
"""By letter: how the branches ended whose outputs are joined."""


def pack_ends(ends: Any, keys: Iterable[str]) -> list[list[Any]] | None:
    """Return how branches ended, shortened; None where they are not the ones that are known.

    >>> pack_ends({"0": "completed", "1": "completed", "2": "failed"}, "012")
    [['completed', 2], ['failed', 1]]
    """
    if type(ends) is not dict:
        return None
    found = cast("dict[Any, Any]", ends)
    if list(found) != list(keys) or not all(type(end) is str for end in found.values()):
        return None
    return [[end, len(list(some))] for end, some in groupby(found.values())]


def unpack_ends(runs: Any, keys: Iterable[str]) -> dict[str, str]:
    """Return how branches ended.

    Raises:
        ValueError: (or a TypeError) there are others.
    """
    found: dict[str, str] = {}
    left = iter(keys)
    for end, count in runs:
        if type(end) is not str or type(count) is not int:
            raise TypeError(f"branches ended as {str((end, count))[:60]}")
        for _, key in zip(range(count), left, strict=False):
            found[key] = end
    if sum(count for _, count in runs) != len(found) or next(left, None) is not None:
        raise ValueError("other branches were joined than were opened")
    return found


def pack_output(
    output: Any, ends: dict[str, str], group: KnownGroup, outputs: Callable[[str], Any], encode: Encode
) -> list[Any] | None:
    """Return a join's output, shortened; None where it is not made of its branches' outputs.

    Args:
        output: A list where the branches are the items of a map, else a dict by branch.
        ends: How each branch ended, in order.
        group: The branches.
        outputs: The last output of a branch.
        encode: Makes plain data of an entry that is not its branch's output.
    """
    if group.keys == (SPAWN,):
        return ["s", []] if same(outputs(SPAWN), output) else None
    kind = cast("Any", type(output))
    if kind is not (list if group.keys is None else dict):
        return None
    for letter, counted in _ENDS.items():
        keys = [key for key, end in ends.items() if end in counted]
        if len(keys) != len(output) or (kind is dict and list(output) != keys):
            continue
        entries = output if kind is list else output.values()
        pairs = enumerate(zip(keys, entries, strict=True))
        others = [[at, entry] for at, (key, entry) in pairs if not same(outputs(key), entry)]
        if 2 * len(others) > len(keys):
            return None
        return [letter, [[at, encode(entry)] for at, entry in others]]
    return None


def unpack_output(packed: Any, ends: dict[str, str], group: KnownGroup, outputs: Callable[[str], Any]) -> Any:
    """Return a join's output.

    Raises:
        ValueError: (or a TypeError, LookupError) it does not fit the branches.
    """
    letter, others = packed
    if letter == "s":
        return _told(outputs(SPAWN))
    keys = [key for key, end in ends.items() if end in _ENDS[letter]]
    found = {key: outputs(key) for key in keys}
    for at, entry in others:
        if type(at) is not int or at < 0:
            raise ValueError(f"entry {str(at)[:40]} of a join")
        found[keys[at]] = entry
    for entry in found.values():
        _told(entry)
    return list(found.values()) if group.keys is None else found


def _told(output: Any) -> Any:
    if output is UNKNOWN:
        raise ValueError("a branch is joined that no row is of")
    return output
