"""The kinds of goals that are known, and how workers fill them: one file per family of entries."""

from __future__ import annotations

from orchestration_kit.service.catalogue import acting, deciding, documents, making, researching, writing
from orchestration_kit.service.catalogue.entry import Entry, Filled, Role

CATALOGUE: tuple[Entry, ...] = (
    *making.ENTRIES,
    *writing.ENTRIES,
    *documents.ENTRIES,
    *deciding.ENTRIES,
    *acting.ENTRIES,
    *researching.ENTRIES,
)
"""All entries. Where a goal fits two alike, the one that stands first is taken."""

__all__ = ["CATALOGUE", "Entry", "Filled", "Role"]
