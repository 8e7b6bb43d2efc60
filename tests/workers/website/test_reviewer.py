"""Every check of the reviewer finds the fault it is for, in any page, and says where."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration_kit.workers.website.errors import MissingSite
from orchestration_kit.workers.website.review.site import local_target
from orchestration_kit.workers.website.reviewer import CHECKS, review, reviewer
from tests.laws import examples
from tests.workers.website.support import FakeContext, clean_site

SITE = clean_site()
PAGES = sorted(path for path in SITE if path.endswith(".html"))

Spoil = Callable[[str], str]


def swap(old: str, new: str) -> Spoil:
    """Return a function that replaces `old` once; the fault must be possible on every page."""

    def spoil(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return spoil


def before_end(markup: str) -> Spoil:
    return swap("</main>", markup + "\n  </main>")


FAULTS: dict[str, tuple[str, Spoil]] = {
    "a missing doctype": ("html_parse_error", swap("<!doctype html>\n", "")),
    "an unclosed element": ("html_parse_error", swap("</section>", "")),
    "tags in the wrong order": ("html_parse_error", swap("</a></li>", "</li></a>")),
    "a stray end tag": ("html_parse_error", before_end("</article>")),
    "an attribute twice": ("html_parse_error", swap("<main ", '<main id="main" ')),
    "a control character": ("html_parse_error", before_end("<p>\x01</p>")),
    "no title": ("missing_title", lambda text: re.sub("<title>.*</title>", "<title></title>", text)),
    "a title only in a drawing": (
        "missing_title",
        lambda text: re.sub("<title>.*</title>\n(?=  <meta)", "", text),
    ),
    "no language": ("missing_lang", swap(' lang="en"', "")),
    "an empty language": ("missing_lang", swap(' lang="en"', ' lang=" "')),
    "no viewport": ("missing_viewport", swap('name="viewport"', 'name="view"')),
    "a viewport that forbids zooming": ("missing_viewport", swap("initial-scale=1", "user-scalable=no")),
    "an id used twice": ("duplicate_id", before_end('<p id="main">x</p>')),
    "a script": ("active_content", before_end("<script>alert(1)</script>")),
    "an event handler": ("active_content", before_end('<p onclick="x()">x</p>')),
    "a javascript address": ("active_content", before_end('<a href=" java\nscript:x()">x</a>')),
    "a picture without alternative": ("missing_alt", before_end('<img src="favicon.svg">')),
    "a drawing without alternative": ("missing_alt", before_end('<svg viewBox="0 0 1 1"></svg>')),
    "a second h1": ("heading_order", before_end("<h1>Again</h1>")),
    "no h1": ("heading_order", lambda text: text.replace("<h1", "<h2").replace("</h1>", "</h2>")),
    "a skipped level": ("heading_order", before_end("<h5>Deep</h5>")),
    "an empty heading": ("heading_order", before_end("<h2></h2>")),
    "a field without label": ("missing_label", before_end('<input name="q" placeholder="Search">')),
    "a label without text": ("missing_label", before_end('<label for="q"></label><input id="q">')),
    "a button without text": ("missing_label", before_end("<button></button>")),
    "a link without text": ("missing_label", before_end('<a href="index.html"></a>')),
    "no main": ("missing_main", lambda text: text.replace("<main", "<div").replace("</main>", "</div>")),
    "a link to nowhere": ("dead_link", before_end('<a href="gone.html">x</a>')),
    "an anchor to nowhere": ("dead_link", before_end('<a href="#gone">x</a>')),
    "an anchor on another page to nowhere": ("dead_link", before_end('<a href="menu.html#gone">x</a>')),
    "an empty link": ("dead_link", before_end('<a href="">x</a>')),
    "an address nobody follows": ("dead_link", before_end('<a href="ftp://x/">x</a>')),
    "a form to nowhere": ("dead_link", before_end('<form action="send.php"></form>')),
    "a missing picture": ("dead_asset", before_end('<img src="images/gone.svg" alt="x">')),
    "a picture from elsewhere": ("dead_asset", before_end('<img src="https://x.example/a.png" alt="x">')),
    "a missing stylesheet": ("dead_asset", swap('href="style.css"', 'href="styles.css"')),
    "pale text in a style attribute": (
        "low_contrast",
        before_end('<p style="color: #bbb; background: #fff">x</p>'),
    ),
    "a colour that cannot be checked": (
        "low_contrast",
        before_end('<p style="color: rgb(0 0 0 / 0.4)">x</p>'),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_injected_fault_is_found_in_every_page(fault: str) -> None:
    code, spoil = FAULTS[fault]
    found = review(SITE | {page: spoil(SITE[page]) for page in PAGES})
    assert {finding.file for finding in found if finding.code == code} == set(PAGES)


def test_every_check_has_a_test_that_injects_its_fault() -> None:
    covered = {code for code, _ in FAULTS.values()} | {"unsafe_path", "unreachable_page"}
    assert {check.__name__ for check in CHECKS} == covered


def test_a_clean_site_is_approved_and_its_parts_are_counted() -> None:
    verdict = reviewer({"files": SITE}, FakeContext())
    assert verdict["approved"] is True
    assert verdict["findings"] == []
    assert verdict["checked"]["pages"] == len(PAGES)
    assert verdict["checked"]["links"] > 20
    assert json.loads(json.dumps(verdict)) == verdict


def test_all_faults_are_returned_at_once_with_their_lines() -> None:
    page = SITE["menu.html"].replace(' lang="en"', "", 1).replace("</main>", '<img src="favicon.svg">\n</main>')
    verdict = reviewer({"files": {**SITE, "menu.html": page}}, FakeContext())
    line = page[: page.index('<img src="favicon.svg">')].count("\n") + 1
    assert verdict["approved"] is False
    assert [(one["code"], one["line"]) for one in verdict["findings"]] == [
        ("missing_lang", 2),
        ("missing_alt", line),
    ]
    assert all(one["message"] and one["fix"] for one in verdict["findings"])


def test_the_site_is_taken_from_the_bus_when_the_input_is_something_else() -> None:
    context = FakeContext(data={"implement_code_output": {"files": SITE}})
    assert reviewer(None, context)["approved"]


@pytest.mark.parametrize("given_", [None, {}, {"files": {}}, {"files": {"index.html": 3}}, {"files": []}])
def test_a_missing_site_is_an_error_that_names_the_step(given_: object) -> None:
    with pytest.raises(MissingSite, match="implement_code"):
        reviewer(given_, FakeContext())


def test_a_site_without_index_and_a_page_without_links_are_found() -> None:
    page = SITE["menu.html"]
    assert "unreachable_page" in {one.code for one in review({"menu.html": page})}
    alone = review({**SITE, "alone.html": page.replace("<title>", "<title>Alone ")})
    assert [(one.code, one.file) for one in alone] == [("unreachable_page", "alone.html")]


@pytest.mark.parametrize("path", ["../up.html", "/etc/x.html", "a//b.html", "c:\\x.html"])
def test_unsafe_paths_are_found(path: str) -> None:
    assert "unsafe_path" in {one.code for one in review({**SITE, path: "x"})}


def test_stylesheets_may_not_load_anything_from_elsewhere() -> None:
    css = SITE["style.css"] + "@import 'https://x.example/a.css';\nbody { cursor: url(gone.png); }"
    assert [one.code for one in review({**SITE, "style.css": css})] == ["dead_asset", "dead_asset"]


@pytest.mark.parametrize(
    ("page", "address", "target"),
    [
        ("index.html", "menu.html#x", ("menu.html", "x")),
        ("a/b.html", "../c.html", ("c.html", "")),
        ("a/b.html", "/c.html", ("c.html", "")),
        ("index.html", "#x", ("index.html", "x")),
        ("index.html", "./", ("index.html", "")),
        ("index.html", "//x.example/a", None),
        ("index.html", "https://x.example", None),
    ],
)
def test_addresses_are_followed_as_browsers_do(page: str, address: str, target: tuple[str, str] | None) -> None:
    assert local_target(page, address) == target


@settings(max_examples=examples(20), deadline=None)
@given(st.text(max_size=300), st.integers(0, 2**32))
def test_whatever_stands_in_a_file_the_review_gives_a_verdict(text: str, seed: int) -> None:
    path = Random(seed).choice(["index.html", "style.css"])
    whole = SITE[path]
    at = Random(seed).randrange(len(whole))
    reviewer({"files": {**SITE, path: whole[:at] + text + whole[at:]}}, FakeContext())
