"""What runs wait for, in words: approvals, events, times, and how each is answered. Nothing is answered here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from orchestration_kit.cli.exporting import iso
from orchestration_kit.cli.terminal import Cell, Column, json_text, local_time, named, short, table, tell
from orchestration_kit.engine.asking import Request
from orchestration_kit.history.texts import short_text
from orchestration_kit.journal import codec

HASH_SHOWN = 12
"""So many characters of a question's hash are shown, and enough to name it."""
_DETAILED = 20
"""So many questions are shown in full."""
_LONGEST = 2_000
_PARTS = (Column(""), Column("", folds=True, least=20))


def described(question: Request) -> dict[str, Any]:
    """Return a question as plain data."""
    fields = asdict(question) | {"asked_at": iso(question.asked_at)}
    fields["deadline"] = None if question.deadline is None else iso(question.deadline)
    return fields | {"shown": codec.encode(question.shown, "what is shown")}


def tell_questions(questions: Sequence[Request], journal: Path | None) -> None:
    """Print questions with all that is shown with them, and how each is answered.

    Args:
        questions: What is asked.
        journal: As the command line named it: so do the commands that are told.
    """
    for question in questions[:_DETAILED]:
        tell()
        table(_PARTS, _parts(question, journal))
    if len(questions) > _DETAILED:
        tell(f"\n... and {len(questions) - _DETAILED:,} more. `orchestration-kit runs waiting --json` has them all.")


def _parts(question: Request, journal: Path | None) -> Iterator[tuple[Cell, Cell]]:
    where = f"{named(question.path, 200)} of run {named(question.run_id, 200)}"
    yield Cell("waits", "dim"), Cell(where, "bold")
    yield Cell("for", "dim"), Cell(wording(question))
    if question.kind == "approval":
        for name, value in question.shown.items():
            yield Cell(short(name, 60), "dim"), Cell(short_text(value, _LONGEST))
    if question.schema is not None:
        yield Cell("schema", "dim"), Cell(short(json_text(question.schema, indent=None), _LONGEST))
    yield Cell("since", "dim"), Cell(local_time(question.asked_at))
    if question.deadline is not None:
        yield Cell("until", "dim"), Cell(local_time(question.deadline))
    for label, command in _answers(question, journal):
        yield Cell(label, "dim"), Cell(command, "cyan")


def wording(question: Request) -> str:
    """Return what is asked or waited for, in words."""
    what = short(question.prompt or f"(an {question.kind}; its wording is in code that is not on record)", _LONGEST)
    return f"time: {what}" if question.kind == "time" else what


def _answers(question: Request, journal: Path | None) -> Iterator[tuple[str, str]]:
    run = shell_word(question.run_id) + of_journal(journal)
    which = f"--request {question.hash[:HASH_SHOWN]}"
    if question.kind == "approval":
        value = "" if question.schema in (None, {"type": "boolean"}) else " --value JSON"
        yield "yes", f"orchestration-kit runs approve {run} {which}{value}"
        yield "no", f"orchestration-kit runs reject {run} {which} --reason WHY"
    elif question.kind == "event":
        name = "EVENT" if question.event is None else shell_word(question.event)
        yield "send", f"orchestration-kit runs send {run} {name} --payload JSON"


def shell_word(text: str) -> str:
    """Return text as one word of a shell, without what does not print.

    >>> shell_word("r1/ship#1"), shell_word("run 1")
    ("'r1/ship#1'", "'run 1'")
    """
    import shlex

    return shlex.quote(named(text, 200))


def of_journal(path: Path | None) -> str:
    """Return the option that names a journal, for a command that can be copied; nothing for the default one.

    >>> of_journal(Path("my runs.db")), of_journal(None)
    (" --journal 'my runs.db'", '')
    """
    return "" if path is None else f" --journal {shell_word(str(path))}"


def fitting(questions: Iterable[Request], which: str | None) -> list[Request]:
    """Return the questions that a person names: by position, by hash or its beginning; all where none is named."""
    found = list(questions)
    if which is None:
        return found
    named_so = [one for one in found if which in (one.path, one.hash, one.step)]
    is_hash = len(which) >= HASH_SHOWN // 2 and all(digit in "0123456789abcdef" for digit in which)
    return named_so or [one for one in found if is_hash and one.hash.startswith(which)]
