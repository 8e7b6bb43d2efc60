"""The readable account of a run that `verbose=True` prints. An observer: it only tells, it decides nothing.

On a terminal a progress line shows what is being worked on; in a notebook, a file or a pipe it is plain text.
Text from workers is data: no markup, no control characters. Events come in the order in which they happen, so the
lines of branches are mixed; the position says which is which.
"""

from __future__ import annotations

import sys
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any, cast

from orchestration_kit.definition.kinds import ApprovalStep
from orchestration_kit.engine.events import (
    Answered,
    AttemptFinished,
    AttemptStarted,
    BranchesOpened,
    Event,
    EventReceived,
    LimitReached,
    RunFinished,
    RunResumed,
    RunStarted,
    WaitStarted,
)
from orchestration_kit.engine.inner import step_at
from orchestration_kit.engine.order import SPAWN, scope_of
from orchestration_kit.engine.told import MAX_BRANCHES, Opened, Told
from orchestration_kit.errors import counted

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

    from orchestration_kit.definition.workflow import WorkflowDefinition

MAX_SHOWN = 100
_MARKS = {
    "ok": ("✓", "ok"),
    "failed": ("✗", "FAILED"),
    "retry": ("↻", "RETRY"),
    "stopped": ("■", "STOPPED"),
    "to": ("→", "->"),
    "opened": ("⇉", "=>"),
    "waits": ("…", "..."),
}
_STYLES = {"completed": "green", "failed": "red", "cancelled": "yellow"}


class Account:
    """Prints a run as it goes."""

    is_account = True
    """Whoever reads it needs no bar."""

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
        self._under_way: dict[str, str] = {}
        """By position: what is worked on, in words."""
        self._started_at = 0.0
        self._width = max((len(step_id) for step_id in workflow.steps), default=0) + 3
        self._told = Told()
        self._spawned: dict[str, dict[str, Any]] = {}
        """By position: the workflows that workers made."""
        self._turn = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Print one event. Branches on threads may tell of theirs at the same time."""
        tell = _TELLERS.get(type(event))
        if tell is not None:
            with self._turn:
                tell(self, event)

    # --- the run

    def begin(self, event: RunStarted) -> None:
        """Tell that the run begins."""
        self._started_at = event.started_at
        self._print(f"{shown(event.workflow)}: {shown(event.goal)}", style="bold")
        self._print(f"run {shown(event.run_id)}", style="dim")
        for problem in self.workflow.problems():
            self._print(f"  note: {shown(problem.message, 200)}", style="dim")

    def go_on(self, event: RunResumed) -> None:
        """Tell that the run goes on."""
        self._started_at = event.resumed_at
        self._print(f"{shown(self.workflow.name)}: run {shown(event.run_id)} goes on", style="bold")

    def end(self, event: RunFinished) -> None:
        """Tell how the run ended."""
        self._under_way.clear()
        self._show_progress()
        reason = f": {shown(event.reason, 300)}" if event.reason else ""
        took = duration(max(0.0, event.finished_at - self._started_at))
        line = f"{event.state} after {counted(event.steps, 'attempt')} in {took}{reason}"
        self._print(line, style=f"bold {_STYLES.get(event.state, 'yellow')}")

    def limit(self, event: LimitReached) -> None:
        """Tell that a limit was reached, and what is done about it."""
        goes = "what was done is undone" if event.next_step is None else f"the run goes to {shown(event.next_step)}"
        self._print(f"     {shown(f'limit {event.limit} reached{event.value}', 200)}; {goes}", style="yellow")

    # --- attempts

    def start(self, event: AttemptStarted) -> None:
        """Show on a terminal what is being worked on."""
        if self.console.is_terminal:
            attempt = f" (attempt {event.attempt})" if event.attempt > 1 else ""
            worker = shown(event.worker or "pass on")
            self._under_way[event.path] = f"{shown(event.path)} {self._mark('to')} {worker}{attempt}"
            self._show_progress()

    def attempt(self, event: AttemptFinished) -> None:
        """Tell what came of an attempt, or of a join or a wait."""
        self._under_way.pop(event.path, None)
        self._show_progress()
        detail = event.detail or {}
        is_shown = self._told.is_shown(event.scope)
        has_failed = event.error is not None and event.retry_in_s is None and event.error.type != "BranchCancelled"
        if is_shown or has_failed:
            self._tell_attempt(event, detail)
        if "branches" in detail:
            self._told.join(event.path)
        if "added" in detail:
            self._told.add_items(event.scope, len(detail["added"]))
        if "spawn" in detail and event.error is None:
            self._spawned[event.path] = detail["spawn"]["workflow"]
            self._told.open(event.path, 1)
        moved = self._told.note_attempt(event)
        if moved is not None:
            self._tell_progress(moved)

    def _tell_attempt(self, event: AttemptFinished, detail: dict[str, Any]) -> None:
        if event.error is None:
            mark, style = self._mark("ok"), "green"
            what = shown(event.output)
        else:
            name, style = ("failed", "red") if event.retry_in_s is None else ("retry", "yellow")
            if event.error.type == "BranchCancelled":
                name, style = "stopped", "yellow"
            elif "blocked" in detail:
                name = "waits"  # for a person, who is told of right after it
            mark = self._mark(name)
            what = f"{event.error.type}: {shown(event.error.message)}"
            rejected = cast("dict[str, Any]", event.output).get("output")
            what += "" if rejected is None else f"  {shown(rejected)}"
        going = f"  {self._mark('to')} {shown(event.next_step)}" if event.next_step else ""
        attempt = f" attempt {event.attempt}" if event.attempt > 1 else ""
        worker = f" [{shown(event.worker)}]" if event.worker else self._nobody(event)
        more = "".join(f"  {text}" for text in _besides(detail))
        line = f"{event.seq:>4} {mark} {shown(event.path):<{self._width}}{duration(event.duration_s):>8}"
        self._print(f"{line}{worker}{attempt}{more}{going}", style=style)
        self._print(f"       {what}", style="dim")

    def _nobody(self, event: AttemptFinished) -> str:
        """Tell that a last step had nobody to work on it: somebody may have been forgotten."""
        step: Any = step_at(self.workflow, event.path, self._spawned)
        is_asked = getattr(step, "is_terminal", False) and getattr(step, "worker_type", "generic") != "generic"
        return " [no worker: passed on]" if is_asked and event.error is None and not event.detail else ""

    # --- branches and waits

    def opened(self, event: BranchesOpened) -> None:
        """Tell how many branches were opened."""
        group = self._told.open_event(event)
        if not group.is_told:
            return
        branches = "1 branch" if group.total == 1 else f"{group.total:,} branches"
        names = f": {shown(', '.join(event.keys))}" if event.keys else ""
        self._tell("opened", event.path, f"opened {branches}{names}")
        if group.is_large:
            self._print(f"       told: the first {MAX_BRANCHES}, failures and progress", style="dim")

    def _tell_progress(self, group: Opened) -> None:
        failed = f", {group.failed:,} failed" if group.failed else ""
        line = f"{shown(group.path)}: {group.ended:,} of {group.total:,} branches ended{failed}"
        self._print(f"       {line}", style="dim")

    def wait(self, event: WaitStarted) -> None:
        """Tell what is waited for, and how to answer."""
        if not self._told.is_shown(scope_of(event.path)):
            return
        step: Any = step_at(self.workflow, event.path, self._spawned)
        left_s = None if event.until is None else max(0.0, event.until - event.asked_at)
        at_most = "" if left_s is None else f", for {duration(left_s)} at most"
        to = self._mark("to")
        if event.kind == "approval":
            prompt = f": {shown(step.prompt, 200)}" if isinstance(step, ApprovalStep) else ""
            which = f", request={event.path!r}" if scope_of(event.path) else ""
            how = f"{to} run.approve({'...' if which else ''}{which}) or run.reject('why'{which})"
            self._tell("waits", event.path, f"waits for approval{at_most}{prompt}  {how}")
            for name, value in event.shown.items():
                self._print(f"       {shown(name)}: {shown(value)}", style="dim")
        elif event.kind == "event":
            name = getattr(step, "event", None)
            told = "an event" if name is None else f"event {shown(name)}"
            how = "" if name is None else f"  {to} run.send({shown(name)!r}, ...)"
            self._tell("waits", event.path, f"waits for {told}{at_most}{how}")
        else:
            self._tell("waits", event.path, f"waits {duration(left_s or 0.0)}")

    def answered(self, event: Answered) -> None:
        """Tell what came of a wait."""
        if event.kind == "time" or not self._told.is_shown(scope_of(event.path)):
            return
        reason = f": {shown(event.reason)}" if event.reason else ""
        text = {"event": "the event came", "timeout": "timed out"}.get(event.kind, event.kind)
        self._tell("to", event.path, f"{text}{reason}")

    def received(self, event: EventReceived) -> None:
        """Tell that an event came that nobody waits for yet."""
        self._print(f"     event {shown(event.name)} came; nobody waits for it yet", style="dim")

    # --- printing

    def _tell(self, mark: str, path: str, text: str) -> None:
        self._print(f"     {self._mark(mark)} {shown(path)} {text}", style="cyan")

    def _show_progress(self) -> None:
        """Show what is under way, or nothing. Between steps by hand nothing may paint, nor hold stdout."""
        if not self._under_way:
            if self._status is not None:
                self._status.stop()
                self._status = None
            return
        from rich.text import Text

        last = next(reversed(self._under_way.values()))
        others = len(self._under_way) - 1
        text = Text(last if not others else f"{last} and {others:,} more")
        if self._status is None:
            self._status = self.console.status(text)
            self._status.start()
        else:
            self._status.update(text)

    def _mark(self, name: str) -> str:
        fancy, plain = _MARKS[name]
        return fancy if self.console.encoding.lower().startswith("utf") else plain

    def _print(self, text: str, *, style: str) -> None:
        encodable = text.encode(self.console.encoding, "replace").decode(self.console.encoding)
        self.console.print(encodable, style=style, markup=False, emoji=False)


_TELLERS: dict[Any, Any] = {
    RunStarted: Account.begin,
    RunResumed: Account.go_on,
    RunFinished: Account.end,
    LimitReached: Account.limit,
    AttemptStarted: Account.start,
    AttemptFinished: Account.attempt,
    BranchesOpened: Account.opened,
    WaitStarted: Account.wait,
    Answered: Account.answered,
    EventReceived: Account.received,
}


def _besides(detail: dict[str, Any]) -> list[str]:
    """What a step did besides calling a worker, in words."""
    found: list[str] = []
    if "undoes" in detail:
        found.append(f"undoing {shown(detail['undoes'])}")
    if "spawn" in detail:
        workflow = detail["spawn"]["workflow"]
        found.append(f"spawned workflow {shown(workflow['name'])}, {counted(len(workflow['steps']), 'step')}")
    if "added" in detail:
        found.append(f"added {counted(len(detail['added']), 'item')}")
    if "branches" in detail:
        found.append(_joined(detail["branches"]))
    if "answer" in detail:
        found.append(_ANSWERS.get(detail["answer"], shown(detail["answer"])))
    return found


def _joined(branches: dict[str, str]) -> str:
    if list(branches) == [SPAWN]:
        return f"the workflow it spawned: {shown(branches[SPAWN])}"
    states = Counter(branches.values())
    return f"joined: {', '.join(f'{count:,} {shown(state)}' for state, count in states.items()) or 'no branches'}"


_ANSWERS = {"event": "the event came", "timeout": "timed out", "time": "waited"}


def shown(value: Any, limit: int = MAX_SHOWN) -> str:
    r"""Return a value as one short line without control characters.

    >>> shown("two\nlines\x1b[31m")
    'two lines[31m'
    """
    try:
        text = value if isinstance(value, str) else repr(_outlined(value))
    except Exception as error:  # noqa: BLE001 - a worker's object whose repr fails must not end the account
        text = f"<{type(value).__name__}, whose repr raises {type(error).__name__}>"
    text = " ".join(text[: limit * 4].split())
    text = "".join(c for c in text if c.isprintable())
    return text if len(text) <= limit else text[: limit - 3] + "..."


class _Sized:
    """A table, or a longer array, by its size: in one line its cells say nothing."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return f"<{self.text}>"


def _outlined(value: Any) -> Any:
    if type(value) is dict:
        return {key: _outlined(item) for key, item in list(cast("dict[Any, Any]", value).items())[:MAX_SHOWN]}
    if type(value).__module__.partition(".")[0] not in ("numpy", "pandas", "polars", "pyarrow", "torch"):
        return value
    shape: Any = getattr(value, "shape", None)
    sizes = " x ".join(map(str, cast("tuple[int, ...]", shape))) if isinstance(shape, tuple) else ""
    if not sizes or (type(value).__name__ == "ndarray" and sizes.isdecimal() and int(sizes) < _FEW):
        return value
    return _Sized(f"{type(value).__name__} {sizes}")


_FEW = 9
"""An array of fewer numbers is written out."""


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
