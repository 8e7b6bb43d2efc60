"""The benchmark of this layer measures what it says, at a tiny size."""

from __future__ import annotations

import pytest

from benchmarks.harness import WrongResult
from benchmarks.history import compare_seconds, frame_seconds, synthetic


def test_a_frame_of_all_attempts_is_timed():
    assert frame_seconds(synthetic(100)) > 0


def test_a_comparison_that_finds_the_place_is_timed():
    a, b = synthetic(100), synthetic(100, run="b", differs_at=51)
    assert compare_seconds(a, b, at=51) > 0


def test_a_comparison_that_finds_another_place_counts_for_nothing():
    with pytest.raises(WrongResult, match="compare found"):
        compare_seconds(synthetic(100), synthetic(100, run="b", differs_at=51), at=50)
