"""The picture that stays in a saved notebook: one `<img>` with the SVG in it, and a line of text.

An image runs no script and loads nothing, so that a notebook that nobody trusts shows it too. The live view hides it
by its class while it lives.
"""

from __future__ import annotations

import base64
import re
from html import escape

from orchestration_kit.history.texts import PLAIN
from orchestration_kit.visual.diagram import NOTEBOOK_WIDTH, Diagram
from orchestration_kit.visual.outline import outline
from orchestration_kit.visual.text import shorten

MOST_BYTES = 300_000
"""Of a picture; of a larger workflow its outline is shown."""
_UNSEEN = re.compile(
    r"<title[ >].*?</title>|<desc .*?</desc>\n?| (?:data-[a-z]+|class|id|role|aria-labelledby)=\"[^\"]*\"", re.DOTALL
)
"""What an image has no use for. Our own painter wrote it: text in it holds neither quotes nor brackets."""
_SHAPES = re.compile(r'(?<=\d)\.0(?=[", CZ])')


def still_html(diagram: Diagram, caption: str, name: str) -> str:
    """Return the picture and a caption as HTML that survives a sanitizer; `name` is its class.

    >>> from orchestration_kit import create_generic_pipeline, visualize
    >>> html = still_html(visualize(create_generic_pipeline([("a", "generic", "")])), "ready", "okit-still-1")
    >>> html[:38], html.count("<"), "script" in html
    ('<div class="okit-still-1 mathjax_ignor', 5, False)
    """
    said = f"<p>{escape(caption)}</p>"
    small = _SHAPES.sub("", _UNSEEN.sub("", diagram.svg)).encode("utf-8", "replace")
    if len(small) > MOST_BYTES:
        return f'<div class="{name} {PLAIN}"><pre>{escape(shorten(diagram.outline, 20_000))}</pre>{said}</div>'
    image = base64.b64encode(small).decode("ascii")
    alt = escape(shorten(outline(diagram.model).partition("\n")[0], 300))
    width = _width(diagram.svg)
    shown = f'<img src="data:image/svg+xml;base64,{image}" alt="{alt}" width="{width}">'
    return f'<div class="{name} {PLAIN}">{shown}{said}</div>'


class Allowance:
    """So many at once, and then one every so often: a notebook that steps ten thousand times is not told each time.

    >>> allowance = Allowance(2, 0.5)
    >>> [allowance.take(0.0), allowance.take(0.0), allowance.take(0.0), allowance.take(0.6)]
    [True, True, False, True]
    """

    def __init__(self, most: int, every_s: float) -> None:
        self._most, self._every_s = most, every_s
        self._left, self._at = float(most), 0.0

    def take(self, now: float) -> bool:
        """Whether it may be done now, by a clock that nobody sets."""
        self._left = min(self._left + max(now - self._at, 0.0) / self._every_s, float(self._most))
        self._at = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


def _width(svg: str) -> int:
    found = re.match(r'<svg [^>]*?width="(\d+)"', svg)
    return min(int(found[1]) if found else NOTEBOOK_WIDTH, NOTEBOOK_WIDTH)
