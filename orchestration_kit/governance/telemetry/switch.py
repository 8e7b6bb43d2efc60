"""Telemetry on and off: what `telemetry.enable(...)` does."""

from __future__ import annotations

import atexit
import sys
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from orchestration_kit.engine.around import unwatch, watch_all
from orchestration_kit.governance.telemetry.cleaning import Cleaner

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricsData
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import TracerProvider

    from orchestration_kit.governance.telemetry.exporting import Sinks
    from orchestration_kit.governance.telemetry.tracing import Tracing

_SCHEMA = "https://opentelemetry.io/schemas/1.41.0"
_lock = threading.RLock()


class Telemetry:
    """What was enabled. Also a context manager: at its end it is disabled.

    >>> import orchestration_kit.governance.telemetry as telemetry
    >>> with telemetry.enable("memory") as told:
    ...     told
    <Telemetry to memory>
    >>> told
    <Telemetry to memory, disabled>
    """

    def __init__(self, sinks: Sinks, tracing: Tracing, *, timeout_s: float) -> None:
        self._sinks, self._tracing, self._timeout_s = sinks, tracing, timeout_s
        self._instrumentation: Any = None
        self.is_enabled = True
        """Whether runs are followed."""

    @property
    def provider(self) -> TracerProvider:
        """Where spans come from, for instrumentation of your own: `provider.get_tracer("mine")`."""
        return self._sinks.tracers

    @property
    def spans(self) -> Sequence[ReadableSpan]:
        """The spans that have ended, oldest first, where the exporter is "memory"; else none."""
        return self._sinks.spans

    def metrics_data(self) -> MetricsData | None:
        """Return the metrics as they are now, where the exporter is "memory"; else None."""
        reader = self._sinks.memory_metrics
        return None if reader is None else reader.get_metrics_data()

    def flush(self, timeout_s: float | None = None) -> bool:
        """Send what waits to be sent; whether that was done within `timeout_s` seconds."""
        return self._sinks.flush(self._timeout_s if timeout_s is None else timeout_s)

    def disable(self) -> bool:
        """Follow no more runs, end all spans, send them, and stop. Twice is once.

        Whether all was sent in time. A provider that was given, or found, is flushed by whoever made it.
        """
        global _active  # noqa: PLW0603 - one telemetry a process, as there is one set of hubs
        with _lock:
            if not self.is_enabled:
                return True
            self.is_enabled = False
            if _active is self:
                _active = None
            unwatch(self._tracing)
            self._tracing.switch_off()
        atexit.unregister(self.disable)
        return self._sinks.shut_down(self._timeout_s)

    def instrumentation(self) -> Any:
        """Return settings for pydantic-ai: model calls and tools become spans within the attempt, cleaned like ours.

        Tokens are counted by attempts, so that metrics of model calls go nowhere.
        """
        if self._instrumentation is None:
            from opentelemetry.metrics import NoOpMeterProvider
            from pydantic_ai.models.instrumented import InstrumentationSettings

            from orchestration_kit.governance.telemetry.redacted_spans import RedactedTracers

            cleaner, tracers = self._tracing.cleaner, self._sinks.tracers
            self._instrumentation = InstrumentationSettings(
                tracer_provider=tracers if cleaner.is_off else RedactedTracers(tracers, cleaner),
                meter_provider=NoOpMeterProvider(),
                include_content=self._tracing.contents,
                include_binary_content=False,
                include_model_request_parameters=False,
            )
        return self._instrumentation

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.disable()

    def __repr__(self) -> str:
        return f"<Telemetry to {self._sinks.name}{'' if self.is_enabled else ', disabled'}>"


_active: Telemetry | None = None


def enable(  # noqa: PLR0913 - what telemetry is made of
    exporter: Any = None,
    *,
    contents: bool = False,
    redact: Any = True,
    metrics: Any = True,
    service: str = "orchestration_kit",
    timeout_s: float = 5.0,
    set_global: bool = False,
) -> Telemetry:
    """Have every run of this process told to OpenTelemetry; return the handle to look at it and to stop it.

    A span for the run, one for each attempt within it, and within those whatever workers make, model calls say. One
    telemetry at a time: what was enabled before is disabled first. Runs that are under way already are followed when
    they are resumed. Needs the extra `otel`.

    >>> from orchestration_kit import Orchestrator, WorkerDefinition, create_generic_pipeline
    >>> with enable("memory") as told:
    ...     hub = Orchestrator()
    ...     hub.register_worker(WorkerDefinition(worker_type="generic", name="shout", executor=str.upper))
    ...     hub.register_workflow(create_generic_pipeline([("a", "generic", ""), ("b", "generic", "")]))
    ...     _ = hub.execute_workflow("a_b", "hello", verbose=False)
    >>> [span.name for span in told.spans]
    ['invoke_agent shout', 'invoke_agent shout', 'invoke_workflow a_b']

    Args:
        exporter: "memory" (`.spans`, `.metrics_data()`), "console", the address of an OTLP receiver
            ("http://127.0.0.1:4318"), a `SpanExporter`, a `TracerProvider`; None: the provider this process has.
        contents: Tell inputs, outputs and goals too, cut to 4,000 characters; prompts and answers of models.
        redact: Take out keys and passwords: True, or a list of patterns of your own besides; False: nothing.
        metrics: True, False, a `MeterProvider` or a `MetricReader`. With "memory", "console" and an address they go
            the same way as spans; else to the meter provider that this process has.
        service: The `service.name` of what is told, where the environment names none.
        timeout_s: Seconds that `flush` and `disable` wait for an exporter at most, for spans and for metrics each.
        set_global: Make what was made here the providers of this process, for other instrumentation. Can be done once.

    Raises:
        MissingOtelExtra: OpenTelemetry's SDK is not installed.
        InvalidTelemetry: `exporter` or `metrics` is nothing that anything can go to.
        ValueError: a pattern is no regular expression.
    """
    from orchestration_kit.governance.telemetry.exporting import sinks_of

    global _active  # noqa: PLW0603 - as above
    cleaner = Cleaner(redact)
    sinks = sinks_of(exporter, metrics, service=service, set_global=set_global)
    from orchestration_kit.governance.telemetry.meters import Meters
    from orchestration_kit.governance.telemetry.tracing import Tracing

    version: str = sys.modules["orchestration_kit"].__version__  # not imported: it stands above all layers
    tracer = sinks.tracers.get_tracer("orchestration_kit", version, _SCHEMA)
    meters = None if sinks.meters is None else Meters(sinks.meters, version, cleaner)
    tracing = Tracing(tracer, cleaner, meters=meters, contents=contents, ids=sinks.ids)
    with _lock:
        disable()
        _active = made = Telemetry(sinks, tracing, timeout_s=timeout_s)
        watch_all(tracing)
    atexit.register(made.disable)
    return made


def disable() -> None:
    """Disable what was enabled last, if anything is: spans are ended and sent.

    >>> told = enable("memory")
    >>> disable()
    >>> told
    <Telemetry to memory, disabled>
    """
    active = _active
    if active is not None:
        active.disable()


def instrumentation() -> Any:
    """Return pydantic-ai's `InstrumentationSettings` for an agent's run; None while telemetry is off.

    To be asked at each run of an agent: `agent.run(..., capabilities=[...])` or `agent.instrument = instrumentation()`.

    >>> instrumentation() is None
    True
    """
    active = _active
    return None if active is None else active.instrumentation()
