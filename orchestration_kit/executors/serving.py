"""What runs in a process that a hub starts: it makes the calls that it is sent, one by one, until nobody is there.

Prints of workers are sent to the hub, so that they appear in the cell that runs. A hub that is gone, however it went,
takes its processes with it: the pipe ends.
"""

from __future__ import annotations

import functools
import importlib
import io
import os
import signal
import sys
import threading
from queue import SimpleQueue
from typing import Any

from orchestration_kit.executors.answers import answer
from orchestration_kit.executors.frames import (
    ANSWERED,
    BEGUN,
    COMPLAINED,
    PRINTED,
    Pipe,
    unpack_call,
)


def serve() -> None:
    """Make calls until the pipe ends."""
    pipe = Pipe(os.dup(0), os.dup(1))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)  # what a library prints must not come between messages
    sys.stdout, sys.stderr = _Told(pipe, PRINTED), _Told(pipe, COMPLAINED)
    # The hub hears Ctrl-C, and lets go of what is under way. Programs that a worker starts hear it, too.
    signal.signal(signal.SIGINT, _hear_nothing)
    calls: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_receive, args=(pipe, calls), name="orchestration_kit calls", daemon=True).start()
    while True:
        _make(pipe, calls.get())


def _receive(pipe: Pipe, calls: SimpleQueue[bytes]) -> None:
    while (message := pipe.receive()) is not None:
        calls.put(message[1])
    os._exit(0)  # nobody is left to tell of anything: not even of what is being made


def _make(pipe: Pipe, body: bytes) -> None:
    module, name, arguments = unpack_call(body)
    pipe.send(BEGUN, b"")
    content = answer(_called, module, name, *arguments)
    sys.stdout.flush()
    sys.stderr.flush()
    pipe.send(ANSWERED, content)


def _called(module: str, name: str, *arguments: Any) -> Any:
    found: Any = importlib.import_module(module)
    return functools.reduce(getattr, name.split("."), found)(*arguments)


def _hear_nothing(*_: object) -> None:
    """Go on."""


class _Told(io.TextIOBase):
    """Text that goes to the hub, a line at a time."""

    def __init__(self, pipe: Pipe, kind: int) -> None:
        super().__init__()
        self._pipe, self._kind, self._line = pipe, kind, ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._line += text
        if "\n" in self._line or len(self._line) > 4096:
            self.flush()
        return len(text)

    def flush(self) -> None:
        line, self._line = self._line, ""
        if line:
            self._pipe.send(self._kind, line.encode("utf-8", "backslashreplace"))
