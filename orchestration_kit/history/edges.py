"""Which kind of edge each attempt took: success, failure, branch, retry, end, ..."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from orchestration_kit.history.places import is_undoing

if TYPE_CHECKING:
    import numpy as np

    from orchestration_kit.engine.events import AttemptFinished

EDGES = ("success", "failure", "branch", "timeout", "budget", "retry", "body", "join", "end")
"""The words are those of `Transition.kind`. `body`: into the workflow that the attempt spawned. `join`: a branch came
to its end, and what follows is the join."""
_SUCCESS, _FAILURE, _BRANCH, _TIMEOUT, _BUDGET, _RETRY, _BODY, _JOIN, _END = range(len(EDGES))
_NOWHERE = -1
_ASIDE = {"WaitTimeout": _TIMEOUT, "BudgetSpent": _BUDGET}


def edge_codes(part: Any, keys: Sequence[str], judged: frozenset[str]) -> np.ndarray[Any, Any]:
    """Return the kind of each attempt's edge as a place in `EDGES`; -1 where it led nowhere.

    A step's `success_when` is evaluated before its branches, so one condition that held may be either: `judged`
    names the steps that have a `success_when`, as far as the definition is known. The conditions of a parallel step
    say which branches it opens, not where it goes.

    Args:
        part: An `AttemptFinished` whose fields hold one entry per attempt.
        keys: The key of each attempt's step.
        judged: Keys of steps that have a `success_when`.
    """
    import numpy as np

    def code(wait: Any, next_step: Any, error: Any, conditions: tuple[Any, ...], key: str) -> int:
        if wait is not None:
            return _RETRY
        if next_step is None:
            return _NOWHERE
        if error is not None:
            return _ASIDE.get(error.type, _FAILURE)
        if not conditions or not conditions[-1].result:
            return _SUCCESS
        return _BRANCH if len(conditions) > 1 or key not in judged else _SUCCESS

    codes = map(code, part.retry_in_s, part.next_step, part.error, part.evaluated, keys)
    found = np.fromiter(codes, np.int8, len(keys))
    for at in np.flatnonzero(found == _BRANCH).tolist():
        if part.worker[at] is None and part.worker_type[at] == "parallel":
            found[at] = _SUCCESS
    for at, detail in enumerate(part.detail if any(part.detail) else ()):
        if detail and "spawn" in detail and found[at] == _NOWHERE and part.error[at] is None:
            found[at] = _BODY
    return found


def mark_ends(codes: np.ndarray[Any, Any], records: Sequence[AttemptFinished]) -> None:
    """Turn "led nowhere" into "end" or "join" where an attempt is the last of its scope.

    Where something of the scope follows, nobody put the edge on record, as in a history made by hand. In a scope that
    undoes, one visit does not lead to the next, so each that led nowhere is an end.
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
    for at in nowhere:
        record = records[at]
        if is_undoing(record.scope):
            codes[at] = _END
        elif at in last:
            was_cancelled = record.error is not None and record.error.type == "BranchCancelled"
            codes[at] = _JOIN if record.scope.endswith("]/") and not was_cancelled else _END
