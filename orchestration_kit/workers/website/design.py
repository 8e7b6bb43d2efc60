"""Derives how a site looks from its goal: the same goal always gets the same face.

Contrasts are right by construction: every text colour is searched for from its backgrounds.
"""

from __future__ import annotations

import hashlib
from random import Random
from typing import TYPE_CHECKING

from orchestration_kit.workers.website.colour import oklch, readable
from orchestration_kit.workers.website.spec import Design, Theme

if TYPE_CHECKING:
    from orchestration_kit.workers.website.content import KindContent

_ENOUGH = 4.8
"""WCAG asks for 4.5; a little more survives rounding."""
_WARM_ACCENTS, _COOL_ACCENTS = (30, 50, 70, 85), (88, 150, 185, 235)
"""Hues that sit well beside a cool and beside a warm main colour."""
_COLOUR_WORDS = {
    "red": 25, "rose": 5, "pink": 350, "orange": 55, "autumn": 50, "gold": 85, "yellow": 95,
    "lemon": 100, "olive": 115, "green": 148, "forest": 150, "garden": 140, "vegan": 142, "mint": 170,
    "sea": 215, "ocean": 225, "water": 230, "sky": 240, "blue": 255, "night": 275, "space": 285,
    "lavender": 300, "purple": 305, "wine": 10, "coffee": 55, "chocolate": 45, "honey": 80,
}  # fmt: skip


def design_for(goal: str, kind: KindContent) -> Design:
    """Return layout, type, colours and art for a goal of a kind.

    `goal` is the cleaned text. The choices come from its digest, not from the run's random numbers, so
    that a site keeps its face from run to run.
    """
    digest = hashlib.sha256(goal.casefold().encode()).digest()
    rng = Random(int.from_bytes(digest[:8], "big"))  # noqa: S311 - a look, not a secret
    hue = _hue(goal, kind, rng)
    warm = hue < 110 or hue > 320
    accent = rng.choice(_COOL_ACCENTS if warm else _WARM_ACCENTS)
    chroma = rng.choice((0.11, 0.14, 0.17))
    heading, body = rng.choice(kind.fonts)
    return Design(
        layout=rng.choice(kind.layouts),
        cards=rng.choice(("boxed", "ruled", "tinted")),
        radius=rng.choice((0, 4, 12, 24)),
        heading_font=heading,
        body_font=body,
        art=rng.choice(kind.art),
        art_seed=rng.getrandbits(32),
        light=_light(hue, chroma, vivid=rng.random() < 0.4),
        dark=_dark(hue, chroma),
        art_colours=(
            oklch(0.92, 0.045, hue),
            oklch(0.64, chroma, hue),
            oklch(0.36, 0.08, hue),
            oklch(0.8, 0.09 if warm else 0.13, accent),
            oklch(0.84, 0.07, (hue + 20) % 360),
            oklch(0.24, 0.04, hue),
        ),
    )


def _hue(goal: str, kind: KindContent, rng: Random) -> float:
    low, high = rng.choice(kind.hues)
    drawn = rng.uniform(low, high)
    named = [_COLOUR_WORDS[word] for word in goal.casefold().split() if word in _COLOUR_WORDS]
    return (named[0] + rng.uniform(-6, 6) if named else drawn) % 360


def _light(hue: float, chroma: float, *, vivid: bool) -> Theme:
    bg, surface, tint = oklch(0.985, 0.007, hue), "#ffffff", oklch(0.952, 0.022, hue)
    pages = (bg, surface, tint)
    primary = readable((0.56, chroma, hue), pages, ratio=_ENOUGH, towards=0)
    bold = (
        readable((0.54, chroma, hue), (surface,), ratio=6.2, towards=0)
        if vivid
        else oklch(0.28, min(chroma, 0.075), hue)
    )
    return Theme(
        bg=bg,
        surface=surface,
        tint=tint,
        line=oklch(0.87, 0.025, hue),
        text=readable((0.24, 0.03, hue), pages, ratio=10, towards=0),
        muted=readable((0.5, 0.03, hue), pages, ratio=_ENOUGH, towards=0),
        primary=primary,
        on_primary=readable((0.995, 0.005, hue), (primary,), ratio=_ENOUGH, towards=1),
        bold=bold,
        on_bold=readable((0.985, 0.01, hue), (bold,), ratio=_ENOUGH, towards=1),
        bold_muted=readable((0.84, 0.05, hue), (bold,), ratio=_ENOUGH, towards=1),
    )


def _dark(hue: float, chroma: float) -> Theme:
    bg, surface, tint = oklch(0.175, 0.016, hue), oklch(0.215, 0.02, hue), oklch(0.235, 0.025, hue)
    pages = (bg, surface, tint)
    primary = readable((0.76, min(chroma, 0.13), hue), pages, ratio=_ENOUGH, towards=1)
    bold = oklch(0.3, min(chroma, 0.08), hue)
    return Theme(
        bg=bg,
        surface=surface,
        tint=tint,
        line=oklch(0.34, 0.03, hue),
        text=readable((0.95, 0.012, hue), pages, ratio=10, towards=1),
        muted=readable((0.74, 0.03, hue), pages, ratio=_ENOUGH, towards=1),
        primary=primary,
        on_primary=readable((0.2, 0.04, hue), (primary,), ratio=_ENOUGH, towards=0),
        bold=bold,
        on_bold=readable((0.97, 0.012, hue), (bold,), ratio=_ENOUGH, towards=1),
        bold_muted=readable((0.82, 0.05, hue), (bold,), ratio=_ENOUGH, towards=1),
    )
