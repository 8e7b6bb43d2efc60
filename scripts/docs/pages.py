"""The texts that people read: Markdown files, and the Markdown cells of notebooks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
COPIES = ("docs/project/", "docs/tutorials/", "docs/_build/")
"""What a build of the site leaves in `docs/`; the page of the tutorials alone is written by hand."""


@dataclass(frozen=True)
class Page:
    """One file with text."""

    path: str
    """From the root of the project."""
    text: str

    @cached_property
    def tokens(self) -> list[Token]:
        """What the text consists of, those within a line too."""
        parsed = MarkdownIt("commonmark").enable("table").parse(self.text)
        return [one for block in parsed for one in (block, *(block.children or ()))]

    @cached_property
    def anchors(self) -> set[str]:
        """What a link may name after `#`: headings as code hosts write them, and what has an id."""
        found: set[str] = set(re.findall(r"<\w+[^>]*\bid=\"([^\"]+)\"", self.text))
        found |= set(re.findall(r"^\(([\w-]+)\)=$", self.text, flags=re.MULTILINE))
        headings = [self.tokens[at + 1] for at, one in enumerate(self.tokens) if one.type == "heading_open"]
        for heading in headings:
            plain = "".join(one.content for one in heading.children or () if one.type in ("text", "code_inline"))
            slug = re.sub(r"[^\w\- ]", "", plain.strip().lower()).replace(" ", "-")
            taken = 0
            while (one := f"{slug}-{taken}" if taken else slug) in found:
                taken += 1
            found.add(one)
        return found

    @cached_property
    def targets(self) -> list[str]:
        """Where its links and pictures lead to."""
        found = [one.attrGet("href") or one.attrGet("src") for one in self.tokens if one.type in ("link_open", "image")]
        html = "".join(one.content for one in self.tokens if one.type in ("html_block", "html_inline"))
        raw = re.findall(r"\b(?:href|src)=\"([^\"]+)\"", html)
        # A page of the site that HTML leads to is there when it is built: scripts/docs/site.py looks at those.
        return [str(one) for one in found if one] + [one for one in raw if not one.partition("#")[0].endswith(".html")]


def read(path: Path) -> Page:
    """Return one page; of a notebook, its Markdown cells."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        cells = json.loads(text)["cells"]
        text = "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    return Page(path.relative_to(ROOT).as_posix(), text)


def pages() -> Iterator[Page]:
    """Give every page that somebody wrote."""
    for pattern in ("*.md", "docs/**/*.md", "notebooks/*.ipynb"):
        for path in sorted(ROOT.glob(pattern)):
            place = path.relative_to(ROOT).as_posix()
            if not place.startswith(COPIES) or place == "docs/tutorials/index.md":
                yield read(path)
