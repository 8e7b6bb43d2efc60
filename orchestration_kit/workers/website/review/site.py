"""The site under review: its files, its pages read once, and where its links lead."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from orchestration_kit.workers.website.review.document import Element, read_document

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Site:
    """Files by path, and the tree of every page."""

    files: Mapping[str, str]
    pages: Mapping[str, Element]

    def stylesheets_of(self, page: str) -> list[str]:
        """Return the paths of the stylesheets that a page links and the site has, in order."""
        links = [
            link
            for link in self.pages[page].find_all("link")
            if "stylesheet" in link.attributes.get("rel", "").lower().split()
        ]
        targets = [local_target(page, link.attributes.get("href", "")) for link in links]
        return [target[0] for target in targets if target and target[0] in self.files]


def read_site(files: Mapping[str, str]) -> Site:
    """Return the site with all its pages read."""
    paths = sorted(path for path in files if path.lower().endswith((".html", ".htm")))
    return Site(files, {path: read_document(files[path]) for path in paths})


def local_target(page: str, address: str) -> tuple[str, str] | None:
    """Return (path, anchor) if an address on a page stays on the site, else None.

    >>> local_target("shop/index.html", "../menu.html#today")
    ('menu.html', 'today')
    >>> local_target("index.html", "mailto:a@b.example") is None
    True
    """
    parts = urlsplit(address.strip())
    if parts.scheme or parts.netloc:
        return None
    if not parts.path:
        return page, unquote(parts.fragment)
    path = unquote(parts.path)
    joined = posixpath.normpath(posixpath.join(posixpath.dirname(page), path))
    if path.endswith("/") or joined == ".":
        joined = posixpath.normpath(posixpath.join(joined, "index.html"))
    return joined.lstrip("/") if path.startswith("/") else joined, unquote(parts.fragment)
