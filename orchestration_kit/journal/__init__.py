"""Remember it: journals keep runs, so that they can be resumed, forked, replayed and listed."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestration_kit.journal.cassette import Cassette, CassetteMiss
    from orchestration_kit.journal.codec import register_type
    from orchestration_kit.journal.memory import MemoryJournal
    from orchestration_kit.journal.port import Journal, RunQuery
    from orchestration_kit.journal.sqlite import SQLiteJournal

_HOMES = {
    "Cassette": "cassette",
    "CassetteMiss": "cassette",
    "Journal": "port",
    "MemoryJournal": "memory",
    "RunQuery": "port",
    "SQLiteJournal": "sqlite",
    "register_type": "codec",
}
"""Where each name lives: loaded when it is first used."""

__all__ = ["Cassette", "CassetteMiss", "Journal", "MemoryJournal", "RunQuery", "SQLiteJournal", "register_type"]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'orchestration_kit.journal' has no attribute {name!r}")
    return getattr(importlib.import_module(f"orchestration_kit.journal.{home}"), name)
