"""Chooses how to draw a picture and what to call it for those who cannot see it."""

from __future__ import annotations

import hashlib
from html import escape
from random import Random
from typing import TYPE_CHECKING

from orchestration_kit.workers.website.art import geometry, nature, objects
from orchestration_kit.workers.website.art.canvas import Canvas

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration_kit.workers.website.spec import Art, Design

_STYLES: dict[Art, tuple[Callable[[Canvas], None], str]] = {
    "tiles": (geometry.tiles, "A pattern of circles, leaves and triangles"),
    "arches": (geometry.arches, "Nested arches under a round sun"),
    "rays": (geometry.rays, "Rays spreading from a bright disc"),
    "orbits": (geometry.orbits, "Small planets circling a large one"),
    "hills": (nature.hills, "Rolling hills with trees below the sun"),
    "waves": (nature.waves, "Long waves in layers"),
    "botanica": (nature.botanica, "Tall plants with paired leaves"),
    "table": (objects.table, "Plates, bowls and cups on a table, seen from above"),
    "shelf": (objects.shelf, "Vases and bowls standing on a shelf"),
    "books": (objects.books, "Shelves full of books"),
    "dashboard": (objects.dashboard, "An app window with bars, cards and a list"),
}
_GALLERY_STYLES: tuple[Art, ...] = ("tiles", "arches", "waves", "rays", "orbits", "botanica", "hills")


def describe(style: Art) -> str:
    """Return the text alternative of a picture in a style."""
    return _STYLES[style][1]


def draw(design: Design, key: str, *, style: Art, size: tuple[int, int]) -> str:
    """Return a complete SVG picture; the same design and key always give the same one.

    `key` tells the pictures of one site apart. The picture carries its description as a title.
    """
    digest = hashlib.sha256(f"{design.art_seed}/{key}".encode()).digest()
    rng = Random(int.from_bytes(digest[:8], "big"))  # noqa: S311 - a picture, not a secret
    canvas = Canvas(size[0], size[1], design.art_colours, rng)
    canvas.rect(0, 0, size=size, paint=canvas.fill(0))
    _STYLES[style][0](canvas)
    title = escape(describe(style))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size[0]} {size[1]}" '
        f'preserveAspectRatio="xMidYMid slice" role="img"><title>{title}</title>' + "".join(canvas.shapes) + "</svg>\n"
    )


def style_for(design: Design, index: int, *, varied: bool) -> Art:
    """Return the style of the picture number `index`: the site's own, or a varied one for galleries."""
    if not varied:
        return design.art
    start = design.art_seed % len(_GALLERY_STYLES)
    return _GALLERY_STYLES[(start + index) % len(_GALLERY_STYLES)]
