"""What passes between a hub and a process of its own: messages in a pipe, all of it data.

A message is its length in 8 bytes, its kind in one, and its body. To the process goes a call: the name of a function
and its arguments, in MessagePack. From it come `begun`, what its worker printed, and what came of the call: bytes, or
an error in words.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any

import msgspec

from orchestration_kit.executors.errors import NotSendable

BEGUN, ANSWERED, PRINTED, COMPLAINED = range(4)
"""Kinds of messages of a process; of a call, the kind is 0."""


class Pipe:
    """Two ends of pipes, as a channel of messages. Sending is safe from several threads."""

    def __init__(self, source: int, target: int) -> None:
        self._source, self._target = source, target
        self._sending = threading.Lock()

    def send(self, kind: int, body: bytes) -> None:
        """Send a message.

        Raises:
            OSError: nobody reads it.
        """
        head = len(body).to_bytes(8, "big") + bytes((kind,))
        with self._sending:
            for part in (head + body,) if len(body) < 1 << 16 else (head, body):
                left = memoryview(part)
                while left:
                    left = left[os.write(self._target, left[: 1 << 20]) :]

    def receive(self) -> tuple[int, bytes] | None:
        """Wait for a message; None where there will be no more."""
        head = self._read(9)
        if head is None:
            return None
        body = self._read(int.from_bytes(head[:8], "big"))
        return None if body is None else (head[8], body)

    def _read(self, size: int) -> bytes | None:
        parts: list[bytes] = []
        while size:
            part = os.read(self._source, min(size, 1 << 20))
            if not part:
                return None
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


def pack_call(function: Callable[..., Any], arguments: tuple[Any, ...]) -> bytes:
    """Return a call as data.

    >>> unpack_call(pack_call(len, (b"abc",)))
    ('builtins', 'len', [b'abc'])

    Raises:
        NotSendable: the function has no name by which a module knows it, or an argument is no plain data.
    """
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
    if module is None or name is None or module == "__main__" or "<" in name:
        reason = "it has no name by which a module of the other process knows it"
        raise NotSendable(f"The function {function!r:.80}", reason, "Call a function of a module.")
    if not all(isinstance(one, (bytes, str, int, float)) for one in arguments):
        kinds = ", ".join(sorted({type(one).__name__ for one in arguments}))
        hint = "Give bytes, text and numbers."
        raise NotSendable(f"An argument of {module}.{name}", f"those are of the types {kinds}", hint)
    return msgspec.msgpack.encode((module, name, arguments))


def unpack_call(body: bytes) -> tuple[str, str, list[Any]]:
    """Return the names of a function's module and of the function, and its arguments."""
    return msgspec.msgpack.decode(body, type=tuple[str, str, list[Any]])
