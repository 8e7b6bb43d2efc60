"""What runs in the processes of rows 3 and 4: one drives a run and waits in the middle, another tries to."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from orchestration_kit.errors import OrchestrationError
from orchestration_kit.journal.sqlite import SQLiteJournal
from tests.scorecard.forks import until
from tests.scorecard.publishing import Calls, hub_of, start_or_reopen

WAITS_AT = ("review#2", 1)


def drive(folder: str, name: str, lease_s: float, waits: bool) -> None:
    """Drive the run; wait in the middle of an attempt for a file called `go`. What came of it goes to a file."""
    calls = Calls(folder, "r")
    journal = SQLiteJournal(f"{folder}/runs.db", lease_s=lease_s)

    def around(context, mark):
        calls.note(context, mark)
        if waits and mark == "B" and (context.path, context.attempt) == WAITS_AT:
            (Path(folder) / f"{name}.waits").touch()
            until(Path(folder, "go").exists, "go")

    begun = time.monotonic()
    try:
        run = start_or_reopen(hub_of(journal, around), "r")
        run.run()
        answer = {"state": str(run.state)}
    except OrchestrationError as error:
        answer = {"error": type(error).__name__, "message": str(error), "after_s": time.monotonic() - begun}
    journal.close()
    tell(folder, name, answer)


def try_to_drive(folder: str, name: str) -> None:
    """Resume the run at the moment that a file called `go` appears."""
    calls = Calls(folder, "r")
    with SQLiteJournal(f"{folder}/runs.db") as journal:
        hub = hub_of(journal, calls.note)
        (Path(folder) / f"{name}.waits").touch()
        while not os.path.exists(f"{folder}/go"):
            pass  # as close together as can be
        begun = time.monotonic()
        try:
            context = hub.resume("r", verbose=False)
            answer = {"state": str(context.state)}
        except OrchestrationError as error:
            answer = {"error": type(error).__name__, "message": str(error), "after_s": time.monotonic() - begun}
    tell(folder, name, answer)


def tell(folder: str, name: str, answer: dict[str, object]) -> None:
    """Leave an answer, whole or not at all."""
    answer["pid"] = os.getpid()
    part = Path(folder) / f"{name}.part"
    part.write_text(json.dumps(answer))
    part.rename(Path(folder) / f"{name}.json")


def answer_of(folder: str | Path, name: str) -> dict[str, object]:
    """What a process left."""
    path = Path(folder) / f"{name}.json"
    until(path.exists, f"an answer of {name}")
    return json.loads(path.read_text())
