"""Chromium of this system, driven from this process; a page that remembers what went wrong in it and what left it."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

TIMEOUT_MS = 60_000
"""How long anything may take before it counts as never: machines that test are slow."""

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
    "--font-render-hinting=none",
    # Nothing outside is reached, even by mistake; that somebody tried is seen by `Watched.outside`.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


def executable() -> str:
    """Where Chromium is; what to do where it is not. Tests of widgets are never skipped."""
    found = shutil.which("chromium")
    if found is None:
        raise RuntimeError("Chromium is not installed. Install it with: scripts/system-packages --require chromium")
    return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser; afterwards, no event loop is left running in this thread."""
    path = executable()
    expect.set_options(timeout=TIMEOUT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS), timeout=TIMEOUT_MS)
        yield browser
        browser.close()


@contextmanager
def chromium_apart() -> Iterator[Callable[[], AbstractContextManager[Browser]]]:
    """A browser that lives on while nobody uses it: `with taken() as browser` is its use.

    Playwright's sync API leaves its loop the running one of this thread, in which `asyncio.run` then fails. Between
    two uses there is none.
    """
    with chromium() as browser:
        loop = asyncio.get_running_loop()
        asyncio._set_running_loop(None)

        @contextmanager
        def taken() -> Iterator[Browser]:
            asyncio._set_running_loop(loop)
            try:
                yield browser
            finally:
                asyncio._set_running_loop(None)

        try:
            yield taken
        finally:
            asyncio._set_running_loop(loop)


class Watched:
    """A page of one server: what its console complains of, and what it asks of anybody else."""

    IGNORED_ERRORS: tuple[re.Pattern[str], ...] = ()
    """Complaints of the notebook programs themselves, seen with an empty notebook."""
    IGNORED_REQUESTS: tuple[re.Pattern[str], ...] = ()
    """What the programs themselves ask of others, seen with an empty notebook."""

    def __init__(self, page: Page, base: str) -> None:
        self.page, self.base = page, base
        self.errors: list[str] = []
        """Errors on the console and exceptions that nobody caught."""
        self.outside: list[str] = []
        """Requests to anything but the page's own server."""
        host = base.partition("://")[2]
        own = (f"http://{host}/", f"ws://{host}/", "data:", "blob:", "about:")

        def note(url: str) -> None:
            is_known = any(known.match(url) for known in self.IGNORED_REQUESTS)
            if url != base and not url.startswith(own) and not is_known:
                self.outside.append(url[:300])

        def complain(text: str) -> None:
            if not any(known.search(text) for known in self.IGNORED_ERRORS):
                self.errors.append(text[:1_000])

        def said(message: ConsoleMessage) -> None:
            if message.type == "error":
                complain(message.text)

        page.set_default_timeout(TIMEOUT_MS)
        self._heard: dict[str, Callable[..., None]] = {
            "request": lambda request: note(request.url),
            "websocket": lambda socket: note(socket.url),
            "console": said,
            "pageerror": lambda error: complain(f"uncaught: {error}"),
        }
        for event, hear in self._heard.items():
            page.on(event, hear)

    def unwatch(self) -> None:
        """Hear no more: the page is somebody else's from now on."""
        for event, hear in self._heard.items():
            self.page.remove_listener(event, hear)
