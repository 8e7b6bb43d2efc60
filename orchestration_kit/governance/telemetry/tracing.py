"""Whatever runs in this process is followed, and the span of an attempt is the current one while its worker is called.

So what a worker does with OpenTelemetry itself (a model call, an HTTP request) comes to stand within its attempt.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from opentelemetry import context as otel_context
from opentelemetry.trace import set_span_in_context

from orchestration_kit.governance.telemetry.identity import PlannedIds, TraceIds, ids_of
from orchestration_kit.governance.telemetry.run_trace import RunTrace

if TYPE_CHECKING:
    from opentelemetry.trace import Span, SpanContext, Tracer

    from orchestration_kit.engine.context import WorkflowContext
    from orchestration_kit.engine.run import Run
    from orchestration_kit.governance.telemetry.cleaning import Cleaner
    from orchestration_kit.governance.telemetry.meters import Meters

_NOTHING: AbstractContextManager[None] = nullcontext()
_MAX_KNOWN = 10_000


class _Within:
    """The span of an attempt, as the current one."""

    __slots__ = ("_span", "_token")

    def __init__(self, span: Span) -> None:
        self._span = span

    def __enter__(self) -> None:
        self._token = otel_context.attach(set_span_in_context(self._span))

    def __exit__(self, *_: object) -> None:
        otel_context.detach(self._token)


class Tracing:
    """Follows all runs: the watcher that `enable` sets to work.

    Args:
        tracer: Makes the spans.
        meters: Counts and measures; None: nothing does.
        cleaner: Takes out secrets.
        contents: Whether inputs, outputs and goals are told.
        ids: Plans the ids of first spans, where the provider of the tracer is our own.
    """

    def __init__(
        self, tracer: Tracer, cleaner: Cleaner, *, meters: Meters | None, contents: bool, ids: PlannedIds | None
    ) -> None:
        self.tracer, self.meters, self.cleaner, self.contents = tracer, meters, cleaner, contents
        self._ids = ids
        self._runs: WeakValueDictionary[str, RunTrace] = WeakValueDictionary()
        self._origins: OrderedDict[str, SpanContext] = OrderedDict()

    def follow(self, run: Run) -> RunTrace:
        """Return what is told of a run's events; the same for the same handle."""
        known = self._runs.get(run.run_id)
        if known is not None and known.belongs_to(run):
            return known
        self.cleaner.refresh()
        found = self._runs[run.run_id] = RunTrace(self, run)
        return found

    def around(self, context: WorkflowContext) -> AbstractContextManager[None]:
        """Return what is entered around a worker's call."""
        trace = self._runs.get(context.workflow_id)
        span = None if trace is None else trace.span_at(context.path)
        return _NOTHING if span is None else _Within(span)

    def switch_off(self) -> None:
        """End all spans that are under way, and make no more."""
        for trace in list(self._runs.values()):
            trace.switch_off()

    # --- for the traces of runs

    @contextmanager
    def planned(self, ids: TraceIds | None) -> Generator[None]:
        """Have the next span of this thread get these ids."""
        if self._ids is None or ids is None:
            yield
            return
        self._ids.plan(ids)
        try:
            yield
        finally:
            self._ids.plan(None)

    def ids_for(self, run_id: str) -> TraceIds | None:
        """Return the ids of the first span of a run; None where the provider makes them up."""
        return None if self._ids is None else ids_of(run_id)

    def remember(self, run_id: str, root: SpanContext) -> None:
        """Remember the first span of a run, so that forks and later spans can refer to it."""
        self._origins[run_id] = root
        if len(self._origins) > _MAX_KNOWN:
            self._origins.popitem(last=False)

    def origin(self, run_id: str) -> SpanContext | None:
        """Return the first span of a run: as it was seen here, or as it must be where another process made it."""
        known = self._origins.get(run_id)
        return known if known is not None or self._ids is None else ids_of(run_id).context()

    def span_above(self, run_id: str, parent: str) -> Span | None:
        """Return the span of the attempt of its parent that a run is within; None where that is not under way here."""
        trace = self._runs.get(parent)
        if trace is None or not run_id.startswith(f"{parent}/"):
            return None
        path = run_id[len(parent) + 1 :]
        found = trace.span_at(path)
        if found is None and path.rpartition(".")[2].isdecimal():  # ".2": it was tried again
            found = trace.span_at(path.rpartition(".")[0])
        return found
