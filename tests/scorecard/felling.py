"""A Dask cluster whose workers are killed while a run makes progress: so many, after so many results."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

from orchestration_kit.engine.events import AttemptFinished

PATIENCE_S = 60.0


def mark(folder: str, item: int) -> int:
    """A worker's deed: a line in the item's file, and a moment in which it may be killed."""
    with (Path(folder) / f"{item}").open("ab") as file:
        file.write(b"done\n")
    time.sleep(0.004)
    return item * item


def deeds(folder: Path) -> dict[int, int]:
    """How often each item's deed was done."""
    return {int(path.name): len(path.read_bytes().splitlines()) for path in folder.iterdir()}


class Feller:
    """Kills a worker of a local cluster after every so many results; each that it kills was up and running."""

    def __init__(self, client, *, kills: int, results: int) -> None:
        self.client, self.kills, self.every = client, kills, max(1, results // (kills + 1))
        self.felled: list[int] = []
        self.problem: BaseException | None = None
        self._results = 0
        self._due = threading.Semaphore(0)
        self._over = False
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> Feller:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        self._due.release()
        self._thread.join(PATIENCE_S)

    def hear(self, event) -> None:
        """Count results: an observer of the run."""
        if isinstance(event, AttemptFinished) and event.worker is not None:
            self._results += 1
            if self._results % self.every == 0:
                self._due.release()

    def _work(self) -> None:
        try:
            for _ in range(self.kills):
                self._due.acquire()
                if self._over:
                    return
                pid = self._victim()
                os.kill(pid, signal.SIGKILL)
                self.felled.append(pid)
        except BaseException as error:
            self.problem = error

    def _victim(self) -> int:
        """A process that is up, and was not killed yet; its nanny knows it, so that another one takes its place."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            known = self.client.cluster.scheduler.workers
            nannies = self.client.cluster.workers.values()
            for nanny in sorted(nannies, key=lambda nanny: len(self.felled) % 2 == nanny.name % 2):
                own = nanny.process
                # A nanny whose worker ends before it has seen it running gives up, and the cluster is one short.
                is_up = own is not None and own.status.name == "running" and own.worker_address in known
                if is_up and own.pid not in self.felled:
                    return own.pid
            assert time.monotonic() < deadline, "no worker came up again"
            time.sleep(0.005)
