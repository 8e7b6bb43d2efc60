"""`runs list`: one line a run, newest first, runs of sub-workflows below the one they are in.

A damaged run is one line too, and does not hide the others.
"""

from __future__ import annotations

import argparse
from typing import Any, NamedTuple

from orchestration_kit.cli.exporting import iso
from orchestration_kit.cli.journals import driver_of, opened
from orchestration_kit.cli.terminal import STYLES, Cell, Column, local_time, named, say, short, table, tell, tell_json
from orchestration_kit.engine.account import duration
from orchestration_kit.engine.summary import RunSummary, Totals
from orchestration_kit.errors import JournalError
from orchestration_kit.journal.errors import JournalCorrupt
from orchestration_kit.journal.listing import summary
from orchestration_kit.journal.port import RunQuery, StoredRun
from orchestration_kit.journal.sqlite import SQLiteJournal

_COLUMNS = (
    Column("run", folds=True, least=12),
    Column("workflow", rank=4),
    Column("state"),
    Column("started", rank=2),
    Column("attempts", rank=5, is_number=True),
    Column("took", rank=3, is_number=True),
    Column("cost", rank=7, is_number=True),
    Column("fork of", rank=6),
    Column("within", rank=6),
    Column("driver", rank=1),
    Column("tags", rank=8),
)
_ALWAYS = 6
"""So many of the columns are there even if they are empty."""


class Line(NamedTuple):
    """A run in the list."""

    summary: RunSummary
    driver: str
    """The process, or nothing."""
    judgement: str
    """Whether it is alive, dead, or nobody can say."""


def list_runs(arguments: argparse.Namespace) -> int:
    """Print the runs that are meant."""
    limit: int | None = arguments.limit or None
    query = RunQuery(
        workflow=arguments.workflow,
        state=arguments.state,
        started_after=arguments.since,
        tags=dict(arguments.tag),
        limit=None if limit is None else limit + 1,
    )
    with opened(arguments.journal) as journal:
        found = journal.find_runs(query)
        lines = [_line(journal, stored) for stored in found[:limit]]
        is_empty = not found and not journal.find_runs(RunQuery(limit=1))
        path = str(journal.path)
    if arguments.json:
        tell_json([described(line) for line in lines])
    elif arguments.csv:
        tell(_csv(lines))
    elif lines:
        _print(lines)
    else:
        say(f"There is no run in {path} yet." if is_empty else "No run is like that. Leave a filter out.")
    if limit is not None and len(found) > limit:
        say(f"(The newest {limit} are listed; --limit 0 lists all.)")
    return 0


def described(line: Line) -> dict[str, Any]:
    """Return a line as plain data."""
    facts = line.summary._asdict()
    for moment in ("started_at", "finished_at"):
        facts[moment] = None if facts[moment] is None else iso(facts[moment])
    totals: Totals = facts.pop("totals")
    return facts | {"driver": line.driver or None, "driver_is": line.judgement or None} | totals._asdict()


def _line(journal: SQLiteJournal, stored: StoredRun) -> Line:
    driver, judgement = driver_of(stored, journal)
    try:
        return Line(summary(journal, stored), driver, judgement)
    except JournalCorrupt as error:
        facts = stored.facts
        damaged = RunSummary(
            facts.run_id,
            facts.workflow,
            "damaged",
            error.reason,
            facts.started_at,
            stored.standing.finished_at,
            facts.parent,
            facts.forked_at,
            dict(facts.tags),
            None,
            Totals(),
        )
        return Line(damaged, driver, judgement)
    except JournalError:  # of types not known here, for example: what was written down last is known all the same
        return Line(summary(journal, stored._replace(holder=None)), driver, judgement)


def _print(lines: list[Line]) -> None:
    rows = [_row(line, depth) for line, depth in _nested(lines)]
    used = [at for at, _ in enumerate(_COLUMNS) if at < _ALWAYS or any(row[at].text for row in rows)]
    table([_COLUMNS[at] for at in used], [[row[at] for at in used] for row in rows])


def _nested(lines: list[Line]) -> list[tuple[Line, int]]:
    """Return each line with how deep it stands: runs of sub-workflows come below their parent, the first one first."""
    listed = {line.summary.run_id for line in lines}
    inner: dict[str | None, list[Line]] = {}
    for line in lines:
        run = line.summary
        is_within = run.forked_at is None and run.parent in listed and run.parent != run.run_id
        inner.setdefault(run.parent if is_within else None, []).append(line)
    found: list[tuple[Line, int]] = []
    stack = [(line, 0) for line in reversed(inner.get(None, ()))]
    while stack:
        line, depth = stack.pop()
        found.append((line, depth))
        stack += [(one, depth + 1) for one in inner.pop(line.summary.run_id, ())]
    return found


def _row(line: Line, depth: int) -> list[Cell]:
    run, totals = line.summary, line.summary.totals
    parent = "" if run.parent is None else named(run.parent, 60)
    is_dead = line.judgement == "dead"
    return [
        Cell(f"{'  ' * depth}{named(run.run_id)}"),
        Cell(named(run.workflow, 40)),
        Cell(run.state, STYLES.get(run.state, "")),
        Cell(local_time(run.started_at), "dim"),
        Cell(str(totals.attempts)),
        Cell(duration(totals.duration_s)),
        Cell("" if totals.cost_usd is None else f"${totals.cost_usd:.4f}"),
        Cell(f"{parent}@{short(run.forked_at, 40)}" if run.forked_at else ""),
        Cell("" if run.forked_at or depth else parent),
        Cell(f"{line.judgement}: {line.driver}" if line.driver else "", "red" if is_dead else "cyan"),
        Cell(short(_tags(run), 60), "dim"),
    ]


def _csv(lines: list[Line]) -> str:
    from orchestration_kit.history.columns import text
    from orchestration_kit.history.csv_export import to_csv_text
    from orchestration_kit.history.run_rows import runs_frame

    frame = runs_frame([line.summary for line in lines])
    frame["tags"] = text([_tags(line.summary) or None for line in lines])
    frame["driver"] = text([line.driver or None for line in lines])
    frame["driver_is"] = text([line.judgement or None for line in lines])
    return to_csv_text(frame).replace("\r\n", "\n").rstrip("\n")


def _tags(run: RunSummary) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(run.tags.items()))
