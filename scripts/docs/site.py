"""Look through the site as it was built: `python -m scripts.docs.site docs/_build/html`.

Nothing leads nowhere, nothing is loaded from elsewhere, no public name is missing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "docs" / "_ext"))

LOADS = {("script", "src"), ("link", "href"), ("img", "src"), ("iframe", "src"), ("source", "src"), ("object", "data")}
"""Attributes that a browser follows by itself."""


class Page(HTMLParser):
    """What one page names, loads and leads to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of one tag."""
        for name, value in attrs:
            if value is None:
                continue
            if name == "id":
                self.ids.add(value)
            elif (tag, name) == ("a", "href"):
                self.links.append(value)
            elif (tag, name) in LOADS:
                self.loads.append(value)


class Site:
    """Every page of a build."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def pages(self) -> dict[Path, Page]:
        """The pages, by their files."""
        return {path: Page(path) for path in sorted(self.folder.rglob("*.html")) if "_static" not in path.parts}

    def broken(self) -> Iterator[str]:
        """Say of each link and of what is loaded what is wrong with it."""
        for path, page in self.pages.items():
            name = path.relative_to(self.folder)
            for target in [*page.links, *page.loads]:
                parts = urlsplit(target)
                if parts.scheme or parts.netloc:
                    if target in page.loads and parts.scheme != "data":
                        yield f"{name}: it loads {target} from elsewhere"
                    continue
                file = (path.parent / unquote(parts.path)).resolve() if parts.path else path
                if not file.exists():
                    yield f"{name}: {target} is not there"
                elif parts.fragment and file in self.pages and unquote(parts.fragment) not in self.pages[file].ids:
                    yield f"{name}: {target}: that page has no such place"

    def missing(self) -> Iterator[str]:
        """Name what is public and not in the reference."""
        from areas import reference

        for area, names in reference().items():
            page = self.pages.get(self.folder / "reference" / f"{area}.html")
            ids = page.ids if page else set()
            yield from (f"reference/{area}.html: {one.path} is missing" for one in names if one.path not in ids)


def main() -> int:
    """Look through the site; return how the process ends."""
    site = Site(Path(sys.argv[1]).resolve())
    wrong = [*site.broken(), *site.missing()]
    links = sum(len(page.links) for page in site.pages.values())
    print(
        "\n".join(wrong)
        or f"Site: {len(site.pages)} pages, {links} links, all lead somewhere; no public name is missing."
    )
    return 1 if wrong or not site.pages else 0


if __name__ == "__main__":
    sys.exit(main())
