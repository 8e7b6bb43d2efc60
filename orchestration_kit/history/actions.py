"""Runs become a frame of one row for each action that a worker wanted: what was said of it, what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from orchestration_kit.history import columns
from orchestration_kit.history.sources import recordings
from orchestration_kit.history.texts import short_text

if TYPE_CHECKING:
    import pandas as pd

    from orchestration_kit.engine.events import AttemptFinished

OUTCOMES = ("carried out", "refused", "kept back", "failed", "unfinished")


def actions_frame(runs: Any) -> pd.DataFrame:
    """Return one row per action that a worker asked its hub for, in the order of the workflow.

    Args:
        runs: A `Run`, a `WorkflowContext`, a list of history entries or of events; or several of these.

    Columns (dtype):
        run (category), path (string), step (category), attempt (Int64): who asked; worker (category)
        action_type (category), action (string): short text of its arguments; cost_usd (Float64): missing where what the
            worker said is no number
        outcome (category): carried out; refused, and it did not happen; kept back, what came of it was refused; failed,
            whoever carried it out raised; unfinished, its attempt was stopped meanwhile: it may have happened.
        by_person (boolean): whether a person let it happen although the constraints had refused it.
        violations (string): what the rules said, one a line; missing where they had nothing against it.
        labels (string): what the run is marked with since, e.g. "secret"; missing where with nothing.
        at (datetime64[us, UTC])

    >>> done = {"action_type": "api_call", "action_data": {"url": "https://example.org"}, "cost": 0.0, "approved": True}
    >>> frame = actions_frame([{"step": "fetch", "detail": {"actions": [done]}}])
    >>> frame[["path", "action_type", "outcome"]].values.tolist()
    [['fetch#1', 'api_call', 'carried out']]

    Raises:
        TypeError: there is no history in `runs`.
    """
    import numpy as np
    import pandas as pd

    rows = [(run.run, record, action) for run in recordings(runs) for record, action in _actions(run.records)]
    given = [action for _, _, action in rows]
    frame = {
        "run": columns.category([run for run, _, _ in rows]),
        "path": columns.text([record.path for _, record, _ in rows]),
        "step": columns.category([record.step for _, record, _ in rows]),
        "attempt": columns.integers([record.attempt for _, record, _ in rows]),
        "worker": columns.category([record.worker for _, record, _ in rows]),
        "action_type": columns.category([str(action.get("action_type")) for action in given]),
        "action": columns.text([short_text(action.get("action_data")) for action in given]),
        "cost_usd": pd.array([_cost(action.get("cost")) for action in given], dtype="Float64"),
        "outcome": columns.category([_outcome(action) for action in given], OUTCOMES),
        "by_person": columns.booleans(np.array(["approved_by" in action for action in given], dtype=bool)),
        "violations": columns.text(["\n".join(_told(action)) or None for action in given]),
        "labels": columns.text([", ".join(map(str, action.get("labels", ()))) or None for action in given]),
        "at": columns.floats([action.get("at") for action in given]).moments(),
    }
    return pd.DataFrame(frame, copy=False)


def _actions(records: list[AttemptFinished]) -> Iterator[tuple[AttemptFinished, dict[str, Any]]]:
    for record in records:
        for action in (record.detail or {}).get("actions", ()):
            yield record, action


def _outcome(action: dict[str, Any]) -> str:
    if "error" in action:
        return "failed"
    if action.get("unfinished"):
        return "unfinished"
    if action.get("approved"):
        return "carried out"
    return "kept back" if action.get("kept_back") else "refused"


def _cost(said: Any) -> float | None:
    """Return a cost; None where it is none: what was refused is on record as it was asked for, whatever it was."""
    if said is None:
        return 0.0
    is_number = isinstance(said, (int, float)) and abs(said) < 1e300
    return float(said) if is_number else None


def _told(action: dict[str, Any]) -> list[str]:
    return [f"{one.get('message')} [{one.get('rule')}]" for one in action.get("violations", ())]
