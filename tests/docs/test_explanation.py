"""What is explained holds: the lines of each page run, and print what it shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts.docs import layers
from tests.pages import blocks_of, differs, run_block

FOLDER = Path(__file__).parents[2] / "docs" / "explanation"
PAGES = sorted(page for page in FOLDER.glob("*.md") if page.name != "index.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_lines_of_a_page_print_what_it_shows(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names: dict = {"__name__": "__main__"}
    blocks = blocks_of(page.read_text(encoding="utf-8"))
    assert blocks
    for block in blocks:
        capsys.readouterr()
        run_block(block, page, names)
        assert block.shown is not None, block
        assert not differs(block.shown, capsys.readouterr().out), block


def test_the_index_names_every_page():
    index = (FOLDER / "index.md").read_text(encoding="utf-8")
    assert sorted(set(re.findall(r"\| \[[^\]]+\]\(([\w-]+)\.md\) \|", index))) == [page.stem for page in PAGES]


def test_the_picture_of_the_layers_has_every_package_in_the_order_of_the_contract():
    shown = layers.PICTURE.read_text(encoding="utf-8")
    drawn = re.findall(r"</tspan> (\w+)</text>", shown)
    assert drawn == layers.in_order()
    packages = {path.parent.name for path in (layers.ROOT / layers.PACKAGE).glob("*/__init__.py")}
    assert packages - set(drawn) == {"demo", "secrets"}
    levels = [next(number for number, names in layers.LAYERS.items() if name in names) for name in drawn]
    assert levels == sorted(levels)


def test_what_the_picture_shows_above_the_diagonal_is_imported_only_when_it_is_called():
    order = layers.in_order()
    above = {
        (who, whom)
        for who, whom in layers.imports(when_called=False)
        if who in order and whom in order and order.index(whom) > order.index(who)
    }
    assert above == set()
