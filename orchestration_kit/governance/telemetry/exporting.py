"""What a person names as exporter becomes providers of spans and metrics. Nothing global is set, and nothing waits."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from orchestration_kit.governance.telemetry.errors import InvalidTelemetry, MissingOtelExtra

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricReader
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    from opentelemetry.trace import TracerProvider

    from orchestration_kit.governance.telemetry.identity import PlannedIds

_QUEUE = 65_536
"""Spans that may wait to be sent; a map over thousands of items makes them faster than a network takes them."""
_DAY_MS = 86_400_000
_CHOICES = (
    "Give exporter='memory' or 'console', the address of an OTLP receiver ('http://127.0.0.1:4318'), a SpanExporter or "
    "a TracerProvider; or set the tracer provider of the process first (opentelemetry.trace.set_tracer_provider)."
)
_log = logging.getLogger("orchestration_kit")


@dataclass
class Sinks:
    """Where spans and metrics go."""

    tracers: TracerProvider
    meters: MeterProvider | None
    name: str
    ids: PlannedIds | None = None
    """Plans the ids of spans, where the provider of tracers is our own."""
    memory: InMemorySpanExporter | None = None
    memory_metrics: InMemoryMetricReader | None = None
    owned: list[Any] = field(default_factory=list[Any])
    """What has to be flushed and shut down: the providers that were made here."""
    exporters: list[Any] = field(default_factory=list[Any])
    """Those of them that would try again for long, unless they are told to stop."""

    @property
    def spans(self) -> Sequence[ReadableSpan]:
        """What the memory exporter holds."""
        return () if self.memory is None else self.memory.get_finished_spans()

    def flush(self, timeout_s: float) -> bool:
        """Send what waits to be sent; whether that was done in time."""
        done = [within(timeout_s, one.force_flush, f"{self.name} was not flushed") for one in self.owned]
        return all(done)

    def shut_down(self, timeout_s: float) -> bool:
        """Send what waits to be sent, and end; whether that was done in time."""
        done = [within(timeout_s, one.shutdown, f"{self.name} was not shut down") for one in self.owned]
        if not all(done):
            for exporter in self.exporters:
                within(timeout_s, exporter.shutdown, "its exporter was not stopped")
        return all(done)


def within(timeout_s: float, act: Callable[[], Any], trouble: str) -> bool:
    """Do something on a thread that nobody has to wait for; whether it was done in time."""
    failed: list[BaseException] = []

    def do() -> None:
        try:
            act()
        except Exception as error:  # noqa: BLE001 - an exporter's trouble is not the program's
            failed.append(error)

    thread = threading.Thread(target=do, name="orchestration_kit telemetry", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # at exit, from Python 3.12 on, none can be started any more: the exporter's own limits hold
        do()
        return not failed
    thread.join(timeout_s)
    if thread.is_alive():
        _log.warning(
            "Telemetry: %s within %g s; what was not sent is lost. Does a receiver listen there?", trouble, timeout_s
        )
        return False
    if failed:
        _log.warning("Telemetry: %s: %s: %s", trouble, type(failed[0]).__name__, failed[0])
    return not failed


def sinks_of(exporter: Any, metrics: Any, *, service: str, set_global: bool) -> Sinks:
    """Return where spans and metrics go.

    Raises:
        MissingOtelExtra: OpenTelemetry's SDK is not installed.
        InvalidTelemetry: `exporter` is nothing that spans can go to.
    """
    try:
        from opentelemetry import trace
        from opentelemetry.sdk.trace.export import SpanExporter
    except ImportError as error:
        raise MissingOtelExtra from error
    if exporter is None:
        sinks = Sinks(_global_tracers(), None, "the provider of this process")
    elif isinstance(exporter, trace.TracerProvider):
        sinks = Sinks(exporter, None, type(exporter).__name__)
    elif isinstance(exporter, (str, SpanExporter)):
        sinks = _own_sinks(exporter, metrics, service)
    else:
        raise InvalidTelemetry(f"exporter={exporter!r:.80} is nothing that spans can go to", _CHOICES)
    try:
        if sinks.meters is None:
            sinks.meters = _given_meters(metrics, sinks, service)
    except InvalidTelemetry:
        sinks.shut_down(1.0)  # what was made so far has a thread of its own
        raise
    if set_global:
        _set_global(sinks)
    return sinks


def _global_tracers() -> TracerProvider:
    from opentelemetry import trace

    found = trace.get_tracer_provider()
    if isinstance(found, (trace.ProxyTracerProvider, trace.NoOpTracerProvider)):
        raise InvalidTelemetry("exporter=None means the tracer provider of this process, and none is set", _CHOICES)
    return found


def _own_sinks(exporter: str | SpanExporter, metrics: Any, service: str) -> Sinks:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    from orchestration_kit.governance.telemetry.identity import PlannedIds

    address = _address(exporter) if isinstance(exporter, str) and exporter not in {"memory", "console"} else None
    memory = InMemorySpanExporter() if exporter == "memory" else None
    if isinstance(exporter, InMemorySpanExporter):
        memory = exporter
    exporters: list[Any] = []
    if memory is not None:
        processor: SpanProcessor = SimpleSpanProcessor(memory)
    elif address is not None:
        exporter_of_spans = _otlp_spans(address)
        processor = _batched(exporter_of_spans)
        exporters.append(exporter_of_spans)
    elif isinstance(exporter, str):
        processor = SimpleSpanProcessor(ConsoleSpanExporter())
    else:
        processor = _batched(exporter)
    resource, ids = _resource(service), PlannedIds()
    tracers = TracerProvider(resource=resource, id_generator=ids, shutdown_on_exit=False)
    tracers.add_span_processor(processor)
    name = _shown(exporter) if isinstance(exporter, str) else type(exporter).__name__
    sinks = Sinks(tracers, None, name, ids, memory, owned=[tracers], exporters=exporters)
    if metrics is True and isinstance(exporter, str):
        _add_meters(sinks, exporter, address, resource)
    return sinks


def _add_meters(sinks: Sinks, exporter: str, address: str | None, resource: Resource) -> None:
    """Have metrics go the way of the spans."""
    from opentelemetry.sdk.metrics.export import (
        ConsoleMetricExporter,
        InMemoryMetricReader,
        PeriodicExportingMetricReader,
    )

    reader: MetricReader
    if exporter == "memory":
        reader = sinks.memory_metrics = InMemoryMetricReader()
    elif address is None:  # on the console they would come between everything else: once, at the end
        reader = PeriodicExportingMetricReader(ConsoleMetricExporter(), export_interval_millis=_DAY_MS)
    else:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

        figures = OTLPMetricExporter(endpoint=f"{address}/v1/metrics")
        reader = PeriodicExportingMetricReader(figures)
        sinks.exporters.append(figures)
    sinks.meters = _meters_of(reader, sinks, resource)


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        is_fine = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_fine = False
    if not is_fine:
        raise InvalidTelemetry(
            f"exporter={_shown(text)!r:.80} is neither 'memory', 'console' nor an http address", _CHOICES
        )
    return text.rstrip("/").removesuffix("/v1/traces")


def _shown(address: str) -> str:
    """Return an address without the user and the password that may stand in it."""
    start, slashes, rest = address.partition("//")
    host, slash, path = rest.partition("/")
    return f"{start}{slashes}{host.rpartition('@')[2]}{slash}{path}"


def _otlp_spans(address: str) -> SpanExporter:
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError as error:
        raise MissingOtelExtra("opentelemetry.exporter.otlp.proto.http") from error
    return OTLPSpanExporter(endpoint=f"{address}/v1/traces")


def _batched(exporter: SpanExporter) -> SpanProcessor:
    """Return what has spans sent by a thread of its own, so that no run waits for a network."""
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    size = None if "OTEL_BSP_MAX_QUEUE_SIZE" in os.environ else _QUEUE
    return BatchSpanProcessor(exporter, max_queue_size=size)


def _resource(service: str) -> Resource:
    from opentelemetry.sdk.resources import Resource

    named = "OTEL_SERVICE_NAME" in os.environ or "service.name=" in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    return Resource.create({} if named else {"service.name": service})


def _given_meters(metrics: Any, sinks: Sinks, service: str) -> MeterProvider | None:
    """Return where metrics go that have no place of their own by the exporter."""
    if metrics is False or metrics is None:
        return None
    from opentelemetry.metrics import MeterProvider, get_meter_provider
    from opentelemetry.sdk.metrics.export import MetricReader

    if metrics is True:
        return get_meter_provider()  # the one of this process; where none is set, nothing is counted
    if isinstance(metrics, MeterProvider):
        return metrics
    if isinstance(metrics, MetricReader):
        return _meters_of(metrics, sinks, _resource(service))
    hint = "Give metrics=True, False, a MeterProvider or a MetricReader."
    raise InvalidTelemetry(f"metrics={metrics!r:.80} is nothing that metrics can go to", hint)


def _meters_of(reader: MetricReader, sinks: Sinks, resource: Resource) -> MeterProvider:
    from opentelemetry.sdk.metrics import MeterProvider

    meters = MeterProvider([reader], resource=resource, shutdown_on_exit=False)
    sinks.owned.append(meters)
    return meters


def _set_global(sinks: Sinks) -> None:
    from opentelemetry import metrics, trace

    trace.set_tracer_provider(sinks.tracers)
    if sinks.meters is not None:
        metrics.set_meter_provider(sinks.meters)
