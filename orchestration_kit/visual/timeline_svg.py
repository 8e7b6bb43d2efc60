"""A matplotlib figure becomes one short `<svg>` element that is safe inside a page.

Matplotlib writes six decimals, a group around each line, a font on each word. Here what a reader cannot see is taken
out of that; what is drawn stays as it is.
"""

from __future__ import annotations

import io
import re
import warnings
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any, cast

from orchestration_kit.visual.svg import FONT
from orchestration_kit.visual.text import clean
from orchestration_kit.visual.timeline_figure import plain_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NUMBER = re.compile(r"-?\d+\.\d+(?![\d.]*e)")
_FONT_OF = re.compile(r" *font-family:[^;]*;?")
_RECTANGLE = re.compile(r"M(\S+) (\S+)L(\S+) \2L\3 (\S+)L\1 \4(?:L\1 \2)?z")
_AROUND = re.compile(r"\s*([A-Za-z,:;])\s*")
_XLINK = "http://www.w3.org/1999/xlink"
_MEASURES = ("d", "x", "y", "transform", "width", "height", "viewBox")


def svg_of(figure: Figure, description: str) -> str:
    """Return a figure as one `<svg>` element: text as text, no date, the same ids each time.

    The style sheet that matplotlib writes is dropped: inside a notebook it would apply to the whole page.
    """
    with plain_style(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a glyph that this machine's font lacks: the reader's has it
        file = io.StringIO()
        cast("Any", figure).savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    head, body = text[text.index("<svg") :].split(">", 1)
    # Without its namespace, names are plain; it is put back below.
    root = ET.fromstring(f'<svg xmlns:xlink="{_XLINK}">{body}')  # noqa: S314 - written by matplotlib just now
    for name in ("width", "height", "viewBox"):
        found = re.search(rf' {name}="([^"]*)"', head)
        root.set(name, found[1] if found else "")
    _shorten(root)
    title, about = ET.Element("title"), ET.Element("desc")
    title.text, about.text = "Timeline of a run", clean(description)
    root[:0] = [title, about]
    looks = {
        "xmlns": "http://www.w3.org/2000/svg", "xmlns:xlink": _XLINK, "role": "img",
        "font-family": FONT, "stroke-linejoin": "round", "stroke-linecap": "butt",
    }  # fmt: skip
    for name, value in looks.items():
        root.set(name, value)
    return ET.tostring(root, encoding="unicode")


def _shorten(root: ET.Element) -> None:
    """Take out of a figure what cannot be seen."""
    used = set(re.findall(r"#(\w+)", " ".join(value for one in root.iter() for value in one.attrib.values())))
    for element in root.iter():
        if element.tag not in ("text", "tspan"):
            element.text = None
        element.tail = None
        if (link := element.attrib.pop(f"{{{_XLINK}}}href", None)) is not None:
            element.set("xlink:href", link)
        if element.get("id") not in used:
            element.attrib.pop("id", None)
        for name in _MEASURES:
            if name in element.attrib:
                element.set(name, _measure(element.attrib[name]))
        if element.get("transform", "").startswith("rotate(-0 "):
            del element.attrib["transform"]
        if style := element.get("style"):
            element.set("style", _AROUND.sub(r"\1", _FONT_OF.sub("", style)))
    for parent in reversed(list(root.iter())):  # from the inside to the outside
        parent[:] = [one for child in parent for one in _unwrapped(child)]
        _share_style(parent)


def _unwrapped(element: ET.Element) -> list[ET.Element]:
    """What stands for an element: nothing, its children, or itself."""
    if element.tag in ("metadata", "style") or (element.tag in ("g", "defs") and not len(element)):
        return []
    return list(element) if element.tag == "g" and not element.attrib else [element]


def _share_style(parent: ET.Element) -> None:
    """What all uses in a group look like is said once."""
    styles = {child.get("style") for child in parent}
    (style, *others) = styles or {None}
    if parent.tag == "g" and style and not others and len(parent) > 1 and not parent.get("style"):
        parent.set("style", style)
        for child in parent:
            del child.attrib["style"]


def _measure(text: str) -> str:
    r"""Numbers with one decimal, and rectangles as such.

    >>> _measure("M 1.26 2 \nL 3 2 \nL 3 4.04 \nL 1.26 4.04 \nz \n")
    'M1.3 2H3V4H1.3z'
    """
    text = _AROUND.sub(r"\1", _NUMBER.sub(lambda found: _decimal(found[0]), text)) if text[:1] == "M" else text
    text = _NUMBER.sub(lambda found: _decimal(found[0]), text)
    return _RECTANGLE.sub(r"M\1 \2H\3V\4H\1z", text).strip()


def _decimal(number: str) -> str:
    short = f"{float(number):.1f}".removesuffix(".0")
    return "0" if short == "-0" else short
