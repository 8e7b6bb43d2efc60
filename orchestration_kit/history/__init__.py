"""Layer 5: understand it. The history of runs as pandas DataFrames."""

from orchestration_kit.history.frames import history_frame

__all__ = ["history_frame"]
