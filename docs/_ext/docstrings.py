"""Turn a docstring, which is written in Markdown's way, into reStructuredText. Pure text, no Sphinx.

Fences become code blocks, tables list-tables, lists of columns and of errors bullets. What stands in single backquotes
stays there if it may be a name (the default role makes a link of it), and is a literal else. `Args` and `Returns` are
napoleon's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

FENCE = re.compile(r"^( *)```(\w*)$")
CODE = re.compile(r"(:[a-z:]+:)?(?<![`\\])`([^`]+)`(?!`)")
NAME = re.compile(r"[A-Za-z_][\w.]*(?:\(\))?")
HEADER = re.compile(r"^(Columns\b.*|Raises):$")


def to_rst(lines: list[str]) -> list[str]:
    """Return the lines of a docstring as reStructuredText."""
    out: list[str] = []
    for block in blocks(lines):
        first = block[0].strip()
        if FENCE.match(block[0]):
            out += code_block(block)
        elif first.startswith(">>>"):
            out += block
        elif found := HEADER.match(block[0]):
            out += section(found[1], block[1:])
        elif first.startswith("|"):
            out += table(block)
        else:
            out += spaced_lists(inline("\n".join(block)).split("\n"))
        out.append("")
    return out


def blocks(lines: list[str]) -> Iterator[list[str]]:
    """Give the parts between empty lines; a fence is one part, whatever is in it."""
    part: list[str] = []
    fenced = False
    for line in lines:
        if FENCE.match(line):
            if not fenced and part:
                yield part
                part = []
            part.append(line)
            if fenced:
                yield part
                part = []
            fenced = not fenced
        elif fenced or line.strip():
            part.append(line)
        elif part:
            yield part
            part = []
    if part:
        yield part


def code_block(block: list[str]) -> list[str]:
    """Return a fence as a block of code."""
    _, indent, language, _ = FENCE.split(block[0])
    return ["", f"{indent}.. code-block:: {language or 'text'}", "", *(f"   {line}" for line in block[1:-1]), ""]


def items(lines: list[str]) -> list[str]:
    """Return the entries of a section, each in one line: what is indented further goes on."""
    base = min((len(line) - len(line.lstrip()) for line in lines), default=0)
    found: list[str] = []
    for line in lines:
        if line[base : base + 1] == " " and found:
            found[-1] += f" {line.strip()}"
        else:
            found.append(line.strip())
    return found


def section(title: str, lines: list[str]) -> list[str]:
    """Return a section as a list, with its title above."""
    bullets = [error(item) if title == "Raises" else item for item in items(lines)]
    return [f".. rubric:: {title}", "", *(f"- {inline(item)}" for item in bullets)]


def error(item: str) -> str:
    """Return one entry of `Raises`, its errors as links."""
    names, colon, rest = item.partition(":")
    if not colon or not all(NAME.fullmatch(name.strip()) for name in names.split(",")):
        return item
    return ", ".join(f":py:exc:`{name.strip()}`" for name in names.split(",")) + f":{rest}"


def table(block: list[str]) -> list[str]:
    """Return a table with a row of heads."""
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in block]
    rows = [row for row in rows if not all(set(cell) <= {"-", ":"} for cell in row)]
    out = [".. list-table::", "   :header-rows: 1", ""]
    for row in rows:
        out += [f"   {'* -' if at == 0 else '  -'} {inline(cell)}" for at, cell in enumerate(row)]
    return out


def inline(text: str) -> str:
    """Return text whose code is code: a name in single backquotes, anything else in two."""

    def one(found: re.Match[str]) -> str:
        if found[1]:  # a role: it is reStructuredText already
            return found[0]
        code = " ".join(found[2].split())
        return f"`{code}`" if NAME.fullmatch(code) else f"``{code}``"

    return CODE.sub(one, text)


def spaced_lists(lines: list[str]) -> list[str]:
    """Give a list the empty line before it that reStructuredText asks for."""
    out: list[str] = []
    for line in lines:
        starts = re.match(r" *(- |\d+\. )", line)
        if starts and out and out[-1].strip() and not re.match(r" *(- |\d+\. |  )", out[-1]):
            out.append("")
        out.append(line)
    return out
