"""The road through the tutorials, in the first of them: every notebook is on it, in order, with a picture that is true."""

from __future__ import annotations

import itertools
import json
import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
START = ROOT / "notebooks" / "00_start_here.ipynb"
OTHERS = sorted(path.stem for path in START.parent.glob("*.ipynb") if path != START)
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "road-pictures"))


def road():
    cells = json.loads(START.read_text(encoding="utf-8"))["cells"]
    return next(text for cell in cells if (text := "".join(cell["source"])).startswith("## The road"))


def test_every_tutorial_is_on_the_road_in_order():
    assert re.findall(r"\]\((\d\d_\w+)\.ipynb\)", road()) == OTHERS


def test_its_pictures_are_there():
    shown = re.findall(r'<img src="([^"]+)"', road())
    assert len(shown) == len(OTHERS)
    assert [path for path in shown if not (START.parent / path).is_file()] == []


@pytest.mark.parametrize("name", sorted(SCRIPT["CELLS"]))
def test_a_picture_is_the_one_that_its_tutorial_shows(name):
    """If not: scripts/road-pictures."""
    assert (SCRIPT["ROAD"] / f"{name}.svg").read_text(encoding="utf-8") == SCRIPT["picture"](name)


def test_each_tutorial_leads_to_the_next():
    everything = [START.stem, *OTHERS]
    for name, after in itertools.pairwise(everything):
        cells = json.loads((START.parent / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
        [line] = re.findall(r"^\*\*Next:\*\* (.*)", "".join(cells[-1]["source"]), re.MULTILINE)
        assert f"({after}.ipynb)" in line, name
