"""Conditions: what they can name, what they look at, and what they cost at most."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum, IntEnum, StrEnum

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel

from orchestration_kit.definition.condition_text import (
    FUNCTIONS,
    MACROS,
    read_condition,
)
from orchestration_kit.definition.conditions import (
    Evaluated,
    compile_condition,
)
from orchestration_kit.errors import ConditionError, ConditionSyntaxError
from tests.definition.facts import Facts, evaluate, result

# --- what can be named


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("output.approved == true", [("output", "approved")]),
        ("output.a.b.c > 1 && data.d < 2", [("output", "a", "b", "c"), ("data", "d")]),
        ("output['a b']['c'].d == 1", [("output", "a b", "c", "d")]),
        ("output[0].a == 1", [("output",)]),
        ("output['a\\n'] == 1", [("output",)]),
        ("output[data.key] == 1", [("output",), ("data", "key")]),
        ("output.a == 1 || output.a.b == 2", [("output", "a")]),
        ("output.a == 1 || output == 2", [("output",)]),
        ("data.items.exists(x, x.n > data.limit)", [("data", "items"), ("data", "limit")]),
        ("data.items.map(goal2, goal2).size() == visits", [("data", "items"), ("visits",)]),
        ("goal.contains('output.x') && visits + attempt > 2", [("goal",), ("visits",), ("attempt",)]),
        ("output.size() == 2", [("output",)]),
        ("has(output.a.b)", [("output", "a", "b")]),
        ("output . a\n. b == 1 // data.secret", [("output", "a", "b")]),
        ("'data.secret' == \"data.secret\" && r'data.x\\' == goal", [("goal",)]),
        ('goal == """it\'s "quoted" data.x"""', [("goal",)]),
        ("1.5e3 > .5 && 0x1F == 31 && 2u == 2u && 1in[1]", []),
        ("true || false || null == null", []),
    ],
)
def test_what_a_condition_names_is_found_before_it_runs(text, paths):
    assert list(read_condition(text).paths) == paths


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "outptu.a == 1",
            "it names 'outptu'. A condition can name output, data, goal, visits, attempt. Did you mean 'output'",
        ),
        ("visit < 3", "Did you mean 'visits'"),
        ("approved", "it names 'approved'"),
        ("output.state == done", "it names 'done'.*Text goes into quotes"),
        ("output.a == 1 && x > 2", "it names 'x'"),
        ("[1].all(x, y > 1)", "it names 'y'"),
        ("[1].all(x, x > 1) && x == 1", "it names 'x'"),
        ("output.a{} == 1", "a brace follows a. A mapping stands by itself, as in output == {'score': 1}"),
        ("output.a.all(x, x{} == 1)", "a brace follows x. A mapping stands by itself, as in output == {'score': 1}"),
        ("output.a.all(x, x.b{} == 1)", "a brace follows b. A mapping stands by itself, as in output == {'score': 1}"),
        ("data", "it asks for the whole data bus. Name the entry, for example data.items"),
        ("size(data) > 1", "whole data bus"),
        ("data[goal] == 1", "whole data bus"),
        ("'x' in data", "whole data bus"),
        ("goal.matches('a+')", "there is no function 'matches'. Known are all, bytes"),
        ("sise(goal) > 1", "there is no function 'sise'.*Did you mean 'size'"),
        ("open('/etc/passwd')", "there is no function 'open'"),
        ("goal.__class__()", "there is no function '__class__'"),
        ("__import__('os')", "there is no function '__import__'"),
        ("map(x, x)", r"map\(...\) stands alone. Call it on a list: output.items.map"),
        (".output.a == 1", "a name begins with a dot. Leave the dot out"),
        ("1 in .output", "a name begins with a dot"),
        ("[1].all(x, (.data))", "a name begins with a dot"),
        ("[1].all(output, true)", r"all\(...\) binds the name 'output'. Choose another name, for example x"),
        ("output.map(data, 1)", "binds the name 'data'"),
        ("", "it is empty. Write for example: output.approved == true"),
        (" \n ", "it is empty"),
        ("output.a == ", "it does not parse: 1:13"),
        ("output > 7 => 1", "it holds '='. Text goes into quotes; == and >= compare, && is and"),
        ("output.a = 1", "it holds '='. Text goes into quotes; == and >= compare, && is and"),
        ("output.a + = 1", "it holds '='"),
        ("output.a + ", "it does not parse"),
        ("(true", "it does not parse"),
        ("true)", "it does not parse"),
        ("output.1 == 1", "it does not parse"),
        ("has(output)", "it does not parse: 1:5: invalid argument to has"),
        ("output.map(1, true)", "it does not parse"),
        ("'open", 'it holds "\'"'),
        ('"\\q" == goal', "it holds '\"'"),
        ("tr$ue", "it names 'tr'"),
        ("$x", r"it holds '\$'"),
        ("true # no", "it holds '#'"),
        ("true;", "it holds ';'"),
        ("true\x00", "it holds '.x00'"),
        ("true\xa0", "it holds"),
        ("output.é == 1", "it holds 'é'"),
        ("`output`", "it holds '`'"),
        ("output & 1", "it holds '&'"),
        ("'\ud800' == goal", "it does not parse: .*surrogates not allowed"),
    ],
)
def test_a_condition_that_cannot_be_used_says_what_is_wrong_and_what_could_be(text, said):
    with pytest.raises(ConditionSyntaxError, match=said) as caught:
        compile_condition(text)
    assert caught.value.text == text
    assert caught.value.hint


def test_every_function_and_macro_on_offer_is_there():
    moment = "timestamp('2024-02-03T04:05:06.007Z')"
    of_text, of_time = (
        {"size", "contains", "startsWith", "endsWith"},
        {name for name in FUNCTIONS if name.startswith("get")},
    )
    conditions = {
        **{name: f"goal.{name}({'' if name == 'size' else repr('a')}) != 9" for name in of_text},
        **{name: f"{moment}.{name}() >= 0" for name in of_time},
        **{name: f"{name}(visits) != 9" for name in ("int", "uint", "double", "string", "type", "dyn")},
        "has": "has(data.x) == false", "bytes": "bytes(goal) != b''", "timestamp": f"{moment} == {moment}", "duration": "duration('1h') > duration('59m')",
        **{name: f"[1, 2].{name}(x, x == 2)" for name in ("exists", "exists_one")}, "all": "[1].all(x, x == 1)",
        "map": "[1].map(x, x + 1) == [2]", "filter": "[1, 2].filter(x, x > 1) == [2]",
    }  # fmt: skip
    assert set(conditions) == FUNCTIONS | MACROS
    for name, text in conditions.items():
        assert result(text) is True, name


# --- what it looks at


@pytest.mark.parametrize(
    ("text", "output", "expected"),
    [
        ("output.approved == true", {"approved": True}, True),
        ("output.approved == true && visits < 3", {"approved": False}, False),
        ("output.score >= 0.5", {"score": 0.7}, True),
        ("output.n > 1.5", {"n": 2}, True),
        ("output == 'done'", "done", True),
        ("output == null", None, True),
        ("size(output) == 2", [1, 2], True),
        ("output[1] == 2", [1, 2], True),
        ("output[1] == 2", (1, 2), True),
        ("output.all(x, x > 0)", [1, 2], True),
        ("'a' in output", {"a": 1}, True),
        ("2 in output.list", {"list": [1, 2]}, True),
        ("output.at < timestamp('2024-01-02T00:00:00Z')", {"at": datetime(2024, 1, 1, tzinfo=UTC)}, True),
        ("output.took > duration('1s')", {"took": timedelta(seconds=2)}, True),
        ("output.raw == b'x'", {"raw": b"x"}, True),
        ("output.text == '\ufffd'.substring", {"text": "x"}, None),
        ("output['a.b'] == 1 && output.a.b == 2", {"a.b": 1, "a": {"b": 2}}, True),
        ("output.nan == output.nan", {"nan": float("nan")}, False),
        ("visits == 1 && attempt == 1 && goal == 'a goal'", None, True),
    ],
)
def test_conditions_read_plain_data(text, output, expected):
    if expected is None:
        with pytest.raises((ConditionError, ConditionSyntaxError)):
            result(text, output)
    else:
        assert result(text, output) is expected


class Colour(Enum):
    RED = "red"


class Size(IntEnum):
    BIG = 3


class State(StrEnum):
    DONE = "done"


class Page(BaseModel):
    title: str
    size: Size = Size.BIG
    tags: list[str] = []


@dataclass
class Note:
    text: str
    page: Page


class Slow(str):
    __slots__ = ()


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("output.title == 'x' && output.size == 3 && output.tags.size() == 1", Page(title="x", tags=["a"])),
        ("output.page.title == 'x' && output.text == 'n'", Note("n", Page(title="x"))),
        ("size(output) == 2 && output.text == 'n'", Note("n", Page(title="x"))),
        ("output == 'red'", Colour.RED),
        ("output == 3", Size.BIG),
        ("output == 'done'", State.DONE),
        ("output[0].c == 'red'", [{"c": Colour.RED}]),
        ("output.a == 1", OrderedDict(a=1)),
        ("output == 'x'", Slow("x")),
        ("output == 5", np.int64(5)),
        ("output > 0.4", np.float64(0.5)),
        ("output", np.bool_(True)),
        ("output.n == 5 && output.ok", {"n": np.int32(5), "ok": np.bool_(True)}),
        ("output == 7", np.array(7)),
        ("output == 'x'", np.str_("x")),
        ("output == 9223372036854775807", 2**63 - 1),
    ],
)
def test_models_dataclasses_enums_and_numpy_scalars_count_as_plain_data(text, output):
    assert result(text, output) is True


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (object(), "it looks at object, and a condition reads plain data: text, numbers, lists"),
        ({"a": {1, 2}}, "it looks at set"),
        (date(2024, 1, 1), "it looks at date"),
        (np.array([1, 2]), "it looks at ndarray"),
        (pd.DataFrame({"a": [1]}), "it looks at DataFrame"),
        (Page, "it looks at ModelMetaclass"),
        (Note, "it looks at type"),
        ({1: 2}, "a mapping with the key 1, which is not text"),
        ({0: 2}, "a mapping with the key 0, which is not text"),
        ({None: 2}, "a mapping with the key None"),
        ({"a": 2**63}, "it looks at 9223372036854775808, an integer over 64 bits"),
        (-(2**63) - 1, "an integer over 64 bits"),
    ],
)
def test_anything_else_is_named_with_what_can_be_read(output, said):
    with pytest.raises(ConditionError, match=said) as caught:
        evaluate("output == 1", output)
    assert str(caught.value).startswith("Condition 'output == 1' of step 'review' could not be evaluated: ")


def test_only_the_named_paths_are_handed_over():
    class Untouchable:
        """Stands for a DataFrame, or 100 MB of anything."""

        def __getattribute__(self, name):
            if name in ("__class__", "__dict__"):
                return object.__getattribute__(self, name)
            raise AssertionError(f"{name} was read")

        def __len__(self):
            raise AssertionError("was measured")

        __iter__ = __eq__ = __bool__ = __repr__ = __hash__ = __len__

    class Bus(dict):
        def __iter__(self):
            raise AssertionError("the whole bus was read")

        items = values = keys = copy = __iter__

    bus = Bus(limit=3, frame=Untouchable(), deep={"frame": Untouchable(), "n": 2})
    output = {"n": 4, "frame": Untouchable()}
    told = evaluate("output.n > data.limit && data.deep.n == 2", output, data=bus)
    assert told == Evaluated(
        "output.n > data.limit && data.deep.n == 2", {"output.n": 4, "data.limit": 3, "data.deep.n": 2}, True
    )


def test_a_condition_beside_a_hundred_megabytes_costs_nothing_of_them():
    bus = {"frame": pd.DataFrame({"n": range(100)}), "big": "x" * 100_000_000, "list": list(range(1_000_000)), "n": 1}
    compile_condition("data.n == 1")
    begun = time.perf_counter()
    assert result("data.n == 1", data=bus)
    assert time.perf_counter() - begun < 0.05


def test_what_was_looked_at_is_told_by_the_path_that_names_it():
    output = {"a": {"b": 1}, "a.b": 2, "with space": 3}
    told = evaluate("output.a.b == 1 && output['a.b'] == 2 && output['with space'] == 3 && !has(output.z)", output)
    assert told.inputs == {"output.a.b": 1, "output['a.b']": 2, "output['with space']": 3}
    assert told.result is True


# --- what is missing


@pytest.mark.parametrize("output", [{}, None, 5, "text", [1], {"b": 1}, Page(title="x")])
def test_what_may_be_missing_is_tested_with_has(output):
    assert result("has(output.approved)", output) is False
    assert result("!has(output.approved) || output.approved == true", output) is True
    assert result("has(output.a.b.c)", output) is False
    assert result("has(data.x.y) || has(data.z)") is False


@pytest.mark.parametrize(
    ("text", "gave"),
    [("output", "{'a': 1}"), ("visits", "1"), ("'yes'", "'yes'"), ("null", "None"), ("[true]", r"\[True\]")],
)
def test_a_condition_gives_true_or_false_and_nothing_else(text, gave):
    with pytest.raises(ConditionError, match=f"it gave {gave}, and a condition gives true or false"):
        evaluate(text, {"a": 1})


@pytest.mark.parametrize(
    "text",
    ["1 / 0 == 1", "visits % 0 == 1", "'a' * 2 == 'b'", "9223372036854775807 + visits > 0", "int('x') == 1", "[1][5] == 1", "timestamp('x') == timestamp('y')", "!visits", "output.x.y > 1", "'a' > 1", "timestamp('9999-12-31T23:59:59Z') + duration('99999h') > timestamp('2020-01-01T00:00:00Z')", "int(1e300) == 1", "-9223372036854775808 / -1 == 1"],
)  # fmt: skip
def test_what_fails_while_it_is_evaluated_names_step_and_text(text):
    with pytest.raises(ConditionError) as caught:
        evaluate(text, {"x": {}})
    assert (caught.value.step, caught.value.text) == ("review", text)
    assert caught.value.reason
    assert "Check " not in caught.value.reason


# --- callables


def test_in_code_a_condition_may_be_a_callable():
    seen = []

    def is_good(output, context):
        seen.append((output, context.goal))
        return output["n"] > 1

    compiled = compile_condition(is_good)
    assert compiled.text.endswith("is_good")
    assert compiled.evaluate("s", {"n": 2}, Facts()) == Evaluated(compiled.text, {}, True)
    assert result(lambda output, context: output.get("missing"), {}) is False
    for neither in ("false", [], 1):
        with pytest.raises(ConditionError, match="a condition gives True or False"):
            result(lambda output, context, neither=neither: neither, {})
    assert seen == [({"n": 2}, "a goal")]


def test_a_callable_that_raises_is_a_condition_that_failed():
    def broken(output, context):
        raise LookupError("no idea")

    def silent(output, context):
        raise LookupError

    with pytest.raises(ConditionError, match="broken' of step 'review' could not be evaluated: no idea"):
        result(broken)
    with pytest.raises(ConditionError, match="could not be evaluated: LookupError"):
        result(silent)


def test_an_interrupt_goes_through_and_a_crash_in_the_library_does_not():
    def interrupted(output, context):
        raise KeyboardInterrupt

    class PanicException(BaseException):
        """The name under which a panic of the CEL library arrives."""

    def panics(output, context):
        raise PanicException

    with pytest.raises(KeyboardInterrupt):
        result(interrupted)
    with pytest.raises(ConditionError, match="the CEL library gave up on it"):
        result(panics)


# --- caps


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("output.ok and true", "&&"),
        ("not output.ok", "!"),
        ("output.x == None", "null"),
        ("len(output) > 1", r"size\("),
    ],
)
def test_who_thinks_in_python_is_told_the_word(text, said):
    with pytest.raises(ConditionSyntaxError, match=f"which is Python. In CEL that is {said}"):
        compile_condition(text)
