"""The study of constraints asks about each kind of plan, and all of them are approved."""

from __future__ import annotations

import pytest

from benchmarks import constraints
from benchmarks.harness import WrongResult
from orchestration_kit.governance.constraints import ConstraintEngine


@pytest.mark.soak
def test_verdicts_are_timed_for_each_kind_of_plan():
    found = constraints.rows(rounds=40)
    assert len(found) == 5
    assert all(row.figure.endswith(" ms") for row in found)


def test_a_denied_plan_is_a_wrong_result():
    with pytest.raises(WrongResult, match="denied"):
        constraints.measured(ConstraintEngine([]), [constraints.CALL], 0.5)
