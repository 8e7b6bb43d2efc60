"""One program becomes its exit code and what it printed. Whatever way the call ends, none of its processes is left."""

from __future__ import annotations

import asyncio
import atexit
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

GRACE_S = 2.0
"""How long a program may take to end after SIGTERM, before SIGKILL."""
EOF_S = 2.0
"""How long its pipes are read after its end: only a process that left its group can hold them open longer."""
MAX_STDERR = 16_384
"""Bytes of stderr that are kept: the last ones."""

_alive: set[tuple[int, int]] = set()
"""Programs that run now: whose they are (this process; a fork of it has a copy of this set), and their group."""


class Ended(NamedTuple):
    """What came of a program."""

    code: int | None
    """Its exit code; negative: the signal that ended it; None where it was stopped for what it printed."""
    stdout: bytes
    stderr: bytes
    """The last of it."""


async def run_process(
    argv: Sequence[str], stdin: bytes, *, env: Mapping[str, str], cwd: str | None, max_stdout: int
) -> Ended:
    """Run a program in a process group of its own, without a shell, and return what came of it.

    When it ends, or the call is cancelled, the whole group is ended: SIGTERM, then SIGKILL. A process that made a
    session of its own (a daemon) is beyond reach.

    Args:
        argv: The program and its arguments.
        stdin: What it can read.
        env: Its whole environment.
        cwd: Where it runs; None: here.
        max_stdout: Bytes that it may print; over that it is stopped.

    Raises:
        OSError: it could not be started.
    """
    loop = asyncio.get_running_loop()
    starting = loop.create_task(
        loop.subprocess_exec(
            lambda: _Listener(loop, max_stdout),
            *argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=dict(env),
            cwd=cwd,
            start_new_session=True,
        )
    )
    cancelled: asyncio.CancelledError | None = None
    try:
        transport, listener = await asyncio.shield(starting)
    except asyncio.CancelledError as error:
        cancelled = error  # asyncio would end the program alone, and leave what it has started meanwhile
        try:
            transport, listener = await starting
        except OSError:
            raise error from None  # nothing was started
    group = transport.get_pid()
    _watch(group)
    try:
        if cancelled is not None:
            raise cancelled
        pipe: Any = transport.get_pipe_transport(0)
        pipe.write(stdin)
        pipe.close()  # when all is written
        await listener.over.wait()
        if listener.too_much:
            return Ended(None, b"", bytes(listener.stderr))
        _signal(group, signal.SIGKILL)  # what it left behind; its own end is known
        with suppress(TimeoutError):
            await asyncio.wait_for(listener.closed.wait(), EOF_S)
        return Ended(transport.get_returncode(), bytes(listener.stdout), bytes(listener.stderr))
    finally:
        try:
            await _end(group, listener)
        finally:
            transport.close()
            _alive.discard((os.getpid(), group))


async def _end(group: int, listener: _Listener) -> None:
    """End a group, gently first; a second cancellation makes it abrupt."""
    try:
        if not listener.exited.is_set():
            _signal(group, signal.SIGTERM)
            with suppress(TimeoutError):
                await asyncio.wait_for(listener.exited.wait(), GRACE_S)
    finally:
        _signal(group, signal.SIGKILL)
    with suppress(TimeoutError):
        await asyncio.wait_for(listener.closed.wait(), EOF_S)


class _Listener(asyncio.SubprocessProtocol):
    """Hears what a program prints, and that it ends.

    `Process.wait()` of asyncio comes back only when all pipes are closed, which a process left in the background never
    does.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, max_stdout: int) -> None:
        self._loop = loop
        self._max = max_stdout
        self.stdout, self.stderr = bytearray(), bytearray()
        self.too_much = False
        self.exited, self.closed, self.over = asyncio.Event(), asyncio.Event(), asyncio.Event()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Keep what was printed: of stdout all, of stderr the end."""
        if fd == 2:
            self.stderr += data
            del self.stderr[:-MAX_STDERR]
        elif not self.too_much:
            self.stdout += data
            if len(self.stdout) > self._max:
                self.too_much = True
                self.stdout.clear()
                self.over.set()

    def process_exited(self) -> None:
        """Note that the program has ended."""
        self.exited.set()
        self.over.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Note that all it printed was read."""
        self.closed.set()


def _signal(group: int, number: int) -> None:
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):  # it is gone; macOS says the latter of what has just ended
            os.killpg(group, number)
    else:  # Windows knows no groups: the program alone
        with suppress(OSError):
            os.kill(group, signal.SIGTERM)


def _watch(group: int) -> None:
    """See that a program does not outlive this process, where that ends in good order while a thread runs it."""
    if not _alive:
        atexit.unregister(_end_all)
        atexit.register(_end_all)
    _alive.add((os.getpid(), group))


def _end_all() -> None:
    for owner, group in tuple(_alive):
        if owner == os.getpid():
            _signal(group, signal.SIGKILL)
