"""What a language model writes for a site: checked as data, built by the kit, escaped, reviewed."""

from __future__ import annotations

import copy

import pytest
from pydantic import ValidationError

from orchestration_kit.workers.website.content import KINDS
from orchestration_kit.workers.website.drafting import LISTING, Kind, SiteDraft, spec_of
from orchestration_kit.workers.website.rendering import render_site
from orchestration_kit.workers.website.reviewer import review
from orchestration_kit.workers.website.spec import Block
from orchestration_kit.workers.website.text import clean
from tests.hostile import PAYLOADS, one_in
from tests.workers.website.site_drafts import broken, good

GOAL = "Build a website for Luna Bakery in Lisbon"


def built(draft):
    return render_site(spec_of(SiteDraft.model_validate(draft), GOAL))


def test_a_good_draft_becomes_a_site_that_passes_the_review():
    files = built(good())
    assert review(files) == []
    assert {"index.html", "menu.html", "style.css"} <= set(files)
    assert "Bread, the slow way" in files["index.html"]
    assert 'href="menu.html"' in files["index.html"]


def test_the_kinds_are_those_that_the_kit_has_designs_for():
    assert set(Kind.__args__) == set(KINDS)
    for kind in KINDS:
        assert review(built(good(kind=kind))) == []


@pytest.mark.parametrize("block", Block.__args__)
def test_every_block_can_be_chosen_by_a_model(block):
    draft = good()
    items = [{"title": "One"}, {"title": "Two", "text": "t", "meta": "m", "price": "1", "group": "g"}]
    draft["pages"][0]["sections"] = [
        {"block": block, "heading": "First", "items": items if block in LISTING else []},
        {"block": block, "heading": "Again", "text": "With text.", "items": items if block in LISTING else []},
    ]
    draft["pages"][0]["sections"][0]["links"] = [{"label": "Menu", "to": "menu"}]
    assert review(built(draft)) == []


def test_all_that_is_wrong_is_told_at_once():
    with pytest.raises(ValidationError) as caught:
        SiteDraft.model_validate(broken())
    told = str(caught.value)
    assert "'shop' is no page; there are index, menu" in told
    assert "a 'cards' block needs some" in told


def changed(path, value):
    draft = copy.deepcopy(good())
    at = draft
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return draft


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["name"], ""),
        (["name"], "\u202e\x00"),
        (["kind"], "casino"),
        (["pages"], []),
        (["pages", 0, "slug"], "home"),
        (["pages", 1, "slug"], "index"),
        (["pages", 1, "slug"], "../../etc/passwd"),
        (["pages", 1, "slug"], 'x" onload="alert(1)'),
        (["pages", 0, "nav"], " "),
        (["pages", 0, "sections", 0, "block"], "script"),
        (["pages", 0, "sections", 0, "heading"], ""),
        (["pages", 0, "sections", 0, "heading"], "x" * 5_000),
        (["pages", 0, "sections", 0, "links"], [{"label": "", "to": "menu"}]),
        (["pages", 0, "sections", 0, "links"], [{"label": "x", "to": "javascript:alert(1)"}]),
        (["pages", 0, "sections", 1, "items"], [{"title": "x"}] * 13),
        (["pages", 0, "sections", 1, "items"], [{"title": ""}]),
        (["design"], {"primary": "red"}),
    ],
)
def test_what_makes_no_site_is_refused(path, value):
    with pytest.raises(ValidationError):
        SiteDraft.model_validate(changed(path, value))


@pytest.mark.parametrize("at", one_in(7))
def test_text_of_a_model_is_text_on_the_page(at):
    payload = PAYLOADS[at]
    draft = good(name=payload[:60], tagline=payload[:90], place=payload[:90])
    first = draft["pages"][0]["sections"]
    first[0] |= {"heading": payload[:90], "eyebrow": payload[:90], "text": payload[:900]}
    first[1]["items"][0] |= {"title": payload[:90], "text": payload[:900], "meta": payload[:90]}
    draft["pages"][1]["nav"] = payload[:90]
    draft["pages"][1]["sections"][0]["items"][0] |= {"price": payload[:90], "group": payload[:90]}
    try:
        files = built(draft)
    except ValidationError:
        return  # nothing but controls: refused
    found = {finding.code for finding in review(files)}  # unclosed elements, broken ids and the like are findings
    begins_like_code = clean(payload).lower().startswith(("javascript:", "java script:", "vbscript:", "data:"))
    assert found <= ({"active_content"} if begins_like_code else set())  # as a description it is refused: not deployed
