"""The progress bar of a set: how many of its runs are made, how many failed, and how long it will take."""

from __future__ import annotations

import contextvars
import threading
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from orchestration_kit.engine.bar import EVERY_S
from orchestration_kit.engine.ticker import SHARED, Ticker

if TYPE_CHECKING:
    from orchestration_kit.scale.work import Work


def _tqdm() -> Callable[..., Any]:
    with warnings.catch_warnings():  # where widgets cannot be had, the bar is text: nobody has to hear of that
        warnings.simplefilter("ignore")
        from tqdm.auto import tqdm

    return tqdm


class SetBar:
    """A bar that looks at the work now and then, from a thread of its own, so that a run costs nothing for it.

    Args:
        work: What makes the runs.
        name: Of the set.
        before: How many runs were finished before.
        ticker: What it looks by.
        make: What makes the bar; tqdm's own by default.
    """

    def __init__(
        self,
        work: Work,
        name: str,
        before: int,
        *,
        ticker: Ticker = SHARED,
        make: Callable[[], Callable[..., Any]] = _tqdm,
    ) -> None:
        self._work: Work | None = work
        self._name, self._before = name, before
        self._ticker, self._make = ticker, make
        self._context = contextvars.copy_context()  # what a thread shows in a notebook belongs to a cell
        self._lock = threading.Lock()
        self._bar: Any = None

    def begin(self) -> None:
        """Show it."""
        self._look()

    def end(self) -> None:
        """Show how it ended, and leave it there."""
        with self._lock:
            work, self._work = self._work, None
            if work is not None and self._bar is not None:
                self._context.run(self._draw, work)
                self._bar.close()

    def _look(self) -> None:
        with self._lock:
            work = self._work
            if work is None:
                return
            self._context.run(self._draw, work)
        self._ticker.at(self._ticker.monotonic() + EVERY_S, self._look)

    def _draw(self, work: Work) -> None:
        if self._bar is None:
            total = self._before + len(work.todo)
            self._bar = self._make()(total=total, initial=self._before, desc=_line(self._name), unit="run")
        self._bar.n = self._before + work.ended
        self._bar.set_postfix_str(told(work), refresh=False)
        self._bar.refresh()


def told(work: Work) -> str:
    """Return what is worth telling of the runs made so far: how many did not end well."""
    states = dict(work.states)
    return ", ".join(
        f"{states[state]:,} {state}" for state in ("failed", "waiting", "blocked", "cancelled") if states.get(state)
    )


def _line(text: str) -> str:
    plain = "".join(sign if sign.isprintable() else " " for sign in text)
    return plain if len(plain) <= 40 else f"{plain[:39]}\N{HORIZONTAL ELLIPSIS}"
