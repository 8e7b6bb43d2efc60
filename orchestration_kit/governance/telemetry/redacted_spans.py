"""Spans that others make within ours, a model library's say, with what they tell cleaned on the way in."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import Span, SpanContext, SpanKind, Status, StatusCode, Tracer, TracerProvider, use_span

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Link

    from orchestration_kit.governance.telemetry.cleaning import Cleaner


class RedactedSpan(Span):
    """A span whose attributes, events and status are cleaned before they are set."""

    def __init__(self, span: Span, cleaner: Cleaner) -> None:
        self._span, self._cleaner = span, cleaner

    def end(self, end_time: int | None = None) -> None:
        """End it."""
        self._span.end(end_time)

    def get_span_context(self) -> SpanContext:
        """Return its ids."""
        return self._span.get_span_context()

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Set several attributes."""
        self._span.set_attributes(_clean(attributes, self._cleaner))

    def set_attribute(self, key: str, value: Any) -> None:
        """Set one attribute."""
        self._span.set_attribute(key, self._cleaner.attribute(value))

    def add_event(self, name: str, attributes: Mapping[str, Any] | None = None, timestamp: int | None = None) -> None:
        """Add an event."""
        self._span.add_event(self._cleaner.text(name), _clean(attributes, self._cleaner), timestamp)

    def add_link(self, context: SpanContext, attributes: Mapping[str, Any] | None = None) -> None:
        """Add a link."""
        self._span.add_link(context, _clean(attributes, self._cleaner))

    def update_name(self, name: str) -> None:
        """Give it another name."""
        self._span.update_name(self._cleaner.text(name))

    def is_recording(self) -> bool:
        """Whether it takes anything in."""
        return self._span.is_recording()

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Say what became of it."""
        if isinstance(status, Status):
            status, description = status.status_code, status.description or description
        self._span.set_status(status, None if description is None else self._cleaner.text(description))

    def record_exception(
        self,
        exception: BaseException,
        attributes: Mapping[str, Any] | None = None,
        timestamp: int | None = None,
        escaped: bool = False,  # noqa: FBT001, FBT002 - OpenTelemetry's signature
    ) -> None:
        """Tell of an exception. Its traceback stays here: it repeats the message, and shows lines of code."""
        found = {
            "exception.type": type(exception).__qualname__,
            "exception.message": self._cleaner.text(str(exception)),
            "exception.escaped": str(escaped),
        }
        told = {key: value for key, value in (attributes or {}).items() if key != "exception.stacktrace"}
        self.add_event("exception", {**found, **told}, timestamp)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._span, name)


class RedactedTracer(Tracer):
    """Makes such spans."""

    def __init__(self, tracer: Tracer, cleaner: Cleaner) -> None:
        self._tracer, self._cleaner = tracer, cleaner

    def start_span(  # noqa: PLR0913, PLR0917 - OpenTelemetry's signature
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Mapping[str, Any] | None = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,  # noqa: FBT001, FBT002
        set_status_on_exception: bool = True,  # noqa: FBT001, FBT002
    ) -> Span:
        """Start a span."""
        span = self._tracer.start_span(
            self._cleaner.text(name),
            context,
            kind,
            _clean(attributes, self._cleaner),
            links,
            start_time,
            record_exception,
            set_status_on_exception,
        )
        return RedactedSpan(span, self._cleaner)

    @contextmanager
    def start_as_current_span(  # noqa: PLR0913, PLR0917 # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Mapping[str, Any] | None = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,  # noqa: FBT001, FBT002
        set_status_on_exception: bool = True,  # noqa: FBT001, FBT002
        end_on_exit: bool = True,  # noqa: FBT001, FBT002
    ) -> Generator[Span]:
        """Start a span and have it be the current one."""
        span = self.start_span(name, context, kind, attributes, links, start_time)
        with use_span(
            span,
            end_on_exit=end_on_exit,
            record_exception=record_exception,
            set_status_on_exception=set_status_on_exception,
        ):
            yield span


class RedactedTracers(TracerProvider):
    """Gives such tracers."""

    def __init__(self, tracers: TracerProvider, cleaner: Cleaner) -> None:
        self._tracers, self._cleaner = tracers, cleaner

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Mapping[str, Any] | None = None,
    ) -> Tracer:
        """Return a tracer."""
        tracer = self._tracers.get_tracer(
            instrumenting_module_name, instrumenting_library_version, schema_url, attributes
        )
        return RedactedTracer(tracer, self._cleaner)


def _clean(attributes: Mapping[str, Any] | None, cleaner: Cleaner) -> dict[str, Any]:
    return {key: cleaner.attribute(value) for key, value in (attributes or {}).items()}
