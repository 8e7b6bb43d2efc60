"""In marimo, composer and player are shown and do what they are told: it takes any anywidget."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.examples import ROOT

CELLS = [
    f"import sys\nsys.path.insert(0, {str(ROOT)!r})\nfrom tests.browser.examples import shop\none = shop()",
    "from orchestration_kit.widgets.player import Player\nplayer = Player(one.run)\nplayer",
    "from orchestration_kit.widgets.composer import Composer\ncomposer = Composer(one.hub, one.website)\ncomposer",
]


@pytest.mark.parametrize(("mode", "theme"), [("run", "dark"), pytest.param("edit", "light", marks=pytest.mark.soak)])
def test_composer_and_player_work(marimo, mode, theme):
    app = marimo.open(CELLS, mode=mode, theme=theme)
    player = app.page.locator(".okit-player")
    expect(player).to_contain_text("before review_code#2")
    player.get_by_role("button", name="Step", exact=True).click()
    expect(player).to_contain_text("before completed#1")
    player.get_by_role("button", name="Run", exact=True).click()
    expect(player).to_contain_text("completed")
    expect(player).to_have_attribute("data-theme", theme)
    composer = app.page.locator(".okit-composer")
    expect(composer.locator(".react-flow__node").first).to_be_visible()
    composer.get_by_role("button", name="Code", exact=True).click()
    expect(composer.get_by_role("textbox", name="Code")).to_have_value(re.compile(r"WorkflowStep\("))
    app.shot(f"marimo-{mode}-{theme}")
    assert app.errors == []
