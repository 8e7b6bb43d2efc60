"""A pytest fixture that replays the workers of a test from a cassette beside it. Loads nothing until a test asks.

```python
def test_the_bakery_gets_a_site(cassette):
    context = build_hub().execute_workflow("build_website", "A bakery in Bonn", verbose=False)
    assert context.state == "completed"
    assert cassette.misses == 0
```

The first run calls the workers and writes `cassettes/<test module>/<test name>.yaml`; later ones replay it. Where the
environment variable `CI` is set, nothing is called: what is not recorded fails the test. `--cassette-mode` decides
otherwise for one invocation, `ORCHESTRATION_KIT_CASSETTE` for many.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from orchestration_kit.journal.cassette import Cassette

_MODES = ("record", "replay", "auto", "off")
_LONGEST_NAME = 120


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--cassette-mode`."""
    group = parser.getgroup("orchestration_kit", "cassettes of orchestration_kit")
    group.addoption(
        "--cassette-mode",
        choices=_MODES,
        default=None,
        help="what the cassette fixture does: record anew, replay only, auto (replay what is there, record what is "
        "missing) or off. Default: ORCHESTRATION_KIT_CASSETTE, else replay where CI is set, else auto.",
    )


@pytest.fixture
def cassette(request: pytest.FixtureRequest) -> Iterator[Cassette]:
    """A cassette for this test, open: every run that the test starts is replayed from it, or recorded in it."""
    from orchestration_kit.journal.cassette import Cassette

    opened = Cassette(cassette_path(request.path, request.node.nodeid))
    chosen = request.config.getoption("--cassette-mode")
    if chosen is not None:
        opened.mode = str(chosen)  # the option counts more than the environment
    elif _is_ci() and not os.environ.get("ORCHESTRATION_KIT_CASSETTE"):
        opened.mode = "replay"
    with opened:
        yield opened


def cassette_path(test_file: Path, node_id: str) -> Path:
    """Return where the cassette of a test is kept.

    >>> cassette_path(Path("tests/test_site.py"), "tests/test_site.py::TestBakery::test_pages[a/b]").as_posix()
    'tests/cassettes/test_site/TestBakery.test_pages[a_b]-c23c08.yaml'
    """
    _, *names = node_id.split("::")
    full = ".".join(names)
    name = re.sub(r"[^\w.\[\]-]", "_", full)[:_LONGEST_NAME]
    if name != full:  # two tests must not share a cassette
        import hashlib

        name = f"{name}-{hashlib.sha256(full.encode('utf-8', 'backslashreplace')).hexdigest()[:6]}"
    return test_file.parent / "cassettes" / test_file.stem / f"{name}.yaml"


def _is_ci() -> bool:
    return os.environ.get("CI", "").lower() not in {"", "0", "false", "no"}
