"""A glance never says no where there is a key."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration_kit.secrets.glance import long_runs, may_hold_a_key
from orchestration_kit.secrets.patterns import KEYS

# What from_regex makes of a lookbehind is mostly nothing: what stands before is put there by hand.
_SHAPES = [
    re.compile(re.sub(r"\(\?<!.*?\)", "", shape.pattern.pattern, count=1), re.ASCII | re.DOTALL) for shape in KEYS
]
_KEYS = st.one_of(
    *(st.from_regex(shape, fullmatch=True) for shape in _SHAPES if "(?<=" not in shape.pattern),
    st.from_regex(r"hooks\.slack\.com/services/[A-Za-z0-9_/]{16,}", fullmatch=True),
)


@pytest.mark.parametrize(
    "amount", [pytest.param(400, id="short"), pytest.param(10_000, id="long", marks=pytest.mark.soak)]
)
def test_a_glance_never_misses_what_a_pattern_finds(amount):
    @settings(max_examples=amount, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(st.text(max_size=30), _KEYS, st.text(max_size=30))
    def check(before, key, after):
        text = f"{before} {key}{after}"
        if any(shape.pattern.search(text) for shape in KEYS):
            assert may_hold_a_key(text)

    check()


def test_plain_text_is_seen_to_hold_none():
    prose = "The run failed at the third step, as the page had no title; the worker was told, and did better. " * 10
    assert not may_hold_a_key(prose)
    assert not may_hold_a_key('{"name": "widget", "price_usd": 12.5, "url": "https://x.example/a-b?c=d_e"}')
    assert not may_hold_a_key("Größe der Tür – 東京 ünïcödé_wörds-with-däshes")


def test_long_runs_are_found_in_texts_of_all_kinds():
    assert long_runs("") == ""
    assert long_runs("é" * 50) == ""
    assert "a" * 14 in long_runs("é " + "a" * 14 + " é")
    assert long_runs("a" * 13 + " " + "b" * 13) == ""
