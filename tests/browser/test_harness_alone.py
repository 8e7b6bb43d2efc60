"""The browser leaves the process as it was, and says what it lacks."""

from __future__ import annotations

import asyncio
import sys

import pytest

from tests.browser.chromium import chromium, executable
from tests.browser.servers import Server


async def answer():
    return 42


def test_after_the_browser_a_test_may_run_a_loop_of_its_own():
    with chromium() as browser:
        assert browser.new_page().evaluate("6 * 7") == 42
    assert asyncio.run(answer()) == 42


def test_a_missing_browser_is_an_error_that_says_how_to_get_it(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RuntimeError, match="scripts/system-packages --require chromium"):
        executable()


def test_a_server_that_does_not_start_shows_its_log(tmp_path):
    with pytest.raises(RuntimeError, match="no such setting"):
        Server("broken", tmp_path, [sys.executable, "-c", "raise SystemExit('no such setting')"], ready="/")
