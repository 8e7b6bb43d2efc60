"""Fill the page of the command line: a line `<!-- command line -->` becomes every command with its help."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from orchestration_kit.cli import program

if TYPE_CHECKING:
    from sphinx.application import Sphinx

MARK = "<!-- command line -->"
COLUMNS = 100


class Formatter(argparse.HelpFormatter):
    """Help at one width, whatever the terminal of whoever builds the site."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=COLUMNS, max_help_position=32)


def commands(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Give a parser, and those of the commands below it."""
    yield parser
    for action in parser._actions:  # noqa: SLF001  argparse has no public way to ask
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for below in action.choices.values():
                yield from commands(below)


def section(parser: argparse.ArgumentParser) -> str:
    """Return the Markdown of one command."""
    parser.formatter_class = Formatter
    depth = "##" if len(parser.prog.split()) < 3 else "###"
    text = re.sub(r"^usage: ", "", parser.format_help())
    return f"{depth} `{parser.prog}`\n\n```text\n{text.rstrip()}\n```\n"


def fill(_app: Sphinx, _docname: str, source: list[str]) -> None:
    """Replace the mark of the page."""
    if MARK in source[0]:
        text = "\n".join(section(parser) for parser in commands(program._parser()))  # noqa: SLF001
        source[0] = source[0].replace(MARK, text)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("source-read", fill, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
