"""What runs on record wait for: approvals, events, times. Read from the journal; nothing is answered or run here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from orchestration_kit.cli.exporting import iso
from orchestration_kit.cli.terminal import Cell, Column, json_text, local_time, named, short, table, tell
from orchestration_kit.engine.asking import Request
from orchestration_kit.engine.events import Answered, AttemptFinished, WaitStarted
from orchestration_kit.engine.inner import step_of
from orchestration_kit.engine.orchestrator import Orchestrator
from orchestration_kit.errors import UnknownWorkflow
from orchestration_kit.history.texts import short_text
from orchestration_kit.journal import codec
from orchestration_kit.journal.loading import LoadedRun, load_run
from orchestration_kit.journal.port import Journal, RunQuery, StoredRun

HASH_SHOWN = 12
"""So many characters of a question's hash are shown, and enough to name it."""
_DETAILED = 20
"""So many questions are shown in full."""
_LONGEST = 2_000
_PARTS = (Column(""), Column("", folds=True, least=20))


def questions_of(journal: Journal, stored: StoredRun) -> list[Request]:
    """Return what a run itself waits for, in the order of the workflow.

    Raises:
        JournalError: it cannot be read.
    """
    run_id = stored.facts.run_id
    if stored.standing.finished_at is not None:
        return []
    try:
        run = Orchestrator(journal=journal).get_run(run_id)
    except UnknownWorkflow:  # it holds Python callables: what was asked is on record, its wording is not
        return _as_recorded(load_run(journal, run_id))
    return [one for one in run.waiting if one.run_id == run_id]


def runs_within(journal: Journal, run_id: str) -> list[StoredRun]:
    """Return the runs of a run's sub-workflows, and theirs, in the order in which they began."""
    found: list[StoredRun] = []
    for run in reversed(journal.find_runs(RunQuery(parent=run_id))):
        if run.facts.forked_at is None:
            found += [run, *runs_within(journal, run.facts.run_id)]
    return found


def outermost(journal: Journal, run_id: str) -> str:
    """Return the run that a run of a sub-workflow is within; a run that is within none itself."""
    stored = journal.find_run(run_id)
    while stored is not None and stored.facts.parent is not None and stored.facts.forked_at is None:
        run_id = stored.facts.parent
        stored = journal.find_run(run_id)
    return run_id


def described(question: Request) -> dict[str, Any]:
    """Return a question as plain data."""
    fields = asdict(question) | {"asked_at": iso(question.asked_at)}
    fields["deadline"] = None if question.deadline is None else iso(question.deadline)
    return fields | {"shown": codec.encode(question.shown, "what is shown")}


def tell_questions(questions: Sequence[Request]) -> None:
    """Print questions with all that is shown with them, and how each is answered."""
    for question in questions[:_DETAILED]:
        tell()
        table(_PARTS, _parts(question))
    if len(questions) > _DETAILED:
        tell(f"\n... and {len(questions) - _DETAILED:,} more. `orchestration-kit runs waiting --json` has them all.")


def _parts(question: Request) -> Iterator[tuple[Cell, Cell]]:
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
    for label, command in _answers(question):
        yield Cell(label, "dim"), Cell(command, "cyan")


def wording(question: Request) -> str:
    """Return what is asked or waited for, in words."""
    what = short(question.prompt or f"(an {question.kind}; its wording is in code that is not on record)", _LONGEST)
    return f"time: {what}" if question.kind == "time" else what


def _answers(question: Request) -> Iterator[tuple[str, str]]:
    run = shell_word(question.run_id)
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


def _as_recorded(loaded: LoadedRun) -> list[Request]:
    """Return what a run waits for, as far as its events tell."""
    begun: dict[str, WaitStarted] = {}
    for event in loaded.events:
        if isinstance(event, WaitStarted):
            begun[event.path] = event
        elif isinstance(event, Answered):
            begun.pop(event.path, None)
        elif isinstance(event, AttemptFinished) and event.retry_in_s is None:
            over = event.path
            begun = {path: one for path, one in begun.items() if path != over and not path.startswith(f"{over}[")}
    run_id = loaded.started.run_id
    return [_request(run_id, one) for one in begun.values()] if loaded.place.state == "waiting" else []


def _request(run_id: str, wait: WaitStarted) -> Request:
    return Request(
        run_id=run_id,
        path=wait.path,
        step=step_of(wait.path),
        kind=wait.kind,
        prompt="",
        shown=wait.shown,
        schema=None,
        hash=wait.request,
        asked_at=wait.asked_at,
        deadline=wait.until,
    )


def fitting(questions: Iterable[Request], which: str | None) -> list[Request]:
    """Return the questions that a person names: by position, by hash or its beginning; all where none is named."""
    found = list(questions)
    if which is None:
        return found
    named_so = [one for one in found if which in (one.path, one.hash, one.step)]
    is_hash = len(which) >= HASH_SHOWN // 2 and all(digit in "0123456789abcdef" for digit in which)
    return named_so or [one for one in found if is_hash and one.hash.startswith(which)]
