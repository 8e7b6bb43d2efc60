"""What may be written after `orchestration-kit runs` and `replay`, and what each text stands for. Looks at no file."""

from __future__ import annotations

import argparse
import json
import re
import time
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

from orchestration_kit.engine.state import WorkflowState

DEFAULT_JOURNAL = Path("runs.db")
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_HUB = "where the workers are: a module of this folder, and the Orchestrator in it or a function that returns one"
_TYPES = "a module of this folder, with the types of values on record"


def add_runs(commands: Any) -> None:
    """Add `runs` and its commands."""
    runs = commands.add_parser(
        "runs", help="list, show, answer, resume, fork, export and look after the runs of a journal"
    )
    below = runs.add_subparsers(required=True, metavar="COMMAND")
    _add_looking(below)
    _add_answering(below)
    _add_driving(below)
    _add_keeping(below)


def add_replay(commands: Any) -> None:
    """Add `replay`."""
    replay = _command(commands, "replay", "driving:replay_run", "prove that a workflow takes the path on record")
    replay.add_argument("run_id", metavar="RUN_ID")
    replay.add_argument("--workflow", type=Path, metavar="FILE", help="another workflow, in YAML or JSON")
    replay.add_argument("--import", dest="module", metavar="MODULE", help=_TYPES)
    replay.add_argument("--hub", metavar="MODULE:NAME", help=f"{_HUB}; its workflow is held against the record")


def add_dashboard(commands: Any) -> None:
    """Add `dashboard`."""
    dashboard = _command(commands, "dashboard", "dashboard:serve", "serve a page with the runs of a journal, live")
    dashboard.add_argument("--port", type=count, metavar="N", help="default: 8866, or a free one")
    dashboard.add_argument(
        "--read-only", action="store_true", help="the page only looks: nothing is cancelled, answered"
    )
    dashboard.add_argument("--theme", choices=["light", "dark"], default="light", help="default: light")


def add_doctor(commands: Any) -> None:
    """Add `doctor`."""
    doctor = _command(
        commands, "doctor", "doctor:examine", "say what is installed, missing or broken, and how to mend it"
    )
    doctor.add_argument("--json", action="store_true", help="everything, for programs")


def _add_looking(below: Any) -> None:
    listing = _command(below, "list", "listing:list_runs", "list runs, newest first")
    listing.add_argument("--workflow", metavar="NAME")
    listing.add_argument("--state", choices=[state.value for state in WorkflowState], metavar="STATE")
    listing.add_argument("--tag", type=tag, action="append", default=[], metavar="K=V", help="may be given repeatedly")
    listing.add_argument("--since", type=moment, metavar="WHEN", help="12h, 2d, 1w (ago), or 2026-01-31")
    listing.add_argument("--limit", type=count, default=50, metavar="N", help="default: 50; 0: all of them")
    form = listing.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="everything, for programs")
    form.add_argument("--csv", action="store_true", help="for spreadsheets: no cell is a formula")

    show = _command(below, "show", "showing:show_run", "show what a run did, an attempt a line")
    show.add_argument("run_id", metavar="RUN_ID")
    show.add_argument("--data", action="store_true", help="the data bus, too")
    show.add_argument("--diagram", type=Path, metavar="OUT", help="draw its way: out.svg, .png, .pdf, .dot or .mmd")
    show.add_argument("--json", action="store_true", help="the whole record, for programs")
    show.add_argument("--import", dest="module", metavar="MODULE", help=_TYPES)

    export = _command(below, "export", "exporting:export_run", "write the history of a run to a file")
    export.add_argument("run_id", metavar="RUN_ID")
    export.add_argument(
        "-o", "--output", type=Path, required=True, metavar="OUT", help="out.json, .jsonl, .yaml or .csv"
    )
    export.add_argument("--import", dest="module", metavar="MODULE", help=_TYPES)


def _add_answering(below: Any) -> None:
    waiting = _command(below, "waiting", "waiting:list_questions", "tell what runs wait for: approvals, events, times")
    waiting.add_argument("run_id", metavar="RUN_ID", nargs="?", help="only this run: all that is shown, how to answer")
    waiting.add_argument("--json", action="store_true", help="everything, for programs")
    waiting.add_argument("--import", dest="module", metavar="MODULE", help=_TYPES)

    approve = _command(below, "approve", "answering:approve_run", "approve what a run asks, and print what that was")
    approve.add_argument("run_id", metavar="RUN_ID")
    approve.add_argument("--value", type=json_value, default=True, metavar="JSON", help="the answer; default: true")
    _add_answer(approve, has_request=True)

    reject = _command(below, "reject", "answering:reject_run", "say no to what a run asks, and why")
    reject.add_argument("run_id", metavar="RUN_ID")
    reject.add_argument("--reason", required=True, metavar="TEXT")
    _add_answer(reject, has_request=True)

    send = _command(below, "send", "answering:send_event", "send an event to a run that waits for it, or will")
    send.add_argument("run_id", metavar="RUN_ID")
    send.add_argument("event", metavar="EVENT")
    send.add_argument("--payload", type=json_value, default=None, metavar="JSON", help="what comes with it")
    _add_answer(send, has_request=False)


def _add_answer(parser: argparse.ArgumentParser, *, has_request: bool) -> None:
    if has_request:
        which = "which question: its position, or its hash as `runs waiting` shows it; not needed where there is one"
        parser.add_argument("--request", metavar="PATH_OR_HASH", help=which)
    parser.add_argument("--hub", metavar="MODULE:NAME", help=f"go on with the run at once. {_HUB[0].upper()}{_HUB[1:]}")
    parser.add_argument("--import", dest="module", metavar="MODULE", help=_TYPES)


def _add_driving(below: Any) -> None:
    resume = _command(below, "resume", "driving:resume_run", "go on with a run that stopped before its end")
    resume.add_argument("run_id", metavar="RUN_ID")
    resume.add_argument("--hub", required=True, metavar="MODULE:NAME", help=_HUB)
    resume.add_argument("--max-steps", type=count, metavar="N", help="another limit, attempts made before included")

    fork = _command(below, "fork", "driving:fork_run", "go another way from a visit; the run itself stays")
    fork.add_argument("run_id", metavar="RUN_ID")
    fork.add_argument("--at", required=True, metavar="VISIT", help="where, e.g. review_code#2")
    fork.add_argument("--hub", required=True, metavar="MODULE:NAME", help=_HUB)
    fork.add_argument(
        "--set", type=entry, action="append", default=[], metavar="KEY=JSON", help="put this on the data bus first"
    )
    fork.add_argument("--input", type=json_value, default=..., metavar="JSON", help="what the visit gets instead")
    fork.add_argument("--as", dest="new_id", metavar="NEW_ID", help="the id of the fork")
    fork.add_argument("--no-run", action="store_true", help="put it on record, to be resumed later")


def _add_keeping(below: Any) -> None:
    prune = _command(below, "prune", "keeping:prune_runs", "delete old runs; at least one of the first two is needed")
    prune.add_argument("--keep-last", type=count, metavar="N", help="so many of the newest stay")
    prune.add_argument("--older-than", type=age, metavar="AGE", help="12h, 30d, 8w: what ended less long ago stays")
    prune.add_argument("--workflow", metavar="NAME", help="only its runs")
    prune.add_argument("--state", choices=[state.value for state in WorkflowState], metavar="STATE")
    prune.add_argument("--unfinished", action="store_true", help="also runs that could still be resumed")
    prune.add_argument("--dry-run", action="store_true", help="only tell which would go")
    prune.add_argument("--vacuum", action="store_true", help="give the space back to the disk")

    backup = _command(below, "backup", "keeping:backup_journal", "copy a journal, also while runs go on")
    backup.add_argument("output", metavar="OUT.db")
    backup.add_argument("--overwrite", action="store_true", help="replace a file that is there")

    check = _command(below, "check", "keeping:check_journal", "look for damage: the file, and every run in it")
    check.add_argument("--import", dest="module", metavar="MODULE", help=_TYPES)


def _command(below: Any, name: str, place: str, about: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = below.add_parser(name, help=about, description=f"{about[0].upper()}{about[1:]}.")
    parser.add_argument("--journal", type=Path, metavar="FILE", help=f"default: {DEFAULT_JOURNAL}")
    parser.set_defaults(command=place)
    return parser


def age(text: str) -> float:
    """Return a length of time in seconds.

    >>> age("90s"), age("2d")
    (90.0, 172800.0)
    """
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)([smhdw])", text.strip(), re.ASCII)
    if found is None:
        _refuse(f"{text!r} is no length of time; write 90s, 30m (minutes), 12h, 7d or 2w")
    return float(found[1]) * _UNITS[found[2]]


def moment(text: str) -> float:
    """Return a moment in seconds since the epoch: so long ago, or a date of this place.

    >>> moment("1970-01-02T00:00:00+00:00")
    86400.0
    """
    if re.fullmatch(r"[\d.]+[a-z]", text.strip()):
        return time.time() - age(text)
    try:
        return datetime.fromisoformat(text.strip()).timestamp()
    except (ValueError, OverflowError, OSError):
        _refuse(f"{text!r} is no moment; write 12h or 2d (ago), 2026-01-31 or 2026-01-31T14:30")


def count(text: str) -> int:
    """Return a whole number from 0.

    >>> count("12")
    12
    """
    if not re.fullmatch(r"\d{1,15}", text, re.ASCII):
        _refuse(f"{text!r} is no whole number from 0")
    return int(text)


def tag(text: str) -> tuple[str, str]:
    """Return a tag's name and value.

    >>> tag("customer=acme")
    ('customer', 'acme')
    """
    name, equals, value = text.partition("=")
    if not (name and equals):
        _refuse(f"{text!r} is no tag; write name=value, such as customer=acme")
    return name, value


def entry(text: str) -> tuple[str, Any]:
    """Return the key of an entry of the data bus, and its value.

    >>> entry('scores=[1, 2]')
    ('scores', [1, 2])
    """
    key, equals, value = text.partition("=")
    if not (key and equals):
        _refuse(f"{text!r} is no entry; write key=JSON, such as attempts=3 or 'tone=\"lively\"'")
    return key, json_value(value)


def json_value(text: str) -> Any:
    """Return what a JSON text stands for.

    >>> json_value('{"ok": true}')
    {'ok': True}
    """
    try:
        return json.loads(text, parse_constant=_no_number)
    except RecursionError:
        _refuse("this JSON is nested too deeply")
    except ValueError as error:
        quoted = json.dumps(text, ensure_ascii=False)
        _refuse(f"{text!r} is no JSON ({error}). Is it meant as text? Then it needs its own quotes: '{quoted}'")


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number that JSON knows")


def _refuse(reason: str) -> NoReturn:
    raise argparse.ArgumentTypeError(reason)
