"""Checks of single pages: correct markup, and what every page must have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from orchestration_kit.workers.website.extras import html_parser, require
from orchestration_kit.workers.website.review.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestration_kit.workers.website.review.document import Element
    from orchestration_kit.workers.website.review.site import Site


def html_parse_error(site: Site) -> Iterator[Finding]:
    """Find every error that an HTML5 parser sees, with its line."""
    messages = cast("dict[str, str]", require("html5lib.constants").E)
    for path in site.pages:
        parser = html_parser()
        parser.parse(site.files[path])
        for (line, _), code, details in cast("list[tuple[tuple[int, int], str, Any]]", parser.errors):
            told = _told(messages.get(code, code), details)
            fix = "Close, nest and spell the tags on this line and those above it correctly."
            yield Finding(path, max(line, 1), "html_parse_error", told, fix)


def _told(message: str, details: Any) -> str:
    try:
        return message % details
    except (TypeError, KeyError, ValueError):
        return message


def missing_title(site: Site) -> Iterator[Finding]:
    """Find a page whose head has no title with text in it."""
    for path, root in site.pages.items():
        heads = root.find_all("head")
        titles = [title for head in heads for title in head.find_all("title")]
        if not any(title.text() for title in titles):
            line = (titles or heads or [root])[0].line
            fix = "Write <title>…</title> in the head: what the page is, then whose it is."
            yield Finding(path, line, "missing_title", "The page has no title.", fix)


def missing_lang(site: Site) -> Iterator[Finding]:
    """Find a page that does not say which language it is in."""
    for path, root in site.pages.items():
        html = root.find_all("html")
        if not html or not html[0].attributes.get("lang", "").strip():
            line = html[0].line if html else 1
            fix = 'Write the language on the root: <html lang="en">.'
            yield Finding(path, line, "missing_lang", "The page names no language.", fix)


def missing_viewport(site: Site) -> Iterator[Finding]:
    """Find a page that phones would show shrunk, or that forbids zooming."""
    fix = 'Write <meta name="viewport" content="width=device-width, initial-scale=1"> in the head.'
    for path, root in site.pages.items():
        metas = [meta for meta in root.find_all("meta") if meta.attributes.get("name", "").lower() == "viewport"]
        content = metas[0].attributes.get("content", "").replace(" ", "").lower() if metas else ""
        if "width=device-width" not in content:
            line = (metas or root.find_all("head") or [root])[0].line
            yield Finding(path, line, "missing_viewport", "The page has no viewport for phones.", fix)
        elif "user-scalable=no" in content or "maximum-scale=1" in content:
            message = "The viewport forbids zooming."
            yield Finding(path, metas[0].line, "missing_viewport", message, fix)


def duplicate_id(site: Site) -> Iterator[Finding]:
    """Find an id that two elements of a page share."""
    for path, root in site.pages.items():
        first: dict[str, int] = {}
        for element in root.walk():
            ident = element.attributes.get("id")
            if ident is None:
                continue
            if ident in first:
                message = f"The id {ident!r} was already used on line {first[ident]}."
                fix = "Give each element of a page an id of its own, and adapt what points to it."
                yield Finding(path, element.line, "duplicate_id", message, fix)
            first.setdefault(ident, element.line)


def active_content(site: Site) -> Iterator[Finding]:
    """Find code in a page: scripts, event handlers, `javascript:` addresses, embedded pages."""
    for path, root in site.pages.items():
        for element in root.walk():
            reason = _active(element)
            if reason:
                fix = "Remove it: the site needs no code, so any found here came in with somebody's text."
                yield Finding(path, element.line, "active_content", reason, fix)


def _active(element: Element) -> str:
    if element.tag in {"script", "iframe", "object", "embed", "base"}:
        return f"The page holds a <{element.tag}> element."
    for name, value in element.attributes.items():
        if name.startswith("on"):
            return f"<{element.tag}> has the event handler {name!r}."
        scheme = "".join(value.split()).lower()
        if scheme.startswith(("javascript:", "vbscript:", "data:text/html")):
            return f"<{element.tag} {name}> holds an address that is code."
    return ""
