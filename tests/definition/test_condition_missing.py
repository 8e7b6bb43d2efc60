"""What a condition says of an entry that is not there."""

from __future__ import annotations

import pytest

from orchestration_kit.errors import ConditionError
from tests.definition.facts import evaluate


def test_a_missing_entry_is_named_and_the_way_out_with_it():
    with pytest.raises(ConditionError) as caught:
        evaluate("output.score > 1", {"scores": 1})
    assert str(caught.value).startswith(
        "Condition 'output.score > 1' of step 'review' could not be evaluated: there is no entry 'score' in output, which "
        "has 'scores'. Did you mean 'scores'? Test first for one that may be missing, with has(...)."
    )
    with pytest.raises(ConditionError, match=r"there is no entry 'b' in output\.a, which is empty\. Test first"):
        evaluate("output.a.b > 1", {"a": {}})
    with pytest.raises(ConditionError, match=r"there is no entry 'ab'\. Test first"):
        evaluate("output['a' + 'b'] > 1", {"a": {}})
    with pytest.raises(ConditionError, match="which has '0', '1', '2', '3', '4', '5', '6', '7' and 92 more"):
        evaluate("output.x > 1", {str(number): 1 for number in range(100)})
    with pytest.raises(ConditionError, match="there is no entry 'limit'"):
        evaluate("visits > data.limit")
