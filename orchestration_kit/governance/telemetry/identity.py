"""Run ids become trace ids, so that whoever goes on with a run, in whatever process, adds to the same trace."""

from __future__ import annotations

import hashlib
import threading
from typing import NamedTuple

from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import INVALID_SPAN_ID, INVALID_TRACE_ID, SpanContext, TraceFlags


class TraceIds(NamedTuple):
    """The ids of the first span of a run."""

    trace_id: int
    span_id: int

    def context(self) -> SpanContext:
        """Return what others refer to the span by. It was, or will be, made by whoever began the run."""
        return SpanContext(self.trace_id, self.span_id, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def ids_of(run_id: str) -> TraceIds:
    """Return the ids that belong to a run: SHA-256 of its id, so 128 and 64 bits that are as good as random.

    >>> ids_of("build_1") == ids_of("build_1"), ids_of("build_1") == ids_of("build_2")
    (True, False)
    """
    digest = hashlib.sha256(run_id.encode("utf-8", "backslashreplace")).digest()
    trace_id, span_id = int.from_bytes(digest[:16], "big"), int.from_bytes(digest[16:24], "big")
    return TraceIds(trace_id or INVALID_TRACE_ID + 1, span_id or INVALID_SPAN_ID + 1)


class PlannedIds(RandomIdGenerator):
    """Makes random ids, but for the next span of this thread, where somebody has planned one."""

    def __init__(self) -> None:
        self._here = threading.local()

    def plan(self, ids: TraceIds | None) -> None:
        """Have the next root span of this thread get these ids; None: random ones again."""
        self._here.ids = ids

    def generate_trace_id(self) -> int:
        """Return the id of a new trace."""
        ids: TraceIds | None = getattr(self._here, "ids", None)
        return super().generate_trace_id() if ids is None else ids.trace_id

    def generate_span_id(self) -> int:
        """Return the id of a new span."""
        ids: TraceIds | None = getattr(self._here, "ids", None)
        return super().generate_span_id() if ids is None else ids.span_id
