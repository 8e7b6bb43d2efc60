"""Row bodies to events, in order. What is in a body stands in `rows.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from orchestration_kit.engine.data import Changes
from orchestration_kit.engine.events import AttemptFinished, ErrorInfo, Event, RunForked, RunResumed, RunStarted
from orchestration_kit.engine.order import scope_of
from orchestration_kit.journal import codec
from orchestration_kit.journal.deltas import ABSENT, apply
from orchestration_kit.journal.errors import JournalCorrupt
from orchestration_kit.journal.fold import Fold
from orchestration_kit.journal.joins import unpack_ends, unpack_output
from orchestration_kit.journal.known import UNKNOWN
from orchestration_kit.journal.marks import evaluated_of, exact_text, mark_of, text
from orchestration_kit.journal.skeleton import Skeleton, Worker, read_skeleton


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
            if kind == "r":
                return self._resumed(*parts[1:])
            if kind == "f":
                _, at, forked_at, patches, removed, given = parts
                changes = _changes(patches, removed, fold.scope(scope_of(exact_text(at))).data)
                taken = None if given is None else (given[0],)
                return RunForked(self._run_id, self._parent, at, float(forked_at), changes, taken)
            mark = mark_of(self._run_id, parts)
            if mark is None:
                raise ValueError(f"a row of the kind {kind!r:.40}")
        except JournalCorrupt as error:
            raise JournalCorrupt(self._run_id, error.reason) from error
        except (ValueError, TypeError, LookupError, AttributeError, OverflowError) as error:
            raise JournalCorrupt(self._run_id, f"row {fold.at + 1} cannot be read ({error})") from error
        return mark

    def _resumed(self, resumed_at: Any, fingerprint: Any = None, skeleton: Any = None) -> RunResumed:
        if fingerprint is not None:
            self.skeleton = read_skeleton(skeleton, self._get_blob)
            self._workers = self.skeleton.workers
        return RunResumed(self._run_id, float(resumed_at), text(fingerprint))

    def _attempt(self, parts: list[Any], fold: Fold) -> AttemptFinished:
        _, prefix, step, visit, attempt, started_at, duration_s, next_step, output, *rest = parts
        extras: dict[str, Any] = rest[0] if rest else {}
        if not (type(step) is type(prefix) is str and type(visit) is type(attempt) is int):
            raise ValueError(f"an attempt of {str((prefix, step, visit, attempt))[:80]}")
        scope = fold.scope(prefix) if prefix else fold.root
        if not rest and type(started_at) is type(duration_s) is float and scope.input is not UNKNOWN:
            self._attempts += 1  # most attempts are plain
            worker, worker_type, fingerprint = scope.workers.get(step) or self._workers[step]
            return AttemptFinished(
                self._attempts, prefix, step, visit, attempt, worker, worker_type, scope.input, output, None,
                started_at, duration_s, text(next_step), None, None, (), None, False, fingerprint,  # noqa: FBT003
            )  # fmt: skip
        error = extras.get("e")
        if error is not None:
            kind, message, *final = error
            error = ErrorInfo(exact_text(kind), exact_text(message), final == [True])
            output = {"error": error.message} if output is None and "j" not in extras else output
        detail: dict[str, Any] | None = extras.get("d")
        if not (detail is None or type(detail) is dict):
            raise TypeError(f"what it did besides is {str(detail)[:40]}")
        if "b" in extras:
            path = f"{prefix}{step}#{visit}"
            group = fold.groups[path]
            ends = unpack_ends(extras["b"], group.in_order())
            detail = {"branches": ends, **(detail or {})}
            if "j" in extras:
                output = unpack_output(extras["j"], ends, group, lambda key: fold.output_of(path, key))
        given = extras["i"] if "i" in extras else fold.coming(scope, detail)
        if given is UNKNOWN:
            raise ValueError("nothing tells what it was given")
        worker, worker_type, fingerprint = extras.get("w") or scope.workers.get(step) or self._workers[step]
        self._attempts += 1
        return AttemptFinished(
            seq=self._attempts,
            scope=prefix,
            step=step,
            visit=visit,
            attempt=attempt,
            worker=text(worker),
            worker_type=exact_text(worker_type),
            input=given,
            output=output,
            error=error,
            started_at=float(started_at),
            duration_s=float(duration_s),
            next_step=text(next_step),
            retry_in_s=None if extras.get("r") is None else float(extras["r"]),
            changes=_changes(extras.get("c", []), extras.get("x", ()), scope.data),
            evaluated=evaluated_of(extras.get("v", ())),
            usage=extras.get("u"),
            cached=extras.get("k") is True,
            worker_fingerprint=text(fingerprint),
            detail=detail,
        )


def _changes(patches: list[Any], removed: Any, data: Mapping[str, Any]) -> Changes | None:
    if not patches and not removed:
        return None
    updated = {exact_text(key): apply(data.get(key, ABSENT), patch) for key, patch in patches}
    return Changes(updated, tuple(map(exact_text, removed)))
