"""Mermaid's text becomes a chart, character by character. Nothing in it does anything; what is wrong names its line.

The language: https://mermaid.js.org/syntax/flowchart.html
"""

from __future__ import annotations

import re
from bisect import bisect_right

from orchestration_kit.interchange.errors import MermaidError
from orchestration_kit.interchange.mermaid_chart import Chart, ChartEdge, ChartGroup, ChartNode, Stroke, decoded

MAX_CHARACTERS = 500_000
MAX_TEXT = 100_000
"""Characters of one text, entities as they are written."""
MAX_NODES, MAX_EDGES, MAX_GROUPS, MAX_NESTING = 1_000, 5_000, 500, 16

_SHAPES = (
    ("(((", (")))",)), ("((", ("))",)), ("([", ("])",)), ("[(", (")]",)), ("[[", ("]]",)), ("[/", ("/]", "\\]")),
    ("[\\", ("\\]", "/]")), ("{{", ("}}",)), ("[", ("]",)), ("(", (")",)), ("{", ("}",)), (">", ("]",)),
)  # fmt: skip
_ID = re.compile(r"(?:[^\s\[\](){}<>|;&@,:\"~=%-]|-(?![-.>])|=(?!=)|:(?!::)|%(?!%))+")
_LINK = re.compile(r"[<xo]?(?:(--+[->xo])|(==+[=>xo])|(-\.+-[>xo]?)|(~~~+))")
_OPEN = re.compile(r"[<xo]?(--|==|-\.)")
_CLOSE = {"--": re.compile(r"--+[->xo]"), "==": re.compile(r"==+[=>xo]"), "-.": re.compile(r"\.+-[>xo]?")}
_EDGE_ID = re.compile(r"[\w-]+@(?=[-=.~<xo])")
_BLANK = re.compile(r"[ \t]+")
_SPACE = re.compile(r"\s+")
_BETWEEN = re.compile(r"[\s;]+")
_HEAD = re.compile(r"(?:flowchart-elk|flowchart|graph)\b[ \t]*(?:TB|TD|BT|RL|LR|[<>^v])?[ \t]*(?=;|\n|%%|$)")
_WORD = re.compile(r"(subgraph|end|direction|classDef|class|style|linkStyle|click|href|accTitle|accDescr)(?![\w@-])")
_DRAWING = frozenset({"direction", "classDef", "style", "linkStyle"})
_FIELD = re.compile(r'(\w+)\s*:\s*(?:"([^"]*)"|([^,}]*))')


def parse_chart(text: str) -> Chart:
    r"""Return what a flowchart says.

    >>> chart = parse_chart('graph TD\n  a["Draft"] -->|ok| b & c')
    >>> [(edge.source, edge.target, edge.label) for edge in chart.edges]
    [('a', 'b', 'ok'), ('a', 'c', 'ok')]

    Raises:
        MermaidError: it is no flowchart, or over a cap; the line says where.
    """
    if len(text) > MAX_CHARACTERS:
        hint = f"At most {MAX_CHARACTERS:,} are read."
        raise MermaidError(1, f"the text has {len(text):,} characters", hint)
    return _Parser(text.replace("\r\n", "\n").replace("\r", "\n")).parse()


class _Parser:
    """One pass over the text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.breaks = [found.start() for found in re.finditer("\n", text)]
        self.chart = Chart()
        self.open: list[str] = []
        """The groups around the place that is read."""

    def parse(self) -> Chart:
        self._front_matter()
        self._between()
        if self._take(_HEAD) is None:
            first = self.text[self.at :].split(maxsplit=1)[:1]
            found = f"it begins with {first[0]!r:.40}" if first else "it is empty"
            raise self._refuse(f"this is no flowchart, {found}", "It begins with, for example: flowchart TD")
        while self._between():
            self._statement()
        if self.open:
            group = self.chart.groups[self.open[-1]]
            raise MermaidError(group.line, f"subgraph {group.name!r:.60} is never closed", "Write end after it.")
        return self.chart

    def _statement(self) -> None:
        word = _WORD.match(self.text, self.at)
        if word is None or self._is_arrow(word.end()):
            self._chain()
            return
        self.at = word.end()
        match word[1]:
            case "subgraph":
                self._subgraph()
            case "end":
                if not self.open:
                    raise self._refuse("this end closes nothing", "Write it once for each subgraph.")
                self.open.pop()
            case "class":
                *names, kind = self._rest().replace(",", " ").split() or [""]
                for name in names:
                    self._node(name).classes.add(kind)
            case "accTitle":
                self.chart.title = decoded(self._rest().lstrip(": "))
            case "accDescr":
                self.chart.description = self._told()
            case drawing if drawing in _DRAWING:
                self._rest()
            case other:
                self.chart.ignored.append((self._line(), other))
                self._rest()

    def _is_arrow(self, at: int) -> bool:
        """Whether an arrow or a shape follows: then a word is the name of a node after all."""
        blank = _BLANK.match(self.text, at)
        at = blank.end() if blank else at
        return _LINK.match(self.text, at) is not None or (blank is None and self.text[at : at + 1] in ("[", "(", "{"))

    def _chain(self) -> None:
        sources = self._nodes()
        while (found := self._link()) is not None:
            stroke, both, label = found
            targets = self._nodes()
            for source in sources:
                for target in targets:
                    if stroke is None:
                        continue
                    self._edge(source, target, stroke, label)
                    if both:
                        self._edge(target, source, stroke, label)
            sources = targets
        self._blank()
        if self.at < len(self.text) and self.text[self.at] not in ";\n" and not self.text.startswith("%%", self.at):
            near = self.text[self.at :].split("\n", 1)[0]
            raise self._refuse(
                f"{near!r:.60} does not go on after {sources[-1]!r:.60}", 'Write an arrow such as --> or -->|"label"|.'
            )

    def _edge(self, source: str, target: str, stroke: Stroke, label: str | None) -> None:
        if len(self.chart.edges) >= MAX_EDGES:
            raise self._refuse(f"there are more than {MAX_EDGES:,} arrows", "Import it in parts.")
        self.chart.edges.append(ChartEdge(source, target, stroke, label, self._line()))

    def _nodes(self) -> list[str]:
        names = [self._one_node()]
        while True:
            self._blank()
            if not self.text.startswith("&", self.at):
                return names
            self.at += 1
            names.append(self._one_node())

    def _one_node(self) -> str:
        self._take(_SPACE)
        found = self._take(_ID)
        if found is None:
            near = self.text[self.at :].split("\n", 1)[0]
            raise self._refuse(
                f"a node is missing before {near!r:.60}" if near else "a node is missing at the end",
                'A node has a name and may have a text: draft["Write a draft"].',
            )
        node = self._node(found[0])
        for opening, closings in _SHAPES:
            if self.text.startswith(opening, self.at):
                self.at += len(opening)
                node.shape, node.text = opening, self._text_until(closings, f"the text of node {node.name!r:.40}")
                break
        if self.text.startswith("@{", self.at):
            self._fields(node)
        while self.text.startswith(":::", self.at):
            self.at += 3
            if (named := self._take(_ID)) is not None:
                node.classes.add(named[0])
        return node.name

    def _node(self, name: str) -> ChartNode:
        if name in self.chart.groups:
            return ChartNode(name, self._line())  # an arrow to a subgraph makes no node
        node = self.chart.nodes.get(name)
        if node is None:
            if len(self.chart.nodes) >= MAX_NODES:
                raise self._refuse(f"there are more than {MAX_NODES:,} nodes", "Import it in parts.")
            node = self.chart.nodes[name] = ChartNode(name, self._line())
        if node.group is None and self.open:
            node.group = self.open[-1]
        return node

    def _fields(self, node: ChartNode) -> None:
        end = re.compile(r'(?:[^"}]|"[^"]*")*\}').match(self.text, self.at + 2)
        if end is None:
            raise self._refuse(f"@{{ of node {node.name!r:.40} is never closed", "Write } after it.")
        for found in _FIELD.finditer(end[0]):
            value = (found[2] if found[2] is not None else found[3]).strip()
            if found[1] == "label":
                node.text = value
            elif found[1] == "shape":
                node.shape = {"stadium": "([", "circle": "((", "diam": "{", "rounded": "("}.get(
                    value, node.shape or "["
                )
        self.at = end.end()

    def _link(self) -> tuple[Stroke | None, bool, str | None] | None:
        """Read an arrow: how it is drawn (None: not at all), whether it has two heads, its label."""
        self._blank()
        if (named := _EDGE_ID.match(self.text, self.at)) is not None:
            self.at = named.end()
        begins = self.at
        label: str | None = None
        found = self._take(_LINK)
        if found is not None:
            stroke: Stroke | None = "solid" if found[1] else "thick" if found[2] else "dotted" if found[3] else None
        else:
            opening = self._take(_OPEN)
            if opening is None:
                self.at = begins
                return None
            label, found = self._label_until(_CLOSE[opening[1]])
            stroke = {"--": "solid", "==": "thick", "-.": "dotted"}[opening[1]]  # pyright: ignore[reportAssignmentType]
        both = self.text[begins] == "<" and found[0].endswith(">")
        self._blank()
        if self.text.startswith("|", self.at):
            self.at += 1
            label = self._text_until(("|",), "the label of an arrow")
        return stroke, both, label

    def _label_until(self, closing: re.Pattern[str]) -> tuple[str, re.Match[str]]:
        self._blank()
        quoted = re.compile(r'"([^"]*)"').match(self.text, self.at)
        start = quoted.end() if quoted else self.at
        stop = self.text.find("\n", start)
        end = closing.search(self.text, start, len(self.text) if stop < 0 else stop)
        if end is None:
            raise self._refuse("this arrow has no end", "Write -- text -->, or -->|text|.")
        label = quoted[1] if quoted else self.text[start : end.start()].strip()
        self.at = end.end()
        return label, end

    def _text_until(self, closings: tuple[str, ...], what: str) -> str:
        quoted = re.compile(r'\s*"([^"]*)"\s*').match(self.text, self.at)
        if quoted is not None and self.text.startswith(closings, quoted.end()):
            self.at = quoted.end() + len(next(one for one in closings if self.text.startswith(one, quoted.end())))
            return quoted[1]
        stop = self.text.find("\n", self.at, self.at + MAX_TEXT)
        stop = self.at + MAX_TEXT if stop < 0 else stop
        end = re.compile("|".join(map(re.escape, closings))).search(self.text, self.at, stop)  # no further than needed
        if end is None:
            raise self._refuse(f"{what} is never closed", f"Write {closings[0]} after it, and quotes around it.")
        text = self.text[self.at : end.start()]
        self.at = end.end()
        return text.strip()

    def _subgraph(self) -> None:
        line = self._line()
        self._blank()
        quoted = re.compile(r'"([^"\n]*)"').match(self.text, self.at)
        if quoted is not None:
            self.at = quoted.end()
            name = title = quoted[1]
        else:
            found = self._take(_ID)
            name = title = found[0] if found else f"group {len(self.chart.groups) + 1}"
            self._blank()
            if self.text.startswith("[", self.at):
                self.at += 1
                title = self._text_until(("]",), f"the title of subgraph {name!r:.40}")
            elif rest := self._rest().strip():
                name = title = f"{name} {rest}"
        if len(self.open) >= MAX_NESTING or len(self.chart.groups) >= MAX_GROUPS:
            raise self._refuse(
                f"there are more than {MAX_GROUPS} subgraphs, or more than {MAX_NESTING} within one another",
                "Import it in parts.",
            )
        if name in self.chart.groups:
            raise self._refuse(
                f"there are two subgraphs {name!r:.60}", 'Give each its own name: subgraph one["Title"].'
            )
        self.chart.groups[name] = ChartGroup(name, title, line, self.open[-1] if self.open else None)
        self.chart.nodes.pop(name, None)  # an arrow named it before it was opened
        self.open.append(name)

    def _told(self) -> str:
        self._blank()
        if not self.text.startswith("{", self.at):
            return decoded(self._rest().lstrip(": "))
        end = self.text.find("}", self.at)
        if end < 0:
            raise self._refuse("accDescr { is never closed", "Write } after it.")
        told = " ".join(self.text[self.at + 1 : end].split())
        self.at = end + 1
        return told

    def _front_matter(self) -> None:
        found = re.compile(r"\s*---[ \t]*\n(.*?)\n---[ \t]*(?:\n|$)", re.DOTALL).match(self.text)
        if found is not None:
            title = re.search(r"^title:[ \t]*(\S.*)$", found[1], re.MULTILINE)
            self.chart.title = title[1].strip("\"' \t") if title else ""
            self.at = found.end()

    def _between(self) -> bool:
        """Skip what stands between statements; return whether there is more."""
        while True:
            self._take(_BETWEEN)
            if self.text.startswith("%%{", self.at):
                end = self.text.find("}%%", self.at)
                if end < 0:
                    raise self._refuse("this directive is never closed", "Write }%% after it, or leave it out.")
                self.at = end + 3
            elif self.text.startswith("%%", self.at):
                self.at += 2
                self.chart.comments.append(self._line_rest())
            else:
                return self.at < len(self.text)

    def _rest(self) -> str:
        """Return the rest of a statement: to the end of the line, or to a semicolon that ends no entity."""
        found = re.compile(r'(?:"[^"\n]*"|#\w+;|[^\n;])*').match(self.text, self.at)
        assert found is not None  # noqa: S101 - it matches nothing, too
        self.at = found.end()
        return found[0]

    def _line_rest(self) -> str:
        end = self.text.find("\n", self.at)
        end = len(self.text) if end < 0 else end
        rest, self.at = self.text[self.at : end], end
        return rest.strip()

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self.text, self.at)
        if found is not None:
            self.at = found.end()
        return found

    def _blank(self) -> None:
        self._take(_BLANK)

    def _line(self) -> int:
        return bisect_right(self.breaks, self.at - 1) + 1 if self.at else 1

    def _refuse(self, reason: str, hint: str) -> MermaidError:
        return MermaidError(self._line(), reason, hint)
