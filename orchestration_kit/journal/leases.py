"""Who may drive a run: takes leases that are free, and judges by silence where nothing else tells.

Silence is measured on this process' own monotonic clock, from the moment it first looked: no wall clock, and no clock
of another machine, ever decides who drives a run.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from orchestration_kit.engine.ports import Clock, SystemClock
from orchestration_kit.errors import UnknownRun
from orchestration_kit.journal.errors import RunLocked
from orchestration_kit.journal.port import Holder, Journal, Lease, Owner, StoredRun
from orchestration_kit.journal.processes import judge

_ROUNDING_S = 1e-6


def take(  # noqa: PLR0913 - what a wait may be steered by
    journal: Journal,
    run_id: str,
    *,
    wait_s: float | None = None,
    clock: Clock | None = None,
    wake: threading.Event | None = None,
    retake: bool = False,
) -> Lease:
    """Take the lease of a run, if it is free, or its holder is dead or silent for too long.

    Args:
        journal: Where the run is kept.
        run_id: The run.
        wait_s: How long to wait for a holder to let go, or to fall silent. None: not at all for one that is alive,
            and `journal.lease_s` for one of whom nothing can be said (in another container, say).
        clock: What to wait by.
        wake: Set, it ends the wait.
        retake: Take it from this very journal object too. The caller knows that nothing here drives the run any more.

    Raises:
        UnknownRun: no such run.
        RunLocked: somebody drives it.
    """
    clock, wake = clock or SystemClock(), wake or threading.Event()
    watch, me, began = _watch_of(journal), journal.owner, clock.monotonic()
    while True:
        stored = journal.find_run(run_id)
        if stored is None:
            raise UnknownRun(run_id, [])
        verdict = "free" if stored.holder is None else judge(stored.holder, me)
        may_be_silent = verdict in ("alive", "unknown")
        silent = may_be_silent and watch.silence_s(journal, stored, clock.monotonic()) >= journal.lease_s - _ROUNDING_S
        if verdict in ("free", "dead") or silent or (verdict == "mine" and retake):
            try:
                lease = journal.claim(run_id, stored.holder)
            except RunLocked:
                continue  # somebody was faster, or gave a sign of life: look again
            watch.forget(run_id)
            return lease
        patience_s = wait_s if wait_s is not None else journal.lease_s if verdict == "unknown" else 0.0
        left_s = began + patience_s - clock.monotonic()
        if left_s <= _ROUNDING_S or wake.is_set():
            raise RunLocked(run_id, *described(stored.holder, me, journal.lease_s))
        clock.sleep(min(left_s, 0.5, journal.lease_s / 10), wake)


def described(holder: Holder | None, me: Owner, lease_s: float) -> tuple[str, str]:
    """Return who drives a run, and what to do, for `RunLocked`."""
    if holder is None:
        return "nobody any more", "Its holder has just let go: try again."
    owner = holder.owner
    if owner.token == me.token:
        return (
            f"this process ({owner.pid}), through this journal",
            "Go on with the handle that drives it, or cancel that one first.",
        )
    hint = (
        f"Wait until it is done, or stop it, and try again. Should it hang: try again after {lease_s:g} s; "
        "a holder that gives no sign of life for that long loses the run."
    )
    where = "this process" if owner.pid == me.pid and owner[1:] == me[1:] else f"process {owner.pid} on {owner.host}"
    return where, hint


class Watch:
    """Remembers when runs last gave a sign of life: another epoch, another beat, another row."""

    def __init__(self) -> None:
        self._seen: dict[str, _Sighting] = {}

    def silence_s(self, journal: Journal, stored: StoredRun, now: float) -> float:
        """Return for how long a run has been silent, as far as was watched: 0 at first sight.

        Args:
            journal: Where its rows are.
            stored: The run as it is now.
            now: Seconds on this process' monotonic clock.
        """
        run_id, holder = stored.facts.run_id, stored.holder
        if holder is None:
            self.forget(run_id)
            return 0.0
        before = self._seen.get(run_id)
        looked_from = stored.standing.seq if before is None else before.seq
        rows = journal.rows(run_id, after=looked_from)
        signs = (holder.owner.token, holder.epoch, holder.beat)
        if before is not None and before.signs == signs and not rows:
            return now - before.at
        self._seen[run_id] = _Sighting(signs, rows[-1].seq if rows else looked_from, now)
        return 0.0

    def forget(self, run_id: str) -> None:
        """Begin anew with a run."""
        self._seen.pop(run_id, None)


@dataclass(frozen=True, slots=True)
class _Sighting:
    signs: tuple[str, int, int]
    seq: int
    at: float


_watches: WeakKeyDictionary[Journal, Watch] = WeakKeyDictionary()


def _watch_of(journal: Journal) -> Watch:
    return _watches.setdefault(journal, Watch())
