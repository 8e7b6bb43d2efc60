"""The product manager turns any goal into a specification that holds together."""

from __future__ import annotations

import json
from random import Random

import pytest

from orchestration_kit.workers.website.colour import contrast_ratio, oklch, readable
from orchestration_kit.workers.website.content import KINDS, fill, load_features, load_kind
from orchestration_kit.workers.website.design import design_for
from orchestration_kit.workers.website.product_manager import product_manager, write_spec
from orchestration_kit.workers.website.spec import SiteSpec, Theme
from tests.workers.website.support import BAKERY, FakeContext

GOAL_OF_KIND = {
    "restaurant": BAKERY,
    "shop": "online shop selling handmade ceramics and candles",
    "portfolio": "portfolio for wedding photographer Ana Reis",
    "blog": "blog about space and sourdough",
    "event": "conference about Rust in Prague in May",
    "nonprofit": "animal rescue charity in Porto",
    "startup": "landing page for a startup that builds drones for vineyards",
    "school": "guitar lessons for beginners in Austin",
    "generic": "website for a plumbing service in Leeds",
}


def test_the_output_is_plain_data_that_reads_back_as_a_specification() -> None:
    output = product_manager("ignored", FakeContext())
    again = json.loads(json.dumps(output))
    assert again == output
    assert SiteSpec.model_validate_json(json.dumps(again)).name == "Luna Bakery"


def test_the_same_seed_gives_the_same_specification() -> None:
    assert write_spec(BAKERY, Random(5)) == write_spec(BAKERY, Random(5))


def test_another_seed_words_the_site_anew_but_keeps_its_face() -> None:
    specs = [write_spec(BAKERY, Random(seed)) for seed in range(6)]
    assert len({spec.model_dump_json() for spec in specs}) > 1
    assert len({spec.design.model_dump_json() for spec in specs}) == 1


def test_the_site_speaks_of_the_name_and_the_place_of_the_goal() -> None:
    spec = write_spec(BAKERY, Random(1))
    words = spec.model_dump_json()
    assert words.count("Luna Bakery") > 5
    assert words.count("Lisbon") > 3


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_several_pages_with_a_way_to_get_in_touch(kind: str) -> None:
    spec = write_spec(GOAL_OF_KIND[kind], Random(2))
    blocks = {section.block for page in spec.pages for section in page.sections}
    assert spec.kind == kind
    assert len(spec.pages) >= 4
    assert blocks & {"form", "newsletter"}
    assert [page.sections[0].block for page in spec.pages] == ["hero"] + ["intro"] * (len(spec.pages) - 1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(4))
def test_links_lead_to_pages_and_sections_of_the_specification(kind: str, seed: int) -> None:
    spec = write_spec(GOAL_OF_KIND[kind] + " with gallery, booking, pricing, schedule and news", Random(seed))
    sections = {page.slug: {section.id for section in page.sections} for page in spec.pages}
    for page in spec.pages:
        for section in page.sections:
            for link in section.links:
                slug, _, anchor = link.to.partition("#")
                assert slug in sections
                assert not anchor or anchor in sections[slug]


@pytest.mark.parametrize("feature", sorted(load_features()))
def test_a_feature_named_in_the_goal_is_on_the_site(feature: str) -> None:
    known = load_features()[feature]
    spec = write_spec(f"website for a plumber with {known['words'][0]}", Random(1))
    blocks = {section.block for page in spec.pages for section in page.sections}
    assert blocks & set(known["given_by"])


def test_what_the_goal_lists_is_what_the_site_shows() -> None:
    spec = write_spec(GOAL_OF_KIND["shop"], Random(1))
    titles = [item.title for page in spec.pages for section in page.sections for item in section.items]
    assert any("Handmade ceramics" in title for title in titles)
    assert any("Candles" in title for title in titles)


def test_different_goals_give_different_sites() -> None:
    specs = [write_spec(goal, Random(1)) for goal in GOAL_OF_KIND.values()]
    assert len({spec.design.light.primary for spec in specs}) == len(specs)
    assert len({(spec.design.layout, spec.design.art, spec.design.cards) for spec in specs}) > len(specs) // 2
    assert len({tuple(page.slug for page in spec.pages) for spec in specs}) > len(specs) // 2


def test_two_bakeries_look_different() -> None:
    one, other = (
        (load_kind("restaurant"), "a bakery in Porto"),
        (load_kind("restaurant"), "a bakery in Rome"),
    )
    assert design_for(one[1], one[0]) != design_for(other[1], other[0])


def test_a_colour_word_in_the_goal_sets_the_tone() -> None:
    kind = load_kind("generic")
    green = design_for("a green garden website", kind).light.primary
    red, middle, blue = (int(green[at : at + 2], 16) for at in (1, 3, 5))
    assert middle > red
    assert middle > blue


@pytest.mark.parametrize("number", range(40))
def test_contrasts_are_right_by_construction(number: int) -> None:
    design = design_for(f"goal {number}", load_kind(KINDS[number % len(KINDS)]))
    for theme in (design.light, design.dark):
        for front, back in _pairs(theme):
            assert contrast_ratio(front, back) >= 4.5


def _pairs(theme: Theme) -> list[tuple[str, str]]:
    pages = (theme.bg, theme.surface, theme.tint)
    pairs = [(front, back) for front in (theme.text, theme.muted, theme.primary) for back in pages]
    return [
        *pairs,
        (theme.on_primary, theme.primary),
        (theme.on_bold, theme.bold),
        (theme.bold_muted, theme.bold),
    ]


def test_an_impossible_contrast_ends_at_black_or_white() -> None:
    assert readable((0.5, 0.1, 20), ("#777777",), ratio=21, towards=1) == "#ffffff"
    assert readable((0.5, 0.1, 20), ("#777777",), ratio=21, towards=0) == "#000000"


def test_colours_outside_srgb_give_up_chroma_not_lightness() -> None:
    assert contrast_ratio(oklch(0.9, 0.4, 260), "#000000") > 10


def test_words_of_the_goal_are_never_read_as_templates() -> None:
    assert fill("{name}!", {"name": "{place} {0}"}, topics=[], rng=Random(1)) == "{place} {0}!"
    assert write_spec("a bakery called {place.__class__}", Random(1)).name


@pytest.mark.parametrize("goal", ["", "   ", "\x00", "🚀", "?!", "{}", "a", "Build a website"])
def test_a_goal_that_says_nothing_still_gives_a_whole_site(goal: str) -> None:
    spec = write_spec(goal, Random(1))
    assert spec.name
    assert spec.kind == "generic"
    assert len(spec.pages) >= 4


def test_a_name_in_another_script_keeps_its_language_and_direction() -> None:
    spec = write_spec("أنشئ موقعًا لمقهى القمر", Random(1))
    assert (spec.lang, spec.direction, spec.kind) == ("und-Arab", "rtl", "restaurant")


def test_words_in_another_script_do_not_end_up_inside_english_sentences() -> None:
    spec = write_spec("帮我做一个咖啡馆网站", Random(1))
    assert "A kitchen that belongs to its street" in spec.model_dump_json()
