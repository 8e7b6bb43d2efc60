"""Goals are read for names, places, dates, subjects and topics, in any script."""

from __future__ import annotations

import pytest

from orchestration_kit.workers.website.goal import LONGEST_NAME, read_goal
from orchestration_kit.workers.website.recognition import recognise_features, recognise_kind
from orchestration_kit.workers.website.text import clean, script_of, shorten


@pytest.mark.parametrize(
    ("goal", "name"),
    [
        ("Build a website for Luna Bakery in Lisbon", "Luna Bakery"),
        ("a site called Blue Hands for an ocean charity", "Blue Hands"),
        ('portfolio for "the quiet lens"', "the quiet lens"),
        ("A Website For A Law Firm Named Stone & Partners", "Stone & Partners"),
        ("Сделай сайт для кофейни «Лунный свет» в Москве", "Лунный свет"),
        ("为上海的面包店“月光”建一个网站", "月光"),
        ("a landing page for the Museum of Modern Art in Oslo", "Museum of Modern Art"),
        ("build a blog about bread", ""),
    ],
)
def test_the_proper_name_is_taken_from_the_goal(goal: str, name: str) -> None:
    assert read_goal(goal).name == name


@pytest.mark.parametrize(
    ("goal", "place", "when"),
    [
        ("Build a website for Luna Bakery in Lisbon", "Lisbon", ""),
        ("A conference about Rust in Prague in May 2027", "Prague", "May 2027"),
        ("a festival in New York in summer", "New York", "summer"),
        ("a blog about bread", "", ""),
    ],
)
def test_place_and_date_are_told_apart(goal: str, place: str, when: str) -> None:
    reading = read_goal(goal)
    assert (reading.place, reading.when) == (place, when)


def test_what_a_goal_lists_becomes_topics() -> None:
    assert read_goal("shop selling handmade ceramics, candles and soap").topics == (
        "handmade ceramics",
        "candles",
        "soap",
    )


def test_the_words_before_a_marker_are_the_likeliest_subject() -> None:
    assert read_goal("Guitar lessons for beginners in Austin").subjects[0] == "guitar lessons"


def test_a_goal_without_markers_still_has_a_subject() -> None:
    assert read_goal("أنشئ موقعًا لمقهى القمر").subjects == ("لمقهى القمر",)


def test_a_goal_without_words_has_neither_name_nor_subject() -> None:
    reading = read_goal("🚀🚀 !!")
    assert (reading.name, reading.subjects) == ("", ())


def test_names_are_capped() -> None:
    assert len(read_goal("a site called " + "Very " * 100 + "Long").name) <= LONGEST_NAME


def test_cleaning_removes_controls_surrogates_and_bidi_overrides() -> None:
    assert clean("a\x00b\ud800c\u202ed\ufffee\n\nf") == "a b cd e f"


def test_cleaning_keeps_joined_emoji_whole() -> None:
    family = "👩\u200d👩\u200d👧"
    assert clean(family) == family


def test_shortening_prefers_the_end_of_a_word() -> None:
    assert shorten("seven wonderful things", 16) == "seven wonderful…"
    assert shorten("x" * 50, 10) == "x" * 9 + "…"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Luna", ("en", "ltr")),
        ("Лунный", ("und-Cyrl", "ltr")),
        ("月光", ("und-Hani", "ltr")),
        ("القمر", ("und-Arab", "rtl")),
        ("ירח", ("und-Hebr", "rtl")),
        ("123", ("en", "ltr")),
    ],
)
def test_script_and_direction_are_recognised(text: str, expected: tuple[str, str]) -> None:
    assert script_of(text) == expected


@pytest.mark.parametrize(
    ("goal", "kind"),
    [
        ("a site for my bakery", "restaurant"),
        ("landing page for a pizzeria", "restaurant"),
        ("online shop selling mugs", "shop"),
        ("portfolio of an architect", "portfolio"),
        ("travel blog", "blog"),
        ("a music festival in June", "event"),
        ("an animal shelter that needs donations", "nonprofit"),
        ("landing page for a SaaS startup", "startup"),
        ("piano lessons for children", "school"),
        ("website for a plumber", "generic"),
        ("сайт для кофейни", "restaurant"),
        ("咖啡馆网站", "restaurant"),
    ],
)
def test_the_kind_of_site_is_recognised(goal: str, kind: str) -> None:
    assert recognise_kind(goal).kind.kind == kind


def test_one_hint_alone_decides_nothing() -> None:
    assert recognise_kind("dog walking with prices").kind.kind == "generic"


def test_features_are_recognised_by_their_words() -> None:
    found = recognise_features("with a gallery, an FAQ, opening hours and a contact form")
    assert set(found) == {"gallery", "faq", "hours", "contact_form"}
