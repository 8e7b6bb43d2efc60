"""What it costs a step to keep a run in a file, in one run with plain sqlite3, and what it takes to go on with it.

`ours` is a whole run a step, `bare` one INSERT of the same 1 KB and one COMMIT a step. On tmpfs where there is one,
as a commit costs no disk there; on the disk of the temporary folder too, which is where the times of others vary.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks import journal_again, journal_peers
from benchmarks.journal_cases import KB, MB, Kept, Task, chain, corpus, keep, new_keys, one_list, raw
from benchmarks.journal_peers import PEERS, PeerKept
from benchmarks.table import NOTHING, Row, microseconds, number, print_plain

STEPS, DONE, RUNS = 1_000, 900, 100_000
CARRYING_STEPS = 100
"""Steps of the peers' runs that carry 1 MB: each of those steps writes it."""
SMALL = 10
"""Bytes that a step gives where the state it carries is what counts."""
SHARED_MEMORY = Path("/dev/shm")

TASKS: Mapping[str, Callable[[int], Task]] = {
    "chain": chain,
    "carrying 1 KB": lambda steps: chain(steps, output_bytes=SMALL, data=corpus(KB)),
    "carrying 1 MB": lambda steps: chain(steps, output_bytes=SMALL, data=corpus(MB)),
    "reading 1 MB": lambda steps: chain(steps, output_bytes=SMALL, data=corpus(MB), reads="corpus"),
    "new keys": new_keys,
    "one list": one_list,
}


def rows(*, peers: Sequence[str] = tuple(PEERS), repeats: int = 7) -> list[Row]:
    """Measure, and return the rows of the table. Peers that are not known here, or not installed, are left out."""
    found: list[Row] = []
    known = [peer for peer in peers if peer in PEERS and journal_peers.is_installed(peer)]
    for at, (place, folder) in enumerate(places().items()):
        found += _chain_rows(place, folder, known, repeats)
        found += _state_rows(place, folder, known if at == 0 else [], repeats)
        found += _resume_rows(place, folder, repeats)
    return [*found, _list_row(next(iter(places().values())), repeats)]


def places() -> dict[str, Path]:
    """Return the folders to measure in: on tmpfs, and on a disk, as far as there are two."""
    disk = Path(tempfile.gettempdir())
    if not os.access(SHARED_MEMORY, os.W_OK) or SHARED_MEMORY.stat().st_dev == disk.stat().st_dev:
        return {"disk": disk}
    return {"tmpfs": SHARED_MEMORY, "disk": disk}


def _chain_rows(place: str, folder: Path, peers: Sequence[str], repeats: int) -> list[Row]:
    runs: dict[str, Callable[[Path], Kept]] = {
        "at once": lambda inside: keep(chain(STEPS), inside),
        "normal": lambda inside: keep(chain(STEPS), inside, group_commit=True),
        "full": lambda inside: keep(chain(STEPS), inside, group_commit=True, durability="full"),
    }
    if place == "tmpfs":
        del runs["full"]  # nothing there waits for a disk
    plain, kept = _taking_turns(folder, runs, repeats)
    ours = _seconds(kept["at once"])
    others = _peers(peers, folder, STEPS, repeats=3)
    found = [
        _row(
            f"journaled chain of {STEPS:,}, {place}",
            ours / plain,
            1.6,
            "x raw",
            ours=ours,
            bare=plain,
            peers=_beside(others, ours),
        ),
        _row(
            "its file beyond the payload",
            median(one.beyond_payload for one in kept["at once"]),
            150,
            "B a step",
            peers={peer: f"{one.file_bytes / STEPS - KB:,.0f} B" for peer, one in others.items()},
        ),
    ]
    for durability, limit in (("normal", 15), ("full", 25)):
        if durability in kept:
            took = _seconds(kept[durability])
            title = f"group commit, {durability}, {place}"
            found.append(_row(title, 1e6 * took, limit, "us a step", ours=took, bare=plain))
    return found


def _state_rows(place: str, folder: Path, peers: Sequence[str], repeats: int) -> list[Row]:
    names = [name for name in TASKS if name != "chain"]
    _, kept = _taking_turns(folder, {name: partial(_keep, name) for name in names}, repeats)
    small = _seconds(kept["carrying 1 KB"])
    carrying = _peers(peers, folder, CARRYING_STEPS, carried=corpus(MB))
    growing = _peers(peers, folder, STEPS, grows=True)
    found: list[Row] = []
    for name in ("carrying 1 MB", "reading 1 MB"):
        ours, others = _seconds(kept[name]), carrying if name == "carrying 1 MB" else {}
        title = f"{name}, {SMALL} B a step, {place}" + (f" (peers: {CARRYING_STEPS} of 1 KB)" if others else "")
        found += [
            _row(title, ours / small, 1.3, "x 1 KB", ours=ours, peers=_beside(others, ours)),
            _row("its file", _megabytes(kept[name]), 1.2, "MB", peers=_sizes(others)),
        ]
    for name in ("new keys", "one list"):
        ours, others = _seconds(kept[name]), growing if name == "new keys" else {}
        growth = median(one.growth for one in kept[name])
        found += [
            _row(
                f"growing by 1 KB a step: {name}, {place}",
                growth,
                1.2,
                "x step 100",
                ours=ours,
                peers=_beside(others, ours),
            ),
            _row("its file", _megabytes(kept[name]), 1.6, "MB", peers=_sizes(others)),
        ]
    return found


def _resume_rows(place: str, folder: Path, repeats: int) -> list[Row]:
    sizes = {"steps": STEPS, "done": DONE}
    with tempfile.TemporaryDirectory(dir=folder) as inside:
        path = journal_again.killed(Path(inside), **sizes)
        journal_again.resume(path, **sizes)  # what is imported on the way is there from now on
        here = [journal_again.resume(path, **sizes) for _ in range(repeats)]
        fresh = [journal_again.resume_in_a_fresh_process(path, **sizes) for _ in range(repeats)]
    first_ms = 1e3 * median(one.first_step_s for one in here)
    whole_ms = 1e3 * median(one.whole_s for one in fresh)
    return [
        _row(f"killed at {DONE} of {STEPS:,}: to the next step, {place}", first_ms, 10, "ms"),
        _told("its history, looked at", 1e3 * median(one.history_s for one in here), "ms"),
        _row(f"the same by a fresh process, to its end, {place}", whole_ms, 300, "ms"),
        _told("of which: import", 1e3 * median(one.import_s for one in fresh), "ms"),
        _told("of which: registering the workflow", 1e3 * median(one.register_s for one in fresh), "ms"),
        _told("of which: to the next step", 1e3 * median(one.first_step_s for one in fresh), "ms"),
    ]


def _list_row(folder: Path, repeats: int) -> Row:
    with tempfile.TemporaryDirectory(dir=folder) as inside:
        path = Path(inside) / "many.db"
        journal_again.many_runs(path, RUNS)
        took = median(journal_again.list_seconds(path, RUNS) for _ in range(repeats))
    return _row(f"{RUNS:,} runs into runs_frame", took, 2, "s")


def _keep(name: str, folder: Path) -> Kept:
    return keep(TASKS[name](STEPS), folder)


def _taking_turns(
    folder: Path, runs: Mapping[str, Callable[[Path], Kept]], repeats: int
) -> tuple[float, dict[str, list[Kept]]]:
    """Return the seconds a step of plain sqlite3, and what came of each run, `repeats` times.

    They take turns, so that a slow moment of the machine falls on all of them; the first turn warms up.
    """
    plain: list[float] = []
    kept: dict[str, list[Kept]] = {name: [] for name in runs}
    for turn in range(repeats + 1):
        with tempfile.TemporaryDirectory(dir=folder) as inside:
            took = raw(STEPS, Path(inside))
        if turn:
            plain.append(took)
        for name, run in runs.items():
            with tempfile.TemporaryDirectory(dir=folder) as inside:
                one = run(Path(inside))
            if turn:
                kept[name].append(one)
    return median(plain), kept


def _peers(
    peers: Sequence[str],
    folder: Path,
    steps: int,
    *,
    carried: dict[str, list[str]] | None = None,
    grows: bool = False,
    repeats: int = 1,
) -> dict[str, PeerKept]:
    found: dict[str, PeerKept] = {}
    for peer in peers:
        kept: list[PeerKept] = []
        for _ in range(repeats):
            with tempfile.TemporaryDirectory(dir=folder) as inside:
                kept.append(PEERS[peer](Path(inside), steps, carried=carried or {}, grows=grows))
        found[peer] = PeerKept(median(one.seconds_a_step for one in kept), kept[0].file_bytes)
    return found


def _seconds(kept: Sequence[Kept]) -> float:
    return median(one.seconds_a_step for one in kept)


def _megabytes(kept: Sequence[Kept]) -> float:
    return median(one.file_bytes for one in kept) / MB


def _beside(others: Mapping[str, PeerKept], ours: float) -> dict[str, str]:
    return {
        peer: f"{microseconds(one.seconds_a_step)}\nx{number(one.seconds_a_step / ours)}"
        for peer, one in others.items()
    }


def _sizes(others: Mapping[str, PeerKept]) -> dict[str, str]:
    return {peer: f"{number(one.file_bytes / MB)} MB" for peer, one in others.items()}


def _row(
    title: str,
    value: float,
    limit: float,
    unit: str,
    *,
    ours: float | None = None,
    bare: float | None = None,
    peers: Mapping[str, str] | None = None,
) -> Row:
    return Row(
        title,
        ours=NOTHING if ours is None else microseconds(ours),
        bare=NOTHING if bare is None else microseconds(bare),
        figure=f"{number(value)} {unit}",
        goal=f"<= {limit} {unit}",
        met=value <= limit,
        peers=peers or {},
    )


def _told(title: str, value: float, unit: str) -> Row:
    return Row(title, figure=f"{number(value)} {unit}")


if __name__ == "__main__":
    sys.exit(print_plain(rows()))
