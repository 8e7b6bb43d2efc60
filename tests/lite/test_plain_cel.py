"""Conditions without the CEL library give what they give with it, or refuse."""

from __future__ import annotations

import random
from typing import Any

import cel
import pytest

from orchestration_kit.definition import conditions
from orchestration_kit.definition.condition_text import read_condition
from orchestration_kit.definition.plain_cel import PlainProgram
from orchestration_kit.errors import ConditionError, ConditionSyntaxError
from tests.definition.test_condition_fuzz import Facts, Grammar, fuzz_outputs

UNKNOWN = "not known without the CEL library"


LIST_AND_MAP = "+ does not take list and map"
"""The library adds the keys of a map to a list, in any order; CEL has no such operator, and neither have we."""


def told(condition: Any, output: Any) -> Any:
    """What a compiled condition gives, or that it fails."""
    facts = Facts(data={"items": [1, 2, 3], "text": "text", "limit": 2})
    try:
        return condition.evaluate("step", output, facts).result
    except ConditionError as error:
        return LIST_AND_MAP if LIST_AND_MAP in str(error) else "fails"


def both(text: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    """The text compiled with the library, and without; None where that refuses it."""
    made = []
    for make in (cel.compile, PlainProgram):
        monkeypatch.setattr(conditions, "_program", make)
        try:
            made.append(conditions._compile_text.__wrapped__(text))
        except ConditionSyntaxError as error:
            made.append(None if UNKNOWN not in str(error) else UNKNOWN)
    return tuple(made)


def compare(count: int, seed: int, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    grammar, choose, outputs = Grammar(seed), random.Random(seed), fuzz_outputs()[:9]
    seen = {"bool": 0, "fails": 0, "refused": 0, "unknown": 0}
    for _ in range(count):
        text = grammar.condition()
        with_it, without = both(text, monkeypatch)
        if without == UNKNOWN:
            seen["unknown"] += 1
        elif with_it is None or without is None:
            assert with_it is without, f"{text!r}: {with_it=} {without=}"
            seen["refused"] += 1
        else:
            for output in choose.sample(outputs, 3):
                expected, found = told(with_it, output), told(without, output)
                if found == LIST_AND_MAP:
                    continue
                assert found == expected, f"{text!r} on {output!r:.200}: {expected} with the library, {found} without"
                seen["fails" if expected == "fails" else "bool"] += 1
    return seen


@pytest.mark.filterwarnings("error")
def test_random_conditions_give_what_the_library_gives(monkeypatch):
    seen = compare(700, 1, monkeypatch)
    assert min(seen.values()) > 50, seen


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2, 8))
def test_many_random_conditions_give_what_the_library_gives(seed, monkeypatch):
    compare(10_000, seed, monkeypatch)


CASES = """
1 + 1.0 | 5 / 2 | -5 / 2 | -5 % 3 | 5 / 0 | 5 % 0 | 5.0 / 0.0 | -5.0 / 0.0 | 5.5 % 2.0 | 'a' + 'b' | [1] + [2] | 7u + 1u | 7u - 8u | 1 + 1u
9223372036854775807 + 1 | -9223372036854775808 | -9223372036854775808 / -1 | 9223372036854775808 | --1 | - -1 | 2--1 | -1u | -'a' | -true | !1
1 == 1.0 | true == 1 | 1u == 1 | null == null | null < 1 | [1] == [1.0] | {'a': 1} == {'a': 1.0} | 1 == null | 1 < 2 == true | 1 < 2 < 3
9007199254740993 == 9007199254740992.0 | 'a' < 'b' | true < false | 1 < 'a' | 1 in [1.0] | 'a' in {'a': 1} | 'a' in 'abc' | 1 in 5 | 1 in {'a': 1}
true && 1 | 1 && true | false && 1 | 1 && false | true || 1 | 1 || true | 1 / 0 == 1 && false | false && 1 / 0 == 1 | 1 / 0 == 1 || true | 1 ? 2 : 3
true ? 1 : 1 / 0 | true ? 1 : false ? 2 : 3 | [1, 2][0] | [1, 2][5] | [1, 2][-1] | [1, 2]['a'] | {'a': 1}['b'] | {'a': 1}.b | {'a': 1}[0] | [3][0u]
[3][true] | [3][0.0] | 'abc'[0] | has({'a': 1}.b) | has({'a': 1}.a) | size('\u00e9') | size([1]) | size(1) | 'abc'.size() | {'a': 1}.size() | [1,] | {'a': 1,}
int('5') | int('+5') | int(' 5') | int('1_0') | int(-5.9) | int(true) | int(1e30) | int('9223372036854775808') | uint(-1) | uint('5') | uint('-5') | uint(1.9)
double('1.5') | double('1e3') | double('.5') | double('1_0.0') | double('nan') == double('nan') | double(7u) | string(1) | string(1.0) | string(1e20) | string(1e-7)
string(-0.0) | string(true) | string(b'a') | string(b'\\xff') | dyn(1) == 1.0 | bytes('a') == b'a' | size(b'ab') | r'\\n' | 'a\\n' | '\\x41' | b'\\x41' == b'A'
'abc'.contains('b') | 'abc'.contains(1) | [1].contains(1) | 'abc'.endsWith('c') | 'abc'.size | [1].all(x, 1) | [].all(x, 1) | [1, 'a'].all(x, x < 2)
[0, 1].exists(x, 1 / x == 1) | [1, 0].all(x, 1 / x == 5) | [1, 1].exists_one(x, x == 1) | [1, 2].map(x, x * 2) | [1, 2].map(x, x > 1, x * 2)
{'a': 1}.map(k, k) | [1, 2].filter(x, x > 1) | [1].filter(x, 1) | 'abc'.map(x, x) | [1].map(x, [2].size() + x) | {'a': 1, 'a': 2} | 1.5u | 0x1F | 7U
""".replace("\n", " | ").split(" | ")


@pytest.mark.parametrize("text", [case for case in CASES if case.strip()])
def test_expressions_give_what_the_library_gives(text):
    def outcome(make: Any) -> Any:
        try:
            value = make(text).execute({})
        except Exception:
            return "fails"
        return type(value).__name__.replace("UInt", "int"), value

    expected, found = outcome(cel.compile), outcome(PlainProgram)
    assert found == expected


@pytest.mark.parametrize(
    "text", ["output < timestamp('2024-01-01T00:00:00Z')", "goal.getHours() == 1", "type(output) == type(1)"]
)
def test_what_is_not_known_without_the_library_is_refused_when_it_is_compiled(text, monkeypatch):
    read_condition(text)
    assert both(text, monkeypatch)[1] == UNKNOWN


@pytest.mark.parametrize(
    "text",
    [
        "1 +",
        "(1",
        "[1",
        "{'a' 1}",
        "true ?",
        "has(1)",
        "has(output)",
        "1 2",
        "[1].all(1, true)",
        "[1].all(x)",
        "size(1, 2)",
    ],
)
def test_what_does_not_parse_with_the_library_does_not_without(text):
    with pytest.raises(ValueError):
        PlainProgram(text)
