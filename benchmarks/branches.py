"""What branches cost: maps of many items at once, also in a journal and on threads, and thousands of runs at once.

The measure of a map is its limit: what the workers' waits take with so many at a time. `bare` is the least there is
in Python, in the same run: a fixed pool of coroutines, or plain threads. Wall time hangs on what else the machine
does, so that the engine's own share is told in processor time too.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from time import process_time

from benchmarks import branches_peers
from benchmarks.branches_bare import gather, pool, threads
from benchmarks.branches_cases import Fan, journaled, with_tasks, with_threads
from benchmarks.branches_peers import PEERS
from benchmarks.branches_runs import bare_runs, kilobytes_a_run, many_runs
from benchmarks.journal import places
from benchmarks.table import NOTHING, Row, microseconds, number, print_plain

Subject = Callable[[], float]
"""Makes ready, runs once, looks at the result; returns the seconds of the run alone."""

FANS = {1_000: (1.15, 1.25), 10_000: (1.12, 1.2)}
"""By number of branches: how many times its limit a map may take, and one that is journaled."""
THREADS, THREADS_LIMIT = 1_000, 1.7
ENGINE = 10_000
"""Branches whose workers wait for nothing."""
RUNS, STEP_LIMIT_US, RUN_LIMIT_KB = 10_000, 20, 8


def rows(*, peers: Sequence[str] = tuple(PEERS), repeats: int = 5) -> list[Row]:
    """Measure, and return the rows of the table. Peers that are not known here, or not installed, are left out."""
    known = [peer for peer in peers if peer in PEERS and branches_peers.is_installed(peer)]
    found: list[Row] = []
    for count in FANS:
        found += _fan_rows(count, known, repeats)
    return [*found, *_thread_rows(repeats), *_engine_rows(repeats), *_run_rows(repeats)]


def in_new_folder(folder: Path, run: Callable[[Path], float]) -> float:
    """Run something in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(dir=folder) as inside:
        return run(Path(inside))


def taking_turns(subjects: Mapping[str, Subject], repeats: int) -> dict[str, float]:
    """Return the median of each; a slow moment of the machine falls on all. The first turn warms up."""
    taken: dict[str, list[float]] = {name: [] for name in subjects}
    for turn in range(repeats + 1):
        for name, subject in subjects.items():
            seconds = subject()
            if turn:
                taken[name].append(seconds)
    return {name: median(seconds) for name, seconds in taken.items()}


def _fan_rows(count: int, peers: Sequence[str], repeats: int) -> list[Row]:
    fan, (limit, kept_limit) = Fan(count), FANS[count]
    folders = places()
    subjects: dict[str, Subject] = {
        "ours": partial(with_tasks, fan),
        "pool": partial(pool, fan),
        "gather": partial(gather, fan),
    }
    for place, folder in folders.items():
        subjects[place] = partial(in_new_folder, folder, partial(journaled, fan))
    took = taking_turns(subjects, repeats)
    # Some take ten seconds and more: they are warmed up by fewer branches, and timed less often.
    others: dict[str, float] = {}
    for peer in peers:
        PEERS[peer](Fan(min(count, 100)))
        others[peer] = median(PEERS[peer](fan) for _ in range(3 if count <= 1_000 else 1))
    found = [
        _row(f"{count:,} branches of 10 ms, 100 at a time", fan, took, "ours", limit=limit, bare="pool", others=others),
        _row("the same: a pool of coroutines", fan, took, "pool"),
        _row("the same: gather with a semaphore", fan, took, "gather"),
    ]
    found += [
        _row(f"the same, journaled, {place}", fan, took, place, limit=kept_limit, bare="pool") for place in folders
    ]
    return found


def _thread_rows(repeats: int) -> list[Row]:
    fan = Fan(THREADS)
    took = taking_turns({"ours": partial(with_threads, fan), "plain": partial(threads, fan)}, repeats)
    return [
        _row(f"{THREADS:,} sync workers of 10 ms, 100 threads", fan, took, "ours", limit=THREADS_LIMIT, bare="plain"),
        _row("the same: plain threads", fan, took, "plain"),
    ]


def _engine_rows(repeats: int) -> list[Row]:
    fan = Fan(ENGINE, wait_s=0)
    cases: dict[str, tuple[Callable[..., float], Callable[..., float]]] = {
        "tasks": (with_tasks, pool),
        "threads": (with_threads, threads),
    }
    found: list[Row] = []
    for name, (ours, bare) in cases.items():
        subjects = {"ours": partial(ours, fan, clock=process_time), "bare": partial(bare, fan, clock=process_time)}
        took = taking_turns(subjects, repeats)
        found.append(_engine_row(f"{ENGINE:,} branches that wait for nothing, {name}", took))
    place, folder = next(iter(places().items()))
    run = partial(journaled, fan, clock=process_time)
    took = taking_turns({"ours": partial(in_new_folder, folder, run)}, repeats)
    return [*found, _engine_row(f"the same, tasks, journaled, {place}", took)]


def _engine_row(title: str, took: Mapping[str, float]) -> Row:
    shown = {name: microseconds(seconds / ENGINE) for name, seconds in took.items()}
    return Row(
        title, ours=shown["ours"], bare=shown.get("bare", NOTHING), figure=f"{shown['ours']} us of processor time"
    )


def _run_rows(repeats: int) -> list[Row]:
    subjects = {"ours": partial(many_runs, RUNS), "bare": partial(bare_runs, RUNS)}
    took = taking_turns(subjects, repeats)
    own = taking_turns({"ours": partial(many_runs, RUNS, clock=process_time)}, min(repeats, 3))
    step_us = 1e6 * took["ours"]
    kilobytes = median(kilobytes_a_run(RUNS) for _ in range(3))
    return [
        Row(
            f"{RUNS:,} runs at once of 3 async steps",
            ours=microseconds(took["ours"]),
            bare=microseconds(took["bare"]),
            figure=f"{number(step_us)} us a step",
            goal=f"<= {STEP_LIMIT_US} us a step",
            met=step_us <= STEP_LIMIT_US,
        ),
        Row("the same in processor time", figure=f"{microseconds(own['ours'])} us a step"),
        Row(
            "what a run weighs",
            figure=f"{number(kilobytes)} KB",
            goal=f"<= {RUN_LIMIT_KB} KB",
            met=kilobytes <= RUN_LIMIT_KB,
        ),
    ]


def _row(
    title: str,
    fan: Fan,
    took: Mapping[str, float],
    name: str,
    *,
    limit: float | None = None,
    bare: str | None = None,
    others: Mapping[str, float] | None = None,
) -> Row:
    ours = took[name]
    value = ours / fan.limit_s
    return Row(
        title,
        ours=NOTHING if bare is None else microseconds(ours / fan.count),
        bare=NOTHING if bare is None else microseconds(took[bare] / fan.count),
        figure=f"{number(value)} x limit",
        goal=NOTHING if limit is None else f"<= {limit} x limit",
        met=None if limit is None else value <= limit,
        peers={
            peer: f"{microseconds(seconds / fan.count)}\nx{number(seconds / ours)}"
            for peer, seconds in (others or {}).items()
        },
    )


if __name__ == "__main__":
    sys.exit(print_plain(rows()))
