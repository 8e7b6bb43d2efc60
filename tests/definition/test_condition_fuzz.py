"""No text of a condition can crash or stall: random ones, on data up to the caps (SCORECARD row 19)."""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orchestration_kit.definition.condition_text import FUNCTIONS
from orchestration_kit.definition.conditions import compile_condition
from orchestration_kit.errors import ConditionError, ConditionSyntaxError

MOST_MS = 50


@dataclass
class Facts:
    """What a condition is evaluated on."""

    goal: str = "a goal"
    data: Mapping[str, Any] = field(default_factory=dict)
    visit: int = 1
    attempt: int = 1


class Grammar:
    """Random conditions: mostly well formed, some hostile, some broken."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.bound: list[str] = []

    def condition(self) -> str:
        kind = self.random.random()
        text = self.hostile() if kind < 0.2 else self.boolean(self.random.randint(1, 5))
        if kind > 0.85:
            text = self.broken(text)
        return text

    def pick(self, *options: str) -> str:
        return self.random.choice(options)

    def boolean(self, depth: int) -> str:
        if depth <= 0:
            return self.pick("true", "false", "output.ok", "has(output.a)", "has(data.items)", "visits > 2")
        smaller = depth - 1
        return self.random.choice(
            [
                lambda: f"{self.boolean(smaller)} {self.pick('&&', '||', '==', '!=')} {self.boolean(smaller)}",
                lambda: f"!({self.boolean(smaller)})",
                lambda: f"({self.boolean(smaller)})",
                lambda: (
                    f"{self.value(smaller)} {self.pick('==', '!=', '<', '<=', '>', '>=', 'in')} {self.value(smaller)}"
                ),
                lambda: f"{self.boolean(smaller)} ? {self.boolean(smaller)} : {self.boolean(smaller)}",
                lambda: self.macro(smaller, self.pick("all", "exists", "exists_one")),
                lambda: (
                    f"{self.value(smaller)}.{self.pick('contains', 'startsWith', 'endsWith')}({self.value(smaller)})"
                ),
            ]
        )()

    def value(self, depth: int) -> str:
        if depth <= 0:
            return self.leaf()
        smaller = depth - 1
        return self.random.choice(
            [
                self.leaf,
                lambda: f"{self.value(smaller)} {self.pick('+', '-', '*', '/', '%')} {self.value(smaller)}",
                lambda: f"[{', '.join(self.value(smaller) for _ in range(self.random.randint(0, 4)))}]",
                lambda: (
                    "{" + ", ".join(f"'{n}': {self.value(smaller)}" for n in range(self.random.randint(0, 3))) + "}"
                ),
                lambda: f"{self.value(smaller)}[{self.value(0)}]",
                lambda: f"{self.pick(*FUNCTIONS)}({self.value(smaller)})",
                lambda: f"{self.value(smaller)}.{self.pick(*FUNCTIONS)}()",
                lambda: self.macro(smaller, self.pick("map", "filter")),
                lambda: f"-{self.value(smaller)}",
                lambda: f"({self.value(smaller)}).{self.pick('a', 'b', 'size()')}",
            ]
        )()

    def macro(self, depth: int, name: str) -> str:
        source = self.value(depth)
        variable = self.pick("x", "y", "item")
        self.bound.append(variable)
        body = self.boolean(min(depth, 2)) if name != "map" else self.value(min(depth, 2))
        self.bound.pop()
        return f"{source}.{name}({variable}, {body})"

    def leaf(self) -> str:
        paths = (
            "output",
            "output.a",
            "output.list",
            "output.a.b",
            "output['a b']",
            "data.items",
            "data.text",
            "data.limit",
            "goal",
            "visits",
            "attempt",
        )
        literals = ("0", "1", "-1", "7u", "1.5", "1e308", "9223372036854775807", "0x7F", "''", "'text'", "r'\\'", "b'\\xff'", '"""t"""', "null", "true", "[]", "{}",
                    "timestamp('2024-01-01T00:00:00Z')", "duration('1h')", "duration('9223372036854775807s')")  # fmt: skip
        return self.pick(*paths, *literals, *self.bound, *self.bound, *self.bound)

    def hostile(self) -> str:
        n = self.random.choice([2, 5, 20, 60, 200, 400, 900])
        k = self.random.randint(1, 12)
        ones = "[" + ",".join(["1"] * n) + "]"
        many = ",".join(["x"] * self.random.randint(1, 12))
        root = self.pick("output", "data.items", "output.list", "goal", ones, "[1]")
        return self.random.choice(
            [
                lambda: root + f".map(x, [{many}])" * k + ".size() > 0",
                lambda: root + ".map(x, x + x)" * k + ".size() > 0",
                lambda: root + ".map(x, x)" * k + f" == {root}" + ".map(x, x)" * k,
                lambda: root + f".map(x, [{many}])[0]" * k + ".size() > 0",
                lambda: f"{root}.map(x, {root}).size() > 0",
                lambda: f"{root}.all(x, x in {root})",
                lambda: f"{root}.filter(x, x in {root}).size() > 0",
                lambda: f"{root}.all(x, {root}.size() > 0 && {root} == {root})",
                lambda: " + ".join([root] * k) + f" == {root}",
                lambda: f"({' + '.join([root] * k)}).map(x, x).size() > 0",
                lambda: " && ".join([f"{root} == {root}"] * k * 3),
                lambda: " || ".join([f"{root}.contains({root})"] * k),
                lambda: "!" * min(n, 900) + "true",
                lambda: "-" * min(n, 900) + "1 == 1",
                lambda: "(" * min(n, 40) + "true" + ")" * min(n, 40),
                lambda: "true" + " && true" * min(n, 240),
                lambda: "1" + " + 1" * min(n, 400) + " == 1",
                lambda: "true ? true : " * min(n, 100) + "true",
                lambda: "output" + ".a" * min(n, 900) + " == 1",
                lambda: "output" + "[0]" * min(n, 600) + " == 1",
                lambda: "has(data" + ".a" * min(n, 900) + ")",
                lambda: "[" * min(n, 40) + "]" * min(n, 40) + " == []",
                lambda: f"{'{' + chr(39)}k{chr(39)}: " * min(n, 30) + "1" + "}" * min(n, 30) + " == {}",
                lambda: f"'{'a' * n}'.contains('{'a' * (n // 2)}b')",
                lambda: f'r"\\" != goal || {root}.all(x, {root}.all(y, x == y)) || goal == r"\\"',
                lambda: f"string({root}) == string({root})",
                lambda: f"[{root}, {root}, {root}].map(x, [x, x, x]).all(x, x == x)",
                lambda: "timestamp('9999-12-31T23:59:59Z')" + " + duration('1000000h')" * k + " > timestamp('2020-01-01T00:00:00Z')",
            ]
        )()  # fmt: skip

    def broken(self, text: str) -> str:
        characters = list(text[:2_100])
        for _ in range(self.random.randint(1, 4)):
            at = self.random.randrange(len(characters) + 1)
            what = self.random.random()
            if what < 0.4 and at < len(characters):
                del characters[at]
            elif what < 0.7:
                characters.insert(at, self.pick(*"()[]{}.,:?!&|=<>+-*/%'\"\\`$#@;\n\r\t\x00\x0bé\ud800 0xrb"))
            else:
                characters[at:at] = characters[self.random.randrange(len(characters) + 1) :][
                    : self.random.randint(1, 60)
                ]
        return "".join(characters)


def nest(depth: int) -> Any:
    value: Any = 1
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    return value


def fuzz_outputs() -> list[Any]:
    """What the conditions are evaluated on: from nothing to all that the caps allow."""
    return [
        None, {}, {"a": 1, "ok": True, "list": [1, 2, 3]}, {"a": {"b": "x"}, "a b": 2.5, "list": ["x", None, {}]}, "text", [1, 2, 3], [], 3.5,
        {"a": nest(60), "ok": False, "list": nest(30)}, {"list": list(range(300)), "a": "x" * 10_000, "ok": 1}, {"list": list(range(999)), "a": {"b": [0.5] * 999}},
        {"list": list(range(10_000)), "a": 1}, list(range(10_000)), [[n, str(n)] for n in range(4_000)], {str(n): n for n in range(7_900)}, "x" * 1_000_000,
        {"list": ["x" * 1_000] * 900, "ok": True}, {"list": [list(range(100))] * 150, "a": float("nan")}, [{"a": n, "b": {"c": [n]}} for n in range(1_500)], nest(64), nest(65),
        {"a": datetime.max.replace(tzinfo=UTC), "list": [timedelta.max, datetime.min]}, {"a": 2**63 - 1, "list": [-(2**63)], "ok": "\ud800"}, {"a": object()}, b"\xff" * 1000,
    ]  # fmt: skip


def fuzz(count: int, seed: int) -> None:
    """Evaluate random conditions on random data and print what came of it."""
    grammar, choose = Grammar(seed), random.Random(f"data {seed}")
    outputs = fuzz_outputs()
    told = {
        "bool": 0,
        "ConditionError": 0,
        "ConditionSyntaxError": 0,
        "worst_ms": 0.0,
        "worst": "",
        "over": [],
        "wrong": [],
    }
    compile_condition("true").evaluate("s", None, Facts())

    def once(text: str, output: Any, facts: Facts) -> tuple[str, float]:
        begun = time.process_time()  # what else the machine does is no stall
        try:
            outcome = type(compile_condition(text).evaluate("s", output, facts).result).__name__
        except (ConditionError, ConditionSyntaxError) as error:
            outcome = type(error).__name__
        except BaseException as error:  # whatever comes is what is looked for
            outcome = f"{type(error).__name__}: {error}"[:300]
        return outcome, (time.process_time() - begun) * 1e3

    for _ in range(count):
        text = grammar.condition()
        output = choose.choice(outputs)
        big = choose.random() < 0.2
        facts = Facts(
            "g" * 1_000_000 if big else "a goal",
            {"items": choose.choice(outputs), "text": "x" * (500_000 if big else 5), "limit": 3},
            choose.randint(1, 5),
        )
        outcome, took_ms = once(text, output, facts)
        if took_ms > MOST_MS / 2:  # by chance, or always? A blank more makes it another text, to be compiled anew
            took_ms = statistics.median(once(text + " " * blanks, output, facts)[1] for blanks in range(1, 6))
        if outcome in told:
            told[outcome] += 1
        else:
            told["wrong"].append([text, outcome])
        if took_ms > told["worst_ms"]:
            told["worst_ms"], told["worst"] = round(took_ms, 2), f"{text[:300]} on {type(output).__name__}"
        if took_ms > MOST_MS:
            told["over"].append([text, round(took_ms, 1), repr(output)[:60]])
    sys.stdout.write(json.dumps(told))


def fuzzed(count: int, seed: int) -> None:
    """In a process of its own, as a crash of the library would take ours down."""
    code = f"from tests.definition.test_condition_fuzz import fuzz; fuzz({count}, {seed})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, f"seed {seed}: exit code {done.returncode}\n{done.stderr[-2000:]}"
    told = json.loads(done.stdout)
    assert told["wrong"] == [], f"seed {seed}"
    assert told["over"] == [], f"seed {seed}"
    assert told["bool"] + told["ConditionError"] + told["ConditionSyntaxError"] == count
    assert told["bool"] > count / 20, "the grammar makes too few conditions that work"
    print(
        f"{count:,} fuzzed conditions: 0 crashes, worst {told['worst_ms']} ms; {told['bool']:,} gave true or false, "
        f"{told['ConditionSyntaxError']:,} refused, {told['ConditionError']:,} failed. Worst: {told['worst']}"
    )


def test_five_hundred_fuzzed_conditions_crash_nothing_and_stall_nothing():
    fuzzed(500, seed=19)


@pytest.mark.soak
def test_ten_thousand_fuzzed_conditions_crash_nothing_and_stall_nothing():
    fuzzed(10_000, seed=int(time.time()))
