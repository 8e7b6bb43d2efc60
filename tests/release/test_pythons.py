"""What runs on one Python and not on another, or not with tomorrow's numpy: found by trying, kept out from then on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent.parent / "orchestration_kit"
SOURCES = {
    path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8")
    for folder in ("", "*/", "*/*/", "*/*/*/")
    for path in PACKAGE.glob(f"{folder}*.py")
}
NUMBERED = re.compile(r"(=|>|<|,|LIMIT|SELECT|_each\() ?\?\d")
BARE = re.compile(r"""(datetime|timedelta)64\(["']NaT["']\)""")


@pytest.mark.parametrize(
    ("pattern", "example"),
    [
        # Python 3.12 takes numbered placeholders for names, and warns of every statement.
        (NUMBERED, "SELECT ?1 WHERE number = ?4 LIMIT ?2"),
        # numpy 2.5 warns of a missing time without a unit.
        (BARE, 'np.datetime64("NaT")'),
    ],
)
def test_what_warned_on_another_python_or_numpy_is_not_written_again(pattern, example):
    assert pattern.search(example)
    assert len(SOURCES) > 500
    assert [name for name, text in SOURCES.items() if pattern.search(text)] == []
