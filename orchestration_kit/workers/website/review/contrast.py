"""Checks that all text can be read: WCAG 2.2 success criterion 1.4.3, at 4.5:1, whatever its size.

https://www.w3.org/TR/WCAG22/#contrast-minimum. Both colour schemes are checked, at rest and in the
states that a pointer or a keyboard brings about.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from orchestration_kit.workers.website.colour import contrast_ratio
from orchestration_kit.workers.website.review.cascade import Painted, paint
from orchestration_kit.workers.website.review.css import Rule, read_stylesheet
from orchestration_kit.workers.website.review.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestration_kit.workers.website.review.site import Site

LEAST_RATIO = 4.5
_SETTINGS = (
    (False, False, "in the light colours"),
    (True, False, "in the dark colours"),
    (False, True, "in the light colours, when pointed at"),
    (True, True, "in the dark colours, when pointed at"),
)
_HEX = re.compile(r"#(?:[0-9a-f]{8}|[0-9a-f]{6}|[0-9a-f]{3,4})\b")
_RGB = re.compile(r"rgba?\(\s*(\d+)[\s,]+(\d+)[\s,]+(\d+)\s*(?:[,/]\s*([\d.]+%?)\s*)?\)")
_NAMED = {"black": "#000000", "white": "#ffffff", "red": "#ff0000", "gray": "#808080", "grey": "#808080",
          "silver": "#c0c0c0", "yellow": "#ffff00", "blue": "#0000ff", "green": "#008000"}  # fmt: skip
_FIELDS = frozenset({"input", "textarea", "select", "button"})


def low_contrast(site: Site) -> Iterator[Finding]:
    """Find text that does not stand out from what is behind it, in either colour scheme."""
    sheets = {path: read_stylesheet(path, text) for path, text in site.files.items() if path.endswith(".css")}
    seen: set[tuple[str, str, str, int]] = set()
    for page, root in site.pages.items():
        rules = [rule for sheet in site.stylesheets_of(page) for rule in sheets.get(sheet, [])]
        for dark, state, setting in _SETTINGS:
            if state and not any(rule.selector.state for rule in rules):
                continue
            for painted in paint(root, _applying(rules, dark=dark, state=state), file=page):
                if not _shows_text(painted):
                    continue
                file, line = _origin(painted, page)
                key = (painted.colour, painted.background, file, line)
                if key not in seen:
                    seen.add(key)
                    yield from _judge(painted, (file, line), f"{setting} (on {page})")


def _applying(rules: list[Rule], *, dark: bool, state: bool) -> list[Rule]:
    return [rule for rule in rules if (dark or not rule.dark) and (state or not rule.selector.state)]


def _shows_text(painted: Painted) -> bool:
    element = painted.element
    if element.tag in _FIELDS:
        return True
    silent = {"script", "style", "title", "head", "desc", "option"}
    return element.tag not in silent and bool(element.own_text.strip())


def _origin(painted: Painted, page: str) -> tuple[str, int]:
    """Return where the colour comes from: the custom property if one is used, else the declaration."""
    if painted.source is None:
        return page, painted.element.line
    name = re.search(r"var\(\s*(--[\w-]+)", painted.source.value)
    declared = painted.custom.get(name[1]) if name else None
    origin = declared or painted.source
    return origin.file, origin.line


def _judge(painted: Painted, origin: tuple[str, int], setting: str) -> Iterator[Finding]:
    file, line = origin
    classes = "".join(f".{name}" for name in painted.element.classes)
    who = f"<{painted.element.tag}>{classes}"
    colours, backgrounds = colours_in(painted.colour), colours_in(painted.background)
    if not colours or not backgrounds:
        unread = painted.background if colours else painted.colour
        message = f"The colour {unread!r} of {who} cannot be checked {setting}."
        fix = "Write colours as #rrggbb without transparency, or as a custom property that is."
        yield Finding(file, line, "low_contrast", message, fix)
        return
    ratio = min(contrast_ratio(one, other) for one in colours for other in backgrounds)
    if ratio < LEAST_RATIO:
        message = f"{who}: {painted.colour} on {painted.background} has a contrast of {ratio:.2f}:1 {setting}."
        fix = f"Choose a colour that reaches {LEAST_RATIO}:1 on every background it is used on."
        yield Finding(file, line, "low_contrast", message, fix)


def colours_in(value: str) -> list[str]:
    """Return the opaque colours in a value as `#rrggbb`: one, or the stops of a gradient; [] if unsure.

    >>> colours_in("#fff")
    ['#ffffff']
    >>> colours_in("rgb(0 0 0 / 0.5)")
    []
    """
    found: list[str] = []
    for match in _HEX.findall(value):
        digits = match[1:] if len(match) > 5 else "".join(2 * digit for digit in match[1:])
        if len(digits) == 8 and not digits.endswith("ff"):
            return []
        found.append(f"#{digits[:6]}")
    for red, green, blue, alpha in _RGB.findall(value):
        if alpha not in {"", "1", "100%", "1.0"}:
            return []
        found.append("#" + "".join(f"{min(int(part), 255):02x}" for part in (red, green, blue)))
    bare = _RGB.sub(" ", _HEX.sub(" ", value))
    words = re.findall(r"[a-z-]+(?![\w(-])", bare)
    found += [_NAMED[word] for word in words if word in _NAMED]
    return found
