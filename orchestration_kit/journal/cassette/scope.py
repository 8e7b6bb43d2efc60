"""Which cassette is in use here: the one of the innermost `with` block."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestration_kit.journal.cassette.tape import Cassette

_here: ContextVar[tuple[Cassette, ...]] = ContextVar("orchestration_kit_cassettes", default=())
_open: list[Cassette] = []
"""Those whose block is open, in any thread."""


def current_cassette() -> Cassette | None:
    """Return the innermost cassette whose `with` block is open here; None where there is none.

    A thread that was started within a block, and has opened none of its own, is within it too: nothing that runs in a
    block may call a worker unseen.

    >>> import tempfile
    >>> from orchestration_kit import cassette
    >>> current_cassette() is None
    True
    >>> with tempfile.TemporaryDirectory() as folder, cassette(f"{folder}/site.yaml") as tape:
    ...     current_cassette() is tape
    True
    """
    for one in reversed(_here.get()):
        if any(one is other for other in _open):
            return one
    return _open[-1] if _open else None


def opened(one: Cassette) -> None:
    """Note that a block begins."""
    _open.append(one)
    _here.set((*_here.get(), one))


def closed(one: Cassette) -> None:
    """Note that a block ends."""
    here = list(_here.get())
    for stack in (here, _open):
        at = next((at for at in range(len(stack) - 1, -1, -1) if stack[at] is one), None)
        if at is not None:
            del stack[at]
    _here.set(tuple(here))
