"""Which process this is, and whether another one is still alive. Reads /proc; signals nobody."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from functools import cache
from pathlib import Path
from typing import Literal

from orchestration_kit.journal.port import Holder, Owner

Judgement = Literal["mine", "alive", "dead", "unknown"]


def this_process() -> Owner:
    """Return who this process is, under a new token.

    >>> this_process().pid == os.getpid()
    True
    """
    pid = os.getpid()
    return Owner(secrets.token_hex(8), socket.gethostname(), _boot(), _namespace(), pid, started(pid) or "")


def judge(holder: Holder, me: Owner) -> Judgement:
    """Return whether the process behind a lease is alive, as far as can be seen from here.

    A process that is stopped, or hangs, is alive; a zombie is dead. From another container, or where the platform tells
    too little, nothing can be said.

    >>> me = this_process()
    >>> judge(Holder(me, 1, 0), me), judge(Holder(me._replace(token="other", process_start="1"), 1, 0), me)
    ('mine', 'dead')
    """
    owner = holder.owner
    if owner.token == me.token:
        return "mine"
    if owner.host == me.host and owner.boot and me.boot and owner.boot != me.boot:
        return "dead"  # the machine started anew since
    if owner.boot != me.boot or owner.namespace != me.namespace:
        return "unknown"
    if not me.boot and owner.host != me.host:
        return "unknown"
    if not _exists(owner.pid):
        return "dead"
    if not me.boot:
        return "unknown"  # a process of this id is there, but nothing tells it from an earlier one
    if not _readable(owner.pid):
        return "alive"  # /proc hides the processes of other users
    return "alive" if started(owner.pid) == owner.process_start else "dead"


def started(pid: int) -> str | None:
    """Return when a living process started, in ticks since the machine did; None where it is gone or nothing tells."""
    text = _stat(pid)
    if text is None:
        return None
    fields = text.rpartition(")")[2].split()  # the name before it may hold anything
    return None if fields[0] in "ZXx" else fields[19]


def _stat(pid: int) -> str | None:
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().decode("ascii", "replace")
    except OSError:
        return None


def _readable(pid: int) -> bool:
    return _stat(pid) is not None


def _exists(pid: int) -> bool:
    if sys.platform == "win32":  # there os.kill(pid, 0) would end it
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


@cache
def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


def _namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")  # noqa: PTH115 - not a path, a name
    except OSError:
        return ""
