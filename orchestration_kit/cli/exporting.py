"""`runs export`: the record of a run as a file. Values that JSON has no word for are tagged, as in the journal."""

from __future__ import annotations

import argparse
import secrets
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration_kit.cli.journals import opened
from orchestration_kit.cli.terminal import json_text, say, tell
from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.engine.context import to_entry
from orchestration_kit.engine.events import AttemptFinished, Event, RunFinished
from orchestration_kit.engine.order import in_order
from orchestration_kit.engine.state import RESTING
from orchestration_kit.errors import did_you_mean
from orchestration_kit.journal import codec
from orchestration_kit.journal.loading import LoadedRun, load_run

if TYPE_CHECKING:
    import pandas as pd


def export_run(arguments: argparse.Namespace) -> int:
    """Write the record of a run, wholly or not at all."""
    target: Path = arguments.output.expanduser()
    write = _WRITERS.get(target.suffix.lower())
    if write is None:
        near = did_you_mean(target.suffix, _WRITERS)
        say(f"orchestration-kit: {target.name} has no suffix of {', '.join(_WRITERS)}.{near}")
        return 2
    if not target.parent.is_dir():
        say(f"orchestration-kit: There is no folder {target.parent} to write into. Make it first.")
        return 1
    register_types(arguments.module)
    with opened(arguments.journal) as journal:
        loaded = load_run(journal, arguments.run_id)
    write(loaded, target)
    attempts = sum(1 for _ in attempts_of(loaded))
    tell(f"{target} ({attempts} attempts)")
    return 0


def register_types(module: str | None) -> None:
    """Import the module that registers types of one's own, if one is named."""
    if module is not None:
        from orchestration_kit.cli.hubs import import_module

        import_module(module)


def events_of(loaded: LoadedRun) -> list[Event]:
    """Return what happened, in the order of the workflow: a journal keeps it as it came."""
    number = 0
    found: list[Event] = []
    for event in in_order(loaded.events):
        if isinstance(event, AttemptFinished):
            number += 1
            found.append(event if event.seq == number else event._replace(seq=number))
        else:
            found.append(event)
    return found


def attempts_of(loaded: LoadedRun) -> Iterator[AttemptFinished]:
    """Yield the attempts on record, in the order of the workflow."""
    return (event for event in events_of(loaded) if isinstance(event, AttemptFinished))


def document(loaded: LoadedRun) -> dict[str, Any]:
    """Return the whole record of a run as plain data."""
    started, (state, finished) = loaded.started, end_of(loaded)
    return {
        "run_id": started.run_id,
        "workflow": started.workflow,
        "state": state,
        "reason": None if finished is None else finished.reason,
        "goal": started.goal,
        "started_at": iso(started.started_at),
        "finished_at": None if finished is None else iso(finished.finished_at),
        "parent": started.parent,
        "forked_at": started.forked_at,
        "tags": started.tags or {},
        "limits": asdict(loaded.limits),
        "seed": started.seed,
        "fingerprint": started.fingerprint,
        "initial_data": codec.encode(started.data, "initial data"),
        "data": codec.encode(data_of(loaded), "data"),
        "history": list(entries(loaded)),
    }


def end_of(loaded: LoadedRun) -> tuple[str, RunFinished | None]:
    """Return the state of a run, and its end if that is where it stands."""
    last = loaded.events[-1] if loaded.events else None
    if isinstance(last, RunFinished):
        return last.state, last
    if loaded.place.state in RESTING:
        return loaded.place.state, None
    return ("initialized" if last is None else "in_progress"), None


def data_of(loaded: LoadedRun) -> dict[str, Any]:
    """Return the data bus of a run; what branches have on theirs comes to it when they are joined."""
    return loaded.place.fold.root.data


def entries(loaded: LoadedRun) -> Iterator[dict[str, Any]]:
    """Yield the history as plain data."""
    for record in attempts_of(loaded):
        yield codec.encode(dict(to_entry(record)), f"attempt {record.seq}")


def iso(seconds: float) -> str:
    """Return a moment as ISO 8601, UTC."""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return repr(seconds)


def _write_json(loaded: LoadedRun, target: Path) -> None:
    _write_whole(target, f"{json_text(document(loaded))}\n")


def _write_lines(loaded: LoadedRun, target: Path) -> None:
    run = {"run_id": loaded.started.run_id}
    _write_whole(target, "".join(f"{json_text(run | entry, indent=None)}\n" for entry in entries(loaded)))


def _write_yaml(loaded: LoadedRun, target: Path) -> None:
    import yaml

    _write_whole(target, yaml.safe_dump(document(loaded), allow_unicode=True, sort_keys=False))


def _write_csv(loaded: LoadedRun, target: Path) -> None:
    from orchestration_kit.history.csv_export import write_csv

    write_csv(_frame(loaded), target)


def _frame(loaded: LoadedRun) -> pd.DataFrame:
    """Return the `history_frame` of a run, with what went in and came out of each attempt as text."""
    from orchestration_kit.history.columns import text
    from orchestration_kit.history.frames import frame_of
    from orchestration_kit.history.places import judged_steps
    from orchestration_kit.history.sources import recorded

    records = list(attempts_of(loaded))
    definition = None if loaded.definition is None else WorkflowDefinition.from_dict(loaded.definition)
    judged = judged_steps(definition, records)
    frame = frame_of([replace(recorded([loaded.started, *loaded.events]), judged=judged)])
    frame["input"] = text([_as_text(record.input) for record in records])
    frame["output"] = text([_as_text(record.output) for record in records])
    return frame


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json_text(codec.encode(value, "value"), indent=None)


def _write_whole(target: Path, content: str) -> None:
    """Write beside the target, then rename: a reader sees the old file or the new one."""
    beside = target.with_name(f".{target.name}.{secrets.token_hex(6)}")
    try:
        with beside.open("x", encoding="utf-8", newline="\n") as file:
            file.write(content)
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


_WRITERS: dict[str, Callable[[LoadedRun, Path], None]] = {
    ".json": _write_json,
    ".jsonl": _write_lines,
    ".yaml": _write_yaml,
    ".yml": _write_yaml,
    ".csv": _write_csv,
}
