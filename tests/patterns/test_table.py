from __future__ import annotations

import re
from pathlib import Path

import tests.patterns

HERE = Path(__file__).parent
WANTED = {
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    9,
    10,
    11,
    13,
    14,
    15,
    16,
    18,
    19,
    20,
    21,
    22,
    24,
    25,
    26,
    28,
    29,
    30,
    31,
    32,
    34,
    35,
    36,
    39,
    43,
}


def test_every_pattern_has_a_test_named_after_it_and_its_number():
    rows = re.findall(r"^\| ([\d, ]+) \| .* \| (test_\S+\.py) \|$", tests.patterns.__doc__, re.MULTILINE)
    listed = {name: [int(number) for number in numbers.split(",")] for numbers, name in rows}
    assert sorted(number for numbers in listed.values() for number in numbers) == sorted(WANTED)
    files = {path.name for path in HERE.glob("test_[0-9]*.py")}
    assert files == set(listed)
    for name, numbers in listed.items():
        assert [int(number) for number in re.findall(r"_(\d+)(?=_)", name)] == numbers
