"""Every hostile text, drawn and put straight into a page of a real browser: nothing of it runs."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from orchestration_kit.visual import visualize
from tests.hostile import PAYLOADS
from tests.visual.test_hostile_text import happening, saying

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
HAS_TO_RUN = os.environ.get("CI") == "true"
"""In CI nothing is left out because a tool is missing: without Chromium these tests fail there."""
pytestmark = pytest.mark.skipif(
    CHROMIUM is None and not HAS_TO_RUN, reason="no Chromium; install it with scripts/system-packages chromium"
)
TRAP = "<!doctype html><script>window.pwned = () => document.body.setAttribute('data-pwned', 'yes')</script><body>"


def dom_of(page: str, folder: Path) -> str:
    """What a browser makes of a page, a while after it was loaded."""
    (folder / "page.html").write_text(page, encoding="utf-8", errors="replace")
    done = subprocess.run(
        [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
            "--no-first-run", f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=3000", "--dump-dom",
            (folder / "page.html").as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    return done.stdout


@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.soak)])
def test_no_hostile_text_runs(tmp_path: Path, every: int) -> None:
    said = PAYLOADS[::every]
    pictures = [visualize(saying(payload), renderer="builtin", overlay=happening(payload)).svg for payload in said]
    dom = dom_of(TRAP + "\n".join(pictures), tmp_path)
    assert dom.count("<svg") == len(said)
    assert "data-pwned=" not in dom


def test_the_trap_works(tmp_path: Path) -> None:
    assert 'data-pwned="yes"' in dom_of(TRAP + "<img src=x onerror=pwned()>", tmp_path)
