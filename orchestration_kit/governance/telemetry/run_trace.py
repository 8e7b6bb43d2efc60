"""The events of one run become spans: one for the run while it is worked on, one for each attempt within it.

A span has to end to be seen, and a run may wait for days. So a run's span ends where the run ends, or rests for
somebody's answer (`orchestration_kit.run.state` says which). When it goes on, there is another span, in the same trace
and linked to the one before. A run that is stepped, or paused, keeps its span until it goes on to one of these, its
handle is let go of, or telemetry is switched off.
"""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry import context as otel_context
from opentelemetry.trace import Link, SpanContext, StatusCode, get_current_span, set_span_in_context

from orchestration_kit.engine.events import AttemptFinished, AttemptStarted, PartialOutput, RunFinished, RunStarted
from orchestration_kit.engine.state import RESTING
from orchestration_kit.governance.telemetry.attributes import (
    OWN,
    RUN_STATE,
    attempt_attributes,
    moment_of,
    outcome_attributes,
    outcome_of,
    run_attributes,
)

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span

    from orchestration_kit.engine.events import Event
    from orchestration_kit.engine.run import Run
    from orchestration_kit.governance.telemetry.tracing import Tracing


class _Open(NamedTuple):
    """The span of an attempt that is under way."""

    attempt: int
    span: Span
    started_at: float


def nanoseconds(seconds: float) -> int:
    """Return seconds since the epoch as OpenTelemetry has them."""
    return int(seconds * 1_000_000_000)


class RunTrace:
    """Follows one run: its observer."""

    def __init__(self, tracing: Tracing, run: Run) -> None:
        self._tracing = tracing
        self._run = weakref.ref(run)
        self._clock = run.clock
        self.started: RunStarted = run.machine.started
        self._span: Span | None = None
        self._context: Context | None = None
        self._open: dict[str, _Open] = {}
        """The attempts under way, by position."""
        self._moments: list[tuple[str, dict[str, Any], float]] = []
        """What happened while nobody worked on the run."""
        self._root: SpanContext | None = None
        self._last: SpanContext | None = None
        self._seen = self._attempts = 0
        self._latest = 0.0
        self._is_over = False
        self._lock = threading.RLock()
        run.resting_observers.append(self.rest)
        weakref.finalize(run, self.close).atexit = False

    def belongs_to(self, run: Run) -> bool:
        """Whether it follows just this handle."""
        return self._run() is run

    def __call__(self, event: Event) -> None:
        """Hear of an event."""
        if self._is_over:
            return
        kind = type(event)
        with self._lock:
            if kind is AttemptStarted:
                self._begin(event)  # pyright: ignore[reportArgumentType] - on the way of every attempt
            elif kind is AttemptFinished:
                self._end(event)  # pyright: ignore[reportArgumentType]
            elif kind is RunFinished:
                self._finish(event)  # pyright: ignore[reportArgumentType]
            elif kind is not PartialOutput:
                self._note(event)

    def span_at(self, path: str) -> Span | None:
        """Return the span of the attempt that is under way at a position."""
        found = self._open.get(path)
        return None if found is None else found.span

    # --- attempts

    def _begin(self, event: AttemptStarted) -> None:
        tracing = self._tracing
        context = self._context or self._go_on(event)
        left = self._open.pop(event.path, None)
        if left is not None:  # it was put back, not settled
            self._leave(left, event.started_at)
        span = tracing.tracer.start_span(
            f"invoke_agent {tracing.cleaner.name(event.worker)}" if event.worker else tracing.cleaner.name(event.step),
            context,
            attributes=attempt_attributes(event, event.path, tracing.cleaner),
            start_time=nanoseconds(event.started_at),
        )
        self._open[event.path] = _Open(event.attempt, span, event.started_at)

    def _end(self, event: AttemptFinished) -> None:
        if event.seq <= self._seen:  # one that an interrupt hit is told twice
            return
        self._seen = event.seq
        tracing, path = self._tracing, event.path
        cleaner, outcome = tracing.cleaner, outcome_of(event)
        found = self._open.pop(path, None)
        if found is not None and found.attempt != event.attempt:
            self._leave(found, event.started_at)
            found = None
        if found is None:  # a join, a wait, what a recording stood in for: no worker was called
            context = self._context or self._go_on(event)
            name = f"invoke_agent {cleaner.name(event.worker)}" if event.worker else cleaner.name(event.step)
            attributes = attempt_attributes(event, path, cleaner)
            started = nanoseconds(event.started_at)
            span = tracing.tracer.start_span(name, context, attributes=attributes, start_time=started)
        else:
            span = found.span
        ended_at = event.started_at + max(0.0, event.duration_s)
        self._latest = max(self._latest, ended_at)
        self._attempts += 1
        if span.is_recording():
            attributes = outcome_attributes(event, outcome, cleaner)
            if tracing.contents:
                attributes[OWN + "input"] = cleaner.content(event.input)
                attributes[OWN + "output"] = cleaner.content(event.output)
            span.set_attributes(attributes)
            if event.error is not None and outcome != "cancelled":
                span.set_status(StatusCode.ERROR, cleaner.text(event.error.message))
        span.end(nanoseconds(ended_at))
        if tracing.meters is not None:
            tracing.meters.attempt(self.started.workflow, event, outcome)

    def _leave(self, found: _Open, at: float) -> None:
        """End the span of an attempt that nothing is on record of: its run stopped, waits, or failed to be kept."""
        found.span.set_attribute(OWN + "outcome", "left")
        found.span.end(nanoseconds(max(at, found.started_at)))

    # --- the run

    def _go_on(self, event: Event) -> Context:
        """Begin a span of the run."""
        tracing, started = self._tracing, self.started
        context, ids, links = self._place(isinstance(event, RunStarted))
        attributes = run_attributes(started.run_id, started.workflow, tracing.cleaner)
        if tracing.contents:
            attributes[OWN + "goal"] = tracing.cleaner.content(started.goal)
        if started.parent is not None:
            attributes[OWN + "run.parent"] = tracing.cleaner.name(started.parent)
        at = min(self._clock.time(), getattr(event, "started_at", None) or float("inf"))
        at = self._clock.time() if isinstance(event, RunStarted) else at  # it may have been made long before
        name = f"invoke_workflow {tracing.cleaner.name(started.workflow)}"
        with tracing.planned(ids):
            span = tracing.tracer.start_span(
                name, context, attributes=attributes, links=links, start_time=nanoseconds(at)
            )
        self._span, self._context = span, set_span_in_context(span, context)
        self._last = span.get_span_context()
        self._root = self._root or self._last
        self._attempts, self._latest = 0, at
        tracing.remember(started.run_id, self._root)
        for name, found, when in self._moments:
            span.add_event(name, found, nanoseconds(when))
        self._moments.clear()
        return self._context

    def _place(self, is_first: bool) -> tuple[Context, Any, list[Link]]:  # noqa: FBT001
        """Return where a span of the run belongs: its parent's context, ids of its own, what it is linked to."""
        tracing, started = self._tracing, self.started
        here = otel_context.get_current()
        links: list[Link] = []
        if self._last is not None:
            links.append(Link(self._last, {OWN + "link": "previous"}))
        if started.parent is not None and started.forked_at is None:
            above = tracing.span_above(started.run_id, started.parent)
            if above is not None:
                return set_span_in_context(above, here), None, links
            _add_link(links, tracing.origin(started.parent), "parent")
        elif started.parent is not None and is_first:
            _add_link(links, tracing.origin(started.parent), "forked_from")
        if get_current_span(here).get_span_context().is_valid:
            return here, None, links
        if is_first and self._root is None:
            return here, tracing.ids_for(started.run_id), links
        root = self._root or tracing.origin(started.run_id)
        if root is None:
            return here, None, links
        from opentelemetry.trace import NonRecordingSpan

        if self._last is None:
            links.append(Link(root, {OWN + "link": "previous"}))
        return set_span_in_context(NonRecordingSpan(root), here), None, links

    def _note(self, event: Event) -> None:
        found = moment_of(event, self._tracing.cleaner)
        if found is None:
            if self._span is None:
                self._go_on(event)  # it starts, or is resumed
            return
        if self._span is None:
            self._moments.append(found)  # an answer comes; what follows from it is still to come
            return
        name, attributes, at = found
        self._span.add_event(name, attributes, nanoseconds(at))
        self._latest = max(self._latest, at)

    def _finish(self, event: RunFinished) -> None:
        if self._span is None:
            self._go_on(event)
        self._latest = max(self._latest, event.finished_at)
        self.close(event.state, event.reason)
        if self._tracing.meters is not None:
            self._tracing.meters.run(self.started.workflow, event)

    def rest(self) -> None:
        """Hear that nobody works on the run any more."""
        run = self._run()
        if run is not None and self._span is not None and run.state in RESTING:
            self._latest = max(self._latest, self._clock.time())
            self.close(run.state.value)

    def close(self, state: str = "in_progress", reason: str | None = None) -> None:
        """End the run's span, and those of attempts that came to nothing."""
        with self._lock:
            span, self._span, self._context = self._span, None, None
            left, self._open = self._open, {}
            for found in left.values():
                self._leave(found, self._latest)
            if span is None:
                return
            if span.is_recording():
                span.set_attribute(RUN_STATE, state)
                span.set_attribute(OWN + "run.attempts", self._attempts)
                if state == "failed":
                    span.set_status(StatusCode.ERROR, self._tracing.cleaner.text(reason or "the run failed"))
                elif reason is not None:
                    span.set_attribute(OWN + "run.reason", self._tracing.cleaner.text(reason))
            span.end(nanoseconds(self._latest))

    def switch_off(self) -> None:
        """Hear nothing any more."""
        self._is_over = True
        run = self._run()
        if run is not None and self.rest in run.resting_observers:
            run.resting_observers.remove(self.rest)
        if self._span is not None:
            self._latest = max(self._latest, self._clock.time())
        self.close("in_progress" if run is None else run.state.value)


def _add_link(links: list[Link], origin: SpanContext | None, why: str) -> None:
    if origin is not None:
        links.append(Link(origin, {OWN + "link": why}))
