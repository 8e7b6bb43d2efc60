"""The pieces of an output as observers hear of them: without secrets, also without those that come in parts."""

from __future__ import annotations

from os.path import commonprefix
from typing import TYPE_CHECKING, Any

from orchestration_kit.engine.events import PartialOutput

if TYPE_CHECKING:
    from orchestration_kit.engine.driven import Driven
    from orchestration_kit.engine.visits import Visit

_WINDOW = 8_192
"""Characters of a stream of text that are looked at together, at most."""


class Stream:
    """Tells observers of pieces. Text is looked at together with what came just before it.

    A secret in parts is known for one when enough of it is there: what was told of it by then cannot be taken back.
    """

    __slots__ = ("_path", "_run", "_said", "_text")

    def __init__(self, run: Driven, visit: Visit) -> None:
        self._run, self._path = run, visit.path
        self._text = self._said = ""
        """What came, and what of it was told."""

    def tell(self, piece: Any) -> None:
        """Tell of a piece; of nothing, where it only goes on with a secret."""
        run, scrub = self._run, self._run.machine.plan.services.scrub
        if not run.audience.observers:
            return
        if scrub is None:
            run.audience.emit(PartialOutput(self._path, piece))
        elif type(piece) is not str:
            self._text = self._said = ""
            run.audience.emit(PartialOutput(self._path, scrub(piece)))
        elif (told := self._new(piece, scrub.text(self._text + piece))) or not piece:
            run.audience.emit(PartialOutput(self._path, told))

    def _new(self, piece: str, cleaned: str) -> str:
        """Return what a text adds to what was told."""
        is_clean = len(cleaned) == len(self._text) + len(piece) and cleaned.endswith(piece) and self._said == self._text
        known = len(commonprefix([self._said, cleaned]))  # noqa: RUF071 - of characters is what is meant
        told = piece if is_clean else cleaned[known:]
        self._text += piece
        self._said = cleaned
        if len(self._text) > _WINDOW and is_clean:
            self._text = self._said = self._text[-_WINDOW // 4 :]
        return told
