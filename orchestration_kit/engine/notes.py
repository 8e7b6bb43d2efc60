"""What a context holds once somebody asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from contextlib import AbstractContextManager

    from orchestration_kit.engine.data import DataView
    from orchestration_kit.engine.elsewhere import Errand
    from orchestration_kit.engine.events import HistoryEntry
    from orchestration_kit.engine.refusals import ActionRefused


class Notes:
    """What a context holds once somebody asks for it: a worker that looks at nothing pays for nothing."""

    __slots__ = (
        "actions", "added", "cached", "errand", "granted", "history", "is_open", "is_over", "is_returned", "lessons",
        "metadata", "random", "refused", "seen", "told", "turn", "usage", "view",
    )  # fmt: skip

    def __init__(self) -> None:
        self.cached = False
        """Whether the attempt comes from a recording."""
        self.errand: Errand | None = None
        """The attempt, where an executor calls its worker."""
        self.view: DataView | None = None
        self.seen = 0
        """How many records there were when the run's view of the data was made."""
        self.usage: dict[str, Any] | None = None
        self.history: list[HistoryEntry] | None = None
        self.told = 0
        """How many records the history holds."""
        self.metadata: dict[str, Any] | None = None
        self.random: random.Random | None = None
        self.added: list[Any] | None = None
        """Items for the map that the visit is in."""
        self.actions: list[dict[str, Any]] | None = None
        """What it asked the hub to carry out."""
        self.lessons: list[Any] | None = None
        """Which lessons it made use of."""
        self.refused: ActionRefused | None = None
        """Why it cannot succeed any more, whatever the worker makes of it."""
        self.granted: dict[str, Any] | None = None
        """The action that a person let happen, once it has."""
        self.is_returned = False
        """Whether the last action was returned by the worker, not asked for within."""
        self.is_open = False
        """Whether its worker is being called, by way of what carries out actions."""
        self.is_over = False
        """Whether what it did is on record, so that nothing more may be done."""
        self.turn: AbstractContextManager[Any] | None = None
        """Held while the gate is asked: threads of one worker ask one after another."""
