"""What can go wrong when telemetry is switched on: what happened, what was possible, what to do."""

from __future__ import annotations

from orchestration_kit.errors import OrchestrationError


class MissingOtelExtra(OrchestrationError, ImportError):
    """Spans and metrics need OpenTelemetry's SDK, and it is not installed."""

    def __init__(self, library: str = "opentelemetry.sdk") -> None:
        super().__init__(library)
        self.library = library

    def __str__(self) -> str:
        return (
            f"telemetry.enable() needs {self.library!r}, which is not installed. "
            "Install it with: pip install 'orchestration-kit[otel]' "
            "(telemetry.stream('runs.events.jsonl') works without it.)"
        )


class InvalidTelemetry(OrchestrationError, ValueError):
    """What was given to `enable` or `stream` says nowhere to send anything to."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason, hint)
        self.reason, self.hint = reason, hint

    def __str__(self) -> str:
        return f"Telemetry was not switched on: {self.reason}.\n{self.hint}"
