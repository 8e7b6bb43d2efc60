"""Checks of what people with assistive technology need: alternatives, headings, labels, landmarks.

Sources: WCAG 2.2, https://www.w3.org/TR/WCAG22/, success criteria 1.1.1, 1.3.1, 2.4.1, 2.4.6 and 3.3.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration_kit.workers.website.review.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestration_kit.workers.website.review.document import Element
    from orchestration_kit.workers.website.review.site import Site

_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_UNLABELLED_TYPES = frozenset({"hidden", "submit", "button", "reset", "image"})


def missing_alt(site: Site) -> Iterator[Finding]:
    """Find a picture that says nothing to those who cannot see it. An empty `alt` marks decoration."""
    for path, root in site.pages.items():
        for element in root.find_all("img", "svg", "area"):
            if element.tag in {"img", "area"} and "alt" not in element.attributes:
                source = element.attributes.get("src", "without a source")
                message = f"The picture {source} has no text alternative."
                fix = 'Add alt="…" that says what it shows, or alt="" if it only decorates.'
                yield Finding(path, element.line, "missing_alt", message, fix)
            elif element.tag == "svg" and not (_hidden(element) or _named_drawing(element)):
                message = "A drawing in the page has no text alternative."
                fix = 'Put a <title> into the <svg>, or hide it with aria-hidden="true".'
                yield Finding(path, element.line, "missing_alt", message, fix)


def _hidden(element: Element) -> bool:
    chain = (element, *element.above())
    return any(one.attributes.get("aria-hidden") == "true" for one in chain)


def _named_drawing(svg: Element) -> bool:
    title = any(child.tag == "title" and child.text() for child in svg.children)
    return title or bool(svg.attributes.get("aria-label", "").strip())


def heading_order(site: Site) -> Iterator[Finding]:
    """Find pages without exactly one h1, skipped levels and empty headings."""
    fix = "Start with one h1 and go down one level at a time; style with CSS, not with levels."
    for path, root in site.pages.items():
        headings = root.find_all(*_HEADINGS)
        tops = [heading for heading in headings if heading.tag == "h1"]
        if len(tops) != 1:
            line = tops[1].line if tops else (headings or [root])[0].line
            message = f"The page has {len(tops)} headings of the first level instead of one."
            yield Finding(path, line, "heading_order", message, fix)
        before = 0
        for heading in headings:
            level = int(heading.tag[1])
            if level > before + 1:
                came = f"h{before}" if before else "the start"
                message = f"After {came} comes {heading.tag}: a level is skipped."
                yield Finding(path, heading.line, "heading_order", message, fix)
            if not heading.text():
                message = f"The heading {heading.tag} is empty."
                yield Finding(path, heading.line, "heading_order", message, fix)
            before = level


def missing_label(site: Site) -> Iterator[Finding]:
    """Find a form field that nothing names. A placeholder is no label."""
    for path, root in site.pages.items():
        labels = {label.attributes.get("for", "") for label in root.find_all("label") if label.text()}
        for control in root.find_all("input", "select", "textarea"):
            named = (
                control.attributes.get("type", "").lower() in _UNLABELLED_TYPES
                or (control.attributes.get("id") or "\0") in labels
                or any(one.tag == "label" and one.text() for one in control.above())
                or bool(control.attributes.get("aria-label", "").strip())
            )
            if not named:
                name = control.attributes.get("name", "without a name")
                message = f"The form field {name!r} has no label."
                fix = 'Write <label for="its-id">…</label> before it.'
                yield Finding(path, control.line, "missing_label", message, fix)
        for control in root.find_all("button", "a"):
            if not (control.text() or control.attributes.get("aria-label", "").strip()):
                message = f"A <{control.tag}> has no text."
                fix = "Write what it does or where it leads as its text."
                yield Finding(path, control.line, "missing_label", message, fix)


def missing_main(site: Site) -> Iterator[Finding]:
    """Find pages without exactly one `main` landmark, to which a skip link could lead."""
    for path, root in site.pages.items():
        mains = root.find_all("main")
        if len(mains) != 1:
            line = mains[1].line if mains else (root.find_all("body") or [root])[0].line
            message = f"The page has {len(mains)} <main> elements instead of one."
            fix = 'Put the content of the page, and nothing else, into one <main id="main">.'
            yield Finding(path, line, "missing_main", message, fix)
