"""A real kernel for tests that need no page."""

from __future__ import annotations

import signal
from queue import Empty
from typing import Any

import pytest
from jupyter_client.manager import start_new_kernel

from tests.scorecard.forks import PATIENCE_S, until


class Kernel:
    """A kernel as a notebook has it: cells are sent, and answered some time."""

    def __init__(self, folder: Any) -> None:
        self.manager, self.client = start_new_kernel(startup_timeout=PATIENCE_S, cwd=str(folder))
        self._stacks = folder / "stacks.txt"
        self.do(f"import faulthandler; faulthandler.register({signal.SIGUSR1}, file=open({str(self._stacks)!r}, 'w'))")

    def send(self, code: str, expressions: dict[str, str] | None = None, **options: Any) -> str:
        """Send a cell; return what its answer will refer to."""
        return self.client.execute(code, user_expressions=expressions or {}, stop_on_error=False, **options)

    def answer(self, sent: str) -> dict[str, Any]:
        """Wait for the answer to a cell."""
        while True:
            try:
                reply = self.client.get_shell_msg(timeout=PATIENCE_S)
            except Empty:
                pytest.fail(f"The kernel did not answer within {PATIENCE_S} s. It was here:\n{self.stacks()}")
            if reply["parent_header"].get("msg_id") == sent:
                return reply["content"]

    def value(self, expression: str) -> str:
        """The text of an expression's value."""
        content = self.answer(self.send("", {"value": expression}, store_history=False))
        assert content["status"] == "ok", content
        found = content["user_expressions"]["value"]
        assert found["status"] == "ok", found
        return found["data"]["text/plain"]

    def do(self, code: str) -> None:
        """Run a cell that must not fail."""
        content = self.answer(self.send(code))
        assert content["status"] == "ok", "\n".join(content.get("traceback", [str(content)]))

    def interrupt(self) -> None:
        """Interrupt what is running."""
        self.manager.interrupt_kernel()

    def stacks(self) -> str:
        """Where each thread of the kernel is, also while a cell blocks."""
        self.manager.signal_kernel(signal.SIGUSR1)
        until(
            lambda: "_run_module_as_main" in self._stacks.read_text(encoding="utf-8"), "the kernel tells"
        )  # last of all
        return self._stacks.read_text(encoding="utf-8")

    def close(self) -> None:
        """End the kernel."""
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
