"""`make test` has the notebooks replay their cassettes; tests of cassettes say themselves what they want.

A magic that IPython does not know, or whose arguments it cannot read, prints `UsageError: ...` and skips the rest of
its cell. nbval takes that for any other line on stderr, and lets it pass where outputs are not compared: here it fails.

A shell that starts the tests in the background has them ignore interrupts. Some tests send them: here they are heard.

A law is tried with fewer examples in `make test` (the profile "short") than by default, with more in `make soak`.

What collection left in memory, sixteen thousand tests and their modules, stays to the end: no search for garbage
looks through it again.
"""

from __future__ import annotations

import gc
import signal
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("short", max_examples=25)
settings.register_profile("long", max_examples=300)


def pytest_configure() -> None:
    """Hear interrupts, also where whoever started the tests ignores them; so do processes that a test starts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _no_cassette_mode_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORCHESTRATION_KIT_CASSETTE", raising=False)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Keep the tests themselves out of every search for garbage."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Fail the cell of a notebook in which IPython refused a magic."""
    result = yield
    if refused := _refused_magic(item):
        pytest.fail(f"IPython refused a magic, and skipped the rest of the cell: {refused}", pytrace=False)
    return result


def _refused_magic(item: pytest.Item) -> str | None:
    """What IPython said on refusing a magic in a notebook's cell; None where it did not, or for any other test."""
    outputs: list[dict[str, Any]] = getattr(item, "test_outputs", None) or []
    lines = [line for one in outputs if one.get("name") == "stderr" for line in "".join(one["text"]).splitlines()]
    return next((line for line in lines if line.startswith("UsageError:")), None)
