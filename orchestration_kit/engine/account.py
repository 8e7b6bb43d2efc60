"""The readable account of a run that `verbose=True` prints. An observer: it only tells, it decides nothing.

On a terminal a progress line shows what is being worked on; in a notebook, a file or a pipe it is plain text.
Text from workers is data: no markup, no control characters.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, cast

from orchestration_kit.engine.events import AttemptFinished, AttemptStarted, Event, RunFinished, RunResumed, RunStarted

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

    from orchestration_kit.definition.workflow import WorkflowDefinition

MAX_SHOWN = 100
_MARKS = {"ok": ("✓", "ok"), "failed": ("✗", "FAILED"), "retry": ("↻", "RETRY"), "to": ("→", "->")}
_STYLES = {"completed": "green", "failed": "red", "cancelled": "yellow"}


class Account:
    """Prints a run as it goes."""

    def __init__(self, workflow: WorkflowDefinition, console: Console | None = None) -> None:
        from rich.console import Console

        self.workflow = workflow
        # Plain text in a notebook: rich would make an output of each line there, and Jupyter's FORCE_COLOR would
        # have it draw a terminal.
        self.console = console or Console(
            file=sys.stdout,
            force_terminal=sys.stdout.isatty(),
            force_jupyter=False,
            highlight=False,
            soft_wrap=True,
        )
        self._status: Status | None = None
        self._started_at = 0.0
        self._width = max((len(step_id) for step_id in workflow.steps), default=0) + 3

    def __call__(self, event: Event) -> None:
        """Print one event."""
        if isinstance(event, AttemptFinished):
            self._attempt(event)
        elif isinstance(event, AttemptStarted):
            self._show_progress(event)
        elif isinstance(event, RunStarted):
            self._begin(event)
        elif isinstance(event, RunResumed):
            self._started_at = event.resumed_at
            self._print(f"{shown(self.workflow.name)}: run {shown(event.run_id)} goes on", style="bold")
        elif isinstance(event, RunFinished):
            self._end(event)

    def _begin(self, event: RunStarted) -> None:
        self._started_at = event.started_at
        self._print(f"{shown(event.workflow)}: {shown(event.goal)}", style="bold")
        self._print(f"run {shown(event.run_id)}", style="dim")
        for problem in self.workflow.problems():
            self._print(f"  note: {shown(problem.message, 200)}", style="dim")

    def _show_progress(self, event: AttemptStarted) -> None:
        if not self.console.is_terminal:
            return
        attempt = f" (attempt {event.attempt})" if event.attempt > 1 else ""
        text = f"{shown(event.path)} {self._mark('to')} {shown(event.worker or 'pass on')}{attempt}"
        from rich.text import Text

        self._stop_progress()
        self._status = self.console.status(Text(text))
        self._status.start()

    def _attempt(self, event: AttemptFinished) -> None:
        self._stop_progress()
        if event.error is None:
            mark, style = self._mark("ok"), "green"
            what = shown(event.output)
        else:
            mark, style = (self._mark("failed"), "red") if event.retry_in_s is None else (self._mark("retry"), "yellow")
            what = f"{event.error.type}: {shown(event.error.message)}"
            rejected = cast("dict[str, Any]", event.output).get("output")
            what += "" if rejected is None else f"  {shown(rejected)}"
        going = f"  {self._mark('to')} {shown(event.next_step)}" if event.next_step else ""
        attempt = f" attempt {event.attempt}" if event.attempt > 1 else ""
        worker = f" [{shown(event.worker)}]" if event.worker else ""
        line = f"{event.seq:>4} {mark} {shown(event.path):<{self._width}}{duration(event.duration_s):>8}"
        self._print(f"{line}{worker}{attempt}{going}", style=style)
        self._print(f"       {what}", style="dim")

    def _end(self, event: RunFinished) -> None:
        self._stop_progress()
        reason = f": {shown(event.reason, 300)}" if event.reason else ""
        took = duration(max(0.0, event.finished_at - self._started_at))
        plural = "" if event.steps == 1 else "s"
        line = f"{event.state} after {event.steps} attempt{plural} in {took}{reason}"
        self._print(line, style=f"bold {_STYLES.get(event.state, 'yellow')}")

    def _stop_progress(self) -> None:
        """Take the progress line away. Between steps by hand nothing may paint, nor hold stdout."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def _mark(self, name: str) -> str:
        fancy, plain = _MARKS[name]
        return fancy if self.console.encoding.lower().startswith("utf") else plain

    def _print(self, text: str, *, style: str) -> None:
        encodable = text.encode(self.console.encoding, "replace").decode(self.console.encoding)
        self.console.print(encodable, style=style, markup=False, emoji=False)


def shown(value: Any, limit: int = MAX_SHOWN) -> str:
    r"""Return a value as one short line without control characters.

    >>> shown("two\nlines\x1b[31m")
    'two lines[31m'
    """
    try:
        text = value if isinstance(value, str) else repr(value)
    except Exception as error:  # noqa: BLE001 - a worker's object whose repr fails must not end the account
        text = f"<{type(value).__name__}, whose repr raises {type(error).__name__}>"
    text = " ".join(text[: limit * 4].split())
    text = "".join(c for c in text if c.isprintable())
    return text if len(text) <= limit else text[: limit - 3] + "..."


def duration(seconds: float) -> str:
    """Return seconds in a readable unit.

    >>> duration(0.0123), duration(75)
    ('12 ms', '1 min 15 s')
    """
    if seconds < 0.001:
        return f"{seconds * 1e6:.0f} µs" if seconds > 0 else "0 s"
    if seconds < 1:
        return f"{seconds * 1e3:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"
