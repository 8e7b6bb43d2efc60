"""The contrast check works out what colours text really ends up with, in both colour schemes."""

from __future__ import annotations

import pytest

from orchestration_kit.workers.website.colour import contrast_ratio, relative_luminance
from orchestration_kit.workers.website.review.contrast import colours_in
from orchestration_kit.workers.website.reviewer import review
from tests.workers.website.support import clean_site

SITE = clean_site()


@pytest.mark.parametrize(
    "rule",
    [
        "body { color: #cccccc; }",
        "p { color: silver; background: white; }",
        ".lead { color: var(--line); }",
        "main p { color: var(--nothing, #ddd); }",
        "a:hover { color: #eeeeee; }",
        "@media (prefers-color-scheme: dark) { p { color: #333333; } }",
        "@media (min-width: 10rem) { main > section p { color: #ddd !important; } }",
        "nav li:first-child a[href] { color: #dedede; }",
        "h1 { background: linear-gradient(#fff, #222); }",
        ":root { --muted: var(--tint); }",
        ".button { background-color: var(--on-primary); }",
        "/* x */ footer p, footer a { color: rgb(200, 200, 200); }",
        "#main p { color: inherit; background-color: #111; }",
        "form + p, form p label { color: #ccc; }",
    ],
)
def test_unreadable_colours_are_found_wherever_the_stylesheet_hides_them(rule: str) -> None:
    found = review({**SITE, "style.css": SITE["style.css"] + rule})
    assert {one.code for one in found} == {"low_contrast"}
    assert "style.css" in {one.file for one in found}


@pytest.mark.parametrize(
    "rule",
    [
        "p::before { color: #ccc; }",
        ".nobody-has-this { color: #ccc; }",
        "@media print { p { color: #ccc; } }",
        "main > nav > p { color: #ccc; }",
        "p { border-color: #ccc; }",
        "p { background-color: #111; color: #eee; } p { background: none; color: var(--text); }",
    ],
)
def test_colours_that_no_text_ends_up_with_are_left_alone(rule: str) -> None:
    plain = {**SITE, "style.css": ":root{--text:#000} body{background:#fff;color:#000}" + rule}
    assert [one for one in review(plain) if one.code == "low_contrast"] == []


def test_a_contrast_finding_points_to_the_declaration_to_change() -> None:
    css = SITE["style.css"]
    line = next(number for number, text in enumerate(css.splitlines(), 1) if "--muted" in text)
    before = css.splitlines()[line - 1]
    found = review({**SITE, "style.css": css.replace(before, "  --muted: #cfcfcf;", 1)})
    assert {(one.file, one.line) for one in found} == {("style.css", line)}
    assert "in the light colours" in found[0].message


def test_the_contrast_formula_is_that_of_wcag() -> None:
    # Known pairs: https://webaim.org/resources/contrastchecker/
    assert contrast_ratio("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)
    assert contrast_ratio("#0000ff", "#ffffff") == pytest.approx(8.59, abs=0.005)
    assert relative_luminance("#ff0000") == pytest.approx(0.2126)


@pytest.mark.parametrize(
    ("value", "colours"),
    [
        ("#ABC".lower(), ["#aabbcc"]),
        ("#11223344", []),
        ("#112233ff", ["#112233"]),
        ("rgb(1, 2, 3)", ["#010203"]),
        ("rgba(1,2,3,.5)", []),
        ("white", ["#ffffff"]),
        ("linear-gradient(to right, #000, #fff)", ["#000000", "#ffffff"]),
        ("color-mix(in srgb, red, blue)", ["#ff0000", "#0000ff"]),
        ("var(--gone)", []),
    ],
)
def test_colours_are_read_from_values(value: str, colours: list[str]) -> None:
    assert colours_in(value) == colours
