"""Checks of where a site leads: pages, anchors, pictures, and nothing from elsewhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from orchestration_kit.workers.website.review.finding import Finding
from orchestration_kit.workers.website.review.site import local_target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestration_kit.workers.website.review.document import Element
    from orchestration_kit.workers.website.review.site import Site

_LOADED = (("img", "src"), ("link", "href"), ("source", "src"), ("video", "src"), ("audio", "src"))
_CSS_URL = re.compile(r"""url\(\s*['"]?([^'")]+)['"]?\s*\)|@import\s+['"]([^'"]+)['"]""")
_FOLLOWED = frozenset({"http", "https", "mailto", "tel"})


def dead_link(site: Site) -> Iterator[Finding]:
    """Find a link or form that leads to a page or an anchor that does not exist."""
    for path, root in site.pages.items():
        for element in root.find_all("a", "area", "form"):
            attribute = "action" if element.tag == "form" else "href"
            address = element.attributes.get(attribute)
            if address is None:
                continue
            problem = _leads_nowhere(site, path, address)
            if problem:
                fix = f"Link to one of: {', '.join(site.pages)}, or to an id on one of them."
                yield Finding(path, element.line, "dead_link", problem, fix)


def _leads_nowhere(site: Site, page: str, address: str) -> str:
    target = local_target(page, address)
    if target is None:
        scheme = urlsplit(address.strip()).scheme
        known = not scheme or scheme in _FOLLOWED
        return "" if known else f"The link {address!r} has an address that browsers do not follow."
    path, anchor = target
    if path not in site.files:
        return f"The link {address!r} leads to {path}, which is not a file of the site."
    if anchor and path in site.pages and not _has_id(site.pages[path], anchor):
        return f"The link {address!r} leads to an anchor that {path} does not have."
    return "" if address.strip() else "The link is empty."


def _has_id(root: Element, ident: str) -> bool:
    return ident == "top" or any(element.attributes.get("id") == ident for element in root.walk())


def dead_asset(site: Site) -> Iterator[Finding]:
    """Find a picture, stylesheet or icon that is not among the files, or would be loaded from elsewhere."""
    for path, root in site.pages.items():
        for tag, attribute in _LOADED:
            for element in root.find_all(tag):
                if tag != "link" or _is_loaded(element):
                    yield from _asset(site, path, element.line, element.attributes.get(attribute, ""))
    for path, text in site.files.items():
        if path.endswith(".css"):
            for match in _CSS_URL.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                yield from _asset(site, path, line, match[1] or match[2])


def _is_loaded(link: Element) -> bool:
    return bool({"stylesheet", "icon", "preload"} & set(link.attributes.get("rel", "").lower().split()))


def _asset(site: Site, path: str, line: int, address: str) -> Iterator[Finding]:
    if address.startswith("data:image/"):
        return
    target = local_target(path, address)
    if target is None:
        message = f"{address!r} is loaded from elsewhere."
        fix = "Ship the file with the site: it must work offline and tell nobody who visits it."
        yield Finding(path, line, "dead_asset", message, fix)
    elif not address.strip() or target[0] not in site.files:
        message = f"{address!r} is not a file of the site."
        fix = "Add the file, or correct its path."
        yield Finding(path, line, "dead_asset", message, fix)


def unreachable_page(site: Site) -> Iterator[Finding]:
    """Find pages that no way leads to from index.html, and its absence."""
    if "index.html" not in site.pages:
        fix = "Name the first page index.html."
        yield Finding("index.html", 1, "unreachable_page", "The site has no index.html.", fix)
        return
    seen, waiting = {"index.html"}, ["index.html"]
    while waiting:
        page = waiting.pop()
        for link in site.pages[page].find_all("a"):
            target = local_target(page, link.attributes.get("href", ""))
            if target and target[0] in site.pages and target[0] not in seen:
                seen.add(target[0])
                waiting.append(target[0])
    for path in site.pages:
        if path not in seen:
            message = "No link leads to this page."
            yield Finding(path, 1, "unreachable_page", message, "Link to it, or leave it out.")
