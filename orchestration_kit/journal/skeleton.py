"""The workflow that a run follows and who works in it, as a blob that many runs share."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from orchestration_kit.engine.plan import Plan
from orchestration_kit.errors import NotSerializable
from orchestration_kit.journal import codec

Worker = tuple[str | None, str, str | None]
"""Name, type and fingerprint."""

_MAX_BYTES = 100_000_000
_KEPT = 64
_written: dict[tuple[str, int], bytes] = {}
"""The skeletons written last."""


@dataclass(frozen=True, slots=True)
class Skeleton:
    """What a run follows."""

    definition: dict[str, Any] | None
    """The workflow as plain data; None where it holds Python callables."""
    workers: Mapping[str, Worker]
    """By step."""


def workers_of(plan: Plan) -> dict[str, Worker]:
    """Return who works at each step."""
    return {
        step_id: (step.worker_name, step.worker_type, step.worker_fingerprint) for step_id, step in plan.steps.items()
    }


def skeleton_of(plan: Plan) -> bytes:
    """Return a plan's skeleton as UTF-8 JSON, compressed: step ids come again and again in it."""
    workers = workers_of(plan)
    key = (plan.fingerprint, hash(tuple(workers.items())))
    known = _written.get(key)
    if known is None:
        try:
            definition = plan.definition.to_dict()
        except NotSerializable:
            definition = None
        skeleton = {"definition": definition, "workers": [[step, *worker] for step, worker in workers.items()]}
        known = zlib.compress(codec.dumps(codec.encode(skeleton, "workflow")), 1)
        while len(_written) >= _KEPT:
            _written.pop(next(iter(_written)), None)
        _written[key] = known
    return known


def read_skeleton(digest: Any, get_blob: Callable[[str], bytes | None]) -> Skeleton:
    """Return the skeleton in a blob.

    Raises:
        ValueError: (or a TypeError, LookupError) it is missing, or not one that a journal writes.
    """
    content = get_blob(digest) if type(digest) is str else None
    if content is None or codec.content_digest(content) != digest:
        raise ValueError("its workflow is missing, or damaged")
    unpack = zlib.decompressobj()
    try:
        text = unpack.decompress(content, _MAX_BYTES)
    except zlib.error as error:
        raise ValueError(f"its workflow cannot be unpacked ({error})") from None
    if not unpack.eof:
        raise ValueError(f"its workflow is cut off, or takes more than {_MAX_BYTES:,} bytes")
    skeleton = codec.loads(text)
    workers: dict[str, Worker] = {step: (name, kind, code) for step, name, kind, code in skeleton["workers"]}
    for name, kind, code in workers.values():
        if not (isinstance(name, str | None) and isinstance(kind, str) and isinstance(code, str | None)):
            raise TypeError(f"a worker is {str((name, kind, code))[:80]}")
    return Skeleton(skeleton["definition"], workers)
