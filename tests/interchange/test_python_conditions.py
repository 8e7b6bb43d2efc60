"""An expression and the CEL that it becomes decide the same, on any state."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from orchestration_kit.definition.conditions import compile_condition
from orchestration_kit.interchange.python_conditions import Untold, condition_text, expression_text

values = st.integers(-3, 3) | st.sampled_from(["a", "b", ""]) | st.booleans() | st.none()
states = st.fixed_dictionaries({"n": st.integers(-5, 5), "kind": st.sampled_from(["a", "b", "c d"]), "items": st.lists(st.integers(0, 3), max_size=3), "done": st.booleans()})  # fmt: skip
atoms = st.sampled_from([
    "n < 2", "n == -1", "-2 <= n < 3", "kind == 'a'", "kind in ['a', 'c d']", "kind not in ('b',)", "len(items) > 1",
    "n in items", "done == True", "done is False", "n != len(items)", "n + 1 > len(items) * 2", "items == [1, 2]",
    "(n > 1) == done", "True",
])  # fmt: skip
expressions = st.recursive(
    atoms,
    lambda inner: (
        st.builds("({} and {})".format, inner, inner)
        | st.builds("({} or {})".format, inner, inner)
        | st.builds("not {}".format, inner)
    ),
    max_leaves=6,
)


@given(expressions, states)
def test_an_expression_and_its_cel_decide_the_same(text, state):
    told = expression_text(text)
    assert told.is_exact
    facts = SimpleNamespace(goal="", data=state, visit=1, attempt=1)
    expected = eval(text, {"len": len}, state)
    assume("data" in told.text)  # a condition looks at something
    assert compile_condition(told.text).evaluate("step", None, facts).result == expected


@pytest.mark.parametrize(
    "text",
    ["", "n =", "n; m", "lambda: 1", "n if m else k", "[x for x in n]", "n.real > 1", "open('x') == 1", "__import__('os')", "n" * 3_000, "(" * 200, "len(n, m) > 1", "n == b'x'", "n == 1e999", "n == 1j", "not " * 1_500 + "n"],
)  # fmt: skip
def test_what_cel_has_no_words_for_is_not_told(text):
    with pytest.raises(Untold):
        expression_text(text)


def test_names_that_a_condition_does_not_declare_are_not_entries():
    with pytest.raises(Untold):
        expression_text("n > limit", frozenset({"n"}))
    with pytest.raises(Untold):
        condition_text(SimpleNamespace(name="n > 3", _keys=["n"], _resolver=lambda state: True))
