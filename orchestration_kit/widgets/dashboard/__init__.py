"""The monitor as a page of its own, served with Voila on this machine alone, for whoever has the token.

```text
serving.py         starts the server: loopback, a token, an environment without anybody's keys
dashboard.ipynb    the page: one cell, which calls `shown()`
share/             a template for Voila that asks nothing of anybody
```
"""

from __future__ import annotations

import os
from typing import Any

from orchestration_kit.errors import OrchestrationError
from orchestration_kit.widgets.monitor import Monitor

JOURNAL = "ORCHESTRATION_KIT_DASHBOARD_JOURNAL"
"""The variable that holds the path of the journal."""
READ_ONLY = "ORCHESTRATION_KIT_DASHBOARD_READ_ONLY"
"""The variable that is set where the page only looks."""


def shown() -> Any:
    """Return what the page shows: the monitor of the journal that the environment names, or why there is none."""
    path = os.environ.get(JOURNAL, "")
    try:
        return Monitor(path, changes=READ_ONLY not in os.environ)
    except OrchestrationError as error:
        return _Words(f"The journal cannot be shown. {error}")


class _Words:
    """A text, as text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text
