"""A stream of events next to the journal: a line of JSON for each. What `telemetry.stream(...)` does."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import msgspec

from orchestration_kit.engine.around import follow_all, unwatch
from orchestration_kit.engine.events import AttemptFinished
from orchestration_kit.governance.telemetry.cleaning import Cleaner
from orchestration_kit.governance.telemetry.errors import InvalidTelemetry
from orchestration_kit.governance.telemetry.event_file import EventFile
from orchestration_kit.governance.telemetry.lines import SCHEMA, cleaned, line_of

if TYPE_CHECKING:
    import pandas as pd

    from orchestration_kit.engine.events import Event
    from orchestration_kit.engine.orchestrator import Orchestrator
    from orchestration_kit.engine.run import Run

_streams: dict[Path, Stream] = {}
_lock = threading.RLock()


class Stream:
    """A stream that is being written. Also a context manager: at its end it is closed.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, stream(f"{folder}/runs.events.jsonl") as told:
    ...     told.path.name, told.is_open, len(told.frame())
    ('runs.events.jsonl', True, 0)
    >>> told.is_open
    False
    """

    def __init__(self, file: EventFile, hub: Any, cleaner: Cleaner, *, contents: bool) -> None:
        self._file, self._hub, self._cleaner, self._contents = file, hub, cleaner, contents
        self.is_open = True
        """Whether runs are followed."""

    @property
    def path(self) -> Path:
        """The file."""
        return self._file.path

    def follow(self, run: Run) -> _Lines | None:
        """Return what is told of a run's events; None for the runs of other hubs, where it is the stream of one."""
        if self._hub is not None and run.hub is not self._hub:
            return None
        self._cleaner.refresh()
        return _Lines(self, run)

    def write(self, run_id: str, workflow: str, event: Event) -> None:
        """Write what there is to tell of an event."""
        line = line_of(event, self._cleaner, contents=self._contents)
        if line is None or not self.is_open:
            return
        name = self._cleaner.name
        head = {"v": SCHEMA, "run_id": name(run_id), "workflow": name(workflow), "pid": os.getpid()}
        line = {**head, **cleaned(line, self._cleaner)}
        self._file.write(msgspec.json.encode(line))

    def frame(self) -> pd.DataFrame:
        """Return what was written so far: `events_frame(stream.path)`."""
        from orchestration_kit.governance.telemetry.frame import events_frame

        return events_frame(self.path)

    def disable(self) -> None:
        """Follow no more runs, and close the file. Twice is once."""
        with _lock:
            self.is_open = False
            unwatch(self)
            if _streams.get(self.path) is self:
                del _streams[self.path]
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.disable()

    def __repr__(self) -> str:
        return f"<Stream to {str(self.path)!r}{'' if self.is_open else ', closed'}>"


class _Lines:
    """Follows one run: its observer."""

    __slots__ = ("_run_id", "_seen", "_stream", "_workflow")

    def __init__(self, stream: Stream, run: Run) -> None:
        started = run.machine.started
        self._stream, self._run_id, self._workflow, self._seen = stream, started.run_id, started.workflow, 0

    def __call__(self, event: Event) -> None:
        if type(event) is AttemptFinished:
            if event.seq <= self._seen:  # one that an interrupt hit is told twice
                return
            self._seen = event.seq
        self._stream.write(self._run_id, self._workflow, event)


def stream(
    target: os.PathLike[str] | str | Orchestrator,
    *,
    contents: bool = False,
    redact: Any = True,
    rotate_bytes: int | None = None,
    keep: int | None = None,
) -> Stream:
    """Have runs told to a file, a line of JSON for each event; return the handle to read it and to stop it.

    Lines are only added, each with one write, so that several processes can share a file. A line has `v` (1), `ts`
    (seconds since the epoch), `event` (`started`, `resumed`, `attempt`, `branches`, `wait`, `answered`, `received`,
    `limit`, `finished`), `run_id`, `workflow`, `pid`, and what belongs to the event: `events_frame` lists it.

    >>> import tempfile
    >>> from orchestration_kit import Orchestrator, WorkerDefinition, create_generic_pipeline
    >>> hub = Orchestrator()
    >>> hub.register_worker(WorkerDefinition(worker_type="generic", name="shout", executor=str.upper))
    >>> hub.register_workflow(create_generic_pipeline([("a", "generic", ""), ("b", "generic", "")]))
    >>> with tempfile.TemporaryDirectory() as folder, stream(folder + "/runs.events.jsonl") as told:
    ...     _ = hub.execute_workflow("a_b", "hello", verbose=False)
    ...     told.frame()["event"].tolist()
    ['started', 'attempt', 'attempt', 'finished']

    Args:
        target: The file, for the runs of every hub in this process; or a hub with a journal in a file, for its runs
            alone: `runs.db` gets `runs.events.jsonl` beside it.
        contents: Tell inputs, outputs and goals too, cut to 4,000 characters.
        redact: Take out keys and passwords: True, or a list of patterns of your own besides; False: nothing.
        rotate_bytes: From this size on the file is put aside, and another one begun; None: never.
        keep: So many files that were put aside stay; None: all.

    Raises:
        InvalidTelemetry: there is no file to write to, or it holds something else.
        ValueError: a pattern is no regular expression.
    """
    cleaner = Cleaner(redact)
    hub = None if isinstance(target, (str, os.PathLike)) else target
    path = path_of(target)
    with _lock:
        former = _streams.get(path)
        file = EventFile(path, rotate_bytes=rotate_bytes, keep=keep)
        if former is not None:  # or each line would be there twice
            former.disable()
        made = _streams[path] = Stream(file, hub, cleaner, contents=contents)
        follow_all(made)
    return made


def path_of(target: Any) -> Path:
    """Return the file that a stream of this goes to: a path, a stream, or a hub with a journal in a file.

    Raises:
        InvalidTelemetry: it is none of these.
    """
    if isinstance(target, Stream):
        return target.path
    if isinstance(target, (str, os.PathLike)):
        return Path(os.path.abspath(os.path.expanduser(os.fspath(target))))  # noqa: PTH100, PTH111 - a path of bytes too
    journal = getattr(target, "journal", None)
    path = getattr(journal, "path", None)
    if path is None:
        raise InvalidTelemetry(
            f"{target!r:.80} has no journal in a file to be next to",
            "Give a path: telemetry.stream('runs.events.jsonl'); or make it Orchestrator(journal='runs.db').",
        )
    return Path(path).with_suffix(".events.jsonl")
