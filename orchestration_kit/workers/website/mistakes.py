"""The mistakes a coder makes now and then: each turns a good file into a faulty one, or passes.

They are what people and models really get wrong, and each is something the review can find.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestration_kit.workers.website.colour import contrast_ratio, oklch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

    from orchestration_kit.workers.website.bus import Files

_IMAGE_ALT = re.compile(r'(<img [^>]*?) alt="[^"]*"')
_TITLE = re.compile(r" *<title>[^<]*</title>\n(?=  <meta)")
_VIEWPORT = re.compile(r' *<meta name="viewport"[^>]*>\n')
_PAGE_LINK = re.compile(r'href="([a-z][a-z0-9-]*)\.html')
_CLOSED = re.compile(r"</(?:article|section|figure|h2|h3)>")
_NESTED = re.compile(r"</a></li>")
_SECTION_ID = re.compile(r'(<section id=")([a-z0-9-]+)"')
_SUBHEADING = re.compile(r"<h2( id=[^>]*>.*?)</h2>")
_LABEL = re.compile(r" *<label [^>]*>[^<]*</label>\n")
_MUTED = re.compile(r"--muted: (#[0-9a-f]{6});")
_BACKGROUND = re.compile(r"--bg: (#[0-9a-f]{6});")


@dataclass(frozen=True, slots=True)
class Mistake:
    """One way to get a file wrong."""

    name: str
    make: Callable[[str, Random], str | None]
    """Returns the faulty text, or None where there is nothing to get wrong."""
    in_css: bool = False


def make_mistakes(site: Mapping[str, str], count: int, rng: Random) -> tuple[Files, list[str]]:
    """Return the site with up to `count` different mistakes in it, and what was got wrong where."""
    faulty, made = dict(site), list[str]()
    for mistake in rng.sample(MISTAKES, k=min(count, len(MISTAKES))):
        ending = ".css" if mistake.in_css else ".html"
        paths = sorted(path for path in faulty if path.endswith(ending))
        for path in rng.sample(paths, k=len(paths)):
            changed = mistake.make(faulty[path], rng)
            if changed is not None:
                faulty[path] = changed
                made.append(f"{mistake.name} in {path}")
                break
    return faulty, made


def _one_match(pattern: re.Pattern[str], text: str, rng: Random) -> re.Match[str] | None:
    matches = list(pattern.finditer(text))
    return rng.choice(matches) if matches else None


def _replaced(text: str, match: re.Match[str] | None, replacement: str) -> str | None:
    return text[: match.start()] + replacement + text[match.end() :] if match else None


def _forget_alt(text: str, rng: Random) -> str | None:
    match = _one_match(_IMAGE_ALT, text, rng)
    return _replaced(text, match, match[1]) if match else None


def _forget_lang(text: str, rng: Random) -> str | None:
    del rng
    return text.replace('<html lang="en">', "<html>", 1) if '<html lang="en">' in text else None


def _forget_title(text: str, rng: Random) -> str | None:
    return _replaced(text, _one_match(_TITLE, text, rng), "")


def _forget_viewport(text: str, rng: Random) -> str | None:
    return _replaced(text, _one_match(_VIEWPORT, text, rng), "")


def _misspell_link(text: str, rng: Random) -> str | None:
    match = _one_match(_PAGE_LINK, text, rng)
    return _replaced(text, match, f'href="{match[1]}-page.html') if match else None


def _forget_closing_tag(text: str, rng: Random) -> str | None:
    return _replaced(text, _one_match(_CLOSED, text, rng), "")


def _misnest(text: str, rng: Random) -> str | None:
    return _replaced(text, _one_match(_NESTED, text, rng), "</li></a>")


def _reuse_id(text: str, rng: Random) -> str | None:
    sections = list(_SECTION_ID.finditer(text))
    if len(sections) < 2:
        return None
    copied = rng.choice(sections[1:])
    return _replaced(text, copied, f'{copied[1]}{sections[0][2]}"')


def _skip_heading_level(text: str, rng: Random) -> str | None:
    match = _one_match(_SUBHEADING, text, rng)
    return _replaced(text, match, f"<h5{match[1]}</h5>") if match else None


def _forget_label(text: str, rng: Random) -> str | None:
    return _replaced(text, _one_match(_LABEL, text, rng), "")


def _fade_text(text: str, rng: Random) -> str | None:
    """Make the quieter text of one colour scheme so quiet that it cannot be read."""
    match = _one_match(_MUTED, text, rng)
    if not match:
        return None
    backgrounds = [found for found in _BACKGROUND.finditer(text) if found.end() < match.start()]
    if not backgrounds:
        return None
    page = backgrounds[-1][1]
    lightness = 0.8 if contrast_ratio(page, "#ffffff") < 2 else 0.35
    return _replaced(text, match, f"--muted: {oklch(lightness, 0.02, rng.uniform(0, 360))};")


MISTAKES = (
    Mistake("a picture without a text alternative", _forget_alt),
    Mistake("no language", _forget_lang),
    Mistake("no title", _forget_title),
    Mistake("no viewport", _forget_viewport),
    Mistake("a link to a page that does not exist", _misspell_link),
    Mistake("an element that is never closed", _forget_closing_tag),
    Mistake("tags closed in the wrong order", _misnest),
    Mistake("an id used twice", _reuse_id),
    Mistake("a skipped heading level", _skip_heading_level),
    Mistake("a form field without a label", _forget_label),
    Mistake("text too pale to read", _fade_text, in_css=True),
)
