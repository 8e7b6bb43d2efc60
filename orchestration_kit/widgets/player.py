"""`Player`: a run in a notebook, to be stepped, run, paused, stopped, answered and looked into; the live picture of it.

The engine decides and runs; the player says what can be done, does what is clicked, and shows what came of it, in at
most twenty messages a second.
"""

from __future__ import annotations

import itertools
import threading
import time
from typing import TYPE_CHECKING, Any, cast

import traitlets

from orchestration_kit.engine.events import AttemptStarted, Event, PartialOutput
from orchestration_kit.engine.state import WorkflowState
from orchestration_kit.errors import OrchestrationError, counted
from orchestration_kit.visual.text import clean, one_line, shorten
from orchestration_kit.widgets.base import STATIC, KitWidget, intent
from orchestration_kit.widgets.live import LivePicture, packed
from orchestration_kit.widgets.player_moves import Moves
from orchestration_kit.widgets.player_status import (
    MARKS,
    Counts,
    lineage,
    open_requests,
    possible,
    progress,
    standing,
    used,
)
from orchestration_kit.widgets.player_still import Allowance, still_html
from orchestration_kit.widgets.player_visits import asked, coming_visit, data_rows, sub_runs, visit_detail, visit_rows
from orchestration_kit.widgets.pulse import Pulse, Ticker

if TYPE_CHECKING:
    from orchestration_kit.engine.run import Run

_TABS = ("visit", "visits", "data", "runs")
_MOST_RUNS = 12
_MOST_PIECES = 4_000
_LOOK_S = 1.0
"""Seconds between two looks at a journal in which another process may go on with the run."""
_MOST_STILLS = 4
"""Outputs whose picture is kept up to date; those of a cell that was run again are gone."""
_numbers = itertools.count(1)


class Player(Moves, KitWidget):
    """A run in a notebook: `run.player()`. Show it as the last value of a cell.

    Buttons step, run, pause, stop, retry, skip and go back; the input of the next visit can be edited first, which
    makes a fork from there. Below: input and output of each visit, every attempt, the data bus, sub-workflows. `run` is
    the run that it shows now, which is a fork once one was made. The run goes on in the background, so that its cell
    returns: `run.wait()` waits for it. A picture of it stays in the saved notebook.

    Two players may show one run, and it may be driven elsewhere meanwhile. Where nbval tests the notebook, tag the cell
    with `nbval-ignore-output`, as the picture holds times.

    >>> from orchestration_kit import Orchestrator, WorkerDefinition, create_generic_pipeline
    >>> hub = Orchestrator()
    >>> hub.register_worker(WorkerDefinition(worker_type="generic", name="shout", executor=str.upper))
    >>> hub.register_workflow(create_generic_pipeline([("a", "generic", ""), ("b", "generic", "")]))
    >>> player = hub.start("a_b", "hello").player()
    >>> player
    <Player>
    >>> player.run.step()["output"]
    'HELLO'

    Args:
        run: A run of this process, or of a journal: `hub.get_run(run_id)`.

    Raises:
        TypeError: it is no run.
    """

    _esm = STATIC / "player.js"
    _css = STATIC / "player.css"

    picture = traitlets.Unicode("").tag(sync=True)
    """The SVG, packed: as it was when the run rested last."""
    shown = traitlets.Dict(default_value={}).tag(sync=True)
    """How the run stands, what can be done, what it has used, what comes next, what is asked."""
    panel = traitlets.Dict(default_value={}).tag(sync=True)
    """What is in the tab that is open."""

    def __init__(self, run: Run, *, ticker: Ticker | None = None) -> None:
        if not hasattr(run, "resting_observers"):
            raise TypeError(
                f"A Player is of a Run, not of {type(run).__name__}. For example: Player(hub.start(workflow, goal)), "
                "or Player(hub.get_run(run_id)). visualize(...) draws workflows and what has ended."
            )
        self._turn = threading.RLock()
        self._run = run
        self._known: dict[str, Run] = {}
        self._counts = Counts()
        self._live = LivePicture(run)
        self._tab, self._at, self._last, self._key = "visit", None, None, None
        self._pieces: dict[str, str] = {}
        self._goes_on, self._has_played = True, False
        self._still = f"okit-still-{next(_numbers)}"
        self._stills: list[Any] = []
        self._still_shown: dict[str, str] = {}
        self._allowance = Allowance(10, 0.5)
        self._trouble = ""
        self.is_closed = False
        """Whether it listens no more."""
        super().__init__()
        self._pulse = Pulse(self._show_now, ticker=ticker)
        self._watch = Pulse(self._look_elsewhere, every_s=_LOOK_S, ticker=ticker)
        self.observe(self._change_theme, names="theme")
        self._attach(run)
        self._show_now(rests=True)

    @property
    def run(self) -> Run:
        """The run that is shown now."""
        return self._run

    def close(self) -> None:
        """Let go of the run, which goes on, and of the page."""
        if getattr(self, "_pulse", None) is not None:
            self._pulse.close()
            self._watch.close()
            self._detach()
            self.is_closed = True
        super().close()

    # --- hearing of the run

    def _attach(self, run: Run) -> None:
        """Hear of what happens in a run; again, where a resume has named other observers."""
        if self._heard not in run.audience.observers:
            run.audience.observers.append(self._heard)
        if self._rested not in run.resting_observers:
            run.resting_observers.append(self._rested)
        if run.log is not None and not run.is_finished:
            self._watch.beat()

    def _detach(self) -> None:
        run = self._run
        run.audience.observers = [one for one in run.audience.observers if one != self._heard]
        if self._rested in run.resting_observers:
            run.resting_observers.remove(self._rested)

    def _heard(self, event: Event) -> None:
        if isinstance(event, PartialOutput):
            before = self._pieces.get(event.path, "")
            self._pieces[event.path] = (before + clean(event.piece))[-_MOST_PIECES:]
        elif isinstance(event, AttemptStarted):
            self._pieces.pop(event.path, None)
        self._pulse.beat()

    def _rested(self) -> None:
        self._attach(self._run)
        if self._stills and self._allowance.take(time.monotonic()):
            with self._turn:
                self._keep_still()  # at once, in the cell that drove: `nbconvert --execute` hears of no later word
        self._pulse.beat()

    def _look_elsewhere(self) -> None:
        """Show what another process has put on record; look again in a while."""
        run = self._run
        trouble = ""
        try:
            if run.hub is not None and run.log is not None and not run.is_driven and run.log.is_behind:
                self.follow(run.hub.get_run(run.run_id))
        except OrchestrationError as error:
            trouble = f"The journal cannot be read now; what you see is how things stood. {error}"
        if trouble and trouble != self._trouble:
            self.tell(trouble, level="error")
        self._trouble = trouble
        if not self._run.is_finished:
            self._watch.beat()

    def follow(self, run: Run) -> None:
        """Show another run from now on: a fork, say, or a newer handle of the same run."""
        with self._turn:
            self._detach()
            if run.run_id != self._run.run_id:
                self._at = self._last = self._key = None
                self._known[self._run.run_id] = self._run
            self._known[run.run_id] = run
            while len(self._known) > _MOST_RUNS:
                del self._known[next(iter(self._known))]
            self._run, self._counts = run, Counts()
            self._pieces.clear()
            self._has_played = False
            self._live.follow(run)
            self._attach(run)
            self._show_now(rests=True)

    # --- sending

    def _change_theme(self, _change: Any) -> None:
        with self._turn:
            self._live.use_theme("dark" if self.theme == "dark" else "light")
            self._show_now()

    def _show_now(self, *, rests: bool = False) -> None:
        """Send what is new. Of the picture only the groups that changed, until the run rests."""
        with self._turn:
            run = self._run
            rests = rests or not run.is_driven
            if rests:
                self._say_why_it_stopped()
            changes = self._live.changes()
            if changes is None or (rests and changes) or not self.picture:
                self.picture = packed(self._live.full())
            elif changes:
                cast("Any", self).send({"groups": changes})
            self.shown = self._status()
            self.panel = self._panel()
            if rests:
                self._keep_still()

    def _say_why_it_stopped(self) -> None:
        """Tell of what ended a drive that this player began, where that was no worker's failure."""
        if not self._has_played:
            return
        self._has_played = False
        try:
            self._run.wait(0.0)
        except TimeoutError:  # others are told that it rests before whoever waits is
            self._has_played = True
            if not self._run.is_driven:
                self._pulse.beat()
        except (OrchestrationError, OSError, RuntimeError) as error:
            self.tell(f"The run could not go on: {type(error).__name__}: {error}", level="error")

    def _status(self) -> dict[str, Any]:
        run = self._run
        so_far = self._counts.of(run)
        at = standing(run)
        coming = coming_visit(run, self._live.place)
        going = sorted(visit.path for visit in tuple(run.machine.taken))
        waits = [one.path for one in open_requests(run)]
        where = going or waits or ([coming["path"]] if coming else [])
        last = run.machine.last_record()
        return {
            "run": one_line(run.run_id, 200),
            "workflow": one_line(run.workflow.name, 120),
            "goal": one_line(run.machine.started.goal, 300),
            "state": at.name,
            "mark": MARKS[at.name],
            "words": at.words,
            "lineage": lineage(run),
            "runs": self._runs(),
            "buttons": possible(run, so_far),
            "resumes": run.is_finished and run.state is not WorkflowState.COMPLETED,
            "used": used(run, so_far),
            "progress": progress(run, so_far),
            "at": list(dict.fromkeys(self._live.place(path) for path in where[:40])),
            "last": "" if last is None else self._live.place(last.path),
            "coming": coming,
            "asked": asked(open_requests(run)),
            "still": self._still,
            "journal": run.log is not None,
            "pieces": [{"path": path, "text": text} for path, text in list(self._pieces.items())[-1:] if path in going],
        }

    def _runs(self) -> list[dict[str, Any]]:
        run = self._run
        known = {**self._known, run.run_id: run}
        return [
            {"run": name, "words": f"{shorten(clean(name), 60)}: {one.state.value}", "here": one is run}
            for name, one in known.items()
        ]

    def _panel(self) -> dict[str, Any]:
        run, place = self._run, self._live.place
        found: dict[str, Any] = {"tab": self._tab, "run": one_line(run.run_id, 200)}
        found |= {"attempts": run.machine.recorded, "children": len(run.children)}
        if self._tab == "visit":
            total = run.machine.recorded
            at = self._at if self._at is not None and self._at < total else None
            found["chosen"] = at is not None
            found["visit"] = visit_detail(run, total - 1 if at is None else at, place) if total else None
        elif self._tab == "visits":
            found["visits"] = visit_rows(run, place, self._last)
        elif self._tab == "data":
            found["data"] = data_rows(run, self._key)
        else:
            found["runs"] = sub_runs(run)
        return found

    # --- looking around

    @intent
    def hello(self) -> None:
        """A page shows the player: send the picture as it is."""
        with self._turn:
            self._attach(self._run)
            self.picture = packed(self._live.full())
            self._show_now()

    @intent
    def open_tab(self, tab: str) -> None:
        """Show another tab."""
        if tab in _TABS:
            self._tab = tab
        self._show_now()

    @intent
    def choose(self, node: str | None = None, at: int | None = None) -> None:
        """Look at an attempt, by its number, or at the last visit of a node of the picture; neither: the last one."""
        with self._turn:
            machine = self._run.machine
            self._tab, self._at = "visit", None
            if isinstance(at, int) and 0 <= at < machine.recorded:
                self._at = at
            elif isinstance(node, str):
                rows = range(machine.recorded - 1, -1, -1)
                found = next((one for one in rows if self._live.place(machine.record(one).path) == node), None)
                coming = machine.coming()
                self._at = found
                if found is None and (coming is None or self._live.place(coming.path) != node):
                    self.tell(f"{one_line(node, 120)} was not visited yet.")
            self._show_now()

    @intent
    def turn_page(self, last: int | None = None) -> None:
        """Show the attempts up to a number; None: the newest."""
        self._last = last if isinstance(last, int) else None
        self._show_now()

    @intent
    def open_key(self, key: str | None = None) -> None:
        """Show an entry of the data bus in full."""
        self._key = key if isinstance(key, str) else None
        self._show_now()

    # --- what stays in a saved notebook

    def _ipython_display_(self) -> None:
        import IPython.display

        display = cast("Any", IPython.display).display
        found = cast("Any", self)._repr_mimebundle_()
        display(found[0] if isinstance(found, tuple) else found, raw=True)
        handle = display(self._still_now(), raw=True, display_id=True)
        if handle is not None:
            self._stills = [*self._stills[1 - _MOST_STILLS :], handle]

    def _still_now(self) -> dict[str, str]:
        run = self._run
        so_far = self._counts.of(run).totals
        told = f"{one_line(run.workflow.name, 80)}: {standing(run).words}, {counted(so_far.attempts, 'attempt')}."
        how = f"Run the cell again for the live view; hub.get_run({run.run_id!r}).player() shows a run of a journal."
        caption = f"{told} {shorten(clean(how), 300)}"
        html = still_html(self._live.diagram.with_theme("light"), caption, self._still)
        # The same whenever it is asked: a notebook that is held against itself (nbval) differs in the picture alone.
        return {"text/html": html, "text/plain": f"{one_line(run.workflow.name, 80)}: a picture of the run"}

    def _keep_still(self) -> None:
        if not self._stills:
            return
        still = self._still_now()
        if still != self._still_shown:
            self._still_shown = still
            for handle in self._stills:
                handle.update(still, raw=True)
