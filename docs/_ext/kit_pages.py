"""Prepare the pages: stage what lives elsewhere, fill the gallery, turn links round."""

from __future__ import annotations

import json
import shutil
from html import escape
from pathlib import Path
from typing import Any

from outputs import SVG, joined
from sphinx.application import Sphinx
from staging import ROOT, relink, stage

from orchestration_kit.widgets.composer import colours, forms

GALLERY = "<!-- gallery: "
DRAWN = "docs/images/road"
"""Pictures made for the road, each with the name of its notebook; one without gets the first of its outputs."""
PICTURES = {"12_compose_and_play": "docs/images/player.png"}
"""By notebook: another picture that stands for it."""


def pictures(cells: list[dict[str, Any]]) -> list[str]:
    """Return every SVG among saved outputs."""
    outputs = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
    return [joined(data[SVG]) for data in outputs if SVG in data]


def picture(path: Path, cells: list[dict[str, Any]], folder: Path) -> str:
    """Write the picture of a notebook into a folder; return its name."""
    drawn = ROOT / PICTURES.get(path.stem, f"{DRAWN}/{path.stem}.svg")
    found = pictures(cells)
    if not drawn.exists() and found:
        target = folder / f"{path.stem}.svg"
        target.write_text(found[0], encoding="utf-8")
        return target.name
    source = drawn if drawn.exists() else ROOT / "docs/images/workflow.svg"
    target = folder / f"{path.stem}{source.suffix}"
    shutil.copyfile(source, target)
    return target.name


def card(path: Path, folder: Path) -> str:
    """Return the card of one notebook: its picture, its title, its question."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    title, _, question, *_ = joined(cells[0]["source"]).splitlines()
    number = path.stem.partition("_")[0].lstrip("0") or "0"
    source = f"../_static/gallery/{picture(path, cells, folder)}"
    return (
        f'<a class="kit-card" href="{path.stem}.html"><img src="{source}" alt="">'
        f'<span class="kit-number">{number}</span><strong>{escape(title.removeprefix("# "))}</strong>'
        f"<span>{escape(question.strip('*'))}</span></a>"
    )


def gallery(kind: str, folder: Path) -> str:
    """Return the cards of the case studies (`kind` is "cases"), or of all other notebooks."""
    folder.mkdir(parents=True, exist_ok=True)
    notebooks = sorted((ROOT / "notebooks").glob("*.ipynb"))
    chosen = [path for path in notebooks if ("_case_" in path.stem) == (kind == "cases")]
    return '<div class="kit-gallery">' + "".join(card(path, folder) for path in chosen) + "</div>"


def prepare(app: Sphinx) -> None:
    """Stage what lives elsewhere, and give the widgets' largest bundle to the page that may ask for it."""
    docs = Path(app.srcdir)
    stage(docs)
    static = ROOT / "orchestration_kit" / "widgets" / "static"
    code, style = ((static / f"composer_app.{kind}").read_text(encoding="utf-8") for kind in ("js", "css"))
    made = docs / "_static" / "made"
    made.mkdir(parents=True, exist_ok=True)
    shutil.copytree(docs / "images", made / "images", dirs_exist_ok=True)
    # As data in a classic script: a module beside the page could not be loaded from a file on the disk.
    bundle = json.dumps({"given": {"forms": forms(), "colours": colours()}, "parts": [code, style]})
    (made / "composer.js").write_text(f"window.kitBundle = {bundle};\n", encoding="utf-8")


def fill(app: Sphinx, docname: str, source: list[str]) -> None:
    """Fill the gallery, and turn the links of a page of `docs/` round."""
    folder = Path(app.srcdir) / "_static" / "gallery"
    for kind in ("road", "cases"):
        if (mark := f"{GALLERY}{kind} -->") in source[0]:
            source[0] = source[0].replace(mark, gallery(kind, folder))
    if not docname.startswith(("tutorials/", "project/")):
        source[0] = relink(source[0], f"docs/{docname}.md", f"{docname}.md")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("builder-inited", prepare)
    app.connect("source-read", fill, priority=300)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
