"""Row 18 for widgets: hostile text in every place of every widget, in a real browser, stays text.

Nothing of it runs, asks anybody for anything, or becomes an element or an attribute, at no time while a person opens
all there is to open.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.hostile import PAYLOADS

WATCH = (Path(__file__).parent / "watch.js").read_text(encoding="utf-8")
ROOT = Path(__file__).parent.parent.parent
BATCH = 51
SETUP = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from orchestration_kit.widgets.approval import ApprovalBox, approvals
from orchestration_kit.widgets.cells.standing import how_it_went, standing
from orchestration_kit.widgets.cells.turns import turns_of
from orchestration_kit.widgets.comparison import Comparison
from orchestration_kit.widgets.composer import Composer
from orchestration_kit.widgets.monitor import Monitor
from orchestration_kit.widgets.player import Player
from tests.browser.hostile_runs import subjects, within
from tests.hostile import PAYLOADS
batches = [subjects(PAYLOADS[at : at + {BATCH}]) for at in range(0, len(PAYLOADS), {BATCH})]
"""
BATCHES = range(0, len(PAYLOADS), BATCH)
WIDGETS = {
    "player": "Player(one.run)",
    "composer": "Composer(one.hub, one.workflow)",
    "comparison": "Comparison(one.run, one.fork)",
    "approval": "ApprovalBox(one.run)",
    "monitor": "Monitor(one.hub)",
    "difference": "within(Comparison(one.run, one.fork).difference)",
    "standing": 'within(standing(one.run, list(one.workflow.steps), *(how_it_went(turn, "was made") for turn in turns_of(one.run))))',
}
"""How each is made of `one` batch: a hub, a workflow, a run, and a fork of it."""

EXPLORE = """async (root, most) => {
  // What a person could open, one after the other, `most` of each kind, and what appears meanwhile.
  const kinds = ["summary", "[role=tab]", "[aria-expanded=false]", "g[role=button]", ".react-flow__node", ".okit-link", "tbody tr"];
  const frame = () => new Promise((next) => requestAnimationFrame(() => setTimeout(next, 0)));
  let opened = 0;
  for (const kind of kinds) {
    const done = new Set();
    while (done.size < most) {
      const next = [...root.querySelectorAll(kind)].find((one) => !done.has(one) && one.checkVisibility());
      if (!next) break;
      done.add(next);
      next.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, view: window }));
      await frame();
    }
    opened += done.size;
  }
  return opened;
}"""
SEEN = "() => new Promise((say) => requestAnimationFrame(() => setTimeout(() => say(window.hostile))))"


@pytest.fixture(scope="module")
def notebook(lab):
    notebook = lab.open([SETUP], script=WATCH)
    notebook.run_all()
    return notebook


@pytest.mark.parametrize("widget", WIDGETS)
def test_hostile_text_stays_text(notebook, widget):
    """A part of the texts in each widget, all of them in all together."""
    watched(notebook, widget, most=3, numbers=range(list(WIDGETS).index(widget) % len(BATCHES), len(BATCHES), 3))


@pytest.mark.soak
@pytest.mark.parametrize("widget", WIDGETS)
def test_hostile_text_stays_text_wherever_one_looks(notebook, widget):
    watched(notebook, widget, most=1_000, numbers=range(len(BATCHES)))


def watched(notebook, widget, most, numbers):
    notebook.page.evaluate("() => { window.hostile.off.length = 0; }")
    before = notebook.page.evaluate(SEEN)
    for number in numbers:
        index = notebook.add(f"one = batches[{number}]\n{WIDGETS[widget]}")
        notebook.run(index)
        root = notebook.output(index).locator(".okit").first
        expect(root).to_contain_text(re.compile(r"\S+"))
        if widget == "composer":
            root.locator(".react-flow__node").first.wait_for()
        root.evaluate(EXPLORE, most)
        notebook.kernel("None")  # whatever was asked for is answered
        if number == numbers[0]:
            notebook.shot(f"hostile-{widget}", notebook.output(index))
        notebook.clear(index)
    seen = notebook.page.evaluate(SEEN)
    assert seen["off"] == []
    assert seen["pwned"] == 0
    assert seen["elements"] > before["elements"] + 25 * len(numbers)
    assert notebook.errors == []
    assert notebook.outside == []


def test_the_trap_works(notebook):
    """What is really put into a page as markup is noticed, by each of the ways."""
    before = notebook.page.evaluate("() => structuredClone(window.hostile)")
    notebook.page.evaluate(
        """() => {
          const place = document.createElement("div");
          place.className = "okit";
          document.querySelector(".jp-Notebook").append(place);
          place.innerHTML = "<img src=x onerror=pwned()><a href=javascript:pwned() data-commandlinker-command=x>x</a>";
        }"""
    )
    notebook.page.wait_for_function("before => window.hostile.pwned > before", arg=before["pwned"])
    off = notebook.page.evaluate("() => window.hostile.off.splice(0)")
    assert {"<img>", "img[src]", "img[onerror]", "href=javascript:pwned()", "a[data-commandlinker-command]"} <= set(off)
    notebook.page.evaluate("() => document.querySelector('.jp-Notebook > .okit').remove()")
    notebook.errors.clear()
