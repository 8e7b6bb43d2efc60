"""What the hub consults around a worker: constraints, lessons, telemetry."""
