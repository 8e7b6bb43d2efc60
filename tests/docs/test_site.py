"""The site as a reader has it: in a browser, with no other host to be reached. `make docs` builds it."""

from __future__ import annotations

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect

from tests.browser.chromium import Watched, chromium
from tests.docs.sources import ROOT

SITE = ROOT / "docs" / "_build" / "html"
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"

pytestmark = pytest.mark.site


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_args):
        pass


@pytest.fixture(scope="module")
def address():
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(SITE)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture
def site(browser, address, request):
    scheme, width = getattr(request, "param", ("light", 1280))
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    watched = Watched(page, address)
    yield watched
    page.close()
    assert watched.outside == []
    assert watched.errors == []


@pytest.mark.parametrize("site", [("light", 1280), ("dark", 400)], indirect=True)
@pytest.mark.parametrize(
    "path",
    ["index", "tutorials/index", "tutorials/02_see_your_workflow", "tutorials/03_history_as_dataframes",
     "reference/definition", "reference/cli", "errors"],
)  # fmt: skip
def test_a_page_asks_nobody_else_and_fits_its_window(site, address, path):
    site.page.goto(f"{address}/{path}.html")
    expect(site.page.locator("h1").first).to_be_visible()
    assert site.page.evaluate(WIDE) == 0


@pytest.mark.parametrize("site", [("dark", 400)], indirect=True)
def test_widgets_show_how_things_stood_when_they_were_saved(site, address):
    site.page.goto(f"{address}/tutorials/12_compose_and_play.html")
    widgets = site.page.locator(".kit-widget")
    expect(site.page.locator('.kit-widget[data-shown="yes"]')).to_have_count(widgets.count())
    expect(site.page.locator('.kit-widget[data-kind="Player"] .ok-diagram').first).to_be_visible()
    expect(site.page.locator('.kit-widget[data-kind="Composer"]')).to_contain_text("Register")
    assert site.page.locator(".okit-broken").all_text_contents() == []
    assert site.page.evaluate(WIDE) == 0


def test_who_touches_a_saved_widget_is_told_where_it_works(site, address):
    site.page.goto(f"{address}/tutorials/12_compose_and_play.html")
    player = site.page.locator('.kit-widget[data-kind="Player"]')
    player.get_by_role("button", name="Step", exact=True).click()
    expect(player).to_have_class("kit-widget kit-asked")
    expect(player.locator("figcaption")).to_contain_text("make lab")


def test_an_answer_is_folded_and_opens(site, address):
    site.page.goto(f"{address}/tutorials/02_see_your_workflow.html")
    answer = site.page.locator("article details").last
    inside = answer.locator("pre, p").first
    expect(inside).to_be_hidden()
    answer.locator("summary").click()
    expect(inside).to_be_visible()


def test_the_search_finds_a_class_without_a_server(browser):
    """From the disk, where scripts may not fetch a page to quote from it, of which the console complains."""
    page = browser.new_page()
    page.goto(f"{SITE.as_uri()}/search.html?q=WorkflowStep")
    expect(page.locator("#search-results li a").first).to_be_visible()
    expect(page.locator("#search-results")).to_contain_text("WorkflowStep")
    page.close()


def test_every_notebook_has_a_card_with_a_picture_that_loads(site, address):
    site.page.goto(f"{address}/tutorials/index.html")
    cards = site.page.locator(".kit-card")
    assert cards.count() == len(list((ROOT / "notebooks").glob("*.ipynb")))
    assert (
        cards.locator("img").evaluate_all("all => all.filter((one) => one.naturalWidth === 0).map((one) => one.src)")
        == []
    )
    cards.first.click()
    expect(site.page.locator("h1")).to_contain_text("Start here")
