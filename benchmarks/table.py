"""Turn medians into the one table: our time a step, its goal, and how many times it each peer takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from benchmarks import imports
from benchmarks.workloads import Goal, Seconds, Workload

NOTHING = "-"
NOTE = (
    "ours, bare and peers: us a step, medians of interleaved repeats. xN: that many times our time. "
    "-: not there, or not comparable."
)


@dataclass(frozen=True, slots=True)
class Row:
    """One line, every cell ready to print."""

    title: str
    ours: str = NOTHING
    bare: str = NOTHING
    figure: str = NOTHING
    goal: str = NOTHING
    met: bool | None = None
    peers: Mapping[str, str] = field(default_factory=dict[str, str])


def rows_of(workload: Workload, seconds: Seconds) -> list[Row]:
    """Return the workload's row, and one more for each goal with a title of its own.

    A goal that needs a workload left out of this run shows '-'.
    """
    here = seconds[workload.key]
    peers = {
        name: f"{microseconds(value)}\nx{number(value / here['ours'])}"
        for name, value in here.items()
        if name not in ("ours", "bare")
    }
    bare = microseconds(here["bare"]) if "bare" in here else NOTHING
    rows: list[Row] = []
    for goal in workload.goals:
        own = goal.title == ""
        rows.append(
            Row(
                title=_title(workload) if own else goal.title,
                ours=microseconds(here["ours"]) if own else NOTHING,
                bare=bare if own else NOTHING,
                peers=peers if own else {},
                **_judged(goal, seconds),
            )
        )
    return rows


def import_rows(milliseconds: Mapping[str, float]) -> list[Row]:
    """Return the rows of our imports; `milliseconds` is by statement, as `imports` measured it."""
    rows: list[Row] = []
    for title, statement in imports.OURS.items():
        ours = milliseconds[statement]
        rows.append(
            Row(
                title=f"{title}, over bare Python",
                figure=f"{ours:.0f} ms",
                goal=f"<= {imports.LIMIT_MS} ms",
                met=ours <= imports.LIMIT_MS,
                peers={
                    peer: f"{milliseconds[other]:,.0f} ms\nx{number(milliseconds[other] / ours)}"
                    for peer, other in imports.PEERS.items()
                    if other in milliseconds
                },
            )
        )
    return rows


def show(rows: Sequence[Row], peers: Sequence[str]) -> None:
    """Print the table on stdout, whole even where no terminal is."""
    table = Table(box=SIMPLE_HEAD, show_lines=False, padding=(0, 1), leading=1)
    table.add_column("workload", max_width=32)
    for column in ("ours", "bare", "figure", "goal"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("met")
    for peer in peers:
        table.add_column(peer.replace("_", "\n"), justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            row.title,
            row.ours,
            row.bare,
            row.figure,
            row.goal,
            {True: "yes", False: "[bold red]NO[/]", None: NOTHING}[row.met],
            *(row.peers.get(peer, NOTHING) for peer in peers),
        )
    # As wide as it is, so that a pipe or a narrow terminal cuts nothing off.
    width = Console(width=10_000).measure(table).maximum
    console = Console(width=width)
    console.print(table)
    console.print(NOTE, width=min(width, 100), highlight=False)


def print_plain(rows: Sequence[Row]) -> int:
    """Print a line a row; return an exit code: 1 where a goal is missed."""
    for row in rows:
        beside = "; ".join(f"{peer} {' '.join(cell.split())}" for peer, cell in row.peers.items())
        times = f"ours {row.ours} us, bare {row.bare} us: " if row.ours != NOTHING else ""
        print(f"{row.title}: {times}{row.figure} (goal {row.goal}){' | ' if beside else ''}{beside}", flush=True)
    return 0 if all(row.met is not False for row in rows) else 1


def _title(workload: Workload) -> str:
    return workload.title + (f" (peers: {workload.peer_size:,})" if workload.peer_size else "")


def _judged(goal: Goal, seconds: Seconds) -> dict[str, str | bool | None]:
    sign = ">=" if goal.at_least else "<="
    shown = f"{sign} {goal.limit:,} {goal.unit}"
    try:
        value = goal.figure(seconds)
    except KeyError:
        return {"figure": NOTHING, "goal": shown, "met": None}
    return {"figure": f"{number(value)} {goal.unit}", "goal": shown, "met": goal.met(value)}


def microseconds(seconds: float) -> str:
    """Show seconds as microseconds."""
    return number(1e6 * seconds)


def number(value: float) -> str:
    """Show three digits or so, and no more decimals than mean something."""
    decimals = 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:,.{decimals}f}"
