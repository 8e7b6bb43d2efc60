"""Events to row bodies and back. A body holds what a reader of the rows before it cannot know.

```text
["a", scope, step, visit, attempt, started_at, duration_s, next_step, output, {...}]   an attempt
["f", at, forked_at, [[key, patch], ...], [key, ...], [input] or null]                a fork begins
["r", resumed_at]  or  ["r", resumed_at, fingerprint, skeleton]                       resumed; by another workflow
["e", state, reason, finished_at, attempts]                                           the run ended
```

The last part of an attempt is left out where it is empty. It holds `i` input, `e` error (type, message), `r` seconds
until the retry, `c` and `x` what changed on the data bus and what was removed, `v` conditions evaluated, `u` usage,
`k` whether it came from a recording, `w` worker, its type and fingerprint where they are not those of the header.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from orchestration_kit.definition.conditions import Evaluated
from orchestration_kit.engine.data import Changes
from orchestration_kit.engine.events import (
    AttemptFinished,
    ErrorInfo,
    Event,
    RunFinished,
    RunForked,
    RunResumed,
    RunStarted,
)
from orchestration_kit.engine.plan import Plan
from orchestration_kit.journal import codec
from orchestration_kit.journal.deltas import ABSENT, apply, diff
from orchestration_kit.journal.errors import JournalCorrupt, NotRecordable
from orchestration_kit.journal.fold import Fold
from orchestration_kit.journal.skeleton import Skeleton, Worker, read_skeleton, skeleton_of, workers_of


class RowWriter:
    """Turns the events of one run into row bodies, in order."""

    def __init__(
        self, fold: Fold, workers: Mapping[str, Worker], put_blob: Callable[[bytes], str], plan: Callable[[], Plan]
    ) -> None:
        self.fold = fold
        self._plan = plan
        """What the run follows now."""
        self.workers = workers
        self._put_blob = put_blob
        self._staged: dict[int, tuple[Any, Any]] = {}
        """By id: values that were encoded to see whether they can be, and what came of it."""
        self._patches: dict[str, tuple[Any, Any]] = {}
        """By key: what changed on the data bus, and its patch. Apart, as one value may be output and change."""

    def stage(self, where: str, value: Any) -> None:
        """Encode a value that will be on record.

        Raises:
            NotRecordable: it cannot be.
        """
        self._staged[id(value)] = (value, codec.encode(value, where, self._put_blob))

    def stage_changes(self, changes: Changes) -> None:
        """Encode what changed on the data bus.

        Raises:
            NotRecordable: part of it cannot be put on record.
        """
        for key, value in changes.updated.items():
            self._patches[key] = (value, self._patch(key, value))

    def body(self, event: Event) -> bytes:
        """Return the body of the next row."""
        if isinstance(event, AttemptFinished):
            return self.attempt_body(event)
        body = codec.dumps(self._parts(event))
        self._staged.clear()
        self._patches.clear()
        return body

    def attempt_body(self, record: tuple[Any, ...]) -> bytes:
        """Return the body of the next row, of an attempt."""
        body = codec.dumps(self._attempt(record))
        if self._staged or self._patches:
            self._staged.clear()
            self._patches.clear()
        return body

    def _parts(self, event: Event) -> list[Any]:
        if isinstance(event, RunFinished):
            reason = codec.encode(event.reason, "reason")
            return ["e", event.state, reason, event.finished_at, event.steps]
        if isinstance(event, RunResumed):
            if event.fingerprint is None:
                return ["r", event.resumed_at]
            plan = self._plan()
            self.workers = workers_of(plan)
            return ["r", event.resumed_at, event.fingerprint, self._put_blob(skeleton_of(plan))]
        if isinstance(event, RunForked):
            changes = event.changes or Changes({}, ())
            patches = [[codec.encode(key, "key"), self._patch(key, part)] for key, part in changes.updated.items()]
            removed = [codec.encode(key, "key") for key in changes.removed]
            given = None if event.input is None else [self._value("input of the fork", event.input[0])]
            return ["f", event.at, event.forked_at, patches, removed, given]
        raise TypeError(f"a {type(event).__name__} is not kept in journals")

    def _attempt(self, record: tuple[Any, ...]) -> list[Any]:
        # On the way of every commit, so each part is looked at once.
        (
            _, scope, step, visit, attempt, worker, worker_type, given, output, error, started_at, duration_s,
            next_step, retry_in_s, changes, evaluated, usage, cached, fingerprint,
        ) = record  # fmt: skip
        if error is not None and type(output) is dict and output == {"error": error.message}:
            output = None
        plain = self._value(f"output of step {step!r}", output)
        body: list[Any] = ["a", scope, step, visit, attempt, started_at, duration_s, next_step, plain]
        is_plain = error is retry_in_s is changes is usage is None and not evaluated and not cached
        known = self.workers.get(step) == (worker, worker_type, fingerprint)
        if not is_plain or not known or given is not self.fold.input:
            body.append(self._extras(AttemptFinished._make(record)))
        return body

    def _extras(self, record: AttemptFinished) -> dict[str, Any]:
        step, changes = record.step, record.changes
        extras: dict[str, Any] = {}
        if record.error is not None:
            kind, message, is_final = record.error
            extras["e"] = [codec.encode(kind, "error"), codec.encode(message, "error"), *([True] if is_final else ())]
        if record.input is not self.fold.input:
            extras["i"] = self._value(f"input of step {step!r}", record.input)
        if record.retry_in_s is not None:
            extras["r"] = record.retry_in_s
        if changes is not None:
            extras["c"] = [[codec.encode(key, "key"), self._change(key, part)] for key, part in changes.updated.items()]
            extras["x"] = [codec.encode(key, "key") for key in changes.removed]
        if record.evaluated:
            extras["v"] = [[codec.encode(one.text, "text"), _inputs(one), one.result] for one in record.evaluated]
        if record.usage is not None:
            extras["u"] = codec.encode(record.usage, f"usage of step {step!r}")
        if record.cached:
            extras["k"] = True
        worker = (record.worker, record.worker_type, record.worker_fingerprint)
        if self.workers.get(step) != worker:
            extras["w"] = [codec.encode(part, "worker") for part in worker]
        return {name: part for name, part in extras.items() if part != []}

    def _value(self, where: str, value: Any) -> Any:
        staged = self._staged.get(id(value))
        if staged is not None and staged[0] is value:
            return staged[1]
        return codec.encode(value, where, self._put_blob)

    def _change(self, key: str, value: Any) -> Any:
        staged = self._patches.get(key)
        if staged is not None and staged[0] is value:
            return staged[1]
        return self._patch(key, value)

    def _patch(self, key: str, value: Any) -> Any:
        where = f"data[{key!r}]"
        return diff(
            self.fold.data.get(key, ABSENT), value, encode=lambda part: codec.encode(part, where, self._put_blob)
        )


def _inputs(evaluated: Evaluated) -> Any:
    """Return what a condition looked at. It may be part of a rejected output, which need not fit on record."""
    try:
        return codec.encode(dict(evaluated.inputs), "what a condition looked at")
    except NotRecordable:
        return {key: f"{value!r:.200}" for key, value in evaluated.inputs.items()}


class RowReader:
    """Turns row bodies into events, in order."""

    def __init__(self, get_blob: Callable[[str], bytes | None]) -> None:
        self._run_id, self._parent = "", ""
        self._workers: Mapping[str, Worker] = {}
        self.skeleton: Skeleton | None = None
        """What the run follows, after the rows that were read; None before the first."""
        self._get_blob = get_blob
        self._attempts = 0

    def turn_to(self, started: RunStarted, skeleton: Skeleton) -> None:
        """Read rows that this run wrote, from now on: a fork's past was written by its ancestors."""
        self._run_id, self._parent = started.run_id, started.parent or ""
        self.skeleton, self._workers = skeleton, skeleton.workers

    def event(self, body: bytes, fold: Fold) -> Event:
        """Return the event of a row; `fold` stands at the row before it.

        Raises:
            JournalCorrupt: the body is not one that a journal writes.
            UnknownType: it holds a value of a type that is not registered here.
        """
        try:
            parts: list[Any] = codec.loads(body, self._get_blob)
            kind = parts[0]
            if kind == "a":
                return self._attempt(parts, fold)
            if kind == "e":
                _, state, reason, finished_at, steps = parts
                if state not in _ENDS:
                    raise ValueError(f"an end in the state {state!r:.40}")
                return RunFinished(self._run_id, state, _text(reason), float(finished_at), int(steps))
            if kind == "r":
                return self._resumed(*parts[1:])
            if kind == "f":
                _, at, forked_at, patches, removed, given = parts
                changes = _changes(patches, removed, fold)
                taken = None if given is None else (given[0],)
                return RunForked(self._run_id, self._parent, _exact_text(at), float(forked_at), changes, taken)
            raise ValueError(f"a row of the kind {kind!r:.40}")
        except JournalCorrupt as error:
            raise JournalCorrupt(self._run_id, error.reason) from error
        except (ValueError, TypeError, LookupError, AttributeError, OverflowError) as error:
            raise JournalCorrupt(self._run_id, f"row {fold.at + 1} cannot be read ({error})") from error

    def _resumed(self, resumed_at: Any, fingerprint: Any = None, skeleton: Any = None) -> RunResumed:
        if fingerprint is not None:
            self.skeleton = read_skeleton(skeleton, self._get_blob)
            self._workers = self.skeleton.workers
        return RunResumed(self._run_id, float(resumed_at), _text(fingerprint))

    def _attempt(self, parts: list[Any], fold: Fold) -> AttemptFinished:
        _, scope, step, visit, attempt, started_at, duration_s, next_step, output, *rest = parts
        extras: dict[str, Any] = rest[0] if rest else {}
        if not (type(step) is type(scope) is str and type(visit) is type(attempt) is int):
            raise ValueError(f"an attempt of {str((scope, step, visit, attempt))[:80]}")
        if not rest and type(started_at) is type(duration_s) is float:  # most attempts are plain
            self._attempts += 1
            worker, worker_type, fingerprint = self._workers[step]
            return AttemptFinished(
                self._attempts, scope, step, visit, attempt, worker, worker_type, fold.input, output, None, started_at,
                duration_s, _text(next_step), None, None, (), None, False, fingerprint,  # noqa: FBT003
            )  # fmt: skip
        error = extras.get("e")
        if error is not None:
            kind, message, *final = error
            error = ErrorInfo(_exact_text(kind), _exact_text(message), final == [True])
            output = {"error": error.message} if output is None else output
        worker, worker_type, fingerprint = extras.get("w") or self._workers[step]
        changes = _changes(extras.get("c", []), extras.get("x", ()), fold) if extras else None
        self._attempts += 1
        return AttemptFinished(
            seq=self._attempts,
            scope=scope,
            step=step,
            visit=visit,
            attempt=attempt,
            worker=_text(worker),
            worker_type=_exact_text(worker_type),
            input=extras.get("i", fold.input),
            output=output,
            error=error,
            started_at=float(started_at),
            duration_s=float(duration_s),
            next_step=_text(next_step),
            retry_in_s=None if extras.get("r") is None else float(extras["r"]),
            changes=changes,
            evaluated=tuple(
                Evaluated(_exact_text(text), dict(inputs), result is True)
                for text, inputs, result in extras.get("v", ())
            ),
            usage=extras.get("u"),
            cached=extras.get("k") is True,
            worker_fingerprint=_text(fingerprint),
        )


_ENDS = ("completed", "failed", "cancelled")


def _changes(patches: list[Any], removed: Any, fold: Fold) -> Changes | None:
    if not patches and not removed:
        return None
    updated = {_exact_text(key): apply(fold.data.get(key, ABSENT), patch) for key, patch in patches}
    return Changes(updated, tuple(map(_exact_text, removed)))


def _text(value: Any) -> str | None:
    return None if value is None else _exact_text(value)


def _exact_text(value: Any) -> str:
    if type(value) is not str:
        raise ValueError(f"a text is {str(cast('object', value))[:40]}")
    return value
