"""Run the benchmarks and print the table. Ends with an error only if a result is wrong."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from benchmarks import (
    bare,
    branches,
    constraints,
    diagrams,
    executors,
    history,
    imports,
    journal,
    many,
    monitor,
    ours,
    planning,
    reliability,
    scaling,
    telemetry,
    wisdom,
)
from benchmarks.harness import Build, WrongResult, measure, medians
from benchmarks.peers import PEERS, cases_of
from benchmarks.table import Row, import_rows, rows_of, show
from benchmarks.workloads import WORKLOADS, Workload

IMPORTS = "import"
STUDIES = {
    "diagrams": diagrams.rows,
    "history": history.rows,
    "monitor": monitor.rows,
    "many": many.rows,
    "constraints": constraints.rows,
    "telemetry": telemetry.rows,
    "wisdom": wisdom.rows,
    "executors": executors.rows,
    "reliability": reliability.rows,
    "planning": planning.rows,
    "scaling": scaling.rows,
}
"""Things that no peer does, by key."""
PEER_STUDIES = {"journal": journal.rows, "branches": branches.rows}
"""Studies that run some peers too, as far as these can do the same."""
KEYS = (*(workload.key for workload in WORKLOADS), *STUDIES, *PEER_STUDIES, IMPORTS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; return the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    unknown = [x for x in options.only if not any(x in key for key in KEYS)]
    if unknown:
        parser.error(f"no workload's key contains {', '.join(unknown)}; the keys: {', '.join(KEYS)}")
    peers = [] if options.peers == ["none"] else options.peers
    try:
        subjects: dict[str, Mapping[str, Build]] = {peer: cases_of(peer) for peer in peers}
    except ModuleNotFoundError as error:
        print(f"{error}. `make bench` installs every peer; `--peers none` does without.", file=sys.stderr)
        return 2
    account = Console(stderr=True)
    samples: dict[str, dict[str, list[float]]] = {}
    seconds: dict[str, dict[str, float]] = {}
    rows: list[Row] = []
    try:
        for workload in (w for w in WORKLOADS if _wanted(w.key, options.only)):
            account.print(f"{workload.title} ...", highlight=False)
            samples[workload.key] = _measure(workload, subjects, options.repeats)
            seconds[workload.key] = medians(samples[workload.key])
            rows += rows_of(workload, seconds)
        for key, study in STUDIES.items():
            if _wanted(key, options.only):
                account.print(f"{key} ...", highlight=False)
                rows += study()
        for key, study_with in PEER_STUDIES.items():
            if _wanted(key, options.only):
                account.print(f"{key} ...", highlight=False)
                rows += study_with(peers=peers)
    except WrongResult as error:
        print(f"A result is wrong, so no time counts: {error}", file=sys.stderr)
        return 1
    milliseconds: dict[str, float] = {}
    if _wanted(IMPORTS, options.only):
        account.print("imports ...", highlight=False)
        others = [imports.PEERS[peer] for peer in peers if peer in imports.PEERS]
        milliseconds = imports.over_bare_python([*imports.OURS.values(), *others], repeats=options.repeats)
        rows += import_rows(milliseconds)
    show(rows, peers)
    if options.json is not None:
        found = {
            "python": platform.python_version(),
            "machine": platform.machine(),
            "seconds_a_step": samples,
            "import_ms": milliseconds,
        }
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0


def _measure(workload: Workload, peers: Mapping[str, Mapping[str, Build]], repeats: int) -> dict[str, list[float]]:
    plans = {
        name: workload.plan(cases[workload.case], peer=name in peers)
        for name, cases in {"bare": bare.CASES, "ours": ours.CASES, **peers}.items()
        if workload.case in cases
    }
    return measure(plans, repeats=repeats)


def _wanted(key: str, only: Sequence[str]) -> bool:
    return not only or any(part in key for part in only)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only",
        nargs="+",
        default=[],
        metavar="X",
        help=f"workloads whose key contains X: {', '.join(KEYS)}",
    )
    parser.add_argument(
        "--peers", nargs="+", default=list(PEERS), choices=[*PEERS, "none"], metavar="P",
        help=f"compare with these alone: {', '.join(PEERS)}; or none",
    )  # fmt: skip
    parser.add_argument("--repeats", type=_positive, default=7, help="timings of each case (default: 7)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every timing to a file as well")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
