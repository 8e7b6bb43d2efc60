"""`explain`: what an error means, and what helps. The same texts are the page of errors in the documentation."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from importlib.resources import files
from textwrap import indent
from typing import NamedTuple

from orchestration_kit.cli.terminal import say, tell
from orchestration_kit.errors import did_you_mean

PARTS = ("definition", "problems", "runs", "attempts", "workers", "records", "deciding", "missing")
"""Files of `explained/`, in the order of the page."""
_ENTRY = re.compile(
    r"^## ([\w-]+)\n\n\*\*Cause\.\*\* (.+?)\n\n\*\*Remedy\.\*\* (.+?)\n\n```text\n(.+?)\n```$", re.MULTILINE | re.DOTALL
)


class Entry(NamedTuple):
    """What is said of one class of errors, or of one kind of problem that the checks find."""

    name: str
    part: str
    cause: str
    remedy: str
    example: str
    """As a traceback ends, or as the history has it: the class, and its message. Of a base, one of its subclasses."""


def entries() -> Iterator[Entry]:
    """Yield what is said of every class of errors and every kind of problem.

    >>> next(entry.remedy for entry in entries() if entry.name == "MissingPlotExtra")
    "`pip install 'orchestration-kit[plot]'`."
    """
    folder = files("orchestration_kit.cli") / "explained"
    for part in PARTS:
        text = (folder / f"{part}.md").read_text(encoding="utf-8")
        title = text.partition("\n")[0].removeprefix("# ")
        for name, cause, remedy, example in _ENTRY.findall(text):
            yield Entry(name, title, cause, remedy, example)


def explain(arguments: argparse.Namespace) -> int:
    """Print what an error means and what helps; without a name, the names. 1 where there is no such error."""
    known = {entry.name: entry for entry in entries()}
    if arguments.name is None:
        part = ""
        for entry in known.values():
            if entry.part != part:
                tell(f"\n{entry.part}:" if part else f"{entry.part}:")
                part = entry.part
            tell(f"  {entry.name}")
        return 0
    name = arguments.name.rpartition(".")[2].rstrip(":")  # as a traceback has it
    entry = known.get(name) or next((one for one in known.values() if one.name.lower() == name.lower()), None)
    if entry is None:
        near = did_you_mean(name, known)
        say(f"orchestration-kit: No error {name!r} is of this package.{near} Without a name, all are listed.")
        return 1
    tell(
        f"{entry.name}\n\nCause: {entry.cause}\n\nRemedy: {entry.remedy}\n\nFor example:\n{indent(entry.example, '  ')}"
    )
    return 0
