"""Cassettes: outputs of workers are recorded once, and replayed instead of calling the workers.

A cassette is one YAML file beside a notebook or a test. Every run that is started inside `with cassette(...)` uses it:

```python
with cassette("build_site.yaml"):
    hub.execute_workflow("build_website", "A site for a bakery in Bonn")
```

| Mode | What is recorded | What is not |
|---|---|---|
| `auto` | is replayed | the worker is called, and recorded |
| `replay` | is replayed | `CassetteMiss`: the run ends, no worker is ever called |
| `record` | the worker is called, its recording replaced | the worker is called, and recorded |
| `off` | the worker is called | the worker is called; the file is left alone |

The environment variable `ORCHESTRATION_KIT_CASSETTE` decides where the code says "auto": CI sets it to `replay`.

**What is found by what.** An attempt is found by its position and visit (`review_code#2`), its number, the worker's
name and a hash of what the worker is given, after its input transformer. Equal attempts of several runs share one
recording. What else a worker looks at (`context.data`, `context.goal`, files, the clock) is not part of that, apart
from the entries of the data bus that its step declares in `reads=`. A worker whose code was edited is not called again
either: record anew.

**What is kept** is the worker's own output, before `output_schema` and the output transformer, or its error; the
pieces it yielded; what it changed in `context.data`; items it added, a workflow it spawned; what it told
`context.add_usage`. Secrets are taken out of all of
it, and a replayed run goes on with `[REDACTED]` in their place. A `KeyboardInterrupt` or a cancellation is not
recorded; that the time limit of a step was up is, and that a branch was cancelled because the join was decided without
it: replayed, it waits until the others have decided it again. An error is replayed like an output.

**Recording** replaces what has the same key and keeps everything else in the file, so that one file can serve all
cells of a notebook. `prune()` drops what was not used; deleting the file starts afresh.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from re import Pattern
from types import TracebackType
from typing import Any, Self

from orchestration_kit.engine.plan import Plan
from orchestration_kit.errors import did_you_mean
from orchestration_kit.journal.cassette.differences import nearest
from orchestration_kit.journal.cassette.errors import CassetteError, CassetteMiss
from orchestration_kit.journal.cassette.outcomes import Outcome, outcome_of
from orchestration_kit.journal.cassette.recording import Key, Recording
from orchestration_kit.journal.cassette.redaction import Redactor
from orchestration_kit.journal.cassette.scope import closed, current_cassette, opened
from orchestration_kit.journal.cassette.tape_file import CassetteFile, Recordings
from orchestration_kit.journal.cassette.taped_workers import taped
from orchestration_kit.journal.errors import JournalError

__all__ = ["Cassette", "CassetteError", "CassetteMiss", "as_cassette", "cassette", "current_cassette"]

ENVIRONMENT = "ORCHESTRATION_KIT_CASSETTE"
MODES = ("auto", "record", "replay", "off")

_SMALL = 500
"""Up to so many recordings, the file is written at the end of each run."""
_SHARE = 20
"""While a run goes on, writing takes at most about one part in so many of the time."""

_log = logging.getLogger("orchestration_kit")


class Cassette:
    """Recorded outputs of workers, in one file.

    >>> import tempfile
    >>> from orchestration_kit import Orchestrator, WorkerDefinition, create_generic_pipeline
    >>> hub = Orchestrator()
    >>> hub.register_worker(WorkerDefinition(worker_type="generic", name="shout", executor=str.upper))
    >>> hub.register_workflow(create_generic_pipeline([("shout", "generic", "")]))
    >>> path = Path(tempfile.mkdtemp(), "shout.yaml")
    >>> tape = Cassette(path)
    >>> tape.mode, len(tape), path.exists()
    ('auto', 0, False)

    Args:
        path: The file. It is made when there is something to record.
        mode: "auto", "record", "replay" or "off"; see the module.
        redact: Regular expressions for secrets of one's own, besides the well-known ones.

    Raises:
        CassetteError: there is no such mode.
        ValueError: a pattern is no regular expression.
    """

    def __init__(
        self, path: str | os.PathLike[str], mode: str = "auto", *, redact: Iterable[str | Pattern[str]] = ()
    ) -> None:
        self.path = Path(path)
        self.mode = _checked_mode(str(path), mode)
        """What is done; may be changed between runs."""
        self.hits = 0
        """How many attempts were replayed."""
        self.misses = 0
        """How many attempts were looked for and not found."""
        self.recorded = 0
        """How many attempts were recorded."""
        self._file = CassetteFile(self.path)
        self._redact = Redactor(redact)
        self._lock = threading.RLock()
        self._known: Recordings = {}
        self._fresh: Recordings = {}
        self._aliases: dict[Key, Key] = {}
        self._used: set[Key] = set()
        self._is_read = False
        self._secrets = 0
        self._saved_at = self._save_took = 0.0

    # --- looking

    def __iter__(self) -> Iterator[Recording]:
        """Go through the recordings, in the order of the file."""
        with self._lock:
            self._read()
            return iter(sorted({**self._known, **self._fresh}.values(), key=lambda one: one.order))

    def __len__(self) -> int:
        with self._lock:
            self._read()
            return len(self._known.keys() | self._fresh.keys())

    def __bool__(self) -> bool:
        return True  # an empty one is one too

    def __repr__(self) -> str:
        counts = f"{self.hits} replayed, {self.misses} not found, {self.recorded} recorded"
        return f"<Cassette {str(self.path)!r}, mode {self.mode!r}: {counts}>"

    # --- using

    def __enter__(self) -> Self:
        opened(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        closed(self)
        try:
            self.save()
        except Exception as failed:
            if error is None:
                raise
            error.add_note(f"Besides, what was recorded could not be saved. {failed}")

    def wrap(self, plan: Plan) -> Plan:
        """Return a plan whose workers look into this cassette; in mode "off" the plan itself.

        What is returned has a `listener`, to be told of every event of a run that follows the plan.

        Raises:
            CassetteError: the file is there and cannot be read.
        """
        if self.mode == "off":
            return plan
        with self._lock:
            self._read()
        return taped(plan, self)

    def save(self) -> None:
        """Write what is new to the file. Mostly not needed: it happens as a run ends, and as `with` is left.

        Raises:
            CassetteError: the file cannot be written, or is damaged by now. What was recorded is then kept in a file
                beside it, if that can be written.
        """
        with self._lock:
            if not self._fresh:
                return
            try:
                self._write()
            except (OSError, CassetteError) as error:
                raise self._rescued(error) from error

    def prune(self) -> int:
        """Drop every recording that was neither replayed nor recorded since this cassette was made; return how many.

        Raises:
            CassetteError: the file cannot be written.
        """
        with self._lock:
            self._read()
            unused = {key for key in self._known if key not in self._used}
            if unused:
                try:
                    self._write(unused)
                except OSError as error:
                    raise self._error(error) from error
            return len(unused)

    # --- for the workers

    def asked(self, path: str, attempt: int, worker: str, body: dict[str, Any]) -> tuple[Recording, Outcome | None]:
        """Return an attempt as it is looked for, without secrets, and what is recorded of it.

        Raises:
            CassetteMiss: nothing is, and no worker may be called.
        """
        worker = worker.encode("utf-8", "backslashreplace").decode()
        with self._lock:
            wanted = Recording(path, attempt, worker, self._redact(body))
            if self.mode == "record":
                return wanted, None
            try:
                self._read()
            except CassetteError as error:  # what it held before counts; saving will say so
                _log.warning("%s", error)
            key = self._aliases.get(wanted.key, wanted.key)
            found = self._fresh.get(key) or self._known.get(key)
            reason = None
            if found is not None:
                try:
                    outcome = outcome_of(found)
                except (JournalError, ValueError, RecursionError) as error:
                    reason = f"There is one, and it cannot be used. {error}"
                    _log.warning("In %s, the recording of %s cannot be used: %s", self.path, path, error)
                else:
                    self.hits += 1
                    self._used.add(key)
                    return wanted, outcome
            self.misses += 1
            if self.mode == "replay":
                raise CassetteMiss(path, attempt, worker, str(self.path), reason or self._nearest(wanted))
            return wanted, None

    def add(self, recording: Recording) -> None:
        """Take down an attempt, without its secrets, and see that it gets to the file before long."""
        with self._lock:
            recording = recording.without_secrets(self._redact)
            self._fresh[recording.key] = recording
            self._used.add(recording.key)
            self.recorded += 1
            _unsaved.add(self)
            self._save_if(time.monotonic() - self._saved_at >= _SHARE * self._save_took)

    def never_cancelled(self, wanted: Recording) -> CassetteMiss:
        """Say that an attempt was cancelled when it was recorded, and is not this time."""
        reason = "There is one that was cancelled, as the join was decided without it; now nothing else goes on."
        return CassetteMiss(wanted.path, wanted.attempt, wanted.worker, str(self.path), reason)

    def run_ended(self) -> None:
        """Hear that a run ended."""
        with self._lock:
            if self._fresh:
                is_cheap = time.monotonic() - self._saved_at >= 2 * self._save_took
                self._save_if(is_cheap or len(self._known) + len(self._fresh) <= _SMALL)

    # --- inside

    def _read(self) -> None:
        """Read the file, if it has changed since."""
        if self._is_read and self._file.is_as_seen:
            return
        found = self._file.load()
        try:
            self._known = {key: one.without_secrets(self._redact) for key, one in found.items()}
        except RecursionError:
            raise CassetteError(str(self.path), "it is nested too deeply", "Record it anew.") from None
        self._is_read = True
        self._aliases = {}
        for key, one in self._known.items():  # patterns may have been added since it was recorded
            again = Recording(one.path, one.attempt, one.worker, one.body).key
            if again not in self._known:
                self._aliases[again] = key

    def _write(self, dropped: Iterable[Key] = ()) -> None:
        begun = time.monotonic()
        if self._redact.found != self._secrets:  # what was found since is taken out of what came before
            self._secrets = self._redact.found
            for recordings in (self._known, self._fresh):
                for key, one in recordings.items():
                    cleaned = one.without_secrets(self._redact)
                    recordings[key] = one if cleaned.body == one.body else cleaned
        self._known = self._file.write(self._known, self._fresh, set(dropped))
        self._is_read = True
        self._fresh = {}
        _unsaved.discard(self)
        self._saved_at = time.monotonic()
        self._save_took = self._saved_at - begun

    def _save_if(self, due: bool) -> None:  # noqa: FBT001 - reads like what it says
        """Save in passing: trouble is told, and has another chance when the cassette is closed."""
        if not due:
            return
        try:
            self._write()
        except (OSError, CassetteError) as error:
            self._saved_at, self._save_took = time.monotonic(), 1.0
            _log.warning("What was recorded could not be saved yet, and will be tried again: %s", error)

    def _rescued(self, error: Exception) -> CassetteError:
        """Keep what was recorded beside a file that cannot be written; return the error that says so."""
        beside = self.path.with_name(f"{self.path.stem}.rescued{self.path.suffix}")
        try:
            CassetteFile(beside).write({}, self._fresh)
        except (OSError, CassetteError):
            return self._error(error)
        self._fresh = {}
        _unsaved.discard(self)
        return self._error(error, f" What was recorded is in {beside}.")

    def _error(self, error: Exception, more: str = "") -> CassetteError:
        if isinstance(error, CassetteError):
            return CassetteError(error.cassette, error.reason, error.hint + more)
        reason = getattr(error, "strerror", None) or str(error)  # without the name of the file that was tried first
        hint = f"Give a path in a folder that this user may write to, or make room.{more}"
        return CassetteError(str(self.path), f"it cannot be written ({reason})", hint)

    def _nearest(self, wanted: Recording) -> str:
        return nearest(wanted, self) if self._file.exists or self._fresh else "The file does not exist yet."


def cassette(
    path: str | os.PathLike[str], mode: str = "auto", *, redact: Iterable[str | Pattern[str]] = ()
) -> Cassette:
    """Return a cassette, to be used with `with`: runs that are started inside are replayed from it, or recorded.

    >>> import tempfile
    >>> from orchestration_kit import Orchestrator, WorkerDefinition, create_generic_pipeline
    >>> hub = Orchestrator()
    >>> hub.register_worker(WorkerDefinition(worker_type="generic", name="shout", executor=str.upper))
    >>> hub.register_workflow(create_generic_pipeline([("say", "generic", "")]))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for _ in range(2):
    ...         with cassette(f"{folder}/say.yaml") as tape:
    ...             output = hub.execute_workflow("say", "hello", verbose=False).data["say_output"]
    ...         print(output, tape.recorded, tape.hits)
    HELLO 1 0
    HELLO 0 1

    Args:
        path: The file, by custom beside the notebook or test.
        mode: "auto", "record", "replay" or "off"; see the module.
        redact: Regular expressions for secrets of one's own, besides the well-known ones.

    Raises:
        CassetteError: there is no such mode.
        ValueError: a pattern is no regular expression.
    """
    return Cassette(path, mode, redact=redact)


def as_cassette(value: Cassette | str | os.PathLike[str] | None) -> Cassette | None:
    """Return a cassette from what `Orchestrator(cassette=...)` takes.

    >>> as_cassette(None) is None, as_cassette("site.yaml").path.name
    (True, 'site.yaml')

    Raises:
        TypeError: it is neither a path nor a cassette.
    """
    if value is None or isinstance(value, Cassette):
        return value
    if isinstance(value, (str, os.PathLike)):
        return Cassette(value)
    raise TypeError(f'cassette is a path such as "site.yaml", or cassette("site.yaml", ...), not {value!r:.80}.')


_unsaved: set[Cassette] = set()


@atexit.register
def _save_all() -> None:  # pyright: ignore[reportUnusedFunction]
    for one in list(_unsaved):
        try:
            one.save()
        except CassetteError as error:
            _log.error("What was recorded could not be saved. %s", error)


def _checked_mode(path: str, mode: str) -> str:
    source = "mode"
    if mode == "auto":
        mode, source = os.environ.get(ENVIRONMENT, "").strip().lower() or "auto", ENVIRONMENT
    if mode not in MODES:
        raise CassetteError(
            path,
            f"{source} is {mode!r:.60}",
            f"There are {', '.join(map(repr, MODES))}.{did_you_mean(str(mode), MODES)}",
        )
    return mode
