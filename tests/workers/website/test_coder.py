"""The coder builds what is specified, errs at its rate, and repairs exactly what a review names."""

from __future__ import annotations

import json
from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration_kit.workers.website.coder import Coder
from orchestration_kit.workers.website.errors import UnreadableSpec
from orchestration_kit.workers.website.mistakes import MISTAKES, Mistake, make_mistakes
from orchestration_kit.workers.website.product_manager import product_manager, write_spec
from orchestration_kit.workers.website.rendering import render_site
from orchestration_kit.workers.website.review.document import read_document
from orchestration_kit.workers.website.reviewer import review
from tests.laws import examples
from tests.workers.website.support import BAKERY, FakeContext, clean_site, walk

HOSTILE = "<script>alert(1)</script>\" onload=alert(2) '><img src=x onerror=alert(3)> {{ 7*7 }} </title></style>"


@settings(max_examples=examples(20), deadline=None)
@given(st.text(max_size=2_000))
def test_any_goal_gives_a_site_that_the_review_approves(goal: str) -> None:
    assert review(render_site(write_spec(goal, Random(3)))) == []


@settings(max_examples=examples(20), deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "bakery",
                "shop selling",
                "and",
                "with FAQ,",
                "called",
                "in",
                "Rome",
                "<b>",
                '"x"',
                "“月”",
                "blog",
                "&amp;",
                "conference about",
                "for",
                "of",
                "gallery",
                "newsletter",
                "school",
                "مقهى",
                "{name}",
                "'",
                "May",
            ]
        ),
        max_size=14,
    )
)
def test_any_mixture_of_telling_words_gives_a_site_that_the_review_approves(words: list[str]) -> None:
    assert review(render_site(write_spec(" ".join(words), Random(3)))) == []


def test_the_same_seed_gives_the_same_bytes() -> None:
    one, other = (walk(BAKERY, 7, mistake_rate=0.7).data for _ in range(2))
    assert json.dumps(one) == json.dumps(other)


def test_different_goals_give_different_files() -> None:
    one, other = clean_site("a bakery in Porto"), clean_site("a bakery in Rome")
    assert one["index.html"] != other["index.html"]
    assert one["style.css"] != other["style.css"]


def test_a_site_needs_nothing_from_elsewhere_and_runs_no_code() -> None:
    for text in clean_site().values():
        assert "<script" not in text
        assert "@import" not in text
        assert "url(" not in text
        assert text.count("http") == text.count('xmlns="http')


def test_every_page_marks_itself_in_the_navigation_and_can_be_skipped_through() -> None:
    site = clean_site()
    for path in [path for path in site if path.endswith(".html")]:
        current = [one for one in read_document(site[path]).walk() if one.attributes.get("aria-current")]
        assert [one.attributes["href"] for one in current] == [path]
        assert '<a class="skip" href="#main">' in site[path]


@pytest.mark.parametrize("field", ["name", "tagline", "place"])
def test_hostile_text_never_becomes_markup(field: str) -> None:
    spec = write_spec(BAKERY, Random(1)).model_copy(update={field: HOSTILE[:60]})
    section = spec.pages[0].sections[0].model_copy(update={"heading": HOSTILE, "eyebrow": HOSTILE, "text": HOSTILE})
    first = spec.pages[0].model_copy(
        update={"title": HOSTILE, "nav": HOSTILE, "description": HOSTILE, "sections": (section,)}
    )
    site = render_site(spec.model_copy(update={"pages": (first, *spec.pages[1:])}))
    assert review(site) == []
    root = read_document(site["index.html"])
    assert root.find_all("script", "img") == []
    assert not any(name.startswith("on") for one in root.walk() for name in one.attributes)
    assert HOSTILE in root.find_all("h1")[0].text()


def test_a_hostile_goal_never_becomes_markup() -> None:
    site = clean_site(HOSTILE)
    assert review(site) == []
    assert all("alert(" not in text and "<script" not in text for text in site.values())


def test_text_from_the_goal_that_runs_right_to_left_says_so() -> None:
    assert '<bdi lang="und-Arab" dir="rtl">' in clean_site("أنشئ موقعًا لمقهى القمر")["index.html"]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in (1, 2))])
def test_every_mistake_is_found_by_the_review(mistake: Mistake, seed: int) -> None:
    rng, site = Random(seed), clean_site(seed=seed)
    ending = ".css" if mistake.in_css else ".html"
    tried = {path: mistake.make(text, rng) for path, text in site.items() if path.endswith(ending)}
    faulty = {path: text for path, text in tried.items() if text is not None}
    assert faulty
    assert {finding.file for finding in review(site | faulty)} == set(faulty)


def test_a_mistake_that_fits_nowhere_is_not_made() -> None:
    site = {"index.html": "<p>hello", "style.css": "p { margin: 0 }"}
    assert make_mistakes(site, len(MISTAKES), Random(1)) == (site, [])


def test_a_rate_of_zero_never_errs() -> None:
    assert [walk(BAKERY, seed, mistake_rate=0.0).data["rounds"] for seed in range(5)] == [1] * 5


def test_a_rate_of_one_always_errs_at_first() -> None:
    assert all(walk(BAKERY, seed, mistake_rate=1.0).data["rounds"] > 1 for seed in range(3))


def test_the_default_rate_needs_the_way_back_often_and_comes_to_an_end() -> None:
    rounds = Counter(walk("a cafe", seed, mistake_rate=Coder().mistake_rate).data["rounds"] for seed in range(12))
    assert max(rounds) <= 5
    assert 4 <= sum(count for needed, count in rounds.items() if needed > 1) <= 11


def test_only_the_files_that_the_review_names_are_touched() -> None:
    context = FakeContext()
    context.data["create_specs_output"] = product_manager(None, context)
    files = clean_site()
    files["menu.html"] = files["menu.html"].replace(' lang="en"', "", 1)
    files["index.html"] += "<!-- not named -->\n"
    context.data["implement_code_output"] = {"files": files, "draft": 1}
    findings = [{"code": "missing_lang", "file": "menu.html", "line": 2, "message": "no language", "fix": "add it"}]
    back = {"error": "not approved", "output": {"approved": False, "findings": findings}}
    output = Coder(mistake_rate=0.0)(back, context)
    assert '<html lang="en">' in output["files"]["menu.html"]
    assert output["files"]["index.html"] == files["index.html"]
    assert output["notes"][0] == "Fixed missing_lang in menu.html:2: no language"
    assert output["draft"] == 2


def test_files_nobody_asked_for_go_and_missing_ones_come_back() -> None:
    context = FakeContext()
    context.data["create_specs_output"] = product_manager(None, context)
    files = clean_site() | {"stray.html": "<p>"}
    del files["menu.html"]
    context.data["implement_code_output"] = {"files": files, "draft": 1}
    findings = [{"code": "unreachable_page", "file": "stray.html", "line": 1, "message": "stray"}]
    output = Coder(mistake_rate=0.0)({"error": "no", "output": {"findings": findings}}, context)
    assert output["files"] == clean_site()


@pytest.mark.parametrize(
    "back",
    [
        {"error": "the reviewer crashed"},
        {"error": "no", "output": None},
        {"error": "no", "output": {"findings": "many"}},
        {"error": "no", "output": {"findings": [{"file": "nowhere.html"}]}},
        {"error": "no", "output": {"findings": ["?"]}},
    ],
)
def test_a_review_without_reasons_makes_the_coder_build_anew(back: dict[str, object]) -> None:
    context = FakeContext()
    context.data["create_specs_output"] = product_manager(None, context)
    context.data["implement_code_output"] = {"files": clean_site(), "draft": 1}
    assert Coder(mistake_rate=0.0)(back, context)["files"] == clean_site()


def test_the_specification_may_come_as_input() -> None:
    context = FakeContext()
    spec = product_manager(None, context)
    assert "index.html" in Coder(mistake_rate=0.0)(spec, context)["files"]


@pytest.mark.parametrize("spec", [None, "text", {}, {"name": "x"}])
def test_a_specification_that_cannot_be_read_is_named(spec: object) -> None:
    with pytest.raises(UnreadableSpec, match="create_specs"):
        Coder()(spec, FakeContext())


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_a_rate_that_is_no_probability_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match=r"from 0 .* to 1"):
        Coder(mistake_rate=rate)


def test_a_specification_cannot_reach_the_stylesheet_with_free_text() -> None:
    spec = product_manager(None, FakeContext())
    spec["design"]["light"]["bg"] = "red;} body{display:none"
    with pytest.raises(UnreadableSpec, match=r"design\.light\.bg"):
        Coder()(spec, FakeContext())
