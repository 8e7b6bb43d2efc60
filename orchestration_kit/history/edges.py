"""Which kind of edge each attempt took: success, failure, branch, retry or end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from orchestration_kit.engine.events import AttemptFinished

EDGES = ("success", "failure", "branch", "retry", "end")
_NOWHERE = -1


def edge_codes(part: Any, judged: frozenset[str]) -> np.ndarray[Any, Any]:
    """Return the kind of each attempt's edge as a place in `EDGES`; -1 where it led nowhere.

    A step's `success_when` is evaluated before its branches, so one condition that held may be either: `judged`
    names the steps that have a `success_when`, as far as the definition is known.

    Args:
        part: An `AttemptFinished` whose fields hold one entry per attempt.
        judged: Steps that have a `success_when`.
    """
    import numpy as np

    def code(wait: Any, next_step: Any, error: Any, conditions: tuple[Any, ...], step: str) -> int:
        if wait is not None:
            return 3
        if next_step is None:
            return _NOWHERE
        if error is not None:
            return 1
        if not conditions or not conditions[-1].result:
            return 0
        return 2 if len(conditions) > 1 or step not in judged else 0

    codes = map(code, part.retry_in_s, part.next_step, part.error, part.evaluated, part.step)
    return np.fromiter(codes, np.int8, len(part.step))


def mark_ends(codes: np.ndarray[Any, Any], records: Sequence[AttemptFinished]) -> None:
    """Turn "led nowhere" into "end" where an attempt is the last of its scope.

    Where something of the scope follows, nobody put the edge on record, as in a history made by hand.
    """
    import numpy as np

    nowhere = np.flatnonzero(codes == _NOWHERE).tolist()
    scopes = {records[at].scope for at in nowhere}
    last: set[int] = set()
    for at in range(len(records) - 1, -1, -1):
        if not scopes:
            break
        if records[at].scope in scopes:
            scopes.discard(records[at].scope)
            last.add(at)
    codes[[at for at in nowhere if at in last]] = EDGES.index("end")
