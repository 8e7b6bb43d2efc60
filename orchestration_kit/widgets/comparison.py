"""`Comparison`: two runs side by side in a notebook, in one layout, with where they part and what it cost.

What differs is worked out in `history.comparison`; this shows it, and keeps the two pictures in step.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import traitlets

from orchestration_kit.engine.events import AttemptFinished
from orchestration_kit.engine.run import Run
from orchestration_kit.history.comparison import Comparison as Difference
from orchestration_kit.history.comparison import compare
from orchestration_kit.history.comparison_view import facts, told, totals, verdict, where
from orchestration_kit.history.differences import differences
from orchestration_kit.history.divergence import Pair
from orchestration_kit.visual.diagram import Diagram, visualize
from orchestration_kit.visual.facts import cost, duration
from orchestration_kit.visual.overlay_fold import Fold
from orchestration_kit.visual.subject import model_for
from orchestration_kit.visual.text import one_line
from orchestration_kit.widgets.base import STATIC, KitWidget, intent
from orchestration_kit.widgets.live import LivePicture, packed
from orchestration_kit.widgets.player_texts import value_text
from orchestration_kit.widgets.pulse import Pulse, Ticker

WINDOW = 60
"""Aligned attempts that are sent at a time."""
_MOST_NOTES = 60


class Comparison(KitWidget):
    """Two runs, or a run and its fork, side by side. Show it as the last value of a cell.

    Both are drawn in one layout where they follow one workflow: what is selected, zoomed or dragged on one side is so
    on the other. Below: every visit of both, aligned by position, with what differs, and the totals. `difference` is
    the same as data: frames and the first divergence. A run that goes on is compared anew whenever it rests.

    >>> from orchestration_kit import Orchestrator, WorkerDefinition, create_generic_pipeline
    >>> hub = Orchestrator()
    >>> hub.register_worker(WorkerDefinition(worker_type="generic", name="shout", executor=str.upper))
    >>> hub.register_workflow(create_generic_pipeline([("a", "generic", ""), ("b", "generic", "")]))
    >>> run = hub.start("a_b", "hello")
    >>> _ = run.run()
    >>> fork = run.fork(at="b#1", input="other")
    >>> _ = fork.run()
    >>> view = Comparison(run, fork)
    >>> view, str(view.difference.first_divergence)
    (<Comparison>, 'b#1, attempt 1: input, output')

    Args:
        a: A `Run`, a context, or a list of history entries; B is what it is compared with.
        b: The other.

    Raises:
        TypeError: one of them has no history.
    """

    _esm = STATIC / "comparison.js"
    _css = STATIC / "comparison.css"

    pictures = traitlets.Dict(default_value={}).tag(sync=True)
    """The SVG of each side, packed."""
    shown = traitlets.Dict(default_value={}).tag(sync=True)
    """The verdict, the two runs, where they part, the totals."""
    table = traitlets.Dict(default_value={}).tag(sync=True)
    """A window on the aligned attempts."""
    detail = traitlets.Dict(default_value={}).tag(sync=True)
    """The attempt that is selected, as both made it."""

    def __init__(self, a: Any, b: Any, *, ticker: Ticker | None = None) -> None:
        self._turn = threading.RLock()
        self._sides = {"a": a, "b": b}
        self._first, self._only, self._selected = 0, False, None
        self.difference: Difference = compare(a, b)
        """What differs, as data."""
        self._look_at_both()
        super().__init__()
        self._pulse = Pulse(self._compare_again, ticker=ticker)
        self.observe(self._change_theme, names="theme")
        for run in self._runs():
            run.resting_observers.append(self._pulse.beat)
        self._show_now()

    def close(self) -> None:
        """Let go of the runs and of the page."""
        if getattr(self, "_pulse", None) is not None:
            self._pulse.close()
            for run in self._runs():
                if self._pulse.beat in run.resting_observers:
                    run.resting_observers.remove(self._pulse.beat)
        super().close()

    # --- working it out

    def _runs(self) -> list[Run]:
        return [one for one in self._sides.values() if isinstance(one, Run)]

    def _look_at_both(self) -> None:
        a, b = self._sides["a"], self._sides["b"]
        first = visualize(a)
        other = first.with_overlay(b) if model_for(b, detail="full", direction="TB") == first.model else visualize(b)
        self._folds = {"a": Fold(first.model), "b": Fold(other.model)}
        drawn = {"a": first, "b": other}
        self._drawn: dict[str, Diagram] = {side: _as_it_stands(one, self._sides[side]) for side, one in drawn.items()}

    def _compare_again(self) -> None:
        with self._turn:
            self.difference = compare(self._sides["a"], self._sides["b"])
            self._look_at_both()
            self._show_now()

    def _place(self, pair: Pair) -> str:
        side = "b" if pair.a is None else "a"
        return self._folds[side].place(pair.either.path)

    def _show_now(self) -> None:
        theme = "dark" if self.theme == "dark" else "light"
        self.pictures = {
            side: packed(LivePicture(one, theme=theme, overlay=one.overlay).full()) for side, one in self._drawn.items()
        }
        found = self.difference
        self.shown = {
            "verdict": verdict(found),
            "facts": facts(found)[2:],
            "sides": {side: _side(one) for side, one in (("a", found.a), ("b", found.b))},
            "parts": self._parting(),
            "notes": self._notes(),
            "totals": [list(row) for row in totals(found)],
        }
        self._show_table()
        self._show_detail()

    def _parting(self) -> dict[str, Any] | None:
        parts = self.difference.first_divergence
        if parts is None:
            return None
        at = next(at for at, pair in enumerate(self.difference.pairs) if not pair.same)
        rows = [{"where": one_line(one.where, 200), "a": one.a, "b": one.b} for one in parts.differences[:8]]
        words = one_line(where(self.difference), 400)
        return {"at": at, "node": self._place(self.difference.pairs[at]), "words": words, "rows": rows}

    def _notes(self) -> dict[str, str]:
        """What stands beside nodes: where they part first, and where else."""
        notes: dict[str, str] = {}
        for pair in self.difference.pairs:
            if not pair.same and len(notes) < _MOST_NOTES:
                parts = "\N{NOT EQUAL TO}" if notes else "\N{BLACK DIAMOND} they part here"
                notes.setdefault(self._place(pair), parts)
        return notes

    def _show_table(self) -> None:
        every = [(at, pair) for at, pair in enumerate(self.difference.pairs) if not (self._only and pair.same)]
        first = max(0, min(self._first, len(every) - 1))
        self.table = {
            "rows": [self._row(at, pair) for at, pair in every[first : first + WINDOW]],
            "first": first,
            "total": len(every),
            "of": len(self.difference.pairs),
            "only": self._only,
        }

    def _row(self, at: int, pair: Pair) -> dict[str, Any]:
        one = pair.either
        sign = "=" if pair.same else "A" if pair.b is None else "B" if pair.a is None else "\N{NOT EQUAL TO}"
        again = f", attempt {one.attempt}" if one.attempt > 1 else ""
        return {
            "at": at, "sign": sign, "path": one_line(one.path, 120) + again, "node": self._place(pair),
            "a": told(pair.a), "b": told(pair.b),
            "took": _delta(pair, _seconds, duration), "cost": _delta(pair, _dollars, cost),
            "differs": ", ".join(pair.aspects) or ("" if pair.same else f"only in {sign}"),
        }  # fmt: skip

    def _show_detail(self) -> None:
        at = self._selected
        if at is None or not 0 <= at < len(self.difference.pairs):
            self.detail = {}
            return
        pair = self.difference.pairs[at]
        sides = {"a": pair.a, "b": pair.b}
        found: list[dict[str, str]] = []
        if pair.a is not None and pair.b is not None:
            for name in ("input", "output"):
                parts = differences(name, getattr(pair.a, name), getattr(pair.b, name), limit=6)
                found += [{"where": one_line(one.where, 200), "a": one.a, "b": one.b} for one in parts]
        self.detail = {
            "at": at, "path": self._row(at, pair)["path"], "node": self._place(pair), "rows": found,
            "sides": {side: None if one is None else _visit(one) for side, one in sides.items()},
        }  # fmt: skip

    # --- what a person does

    def _change_theme(self, _change: Any) -> None:
        with self._turn:
            self._show_now()

    @intent
    def look_again(self) -> None:
        """Compare the runs as they are now."""
        self._compare_again()

    @intent
    def choose(self, at: int | None = None, node: str | None = None) -> None:
        """Look at an aligned attempt by its number, or at the first that differs, or is, at a node."""
        with self._turn:
            pairs = self.difference.pairs
            if isinstance(at, int) and 0 <= at < len(pairs):
                self._selected = at
            elif isinstance(node, str):
                here = [number for number, pair in enumerate(pairs) if self._place(pair) == node]
                differing = [number for number in here if not pairs[number].same]
                self._selected = next(iter(differing or here), None)
                if self._selected is None:
                    self.tell(f"Neither run came to {one_line(node, 120)}.")
            else:
                self._selected = None
            self._show_detail()

    @intent
    def turn_page(self, first: int = 0, only: bool | None = None) -> None:  # noqa: FBT001 - by name, from the browser
        """Show the aligned attempts from a number on; `only` those that differ."""
        with self._turn:
            self._first = first if isinstance(first, int) else 0
            self._only = self._only if only is None else bool(only)
            self._show_table()


def _as_it_stands(drawn: Diagram, subject: Any) -> Diagram:
    """Return a picture of a run that rests in the middle without a step at work: nobody works on it."""
    if not isinstance(subject, Run) or subject.is_finished:
        return drawn
    return replace(drawn, overlay=LivePicture(subject).diagram.overlay)


def _side(run: Any) -> dict[str, str]:
    reason = f": {one_line(run.reason, 200)}" if run.reason else ""
    return {
        "run": one_line(run.run, 120),
        "words": f"{run.state or 'state not on record'}{reason}",
        "state": run.state or "",
    }


def _visit(one: AttemptFinished) -> dict[str, Any]:
    error = "" if one.error is None else one_line(one.error.described(), 400)
    return {
        "input": value_text(one.input, 2_000).text,
        "output": value_text(one.output, 2_000).text,
        "error": error,
        "told": one_line(f"{one.worker or 'no worker'}, {duration(one.duration_s)}", 120),
    }


def _seconds(one: AttemptFinished) -> float | None:
    return one.duration_s


def _dollars(one: AttemptFinished) -> float | None:
    return (one.usage or {}).get("cost_usd")


def _delta(pair: Pair, measure: Any, shown: Any) -> str:
    """B less A, where both tell."""
    a, b = (None if one is None else measure(one) for one in (pair.a, pair.b))
    if a is None or b is None:
        return ""
    sign = "+" if b > a else "\N{MINUS SIGN}"
    return "" if a == b else f"{sign}{shown(abs(b - a))}"
