"""OrchestrationService: a goal in words becomes a sound workflow of the right workers.

```text
a goal, workers, a budget, a target
  -> matching.py      the kind of goal, by its words, from the catalogue; or planning.py: a planner's draft, checked
     measuring.py     what is on record of workers, or said of them
     selecting.py     who works where, by capability, then by that
     optimum.py       the best choice over the chain of the whole workflow, proven
  -> pipeline.py      explained, estimated, run; watchdog.py and rollout.py look after its runs
```
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestration_kit.service.creating import OrchestrationService
    from orchestration_kit.service.errors import (
        CannotServe,
        NoChoice,
        NothingMeasured,
        PlannerFailed,
        ServiceError,
        UnknownRate,
        WatchdogTripped,
    )
    from orchestration_kit.service.pipeline import Pipeline
    from orchestration_kit.service.rollout import Rollout
    from orchestration_kit.service.watchdog import Outcome, Trip, Watchdog

_HOMES = {
    "CannotServe": "errors",
    "NoChoice": "errors",
    "NothingMeasured": "errors",
    "OrchestrationService": "creating",
    "Outcome": "watchdog",
    "Pipeline": "pipeline",
    "PlannerFailed": "errors",
    "Rollout": "rollout",
    "ServiceError": "errors",
    "Trip": "watchdog",
    "UnknownRate": "errors",
    "Watchdog": "watchdog",
    "WatchdogTripped": "errors",
}

__all__ = [
    "CannotServe",
    "NoChoice",
    "NothingMeasured",
    "OrchestrationService",
    "Outcome",
    "Pipeline",
    "PlannerFailed",
    "Rollout",
    "ServiceError",
    "Trip",
    "UnknownRate",
    "Watchdog",
    "WatchdogTripped",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'orchestration_kit.service' has no attribute {name!r}")
    return getattr(importlib.import_module(f"orchestration_kit.service.{home}"), name)
