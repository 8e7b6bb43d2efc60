"""The core in JupyterLite, in a browser, from the site that `make lite` builds. Nothing comes from elsewhere."""

from __future__ import annotations

import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from scripts.lite.fetch import CACHE

SITE = CACHE / "_site"
OUTPUTS = """cells => cells.map(cell =>
  [...cell.querySelectorAll('.jp-OutputArea-output')].map(output => output.innerText).join('\\n'))"""

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(not SITE.is_dir() or shutil.which("chromium") is None, reason="`make lite` builds the site"),
]


class Files(SimpleHTTPRequestHandler):
    """Says nothing of each request, and what a module is."""

    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript", ".wasm": "application/wasm"}

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def page():
    from playwright.sync_api import sync_playwright

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=str(SITE)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1400, "height": 1000}, base_url=address)
            page.set_default_timeout(180_000)
            page.route(lambda url: not url.startswith((address, "data:", "blob:")), lambda route: route.abort())
            yield page
            browser.close()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_notebook_runs_and_its_player_is_played_in_jupyterlite(page):
    page.goto("/lab/index.html?path=in_a_browser.ipynb")
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    page.get_by_text("Python (Pyodide) | Idle").wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    page.get_by_text("['in_progress', 'completed', 'completed']").wait_for()
    _, awaited, called, player, stepped, _ = page.eval_on_selector_all(".jp-CodeCell", OUTPUTS)
    assert "'left and right'" in awaited
    assert "both#1[right]/right#1" in awaited
    # Chromium can put Python aside while something is awaited; another browser says what to write instead.
    assert called.strip() == "('completed', None)"
    assert "sides" in player
    assert stepped.strip() == "'both#1[left]/left#1'"
    box = page.locator(".jp-OutputArea-output:has(button)").first
    box.locator("button").filter(has_text="Run").first.click()
    box.get_by_text("3 of 6 steps visited").wait_for(timeout=30_000)
    assert "long#1" in box.inner_text()
