"""The study of the monitor follows runs of another process, at a tiny size."""

from __future__ import annotations

import pytest

from benchmarks.monitor import rows


@pytest.mark.soak
def test_runs_of_another_process_are_followed_and_the_cost_is_told():
    (row,) = rows(count=5, pause_s=0.05, watched_s=1.0)
    assert row.title.startswith("a monitor of 5 live runs of another process")
    assert row.figure.endswith("% of a core")
