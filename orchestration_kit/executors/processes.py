"""Calls are made in processes of their own: for workers that compute, and for those that may take a process down."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Self
from weakref import finalize

from orchestration_kit.engine.executor_port import Call
from orchestration_kit.executors.answers import opened
from orchestration_kit.executors.crew import Crew, Task
from orchestration_kit.executors.errors import MAX_LOSSES, MissingExecutorExtra, lost
from orchestration_kit.executors.frames import (
    BEGUN,
    COMPLAINED,
    PRINTED,
    Pipe,
    pack_call,
)
from orchestration_kit.executors.window import Window, checked_resources, checked_slots

_BEGIN = (
    "import json, sys; sys.path[:] = json.loads(sys.argv.pop()); "
    "from orchestration_kit.executors.serving import serve; serve()"
)
"""Of a process: no module of the hub's is run again, so that no script needs `if __name__ == '__main__'`."""


class ProcessesExecutor:
    """Makes calls in processes on this machine. A worker may be a function of a notebook: its code is sent along.

    A process that ends is replaced; what it was at is called again, at most three times, or, where that must not be,
    ends in `WorkerLost`. A call that nobody waits for any more (its time was up, its run was cancelled) is ended with
    its process. The processes end with the hub, however that ends, and their workers' prints appear where it prints.

    >>> from orchestration_kit.engine.executor_port import Call
    >>> with ProcessesExecutor(1) as executor:  # doctest: +SKIP
    ...     executor.submit(Call(key="1", function=zlib.compress, arguments=(b"abc",))).result()

    Args:
        processes: How many calls are made at once; as many as there are processors where nothing is said.
        resources: What this machine has, e.g. `{"GPU": 1}`: calls that need it take turns.

    Raises:
        MissingExecutorExtra: cloudpickle is not installed.
    """

    is_remote = True

    def __init__(self, processes: int | None = None, *, resources: Mapping[str, float] | None = None) -> None:
        try:
            import cloudpickle  # pyright: ignore[reportUnusedImport] # noqa: F401 - so that it is missed now
        except ImportError as error:
            raise MissingExecutorExtra("ProcessesExecutor", "cloudpickle", "processes") from error
        self._processes = checked_slots(processes, "processes")
        window = Window("ProcessesExecutor", lambda: self._processes, checked_resources(resources))
        self._crew = Crew("ProcessesExecutor", self._processes, window, hand=_Hand, can_end=True)
        finalize(self, self._crew.close)

    @property
    def slots(self) -> int:
        """How many processes there are at most: each is started when there is something to do for it."""
        return self._processes

    def submit(self, call: Call) -> Future[Any]:
        """Have a call made in one of the processes; raises as `Executor.submit` does.

        Raises:
            NotSendable: its function is of no module, or an argument no plain data.
        """
        pack_call(call.function, ())  # seen now, on the thread of whoever is wrong
        return self._crew.submit(call)

    def cancel(self, future: Future[Any]) -> None:
        """Let go of a call; one that is being made is ended with its process."""
        self._crew.cancel(future)

    def close(self) -> None:
        """End the processes, with what they are at."""
        self._crew.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"ProcessesExecutor({self._processes})"


class _Process:
    """A process that makes calls."""

    def __init__(self) -> None:
        path = [os.path.abspath(part) for part in sys.path]  # noqa: PTH100 - also of ""
        self._own = subprocess.Popen(  # noqa: S603 - this very interpreter
            [sys.executable, "-c", _BEGIN, json.dumps(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._own.stdin is not None  # noqa: S101
        assert self._own.stdout is not None  # noqa: S101
        self._pipe = Pipe(self._own.stdout.fileno(), self._own.stdin.fileno())

    def ask(self, body: bytes) -> tuple[bool, bytes | None]:
        """Have a call made: whether it was begun, and what came of it; None where the process ended before."""
        begun = False
        with suppress(OSError):
            self._pipe.send(0, body)
            while (message := self._pipe.receive()) is not None:
                kind, text = message
                if kind == BEGUN:
                    begun = True
                elif kind in {PRINTED, COMPLAINED}:
                    stream = sys.stdout if kind == PRINTED else sys.stderr
                    print(text.decode(errors="replace"), end="", file=stream, flush=True)
                else:
                    return begun, text
        return begun, None

    def kill(self) -> None:
        """End it, whatever it is at."""
        with suppress(OSError):
            self._own.kill()

    def end(self) -> str:
        """End it, wait until it has, and return how it ended, in words."""
        for stream in (self._own.stdin, self._own.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        try:
            code = self._own.wait(timeout=_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            code = self._own.wait()
        if code >= 0:
            return f"its process ended with exit code {code}"
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        return f"its process was ended by {name}"


_PATIENCE_S = 2.0
"""How long a process may take to end whose pipe has."""


class _Hand:
    """One slot: makes a call after another in a process, and in another one where that is lost."""

    def __init__(self) -> None:
        self._process: _Process | None = None

    def make(self, task: Task) -> bytes:
        """Make a call.

        Raises:
            WorkerLost: the process was lost, and it may not be made again; or was lost again and again.
        """
        call, body = task.call, pack_call(task.call.function, task.call.arguments)
        times = 0
        while True:
            process = self._process = self._process or _Process()
            with task.held:
                task.let_go = process.kill
                if task.is_dropped:
                    process.kill()
            begun, reply = process.ask(body)
            if reply is not None and not task.is_dropped:
                return opened(reply)
            self._process = None
            how = process.end()
            times += 1
            if task.is_dropped or times > MAX_LOSSES or (begun and not call.may_repeat):
                raise lost(call, how, times)

    def end(self) -> None:
        """Let go of the process."""
        if self._process is not None:
            self._process.end()
