"""Notebook programs and a browser for the tests of widgets.

Servers and the browser live as long as the session of a worker, a notebook as long as the test (or the module-wide
fixture) that opens it; its page and its kernel are handed on. After each test: no request has left the page's server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from playwright.sync_api import Browser, Error

from tests.browser import servers
from tests.browser.chromium import chromium_apart
from tests.browser.notebooks import Jupyter, Marimo, Program, Voila
from tests.browser.servers import Server

_running: list[Server] = []
_programs: list[Program] = []
_sizes = pytest.StashKey[dict[str, int]]()


def _kept(start: Callable[[], Server]) -> Iterator[Server]:
    server = start()
    _running.append(server)
    yield server
    _running.remove(server)
    server.stop()


@pytest.fixture(scope="session")
def lab_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """JupyterLab 4."""
    yield from _kept(lambda: servers.jupyter("lab", tmp_path_factory.mktemp("lab")))


@pytest.fixture(scope="session")
def classic_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Notebook 7."""
    yield from _kept(lambda: servers.jupyter("notebook", tmp_path_factory.mktemp("classic")))


@pytest.fixture(scope="session")
def voila_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Voila."""
    yield from _kept(lambda: servers.voila(tmp_path_factory.mktemp("voila")))


@pytest.fixture(scope="session")
def _chromium() -> Iterator[Callable[[], AbstractContextManager[Browser]]]:
    with chromium_apart() as taken:
        yield taken


@pytest.fixture(scope="module")
def browser(_chromium: Callable[[], AbstractContextManager[Browser]]) -> Iterator[Browser]:
    """Chromium; what the tests of other modules run in this thread finds no loop running."""
    with _chromium() as browser:
        yield browser


def _kept_open(program: Program) -> Iterator[Any]:
    _programs.append(program)
    yield program
    _programs.remove(program)
    program.close()


@pytest.fixture(scope="session")
def _labs(lab_server: Server) -> list[Jupyter]:
    return []


@pytest.fixture(scope="module")
def lab(browser: Browser, lab_server: Server, _labs: list[Jupyter]) -> Iterator[Jupyter]:
    """JupyterLab 4: `lab.open([...cells])` is a notebook in it."""
    if not _labs:
        _labs.append(Jupyter(browser, lab_server, "/lab/workspaces/{name}/tree/{path}?reset", takes_another=True))
    (lab,) = _labs
    _programs.append(lab)
    yield lab
    _programs.remove(lab)
    lab.put_away()


@pytest.fixture(scope="module")
def classic(browser: Browser, classic_server: Server) -> Iterator[Jupyter]:
    """Notebook 7: `classic.open([...cells])` is a notebook in it."""
    yield from _kept_open(Jupyter(browser, classic_server, "/notebooks/{path}"))


@pytest.fixture(scope="module")
def voila(browser: Browser, voila_server: Server) -> Iterator[Voila]:
    """Voila: `voila.open([...cells])` is a notebook as a page."""
    yield from _kept_open(Voila(browser, voila_server))


@pytest.fixture(scope="module")
def marimo(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Marimo]:
    """Marimo: `marimo.open([...cells])` is an app of it."""
    yield from _kept_open(Marimo(browser, tmp_path_factory.mktemp("marimo")))


@pytest.fixture(autouse=True)
def _nothing_left_the_page(request: pytest.FixtureRequest) -> Iterator[None]:
    """Close what the test has opened; no page may have asked anything of another server."""
    request.node.stash[_sizes] = {server.name: server.log_size() for server in _running}
    before = {id(shown) for program in _programs for shown in program.opened}
    yield
    left = [url for program in _programs for shown in program.opened for url in shown.outside]
    for program in _programs:
        for shown in [shown for shown in program.opened if id(shown) not in before]:
            program.opened.remove(shown)
            shown.close()
    assert left == [], f"requests to other servers: {left}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Iterator[None]:
    """Show with a test that failed what its servers logged and what its pages complained of; picture them."""
    report: pytest.TestReport = yield
    if report.failed and (_running or _programs):
        sizes = item.stash.get(_sizes, {})
        for server in _running:
            if said := server.log_since(sizes.get(server.name, 0)):
                report.sections.append((f"log of {server.name} during this test", said))
        for program in _programs:
            for number, shown in enumerate(program.opened):
                if shown.errors:
                    report.sections.append((f"console of {shown.page.url}", "\n".join(shown.errors)))
                try:
                    shown.shot(f"failed-{item.name}-{number}")
                except Error as error:
                    report.sections.append((f"picture of {shown.page.url}", str(error)))
    return report
