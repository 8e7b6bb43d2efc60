"""Runs become a frame of one row for each thing that they wait for: approvals, events, times."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from orchestration_kit.engine.asking import Request
from orchestration_kit.engine.run import Run
from orchestration_kit.history import columns
from orchestration_kit.history.texts import a_type_of, short_text

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("approval", "event", "time")


def waiting_frame(runs: Any) -> pd.DataFrame:
    """Return one row per thing that runs wait for, in the order given: an inbox. What was answered is not there.

    Args:
        runs: A `Run` or what its `waiting` lists; or several runs.

    Columns (dtype):
        run (category): the run that waits; of a sub-workflow, the child.
        path (string): the visit that waits, e.g. `sign#1`; step (category)
        kind (category): approval, event or time.
        prompt (string): what is asked, or waited for, in words; shown (string): short text of what is shown with it.
        event (category): the name of the event; missing for the others.
        asked_at, deadline (datetime64[us, UTC]): deadline is when it times out, or the time waited for; else missing.
        request (string): the hash of the question, as `run.approve(request=...)` takes it.

    >>> from orchestration_kit import ApprovalStep, Orchestrator, WorkflowDefinition
    >>> hub = Orchestrator()
    >>> steps = {"sign": ApprovalStep(step_id="sign", prompt="Send it?", is_terminal=True)}
    >>> hub.register_workflow(WorkflowDefinition(name="letter", steps=steps, initial_step="sign"))
    >>> run = hub.start("letter", "Dear Ada")
    >>> run.run().state.value
    'waiting'
    >>> waiting_frame(run)[["path", "kind", "prompt", "shown"]].values.tolist()
    [['sign#1', 'approval', 'Send it?', "{'input': 'Dear Ada'}"]]

    Raises:
        TypeError: something in `runs` is no run.
    """
    import pandas as pd

    found = list(_requests(runs))
    frame = {
        "run": columns.category([one.run_id for one in found]),
        "path": columns.text([one.path for one in found]),
        "step": columns.category([one.step for one in found]),
        "kind": columns.category([one.kind for one in found], KINDS),
        "prompt": columns.text([one.prompt for one in found]),
        "shown": columns.text([short_text(one.shown) if one.shown else None for one in found]),
        "event": columns.category([one.event for one in found]),
        "asked_at": columns.floats([one.asked_at for one in found]).moments(),
        "deadline": columns.floats([one.deadline for one in found]).moments(),
        "request": columns.text([one.hash for one in found]),
    }
    return pd.DataFrame(frame, copy=False)


def _requests(runs: Any) -> Iterable[Request]:
    is_listing = isinstance(runs, Iterable) and not isinstance(runs, (str, bytes, Request))
    given = cast("Iterable[Any]", runs if is_listing else (runs,))
    for one in given:
        if isinstance(one, Request):
            yield one
        elif isinstance(one, Run):
            yield from one.waiting
        else:
            raise TypeError(f"Nothing waits in {a_type_of(one)}. Give a Run, a list of runs, or run.waiting.")
