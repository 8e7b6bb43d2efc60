"""The caps on conditions: what would be too long, too deep, too large or too slow is refused."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_kit.definition.condition_text import (
    MAX_BRACKETS,
    MAX_CHARACTERS,
    MAX_PATH,
    ROOTS,
    read_condition,
)
from orchestration_kit.definition.conditions import (
    MAX_DATA_DEPTH,
    MAX_LIST,
    MAX_TEXT,
    MAX_WEIGHT,
    compile_condition,
)
from orchestration_kit.errors import ConditionError, ConditionSyntaxError
from tests.definition.facts import Facts, evaluate, result


def test_text_is_capped_before_the_library_sees_it():
    assert result("true" + " " * (MAX_CHARACTERS - 4)) is True
    with pytest.raises(ConditionSyntaxError, match=r"it has 2,001 characters. At most 2,000 are allowed") as caught:
        compile_condition("true" + " " * (MAX_CHARACTERS - 3))
    assert len(str(caught.value)) < 400
    with pytest.raises(ConditionSyntaxError, match="it has 10,000,000 characters"):
        compile_condition("(" * 10_000_000)


def test_macros_are_not_nested():
    for text in (
        "output.all(x, x.all(y, y > 1))",
        "output.map(x, [1].exists(y, y == x)).size() == 1",
        r'r"\" != goal || output.all(x, output.all(y, y == x)) || goal == r"\"',
        "output.all(x, (((x.filter(y, true))))) ",
    ):
        with pytest.raises(ConditionSyntaxError, match=r"\(...\) stands inside another macro. Nest no macros"):
            compile_condition(text)
    assert result("output.filter(x, x > 1).map(y, y * 2).all(z, z > 3)", [1, 2, 3]) is True
    assert result("output.all(x, x > 0) && output.exists(x, x > 2)", [1, 2, 3]) is True


def test_brackets_and_paths_are_bounded():
    def nested(depth):
        return "(" * depth + "true" + ")" * depth

    assert result(nested(MAX_BRACKETS)) is True
    with pytest.raises(ConditionSyntaxError, match=r"more than 32 brackets are open at once. Write it flatter"):
        compile_condition(nested(MAX_BRACKETS + 1))
    assert result("has(output" + ".a" * (MAX_PATH - 1) + ")", {}) is False
    with pytest.raises(ConditionSyntaxError, match=r"it names a path of 65 parts. At most 64"):
        compile_condition("has(output" + ".a" * MAX_PATH + ")")


def test_lists_and_mappings_are_bounded():
    assert result("output.size() == 10000", list(range(MAX_LIST))) is True
    with pytest.raises(ConditionError, match="it looks at a list of 10,001 items, over 10,000"):
        evaluate("output.size() == 1", list(range(MAX_LIST + 1)))
    with pytest.raises(ConditionError, match="it looks at a mapping of 10,001 entries, over 10,000"):
        evaluate("size(output) == 1", {str(n): n for n in range(MAX_LIST + 1)})
    for heavy in (
        [[0] * (MAX_LIST - 1)] * (MAX_WEIGHT // MAX_LIST + 1),
        {str(n): n for n in range(MAX_LIST)},
        [{"a": {"b": 1}}] * 3_000,
    ):
        with pytest.raises(ConditionError, match="it looks at too much data at once; let a step work out the answer"):
            evaluate("size(output) == 1", heavy)


def test_depth_is_bounded_also_of_data_that_contains_itself():
    def nested(depth):
        value: list = []
        for _ in range(depth - 1):
            value = [value]
        return value

    assert result("size(output) == 1", nested(MAX_DATA_DEPTH)) is True
    endless: dict = {}
    endless["self"] = endless
    for value in (nested(MAX_DATA_DEPTH + 1), endless):
        with pytest.raises(ConditionError, match="nested more than 64 levels deep"):
            evaluate("size(output) == 1", value)


def test_a_text_is_bounded():
    assert result("output.startsWith('x')", "x" * MAX_TEXT) is True
    with pytest.raises(ConditionError, match="it looks at a text of 1,000,001 characters, over 1,000,000"):
        evaluate("output.startsWith('x')", "x" * (MAX_TEXT + 1))
    assert result("output == '??'", "\ud800\udfff") is True


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("output.map(x, x).size() > 0", list(range(2_000))),
        ("output.filter(x, x > 1).size() > 0", list(range(2_000))),
        ("output.all(x, x in output)", list(range(1_500))),
        ("output.all(x, goal == goal)", list(range(9_000))),
        ("output.map(x, [x, x, x, x, x, x, x, x]).size() > 0", list(range(900))),
        ("[1]" + ".map(x, [x, x, x, x, x, x, x, x, x, x])" * 6 + ".size() == 1", None),
        ("[1]" + ".map(x, x + x)" * 40 + ".size() == 1", None),
        (f"[{'1,' * 400}1].map(x, [{'1,' * 400}1]).size() == 1", None),
        (f"[{'1,' * 290}1]" + ".map(x, [x][0])" * 30 + ".size() == 1", None),
        ("output.map(x, output).size() == 1", list(range(300))),
    ],
)
def test_what_would_stall_is_refused_before_it_runs(text, output):
    goal = "x" * 1_000_000 if "goal" in text else "g"
    compiled = compile_condition(text)
    with pytest.raises(ConditionError, match=r"too large for it .*; let a step work out the answer and test that"):
        compiled.evaluate("s", output, Facts(goal=goal))


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("output.items.filter(x, x.ok).size() >= 3", {"items": [{"ok": True, "n": n} for n in range(200)]}),
        (
            "output.items.map(x, x.price * x.count).all(y, y > 0)",
            {"items": [{"price": 2, "count": 3} for _ in range(100)]},
        ),
        ("output.all(x, x.score > 0.5 && x.name != '')", [{"score": 1.0, "name": f"n{n}"} for n in range(2_000)]),
        ("output.exists(x, x == data.wanted)", list(range(300))),
        ("output.contains('needle')", "x" * 999_990 + "needle"),
    ],
)
def test_what_people_write_is_well_within_the_caps(text, output):
    assert result(text, output, data={"wanted": 299}) is True


# --- when the library is loaded


def test_the_library_is_loaded_by_the_first_condition_and_not_before():
    code = (
        "import sys, orchestration_kit\n"
        "from orchestration_kit import Branch, Orchestrator, WorkflowDefinition, WorkflowStep\n"
        "from orchestration_kit.definition.conditions import compile_condition\n"
        "workflow = WorkflowDefinition(name='w')\n"
        "step = WorkflowStep(step_id='s', worker_type='w', is_terminal=True)\n"
        "workflow.add_step(step, is_initial=True)\n"
        "assert workflow.validate() == (True, None)\n"
        "compile_condition(lambda output, context: True)\n"
        "try: compile_condition('nope')\n"
        "except ValueError: pass\n"
        "assert 'cel' not in sys.modules\n"
        "assert WorkflowStep(step_id='s', worker_type='w', success_when='output.ok').success_when\n"
        "assert 'cel' not in sys.modules\n"
        "compile_condition('output.ok')\n"
        "assert 'cel' in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


# --- laws


@given(st.text(max_size=60) | st.text("outpdatgl.viss()[]{}'\"\\&|=<>!+-*/%?:,rb0123456789xe \n", max_size=60))
def test_any_text_is_read_or_refused_with_a_reason(text):
    try:
        named = read_condition(text)
    except ConditionSyntaxError as error:
        assert str(error)
    else:
        assert all(path[0] in ROOTS for path in named.paths)


WORDS = st.text(st.characters(exclude_characters="'\\\n\r", exclude_categories=["Cs"]), max_size=20)


@given(WORDS, WORDS)
def test_text_in_quotes_is_compared_as_it_is(one, other):
    assert result(f"output == '{one}'", one) is True
    assert result(f"output == '{one}'", other) is (one == other)
    assert result(f"output['{one}'] == 1", {one: 1, other + "x": 2}) is True


@given(st.integers(-(2**61), 2**61), st.integers(-(2**61), 2**61), st.booleans())
def test_comparisons_are_those_of_python(a, b, c):
    output = {"a": a, "b": b, "c": c}
    assert result("output.a < output.b", output) is (a < b)
    assert result("output.a + output.b == data.sum", output, data={"sum": a + b}) is True
    assert result("output.c ? output.a > output.b : output.a == output.b", output) is (a > b if c else a == b)
