"""A progress bar of a call that takes long: in a notebook and on a terminal, none in a pipe.

It looks at the run now and then, from a thread of its own, so that a run costs nothing more for being watched.
"""

from __future__ import annotations

import contextvars
import os
import sys
import threading
import warnings
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from orchestration_kit.engine.ticker import SHARED, Ticker

if TYPE_CHECKING:
    from orchestration_kit.engine.driven import Driven

AFTER_S, EVERY_S = 1.0, 0.2
"""Seconds until a bar appears, and between two looks at the run."""
_WIDEST = 60
_NOTHING = nullcontext()
_place = threading.Lock()
"""Held by the one bar that nobody asked for: of a thousand runs at once the first is shown, not a thousand bars."""


def is_in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    shell = sys.modules.get("IPython.core.getipython")
    return shell is not None and getattr(shell.get_ipython(), "kernel", None) is not None


def is_seen() -> bool:
    """Whether a person looks at what this process writes: in a notebook, or on a terminal."""
    return _has_eyes() and os.environ.get("TQDM_DISABLE", "0") in ("", "0")  # tqdm's own word for it


def _has_eyes() -> bool:
    if is_in_notebook():
        return True
    stream: Any = sys.stderr
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):  # no stream, or a closed one
        return False


def progress_of(run: Driven, wanted: bool | None) -> AbstractContextManager[None]:  # noqa: FBT001 - passed on as given
    """Return what shows a bar while a run is driven; None leaves it to whether somebody looks, and sees no account."""
    if wanted is False or (wanted is None and not (is_seen() and _is_untold(run))):
        return _NOTHING
    return _shown(Bar(run), is_asked_for=wanted is True)


def _is_untold(run: Driven) -> bool:
    """Whether nothing else tells of it: neither an account nor a run that it stands in."""
    is_told = any(getattr(observer, "is_account", False) for observer in run.audience.observers)
    return not is_told and run.machine.started.depth == 0


@contextmanager
def _shown(bar: Bar, *, is_asked_for: bool) -> Generator[None]:
    if not is_asked_for and not _place.acquire(blocking=False):
        yield
        return
    try:
        bar.begin()
        yield
    finally:
        bar.end()
        if not is_asked_for:
            _place.release()


def _tqdm() -> Callable[..., Any]:
    with warnings.catch_warnings():  # where widgets cannot be had, the bar is text: nobody has to hear of that
        warnings.simplefilter("ignore")
        from tqdm.auto import tqdm

    return tqdm


class Bar:
    """What a run does now and how many attempts it has made; beneath it, how far the branches are that it opened."""

    def __init__(self, run: Driven, *, ticker: Ticker = SHARED, make: Callable[[], Callable[..., Any]] = _tqdm) -> None:
        self._run: Driven | None = run
        self._ticker, self._make = ticker, make
        self._context = contextvars.copy_context()  # what a thread shows in a notebook belongs to a cell
        self._lock = threading.Lock()
        self._whole: Any = None
        self._branches: Any = None
        self._path: str | None = None

    def begin(self) -> None:
        """Show it, if the run takes long."""
        self._ticker.at(self._ticker.monotonic() + AFTER_S, self._look)

    def end(self) -> None:
        """Take it away."""
        with self._lock:
            self._run = None  # the ticker may know this for a while: nothing is kept alive by that
            for bar in (self._branches, self._whole):
                if bar is not None:
                    bar.close()

    def _look(self) -> None:
        with self._lock:
            run = self._run
            if run is None:
                return
            self._context.run(self._draw, run)
        self._ticker.at(self._ticker.monotonic() + EVERY_S, self._look)

    def _draw(self, run: Driven) -> None:
        machine = run.machine
        if self._whole is None:
            form = "{desc}: {n_fmt} attempts [{elapsed}]"
            self._whole = self._make()(desc=_line(machine.plan.workflow), leave=False, bar_format=form)
        _move(self._whole, machine.recorded, _line(f"{machine.plan.workflow}, at {machine.current_step}"))
        group = next(iter(list(machine.groups.values())), None)
        path = None if group is None else group.path
        if path != self._path and self._branches is not None:
            self._branches.close()
            self._branches = None
        self._path = path
        if group is not None:
            if self._branches is None:
                self._branches = self._make()(total=group.total, desc=_line(group.path), leave=False, unit="branch")
            self._branches.total = group.total
            _move(self._branches, group.ended, None)


def _move(bar: Any, done: int, says: str | None) -> None:
    if says is not None:
        bar.set_description_str(says, refresh=False)
    bar.n = done
    bar.refresh()


def _line(text: str) -> str:
    plain = "".join(sign if sign.isprintable() else " " for sign in text)
    return plain if len(plain) <= _WIDEST else f"{plain[: _WIDEST - 1]}\N{HORIZONTAL ELLIPSIS}"
