"""What the browser is sent: small, whole, and made of nothing but this repository and its pinned packages.

That the bundles are what their sources make is seen by `make check`, which bundles them anew.
"""

from __future__ import annotations

import re

import pytest

from orchestration_kit.widgets.base import STATIC

SOURCES = STATIC.parent / "frontend" / "src"
BUNDLES = sorted(path for path in STATIC.iterdir() if path.suffix in (".js", ".css"))
MOST_BYTES = 500_000
ADDRESSES = re.compile(r"(?:https?:)?//(?:[a-z0-9-]+\.)+[a-z]{2,}")
NAMED = {
    "http://www.w3.org",  # namespaces
    "https://reactjs.org",  # in React's messages and licences
    "https://react.dev",
    "https://reactflow.dev",
}
"""Addresses that a bundle names in messages, or as names of things. None is asked for anything."""


def test_all_together_are_small():
    sizes = {path.name: path.stat().st_size for path in BUNDLES}
    assert sum(sizes.values()) <= MOST_BYTES, sizes


def test_every_entry_has_its_bundle_and_nothing_else_is_there():
    entries = {path.stem for path in SOURCES.iterdir() if path.suffix in (".js", ".jsx")}
    assert {path.stem for path in BUNDLES if path.suffix == ".js"} == entries
    assert {path.stem for path in BUNDLES} == entries
    assert {path.name for path in STATIC.iterdir()} == {path.name for path in BUNDLES}


@pytest.mark.parametrize("path", BUNDLES, ids=lambda path: path.name)
def test_a_bundle_asks_nobody_for_anything(path):
    text = path.read_text(encoding="utf-8")
    assert set(ADDRESSES.findall(text)) - NAMED == set()
    assert re.findall(r"@import|url\((?!#|\"#|'#|data:)[^)]{0,80}", text) == []
    assert re.findall(r"\bimport\s*\(\s*[\"'`].{0,80}|^import\b.{0,80}", text, re.MULTILINE) == []


@pytest.mark.parametrize("path", sorted(SOURCES.rglob("*.js*")), ids=lambda path: str(path.relative_to(SOURCES)))
def test_a_source_makes_no_markup_and_no_code_of_text(path):
    text = path.read_text(encoding="utf-8")
    found = re.findall(
        r"\.(?:inner|outer)HTML|insertAdjacentHTML|document\.write|\beval\(|new Function|dangerouslySet\w*", text
    )
    assert found == []
    globals_set = re.findall(r"\b(?:window|globalThis|self)\.\w+\s*=[^=]", text)
    assert globals_set == []
