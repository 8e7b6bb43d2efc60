"""Reads HTML into a small tree that knows on which line each element starts.

The tree is for checks of content; whether the markup is correct is decided by html5lib.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_VOID = frozenset(
    (
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
    )
)
_SILENT = frozenset({"script", "style", "template"})


@dataclass(slots=True, eq=False)
class Element:
    """One element: its attributes in lower case, its children, and the text directly in it."""

    tag: str
    attributes: dict[str, str]
    line: int
    parent: Element | None = None
    children: list[Element] = field(default_factory=list["Element"])
    own_text: str = ""

    @property
    def classes(self) -> list[str]:
        """The words of its class attribute."""
        return self.attributes.get("class", "").split()

    def walk(self) -> Iterator[Element]:
        """Yield this element and all below it, in document order."""
        yield self
        for child in self.children:
            yield from child.walk()

    def find_all(self, *tags: str) -> list[Element]:
        """Return the elements with one of the tags, in document order."""
        return [element for element in self.walk() if element.tag in tags]

    def text(self) -> str:
        """Return all text in it, including text alternatives of pictures, on one line."""
        parts = [element.own_text for element in self.walk() if element.tag not in _SILENT]
        parts += [image.attributes.get("alt", "") for image in self.find_all("img")]
        return " ".join(" ".join(parts).split())

    def above(self) -> Iterator[Element]:
        """Yield its ancestors, the nearest first."""
        element = self.parent
        while element is not None:
            yield element
            element = element.parent


class _TreeReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("#document", {}, 1)
        self._open = self.root

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = self._add(tag, attrs)
        if tag not in _VOID:
            self._open = element

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._add(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        for element in (self._open, *self._open.above()):
            if element.tag == tag and element.parent is not None:
                self._open = element.parent
                return

    def handle_data(self, data: str) -> None:
        self._open.own_text += data

    def _add(self, tag: str, attrs: list[tuple[str, str | None]]) -> Element:
        attributes: dict[str, str] = {}
        for name, value in attrs:
            attributes.setdefault(name.lower(), value or "")
        element = Element(tag, attributes, self.getpos()[0], self._open)
        self._open.children.append(element)
        return element


def read_document(html: str) -> Element:
    """Return the root of the tree of a page."""
    reader = _TreeReader()
    reader.feed(html)
    reader.close()
    return reader.root
