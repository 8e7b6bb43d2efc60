"""`doctor`: says what is installed, what is missing, and what is broken, and how to mend it. Asks no network.

```text
doctor_packages.py   Python, this package and its extras
doctor_around.py     the renderer, notebooks, keys of language models, the folder
doctor_journal.py    a journal: does it open, is it whole, who drives its runs
  -> findings -> a table, or JSON; doctor_report.py: in a notebook
```
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from orchestration_kit.cli.doctor_around import folder_findings, key_findings, notebook_findings, renderer_findings
from orchestration_kit.cli.doctor_journal import journal_findings
from orchestration_kit.cli.doctor_packages import Finding, package_findings
from orchestration_kit.cli.doctor_report import Examination
from orchestration_kit.cli.options import DEFAULT_JOURNAL
from orchestration_kit.cli.terminal import Cell, Column, short, table, tell, tell_json

_STYLES = {"ok": "green", "missing": "dim", "note": "yellow", "broken": "bold red"}
_COLUMNS = (Column("area", rank=1), Column("what"), Column("state"), Column("found", folds=True, least=24))


def examine(arguments: argparse.Namespace) -> int:
    """Print what was found; 1 where something is broken, which a missing extra is not."""
    seen = doctor(arguments.journal)
    if arguments.json:
        tell_json({"is_sound": seen.is_sound, "findings": [one._asdict() for one in seen.findings]})
        return int(not seen.is_sound)
    table(_COLUMNS, [_row(one) for one in seen.findings])
    for title, found in seen.to_mend():
        tell(f"\n{title}:")
        for one in found:
            tell(f"  {one.what}: {one.fix}")
    tell(f"\n{seen.verdict}")
    return int(not seen.is_sound)


def doctor(journal: Path | str | None = None) -> Examination:
    """Say what is installed, what is missing, and what is broken, and how to mend it. Asks no network.

    >>> from orchestration_kit import doctor
    >>> found = doctor()  # in a notebook: what to do, and commands to copy
    >>> found.to_frame()["what"][0]
    'Python'

    Args:
        journal: The file of a journal that is looked into as well; without it, `runs.db`, if it is here.
    """
    return Examination(tuple(findings(None if journal is None else Path(journal))))


def findings(journal: Path | None = None) -> Iterator[Finding]:
    """Yield what is found of this installation, and of a journal: the one that is named, or `runs.db` if it is here.

    >>> next(findings()).what
    'Python'
    """
    yield from package_findings()
    yield from renderer_findings()
    yield from notebook_findings()
    yield from key_findings()
    yield from folder_findings(Path.cwd())
    if journal is not None or DEFAULT_JOURNAL.exists():
        yield from journal_findings(journal or DEFAULT_JOURNAL)


def _row(one: Finding) -> list[Cell]:
    state = Cell(one.state, _STYLES[one.state])
    return [Cell(one.area, "dim"), Cell(one.what), state, Cell(short(one.found, 400))]
