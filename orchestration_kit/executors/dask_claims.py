"""Who may make a call that must not be made twice: its first beginning, as the scheduler knows.

A task may begin a second time: its machine was lost, or only thought lost. Each beginning asks the scheduler for the
call, which is given once, and only while somebody waits for it.
"""

from __future__ import annotations

from typing import Any

from distributed.diagnostics.plugin import SchedulerPlugin

HANDLER = "orchestration_kit_claim"


class Claims(SchedulerPlugin):
    """Gives each call to whoever asks first."""

    name = "orchestration_kit-claims"
    idempotent = True

    def __init__(self) -> None:
        self._taken: set[Any] = set()
        self._tasks: Any = {}

    async def start(self, scheduler: Any) -> None:
        """Answer on the scheduler."""
        self._tasks = scheduler.tasks
        scheduler.handlers[HANDLER] = self.claim

    def claim(self, key: str) -> bool:
        """Take a call; False where it was taken before, or nobody waits for it."""
        if key in self._taken or key not in self._tasks:
            return False
        self._taken.add(key)
        return True

    def transition(self, key: Any, start: Any, finish: Any, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Forget a call that the scheduler has forgotten."""
        if finish == "forgotten":
            self._taken.discard(key)
