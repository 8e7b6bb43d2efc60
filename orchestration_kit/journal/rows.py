"""Events to row bodies. A body holds what a reader of the rows before it cannot know; `row_reader.py` turns it back.

```text
["a", scope, step, visit, attempt, started_at, duration_s, next_step, output, {...}]   an attempt
["b", path, [key, ...] or null, [item, ...] or null, opened_at, [condition, ...]]      branches were opened
["w", path, kind, request, {shown}, asked_at, until]                                   a visit waits
["q", path, kind, value, reason, request, answered_at]                                 the question was answered
["n", name, payload, received_at]                                                      news: an event was sent
["l", limit, value, next_step, reached_at]                                             a limit was reached
["f", at, forked_at, [[key, patch], ...], [key, ...], [input] or null]                 a fork begins
["r", resumed_at]  or  ["r", resumed_at, fingerprint, skeleton]                        resumed; by another workflow
["e", state, reason, finished_at, attempts]                                            the run ended
```

Rows stand in the order of arrival, so that those of branches which ran at the same time are mixed. The last part of an
attempt is left out where it is empty; so are the conditions of "b". It holds `i` input, `e` error (type, message), `r`
seconds until the retry, `c` and `x` what changed on the data bus of its scope and what was removed, `v` conditions
evaluated, `u` usage, `k` whether it came from a recording, `w` worker, its type and fingerprint where they are not
those of the header, or of the attempt before at this step in a branch like this, `b` and `j` how the branches ended
that it joins and what was made of their outputs (`joins.py`), `d` what else it did.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from orchestration_kit.engine.data import Changes
from orchestration_kit.engine.events import AttemptFinished, Event, RunForked, RunResumed
from orchestration_kit.engine.order import scope_of
from orchestration_kit.engine.plan import Plan
from orchestration_kit.journal import codec
from orchestration_kit.journal.blobs import NewBlobs
from orchestration_kit.journal.deltas import ABSENT, diff
from orchestration_kit.journal.fold import Fold
from orchestration_kit.journal.joins import pack_ends, pack_output
from orchestration_kit.journal.known import KnownScope
from orchestration_kit.journal.marks import conditions, mark_parts
from orchestration_kit.journal.skeleton import Worker, skeleton_of, workers_of


class RowWriter:
    """Turns the events of one run into row bodies, in order."""

    def __init__(self, fold: Fold, workers: Mapping[str, Worker], blobs: NewBlobs, plan: Callable[[], Plan]) -> None:
        self.fold = fold
        self._plan = plan
        """What the run follows now."""
        self.workers = workers
        self._blobs = blobs
        self._staged: dict[int, tuple[Any, Any, dict[str, bytes]]] = {}
        """By id: values that were encoded to see whether they can be, what came of it, and the blobs it names."""
        self._patches: dict[tuple[str, int], tuple[Any, Any, Any, dict[str, bytes]]] = {}
        """By key and id: what changed on a data bus, what was there before, the patch, and the blobs it names. Apart,
        as one value may be output and change."""

    def stage(self, where: str, value: Any) -> None:
        """Encode a value that will be on record.

        Raises:
            NotRecordable: it cannot be.
        """
        blobs: dict[str, bytes] = {}
        self._staged[id(value)] = (value, codec.encode(value, where, _putter(blobs)), blobs)

    def stage_changes(self, changes: Changes, prefix: str = "") -> None:
        """Encode what an attempt in a scope changed on its data bus.

        Raises:
            NotRecordable: part of it cannot be put on record.
        """
        # A branch that no row was of begins with what the run has; a patch is used only for what it was made from.
        data = self.fold.scopes.get(prefix, self.fold.root).data
        for key, value in changes.updated.items():
            blobs: dict[str, bytes] = {}
            before = data.get(key, ABSENT)
            self._patches[key, id(value)] = (value, before, _patch(key, before, value, _putter(blobs)), blobs)

    def forget_staged(self) -> None:
        """Forget what was staged: every event there is has its row."""
        if self._staged or self._patches:
            self._staged.clear()
            self._patches.clear()

    def body(self, event: Event) -> bytes:
        """Return the body of the next row."""
        return codec.dumps(self._attempt(event) if isinstance(event, AttemptFinished) else self._parts(event))

    def attempt_body(self, record: tuple[Any, ...]) -> bytes:
        """Return the body of the next row, of an attempt."""
        return codec.dumps(self._attempt(record))

    def _parts(self, event: Event) -> list[Any]:
        parts = mark_parts(event, self._value)
        if parts is not None:
            return parts
        if isinstance(event, RunResumed):
            if event.fingerprint is None:
                return ["r", event.resumed_at]
            plan = self._plan()
            self.workers = workers_of(plan)
            return ["r", event.resumed_at, event.fingerprint, self._blobs.put(skeleton_of(plan))]
        if isinstance(event, RunForked):
            data = self.fold.scope(scope_of(event.at)).data
            changes = event.changes or Changes({}, ())
            patches = [
                [codec.encode(key, "key"), _patch(key, data.get(key, ABSENT), part, self._blobs.put)]
                for key, part in changes.updated.items()
            ]
            removed = [codec.encode(key, "key") for key in changes.removed]
            given = None if event.input is None else [self._value("input of the fork", event.input[0])]
            return ["f", event.at, event.forked_at, patches, removed, given]
        raise TypeError(f"a {type(event).__name__} is not kept in journals")

    def _attempt(self, record: tuple[Any, ...]) -> list[Any]:
        # On the way of every commit, so each part is looked at once.
        (
            _, prefix, step, visit, attempt, worker, worker_type, given, output, error, started_at, duration_s,
            next_step, retry_in_s, changes, evaluated, usage, cached, fingerprint, detail,
        ) = record  # fmt: skip
        scope = self.fold.scope(prefix) if prefix else self.fold.root
        if error is not None and type(output) is dict and output == {"error": error.message}:
            output = None
        extras: dict[str, Any] = {}
        if detail is not None and "branches" in detail:
            self._joined(extras, f"{prefix}{step}#{visit}", output, detail, has_failed=error is not None)
        plain = None if extras and "j" in extras else self._value(f"output of step {step!r}", output)
        body: list[Any] = ["a", prefix, step, visit, attempt, started_at, duration_s, next_step, plain]
        is_plain = error is retry_in_s is changes is usage is detail is None and not evaluated and not cached
        expected = (scope.workers.get(step) if prefix else None) or self.workers.get(step)
        if not is_plain or given is not scope.input or expected != (worker, worker_type, fingerprint):
            self._extend(extras, AttemptFinished._make(record), scope)
            if extras:
                body.append(extras)
        return body

    def _joined(
        self, extras: dict[str, Any], path: str, output: Any, detail: dict[str, Any], *, has_failed: bool
    ) -> None:
        """Put how branches ended among the extras, and the output of their join, as far as it is what they gave."""
        group = self.fold.groups.get(path)
        if group is None:
            return
        ends = pack_ends(detail["branches"], group.in_order())
        if ends is None or next(iter(detail)) != "branches":
            return
        extras["b"] = ends
        if has_failed:
            return
        packed = pack_output(
            output,
            detail["branches"],
            group,
            lambda key: self.fold.output_of(path, key),
            lambda entry: self._value(f"output of {path}", entry),
        )
        if packed is not None:
            extras["j"] = packed

    def _extend(self, extras: dict[str, Any], record: AttemptFinished, scope: KnownScope) -> None:
        step, changes, detail = record.step, record.changes, record.detail
        if record.error is not None:
            kind, message, is_final = record.error
            extras["e"] = [codec.encode(kind, "error"), codec.encode(message, "error"), *([True] if is_final else ())]
        if record.input is not self.fold.coming(scope, detail):
            extras["i"] = self._value(f"input of step {step!r}", record.input)
        if record.retry_in_s is not None:
            extras["r"] = record.retry_in_s
        if changes is not None:
            self._changed(extras, changes, scope)
        if record.evaluated:
            extras["v"] = conditions(record.evaluated)
        if record.usage is not None:
            extras["u"] = codec.encode(record.usage, f"usage of step {step!r}")
        if record.cached:
            extras["k"] = True
        worker = (record.worker, record.worker_type, record.worker_fingerprint)
        if (scope.workers.get(step) or self.workers.get(step)) != worker:
            extras["w"] = [codec.encode(part, "worker") for part in worker]
        self._besides(extras, detail, step)

    def _besides(self, extras: dict[str, Any], detail: dict[str, Any] | None, step: str) -> None:
        is_told = "b" in extras
        if is_told and detail is not None:
            detail = {name: part for name, part in detail.items() if name != "branches"}
        if detail or (detail is not None and not is_told):
            extras["d"] = self._value(f"what step {step!r} did besides", detail)

    def _changed(self, extras: dict[str, Any], changes: Changes, scope: KnownScope) -> None:
        if changes.updated:
            extras["c"] = [
                [codec.encode(key, "key"), self._change(scope, key, v)] for key, v in changes.updated.items()
            ]
        if changes.removed:
            extras["x"] = [codec.encode(key, "key") for key in changes.removed]

    def _value(self, where: str, value: Any) -> Any:
        staged = self._staged.get(id(value))
        if staged is not None and staged[0] is value:
            self._blobs.put_all(staged[2])
            return staged[1]
        return codec.encode(value, where, self._blobs.put)

    def _change(self, scope: KnownScope, key: str, value: Any) -> Any:
        before = scope.data.get(key, ABSENT)
        staged = self._patches.get((key, id(value)))
        if staged is not None and staged[0] is value and staged[1] is before:
            self._blobs.put_all(staged[3])
            return staged[2]
        return _patch(key, before, value, self._blobs.put)


def _putter(blobs: dict[str, bytes]) -> Callable[[bytes], str]:
    """Return what keeps blobs aside: what is staged may never be written."""

    def put(content: bytes) -> str:
        digest = codec.content_digest(content)
        blobs[digest] = content
        return digest

    return put


def _patch(key: str, before: Any, value: Any, put_blob: Callable[[bytes], str]) -> Any:
    where = f"data[{key!r}]"
    return diff(before, value, encode=lambda part: codec.encode(part, where, put_blob))
