"""Colours as numbers: OKLCH to sRGB, and the contrast of two colours as WCAG 2 defines it.

Sources: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio and #dfn-relative-luminance;
https://bottosson.github.io/posts/oklab/ (the matrices of OKLab).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def relative_luminance(colour: str) -> float:
    """Return the relative luminance of `#rrggbb`: 0 for black, 1 for white.

    >>> relative_luminance("#ffffff")
    1.0
    """
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def contrast_ratio(one: str, other: str) -> float:
    """Return the contrast of two `#rrggbb` colours, from 1 to 21, in either order.

    >>> contrast_ratio("#000000", "#ffffff")
    21.0
    """
    darker, lighter = sorted((relative_luminance(one), relative_luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def oklch(lightness: float, chroma: float, hue: float) -> str:
    """Return `#rrggbb` for a lightness of 0..1, a chroma of 0..0.4 and a hue in degrees.

    A colour that sRGB cannot show keeps its lightness and hue and gives up chroma.
    """
    low, high = 0.0, chroma
    if _in_gamut(_to_linear(lightness, chroma, hue)):
        low = chroma
    else:
        for _ in range(16):
            middle = (low + high) / 2
            if _in_gamut(_to_linear(lightness, middle, hue)):
                low = middle
            else:
                high = middle
    return "#" + "".join(f"{_channel(value):02x}" for value in _to_linear(lightness, low, hue))


def readable(start: tuple[float, float, float], backgrounds: Sequence[str], *, ratio: float, towards: float) -> str:
    """Return the first colour from `start` that stands out by `ratio` from all `backgrounds`.

    `start` is (lightness, chroma, hue); the lightness moves in steps towards `towards` (0 is black,
    1 is white), where the contrast is greatest, so that a colour is always found if one exists.
    """
    lightness, chroma, hue = start
    for step in range(51):
        colour = oklch(lightness + (towards - lightness) * step / 50, chroma, hue)
        if min(contrast_ratio(colour, background) for background in backgrounds) >= ratio:
            return colour
    return "#ffffff" if towards else "#000000"


def _to_linear(lightness: float, chroma: float, hue: float) -> tuple[float, float, float]:
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def _in_gamut(channels: tuple[float, float, float]) -> bool:
    return all(-0.0005 <= value <= 1.0005 for value in channels)


def _channel(linear: float) -> int:
    bounded = min(max(linear, 0.0), 1.0)
    curved = 12.92 * bounded if bounded <= 0.0031308 else 1.055 * bounded ** (1 / 2.4) - 0.055
    return round(curved * 255)
