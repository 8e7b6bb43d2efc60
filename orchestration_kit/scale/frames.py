"""The runs of a set become frames: one row a run, in the order of its goals, whatever ended first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from orchestration_kit.engine.state import WorkflowState
from orchestration_kit.engine.summary import RunSummary
from orchestration_kit.history import columns
from orchestration_kit.scale.plan import Planned

if TYPE_CHECKING:
    import pandas as pd

    from orchestration_kit.history.sources import Recorded

NOT_STARTED = "not started"
"""The state of a run that is not on record."""
STATES = (NOT_STARTED, *(state.value for state in WorkflowState))
_ENDED_WELL_OR_NOT = {"completed": True, "failed": False}


def frame_of_runs(
    runs: Sequence[Planned], found: Sequence[RunSummary | None], outputs: Iterable[Any] | None
) -> pd.DataFrame:
    """Return one row per run."""
    import numpy as np
    import pandas as pd

    totals = [None if one is None else one.totals for one in found]
    success = [_ENDED_WELL_OR_NOT.get("" if one is None else one.state) for one in found]
    frame: dict[str, Any] = {
        "run": columns.text([run.run_id for run in runs]),
        **_goals(runs),
        "state": columns.category([NOT_STARTED if one is None else one.state for one in found], STATES),
        "reason": columns.text([one and one.reason for one in found]),
        "success": columns.booleans(
            np.fromiter((one is True for one in success), bool, len(success)),
            np.fromiter((one is None for one in success), bool, len(success)),
        ),
        "steps": columns.integers([one and one.steps for one in totals]),
        "attempts": columns.integers([one and one.attempts for one in totals]),
        "duration_s": columns.floats([None if one is None else one.duration_s for one in totals]).column(),
        "tokens": columns.integers([None if one is None else _tokens(one) for one in totals]),
        "cost_usd": columns.floats([None if one is None else one.cost_usd for one in totals]).nullable(),
    }
    if outputs is not None:
        cells = np.empty(len(runs), dtype=object)
        for at, output in enumerate(outputs):
            cells[at] = output  # one by one: lists and tables stay one cell
        frame["output"] = pd.Series(cells, dtype=object)
    return pd.DataFrame(frame, copy=False)


def frame_of_failures(
    runs: Sequence[Planned], found: Sequence[RunSummary], read: Callable[[str], Recorded]
) -> pd.DataFrame:
    """Return one row per run that failed: where, and why."""
    import pandas as pd

    ends = [_last_failure(read(run.run_id)) for run in runs]
    frame: dict[str, Any] = {
        "run": columns.text([run.run_id for run in runs]),
        **_goals(runs),
        "path": columns.text([end and end.path for end in ends]),
        "step": columns.category([end and end.step for end in ends]),
        "worker": columns.category([end and end.worker for end in ends]),
        "error_type": columns.category([end and end.error and end.error.type for end in ends]),
        "error": columns.text([end and end.error and end.error.message for end in ends]),
        "reason": columns.text([one.reason for one in found]),
        "attempts": columns.integers([one.totals.attempts for one in found]),
    }
    return pd.DataFrame(frame, copy=False)


def _goals(runs: Sequence[Planned]) -> dict[str, Any]:
    return {
        "goal_id": columns.category([run.goal.id for run in runs]),
        "goal": columns.text([run.goal.text for run in runs]),
        "repeat": columns.integers([run.repeat for run in runs]),
    }


def _tokens(totals: Any) -> int | None:
    told = [tokens for tokens in (totals.input_tokens, totals.output_tokens) if tokens is not None]
    return sum(told) if told else None


def _last_failure(run: Recorded) -> Any:
    return next((record for record in reversed(run.records) if record.error is not None), None)
