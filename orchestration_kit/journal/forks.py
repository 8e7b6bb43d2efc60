"""What holds locks and files prepares for a fork and recovers from it, so that a child process starts with none."""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet


class Forkable(Protocol):
    """What has to know of forks."""

    def before_fork(self) -> None:
        """Stand still: no thread inside, no file open that a child could break."""
        ...

    def after_fork(self, *, in_child: bool) -> None:
        """Go on."""
        ...


_known: WeakSet[Forkable] = WeakSet()
_standing_still: list[Forkable] = []


def survive_forks(one: Forkable) -> None:
    """Tell `one` of every fork for as long as it lives."""
    _known.add(one)


def _before() -> None:
    for one in sorted(_known, key=id):
        one.before_fork()
        _standing_still.append(one)


def _after(*, in_child: bool) -> None:
    while _standing_still:
        _standing_still.pop().after_fork(in_child=in_child)


if hasattr(os, "register_at_fork"):  # where there is no fork, there is nothing to survive
    os.register_at_fork(
        before=_before,
        after_in_parent=lambda: _after(in_child=False),
        after_in_child=lambda: _after(in_child=True),
    )
