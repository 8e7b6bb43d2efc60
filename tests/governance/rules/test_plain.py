"""A plan is plain data, and who hands in something else is told what would be."""

from __future__ import annotations

import numpy as np
import pytest

from orchestration_kit import create_default_engine


@pytest.mark.parametrize("number", [np.float64(0.5), np.int64(3)], ids=["float", "int"])
def test_a_number_of_numpys_in_a_plan_is_refused_with_the_way_out(number):
    plan = {"action_type": "tool_call", "action_data": {"lost": number}, "cost": 0.0}
    [violation] = create_default_engine().validate_plan(plan).violations
    assert type(number).__name__ in violation.message
    assert "value.item()" in violation.hint
