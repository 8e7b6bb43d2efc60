"""The player that a monitor opens below its table; where nothing may be changed, one that only looks."""

from __future__ import annotations

from typing import Any, cast

from orchestration_kit.engine.run import Run
from orchestration_kit.widgets.player import Player

_LOOKING = ("hello", "open_tab", "choose", "turn_page", "open_key", "open_run", "open_parent")
_ONLY_LOOKS = "This monitor only looks."


class Spectator(Player):
    """A player that changes nothing: its buttons say so, and what a page asks for besides looking is refused."""

    def _status(self) -> dict[str, Any]:
        told = super()._status()
        return told | {"buttons": dict.fromkeys(told["buttons"], _ONLY_LOOKS), "asked": []}

    def _hear(self, _widget: Any, content: Any, _buffers: Any) -> None:
        wanted = cast("dict[str, Any]", content).get("intent") if isinstance(content, dict) else None
        if wanted is None or wanted in _LOOKING:
            super()._hear(_widget, content, _buffers)
        else:
            self.tell(f"{_ONLY_LOOKS} Nothing was changed.", level="error")


def opened_player(run: Run, *, may_change: bool) -> Player:
    """Return a player of a run."""
    return Player(run) if may_change else Spectator(run)
