"""CPython with what a browser lacks taken away, before anything of the package is imported.

As in Pyodide: no thread can be started, no process made, nothing listened at or connected to; some modules are not
there at all; and the CEL library is one of them.
"""

from __future__ import annotations

import _thread
import importlib
import sys
import sysconfig
import threading
from typing import Any

MISSING = ("cel", "_multiprocessing", "_posixshmem", "resource", "_interpreters")
"""Modules that Pyodide has not."""
LOADED_BEFORE = ("asyncio", "multiprocessing", "socket", "subprocess", "zoneinfo")
"""They look at the platform when they are loaded."""
FORBIDDEN = frozenset({"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.exec", "os.system", "socket.connect", "socket.bind"})  # fmt: skip


def no_thread(*_: Any, **__: Any) -> Any:
    raise RuntimeError("can't start new thread")


def _refuse(event: str, _: Any) -> None:
    if event in FORBIDDEN:
        raise OSError(138, f"emscripten does not support processes: {event}")


def enter(*load: str) -> None:
    """Take it away, in this process, for good; other libraries that are to be there are loaded first."""
    for name in (*LOADED_BEFORE, *load):
        importlib.import_module(name)
    sysconfig.get_config_vars()
    for name in MISSING:
        sys.modules[name] = None  # type: ignore[assignment]
    sys.platform = "emscripten"
    threading.Thread.start = no_thread
    _thread.start_new_thread = no_thread
    if hasattr(_thread, "start_joinable_thread"):
        _thread.start_joinable_thread = no_thread
    sys.addaudithook(_refuse)
