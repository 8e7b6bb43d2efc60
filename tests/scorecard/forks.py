"""Children that begin at once: one process has everything imported, and forks.

`Template` is the end in the test. The other end is this module run as a program: it reads a line of JSON at a time.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
PATIENCE_S = 60.0
"""How long a test waits for what has to come."""


class Template:
    """A process that forks children on demand, and waits for them."""

    def __init__(self, *modules: str) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.scorecard.forks", *modules],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._alive: set[int] = set()
        assert self._read() == "ready"

    def fork(self, function: Callable[..., Any], *arguments: Any) -> int:
        """Begin a child that calls a function of a module; return its process id."""
        with self._lock:
            self._send(["fork", f"{function.__module__}:{function.__name__}", list(arguments)])
            pid = self._read()
            self._alive.add(pid)
            return pid

    def wait(self, pid: int) -> int:
        """Return the status of a child when it has ended: an exit code, or minus a signal. Until then it is a zombie."""
        with self._lock:
            self._send(["wait", pid])
            status = self._read()
            self._alive.discard(pid)
            return status

    def is_waited_for(self, pid: int) -> bool:
        """Whether nobody has waited for a child yet, so that its process id is its own."""
        return pid in self._alive

    def call(self, function: Callable[..., Any], *arguments: Any) -> int:
        """Have a child call a function, and return its status."""
        return self.wait(self.fork(function, *arguments))

    def close(self) -> None:
        """End the process, and what is left of its children."""
        for pid in self._alive:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self._process.stdin.close()
        self._process.wait(PATIENCE_S)
        self._process.stdout.close()

    def _send(self, message: Any) -> None:
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()

    def _read(self) -> Any:
        line = self._process.stdout.readline()
        assert line, "the template process has ended"
        return json.loads(line)


def until(holds: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> Any:
    """Look again and again until something holds; return it."""
    deadline = time.monotonic() + patience_s
    while not (found := holds()):
        assert time.monotonic() < deadline, f"waited {patience_s:g} s in vain: {what}"
        time.sleep(0.001)
    return found


def _serve() -> None:
    for module in sys.argv[1:]:
        importlib.import_module(module)
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what children print is none of the protocol
    _tell(answer, "ready")
    for line in sys.stdin:
        what, *rest = json.loads(line)
        if what == "wait":
            _, status = os.waitpid(rest[0], 0)
            _tell(answer, os.waitstatus_to_exitcode(status))
            continue
        pid = os.fork()
        if pid == 0:
            _work(*rest)
        _tell(answer, pid)


def _tell(answer: Any, message: Any) -> None:
    answer.write(json.dumps(message) + "\n")
    answer.flush()


def _work(function: str, arguments: list[Any]) -> None:
    code = 1
    try:
        module, _, name = function.partition(":")
        getattr(importlib.import_module(module), name)(*arguments)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve()
