"""Reads hostile files in a process of its own, watched by an audit hook: python -m tests.scorecard.watched FOLDER.

Prints one JSON object: what was done that must not be, what came out that is no error of ours, and figures.
"""

from __future__ import annotations

import gc
import importlib
import json
import resource
import sys
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

from orchestration_kit import Orchestrator, WorkerDefinition, WorkflowDefinition
from orchestration_kit.engine.replay import replay
from orchestration_kit.errors import OrchestrationError
from orchestration_kit.journal.loading import load_run
from orchestration_kit.journal.port import RunQuery
from orchestration_kit.journal.sqlite import SQLiteJournal
from tests.scorecard.forging import Forge, attempt_of
from tests.support import step, workflow_of

FORBIDDEN = (
    *("exec", "compile", "import", "pickle.", "marshal.", "subprocess.", "os.system", "os.exec", "os.posix_spawn"),
    *(
        "os.fork",
        "os.spawn",
        "os.startfile",
        "ctypes.",
        "socket.connect",
        "socket.bind",
        "socket.__new__",
        "socket.getaddrinfo",
        "urllib.",
        "shutil.",
        "code.__new__",
        "pty.",
        "webbrowser.",
    ),
    *("os.remove", "os.rename", "os.mkdir", "os.symlink", "sqlite3.enable_load_extension", "sqlite3.load_extension"),
)
MAX_S = 5.0
"""Seconds that one file may take."""
MAX_BYTES = 4 << 30


class Watch:
    """Notes what Python is asked to do while a file is being read."""

    def __init__(self) -> None:
        self.path: Path | None = None
        self.seen: list[str] = []

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.path is None:
            return
        path, self.path = self.path, None  # what follows here is ours
        try:
            if event == "open":
                name = str(arguments[0])
                if not name.startswith((str(path), "/proc/", "/usr/share/zoneinfo/")):
                    self.seen.append(f"{path.name}: open {name}")
            elif event.startswith(FORBIDDEN):
                self.seen.append(f"{path.name}: {event} {arguments!s:.200}")
        finally:
            self.path = path


def read(path: Path, outcomes: Counter[str]) -> None:
    """Do with a file whatever people do."""
    if path.suffix != ".db":
        text = path.read_text()
        for load in (WorkflowDefinition.from_yaml, WorkflowDefinition.from_json):
            outcomes[attempted(lambda load=load: hub().register_workflow(load(text)))] += 1
        return
    try:
        journal = SQLiteJournal(path)
    except OrchestrationError as error:
        outcomes[type(error).__name__] += 1
        return
    with journal:
        outcomes[attempted(lambda: journal.integrity_check())] += 1
        outcomes[attempted(lambda: hub(journal).runs())] += 1
        try:
            run_ids = [run.facts.run_id for run in journal.find_runs(RunQuery())]
        except OrchestrationError as error:
            outcomes[type(error).__name__] += 1
            run_ids = ["forged1", "forged2", "forged3", "forged4"]
        for run_id in run_ids:
            outcomes[attempted(lambda run_id=run_id: load_run(journal, run_id))] += 1
            outcomes[attempted(lambda run_id=run_id: look(hub(journal), run_id))] += 1
            outcomes[attempted(lambda run_id=run_id: look(with_workflow(hub(journal)), run_id))] += 1


def look(hub: Orchestrator, run_id: str) -> None:
    run = hub.get_run(run_id)
    replay(run)
    repr((run, run.history, run.context.data))


def attempted(act: Any) -> str:
    """What came out: nothing, or an error of ours."""
    try:
        act()
    except OrchestrationError as error:
        assert str(error)
        return type(error).__name__
    return "read"


def hub(journal: SQLiteJournal | None = None) -> Orchestrator:
    return Orchestrator(journal=journal)


def with_workflow(hub: Orchestrator) -> Orchestrator:
    hub.register_worker(WorkerDefinition(worker_type="quick", name="quick", executor=lambda given: given))
    hub.register_workflow(workflow_of(step("quick", "done"), step("done", worker_type="quick")))
    return hub


def warm_up(folder: Path) -> None:
    """Have everything imported that reading files in good order, and refusing one, imports."""
    forge = Forge(folder / "warm.db")
    forge.run(attempt_of({"$zoneinfo": "Europe/Berlin"}), attempt_of({"$ndarray": ["<f8", [1], "AAAAAAAA8D8="]}))
    forge.run(attempt_of({"$arrow": ["table", "AAAA"]}), attempt_of({"$model": ["a.b", {}]}))
    forge.run(attempt_of({"$dataframe": ["x"]}))
    forge.run(attempt_of({"$zoneinfo": "No/Where"}))
    forge.journal.close()
    read(folder / "warm.db", Counter())
    for suffix, text in (("yaml", "name: x\nsteps: {}\n"), ("json", '{"name": "x", "stepz": {}}')):
        path = folder / f"warm.{suffix}"
        path.write_text(text)
        read(path, Counter())


def main(folder: Path) -> None:
    for name in ("numpy", "pandas", "pyarrow"):  # what a person who reads journals has
        importlib.import_module(name)
    warm_up(folder)
    resource.setrlimit(resource.RLIMIT_AS, (MAX_BYTES, MAX_BYTES))
    watch, outcomes, raw, slow = Watch(), Counter(), [], []
    sys.addaudithook(watch)
    paths = sorted(
        path for path in folder.iterdir() if path.suffix in (".db", ".yaml", ".json") and path.stem != "warm"
    )
    for path in paths:
        begun = time.monotonic()
        watch.path = path
        try:
            read(path, outcomes)
        except BaseException:
            watch.path = None
            raw.append(f"{path.name}: {traceback.format_exc()[-1500:]}")
        finally:
            watch.path = None
        if (took := time.monotonic() - begun) > MAX_S:
            slow.append(f"{path.name}: {took:.1f} s")
    gc.collect()
    done = {"files": len(paths), "outcomes": outcomes, "done": watch.seen, "raw": raw, "slow": slow}
    print(json.dumps({**done, "pwned": Path("pwned").exists()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
