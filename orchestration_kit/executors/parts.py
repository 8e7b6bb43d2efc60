"""Large parts of what is sent, by what they hold: a machine that has one is not sent it again.

Calls name the parts that they need. Where one is missing, the answer says so before anything is called, and the call is
sent again with it: so machines may come and go, and nobody has to know which has what.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

MAX_BYTES = 256 << 20
"""What a machine keeps of parts, in each process; what was not needed for the longest time goes first."""
MAX_CODE = 64
"""How many functions a process keeps ready."""


class Parts:
    """What a process has been sent."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._parts: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()
        self._loaded: OrderedDict[str, Any] = OrderedDict()

    def put(self, digest: str, content: bytes) -> None:
        """Keep a part."""
        with self._lock:
            if digest in self._parts:
                self._parts.move_to_end(digest)
                return
            self._parts[digest] = content
            self._size += len(content)

    def lacks(self, digests: Iterable[str]) -> list[str]:
        """Return those that are not here."""
        with self._lock:
            missing: list[str] = []
            for digest in digests:
                if digest in self._parts:
                    self._parts.move_to_end(digest)
                else:
                    missing.append(digest)
            return missing

    def take(self, digests: Iterable[str]) -> dict[str, bytes]:
        """Return parts for a call, and forget what was not needed for long."""
        with self._lock:
            taken = {digest: self._parts[digest] for digest in digests if digest in self._parts}
            while self._size > self._max_bytes and self._parts:
                _, content = self._parts.popitem(last=False)
                self._size -= len(content)
            return taken

    def loaded(self, digest: str, load: Callable[[], Any]) -> Any:
        """Return what a part of code is, loaded once as long as it is used."""
        with self._lock:
            if digest in self._loaded:
                self._loaded.move_to_end(digest)
                return self._loaded[digest]
        made = load()
        with self._lock:
            self._loaded[digest] = made
            while len(self._loaded) > MAX_CODE:
                self._loaded.popitem(last=False)
        return made
