"""What a person reads: sentences, tables, JSON. Text from journals is data: no markup, no control characters."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

if TYPE_CHECKING:
    from rich.table import Table

GAP = 2
STYLES = {
    "completed": "green",
    "failed": "red",
    "cancelled": "yellow",
    "in_progress": "cyan",
    "waiting": "magenta",
    "blocked": "magenta",
    "damaged": "bold red",
}
"""Of states."""
_UNLIMITED = 1_000_000
_UNPRINTABLE = re.compile(r"[^\n -~]")


class Cell(NamedTuple):
    """A text and how it looks."""

    text: str
    style: str = ""


class Column(NamedTuple):
    """A column of a table."""

    header: str
    rank: int = 0
    """Where the terminal is too narrow, columns with the highest go first; 0 stays."""
    is_number: bool = False
    folds: bool = False
    """Whether what does not fit goes on in the next line, rather than being cut."""
    least: int = 0
    """The width down to which it may shrink; 0: it does not. One column of a table may."""


def say(message: str) -> None:
    """Tell a person what they need to know, beside the command's answer."""
    _write(sys.stderr, plain(message))


def tell(message: str = "") -> None:
    """Print a line of the command's answer."""
    _write(sys.stdout, plain(message))


def plain(text: str) -> str:
    r"""Return text with everything that does not print as an escape; lines stay lines.

    >>> plain("red\x1b[31m\nnext \u202eline")
    'red\\x1b[31m\nnext \\u202eline'
    """
    return text if text.isprintable() else _UNPRINTABLE.sub(_escaped, text)


def short(text: str, limit: int) -> str:
    r"""Return text as one line, escaped and cut short.

    >>> short("two\nlines", 80), short("x" * 100, 10)
    ('two lines', 'xxxxxxxxx…')
    """
    line = plain(" ".join(text[: limit * 4].split()))
    return line if len(line) <= limit else line[: limit - 1] + "…"


def named(text: str, limit: int = 120) -> str:
    r"""Return an id so that it can be told from others: quoted where it is no plain word.

    >>> named("run 1"), named("run 1 "), named("\x1b[2J")
    ('run 1', "'run 1 '", "'\\x1b[2J'")
    """
    shown = text if text and text.isprintable() and text == text.strip() else repr(text)
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def local_time(seconds: float | None) -> str:
    """Return a moment as the clocks of this place show it."""
    if seconds is None:
        return ""
    try:
        return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M:%S")  # noqa: DTZ006 - local on purpose
    except (ValueError, OverflowError, OSError):
        return f"{seconds:g} s"


def json_text(value: Any, *, indent: int | None = 2) -> str:
    r"""Return plain data as JSON in which what does not print is escaped.

    >>> json_text({"text": "naïve \x7f\u202e"}, indent=None)
    '{"text": "naïve \\u007f\\u202e"}'
    """
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    # JSON's own signs are all printable, so what is not stands within quotes.
    return _UNPRINTABLE.sub(_escaped_for_json, text)


def tell_json(value: Any) -> None:
    """Print plain data as JSON."""
    text = json_text(value)
    if not _takes(sys.stdout, text):
        text = json.dumps(value, indent=2)
    _write(sys.stdout, text)


def table(columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> None:
    """Print a table: as wide as the terminal; into a pipe or a file as wide as it is, so that nothing is cut."""
    from rich.table import Table
    from rich.text import Text

    found = [[Cell(_encodable(plain(cell.text)), cell.style) for cell in row] for row in rows]
    shown, widths = fitted(columns, found, _room())
    has_header = any(columns[at].header for at in shown)
    made = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="bold", show_header=has_header)
    for at, width in zip(shown, widths, strict=True):
        column = columns[at]
        made.add_column(
            column.header,
            justify="right" if column.is_number else "left",
            width=width,
            no_wrap=not column.folds,
            overflow="fold" if column.folds else "ellipsis",
        )
    for row in found:
        if any(row[at].text for at in shown):
            made.add_row(*(Text(row[at].text, style=row[at].style) for at in shown))
    _print(made, sum(widths) + GAP * len(widths))
    hidden = [column.header for at, column in enumerate(columns) if at not in shown]
    if hidden:
        say(f"(Too narrow for: {', '.join(hidden)}. --json has everything.)")


def fitted(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], width: int) -> tuple[list[int], list[int]]:
    """Return which columns have room in a width, and how wide each is."""
    from rich.cells import cell_len

    natural = [
        max([cell_len(column.header), *(cell_len(row[at].text) for row in rows)]) for at, column in enumerate(columns)
    ]
    shown = list(range(len(columns)))
    while True:
        over = sum(natural[at] for at in shown) + GAP * (len(shown) - 1) - width
        spare = sum(max(natural[at] - columns[at].least, 0) for at in shown if columns[at].least)
        last = max(shown, key=lambda at: (columns[at].rank, at))
        if over <= spare or not columns[last].rank:
            break
        shown.remove(last)
    widths = {at: natural[at] for at in shown}
    for at in shown:
        if columns[at].least and over > 0:
            widths[at] = max(natural[at] - over, min(natural[at], 8))
    return shown, [widths[at] for at in shown]


def _room() -> int:
    is_bounded = sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit()  # which `watch` sets, for example
    return max(shutil.get_terminal_size().columns, 30) if is_bounded else _UNLIMITED


def _print(made: Table, width: int) -> None:
    from rich.console import Console

    console = Console(
        file=sys.stdout,
        force_terminal=sys.stdout.isatty(),
        force_jupyter=False,
        highlight=False,
        markup=False,
        emoji=False,
        width=width,
    )
    with console.capture() as capture:
        console.print(made)
    for line in capture.get().splitlines():
        sys.stdout.write(f"{line.rstrip()}\n")


def _write(stream: TextIO, text: str) -> None:
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")


def _takes(stream: TextIO, text: str) -> bool:
    try:
        text.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _encodable(text: str) -> str:
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    return character if character.isprintable() else repr(character)[1:-1]


def _escaped_for_json(found: re.Match[str]) -> str:
    character = found[0]
    return character if character.isprintable() else json.dumps(character)[1:-1] if character != "\x7f" else "\\u007f"
