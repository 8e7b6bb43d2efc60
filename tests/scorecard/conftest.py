"""What the rows of the scorecard share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.scorecard.forks import Template


@pytest.fixture(scope="module")
def template() -> Iterator[Template]:
    """A process with everything imported, that forks children."""
    template = Template(
        "tests.scorecard.warm",
        "tests.scorecard.crashing",
        "tests.scorecard.driving",
        "tests.scorecard.soaking",
        "tests.scorecard.interrupting",
    )
    yield template
    template.close()


@pytest.fixture
def figure(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Print a row's figure past pytest's capturing."""

    def show(text: str) -> None:
        with capsys.disabled():
            print(f"\n{text}")

    return show
