"""What a condition says of an entry that is not there."""

from __future__ import annotations

import pandas as pd
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


def test_what_has_no_entries_at_all_is_named():
    with pytest.raises(
        ConditionError, match=r"'ok' in output, which is None: perhaps the worker forgot to return something\.\n"
    ):
        evaluate("output.ok", None)
    with pytest.raises(
        ConditionError, match=r"'ok' in output, which is of type DataFrame\. Let the worker return a dict"
    ):
        evaluate("output.ok", pd.DataFrame({"ok": [True]}))
    with pytest.raises(ConditionError, match=r"there is no entry 'b' in output\.a, which is of type str"):
        evaluate("output.a.b > 1", {"a": "x"})


@pytest.mark.parametrize(
    ("score", "says"),
    [
        (None, r"its values do not go together \(no such overload\): output\.score is None\."),
        ("0.7", r"output\.score is '0\.7'\."),
        (
            float("nan"),
            r"output\.score is nan\. NaN is neither more nor less than a number: let the worker give a number",
        ),
    ],
)
def test_values_that_do_not_go_together_are_named(score, says):
    with pytest.raises(ConditionError, match=says):
        evaluate("output.score > 0.5", {"score": score})
