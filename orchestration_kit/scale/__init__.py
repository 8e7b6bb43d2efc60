"""Many runs of one workflow: made, kept track of, gone on with after a crash, and compared."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestration_kit.scale.errors import GoalsError, NotMadeElsewhere, RunSetBusy, RunSetChanged, WorkflowTaken
    from orchestration_kit.scale.goals import Goal
    from orchestration_kit.scale.many import run_many
    from orchestration_kit.scale.run_set import RunSet

_HOMES = {
    "Goal": "goals",
    "GoalsError": "errors",
    "NotMadeElsewhere": "errors",
    "RunSet": "run_set",
    "RunSetBusy": "errors",
    "RunSetChanged": "errors",
    "WorkflowTaken": "errors",
    "run_many": "many",
}
"""Where each name lives: loaded when it is first used."""

__all__ = [
    "Goal",
    "GoalsError",
    "NotMadeElsewhere",
    "RunSet",
    "RunSetBusy",
    "RunSetChanged",
    "WorkflowTaken",
    "run_many",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'orchestration_kit.scale' has no attribute {name!r}")
    return getattr(importlib.import_module(f"orchestration_kit.scale.{home}"), name)
