"""What `%load_ext orchestration_kit` does to a notebook, and how it is undone."""

from __future__ import annotations

from typing import Any

from orchestration_kit.widgets.cells.directive import as_magic
from orchestration_kit.widgets.cells.magics import CellMagics


def load(ip: Any) -> None:
    """Add the magics, and have `#| step NAME` understood. Twice is once."""
    if as_magic in ip.input_transformers_cleanup:
        return
    own = ip.find_line_magic("history")
    ip.register_magics(CellMagics)
    ip.magics_manager.registry[CellMagics.__name__].input_history = own
    ip.input_transformers_cleanup.append(as_magic)


def unload(ip: Any) -> None:
    """Take all of it away again."""
    magics = ip.magics_manager.registry.pop(CellMagics.__name__, None)
    if as_magic in ip.input_transformers_cleanup:
        ip.input_transformers_cleanup.remove(as_magic)
    if magics is None:
        return
    for kind, names in magics.magics.items():
        for name in names:
            ip.magics_manager.magics[kind].pop(name, None)
    if magics.input_history is not None:
        ip.magics_manager.magics["line"]["history"] = magics.input_history
