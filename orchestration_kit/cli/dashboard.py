"""`dashboard`: serves the monitor of a journal as a page, on this machine alone, and prints its address."""

from __future__ import annotations

import argparse
import signal
from typing import Any, NoReturn

from orchestration_kit.cli.journals import existing
from orchestration_kit.cli.terminal import tell


def serve(arguments: argparse.Namespace) -> int:
    """Serve until interrupted."""
    from orchestration_kit.widgets.dashboard.serving import served

    journal = existing(arguments.journal)
    signal.signal(signal.SIGTERM, _end)  # or the server would go on without us
    with served(journal, port=arguments.port, read_only=arguments.read_only, theme=arguments.theme) as page:
        what = "It only looks." if arguments.read_only else "Runs can be cancelled and answered there."
        tell(f"The runs of {journal}: {page.url}")
        tell(f"Whoever has this address can open the page, on this machine alone. {what} Ctrl+C ends it.")
        page.process.wait()
    return 1


def _end(*_: Any) -> NoReturn:
    raise KeyboardInterrupt
