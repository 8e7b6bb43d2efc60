"""What runs do, told to others: as OpenTelemetry's spans and metrics, or as lines of JSON next to the journal.

`enable(...)` needs the extra `otel` (`pip install 'orchestration-kit[otel]'`), `stream(...)` needs nothing. Inputs and
outputs are told by neither, unless they are asked for; secrets are taken out by both. Importing this imports no
OpenTelemetry, and while nothing is enabled no worker's call is wrapped.
"""

from orchestration_kit.governance.telemetry.errors import InvalidTelemetry, MissingOtelExtra
from orchestration_kit.governance.telemetry.frame import events_frame
from orchestration_kit.governance.telemetry.streaming import Stream, stream
from orchestration_kit.governance.telemetry.switch import Telemetry, disable, enable, instrumentation

__all__ = [
    "InvalidTelemetry",
    "MissingOtelExtra",
    "Stream",
    "Telemetry",
    "disable",
    "enable",
    "events_frame",
    "instrumentation",
    "stream",
]
