"""`Monitor`: a live table of runs with alerts and figures, from which they are opened, cancelled and answered."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from os import PathLike
from typing import Any, cast

import traitlets

from orchestration_kit.engine.orchestrator import Orchestrator
from orchestration_kit.engine.ports import Clock, SystemClock
from orchestration_kit.errors import JournalError, OrchestrationError
from orchestration_kit.history.texts import shorten
from orchestration_kit.journal.port import Journal
from orchestration_kit.widgets.approval import ApprovalBox
from orchestration_kit.widgets.approval_questions import visible
from orchestration_kit.widgets.base import STATIC, KitWidget, intent
from orchestration_kit.widgets.journals import open_for_reading
from orchestration_kit.widgets.monitor.alerts import Alert, AlertRules, alerts_of
from orchestration_kit.widgets.monitor.graph import Graph
from orchestration_kit.widgets.monitor.lines import RunLine
from orchestration_kit.widgets.monitor.looking import opened_player
from orchestration_kit.widgets.monitor.source import Change, Source
from orchestration_kit.widgets.monitor.source_hub import HubSource
from orchestration_kit.widgets.monitor.source_journal import JournalSource
from orchestration_kit.widgets.monitor.table import MOST_ROWS, View, chosen, row_of, tallied
from orchestration_kit.widgets.player import Player
from orchestration_kit.widgets.pulse import Ticker
from orchestration_kit.widgets.watching import Watcher

EVERY_S = 1.0
"""Seconds between two looks."""
MOST_ALERTS = 50
"""Alerts that are sent to a page."""
_log = logging.getLogger("orchestration_kit")
_NOTHING = Change(set(), {}, set())


class Monitor(KitWidget):
    """Many runs at a glance, of this process and of others: a table that keeps up, alerts, a graph with figures.

    A run is opened in a player below, cancelled, or answered where it waits for a person. Runs of other processes are
    followed through their journal; what such a run asks can be answered, which goes on record, while nobody drives it.

    >>> from orchestration_kit import Orchestrator, WorkerDefinition, create_generic_pipeline
    >>> hub = Orchestrator()
    >>> hub.register_worker(WorkerDefinition(worker_type="generic", name="shout", executor=str.upper))
    >>> hub.register_workflow(create_generic_pipeline([("a", "generic", ""), ("b", "generic", "")]))
    >>> _ = hub.execute_workflow("a_b", "hello", verbose=False, run_id="first")
    >>> monitor = Monitor(hub)
    >>> monitor.shown, monitor.alerts
    (['first'], [])
    >>> monitor.close()

    Args:
        source: An orchestrator, a journal, or the path of a journal's file.
        rules: When to raise an alert.
        changes: Whether runs can be cancelled and answered from here; without, it only looks.
        every_s: Seconds between two looks; looks take no more than a 25th of the time, however many runs there are.
        clock: What time it is.
        ticker: What to look by; a thread where none is given.

    Raises:
        JournalUnavailable: there is no journal at that path.
        TypeError: it is none of these.
    """

    _esm = STATIC / "monitor.js"
    _css = STATIC / "monitor.css"

    child = traitlets.Unicode("").tag(sync=True)
    """The model of what is open below the table: a player, or an approval box; empty where nothing is."""
    opened = traitlets.Dict(default_value={}).tag(sync=True)
    """What is open: `title`, `how` (what to do where a program shows no widget within a widget), and a `number`."""
    may_change = traitlets.Bool(default_value=True).tag(sync=True)
    """Whether runs can be cancelled and answered from here."""

    def __init__(  # noqa: PLR0913 - what a monitor is made of
        self,
        source: Orchestrator | Journal | PathLike[str] | str,
        *,
        rules: AlertRules | None = None,
        changes: bool = True,
        every_s: float = EVERY_S,
        clock: Clock | None = None,
        ticker: Ticker | None = None,
    ) -> None:
        self._source = _source_of(source)
        self._desk = self._source.desk
        self._rules, self._clock = rules or AlertRules(), clock or SystemClock()
        self._view, self._wanted_graph = View(), ""
        self._numbers: dict[str, int] = {}
        """By run: what its row is called in the page."""
        self._rows: dict[str, tuple[int, dict[str, Any]]] = {}
        """By run: the version of its line, and the row that was sent."""
        self._lines: list[RunLine] = []
        self._found = 0
        self._order: list[str] = []
        self._alerts: list[Alert] = []
        self._told: dict[str, Any] = {}
        self._graph: Graph | None = None
        self._no_graph: dict[str, Any] = {}
        """Why there is none."""
        self._summed_at = float("-inf")
        self._below: Player | ApprovalBox | None = None
        self._openings = 0
        self._trouble = ""
        self._ticker = ticker
        super().__init__(may_change=changes)
        self.observe(self._change_theme, names="theme")
        self._watcher = Watcher(self._look, every_s=every_s, ticker=ticker)
        self._desk.watch(self._watcher.soon)
        self._watcher.look_now()
        self._watcher.start()

    @property
    def shown(self) -> list[str]:
        """The ids of the runs in the table, in its order."""
        return [line.run_id for line in self._lines]

    @property
    def alerts(self) -> list[Alert]:
        """What a person should look at, the most recent first."""
        return list(self._alerts)

    def refresh(self) -> None:
        """Look now."""
        self._watcher.look_now()

    def close(self) -> None:
        """Take the monitor off the page, and look no more. Runs go on."""
        if getattr(self, "_watcher", None) is not None:  # else it was never finished
            self._watcher.close()
            self._source.close()
            self._put_away()
        super().close()

    # --- what a person wants

    @intent
    def hello(self) -> None:
        """A page shows the monitor: send everything."""
        with self._watcher.turn:
            self._watcher.seen()
            self._send_table(whole=True)
            self._tell_page({"graph": self._no_graph if self._graph is None else self._graph.full()})

    @intent
    def seen(self) -> None:
        """A page shows it."""
        self._watcher.seen()

    @intent
    def show(
        self,
        *,
        text: str | None = None,
        workflow: str | None = None,
        state: str | None = None,
        sort: str | None = None,
        descending: bool | None = None,
    ) -> None:
        """Show other runs, or in another order; what is not given stays as it is."""
        given = {"text": text, "workflow": workflow, "state": state, "sort": sort, "descending": descending}
        with self._watcher.turn:
            self._view = self._view.changed(**{name: value for name, value in given.items() if value is not None})
            if workflow:
                self._wanted_graph = workflow
            self._bring_up_to_date(_NOTHING, force=True)

    @intent
    def graph(self, workflow: str) -> None:
        """Show the graph of a workflow."""
        with self._watcher.turn:
            self._wanted_graph = workflow
            self._bring_up_to_date(_NOTHING, force=True)

    @intent
    def open_run(self, id: str) -> None:  # noqa: A002 - the page's word
        """Open a run in a player."""
        run_id = self._run_id(id)
        run = self._source.handle(run_id)
        make = partial(opened_player, run, may_change=self.may_change)
        self._open(make, f"Run {run_id}", f"hub.get_run({run_id!r}).player()")

    @intent
    def ask(self, id: str) -> None:  # noqa: A002 - the page's word
        """Show what a run asks, to be answered."""
        if not self.may_change:
            self._refuse()
            return
        run_id = self._run_id(id)
        run = self._source.handle(run_id)
        make = partial(ApprovalBox, run, may_go_on=self._desk.can_go_on, ticker=self._ticker)
        self._open(make, f"What run {run_id} asks", f"ApprovalBox(hub.get_run({run_id!r}))")

    @intent
    def put_away(self) -> None:
        """Close what is open below the table."""
        with self._watcher.turn:
            self._put_away()

    @intent
    def cancel(self, id: str, reason: str = "") -> None:  # noqa: A002 - the page's word
        """Cancel a run."""
        if not self.may_change:
            self._refuse()
            return
        run_id = self._run_id(id)
        run = self._source.handle(run_id)
        if run.is_finished:
            self.tell(f"Run {run_id!r} is {run.state.value} already.")
        else:
            run.cancel(str(reason).strip() or "cancelled in the monitor")
            ended = "It is cancelled." if run.is_finished else "It ends when what is under way lets go."
            self.tell(f"Run {run_id!r} was told to stop. {ended}")
        self._watcher.look_now()

    # --- looking

    def _tell_page(self, message: dict[str, Any]) -> None:
        self.send(message)  # pyright: ignore[reportUnknownMemberType]

    def _look(self) -> None:
        try:
            change = self._source.look()
        except JournalError as error:
            if str(error) != self._trouble:
                self._trouble = str(error)
                self.tell(f"The journal cannot be read now; what you see is how things stood. {error}", level="error")
            return
        if self._trouble:
            self._trouble = ""
            self.tell("The journal can be read again.")
        self._bring_up_to_date(change)
        if isinstance(self._below, Player):
            self._follow_opened(self._below, change)

    def _bring_up_to_date(self, change: Change, *, force: bool = False) -> None:
        now = self._clock.time()
        if change.lines or force:
            found = chosen(self._source.lines.values(), self._view, now)
            self._found, self._lines = len(found), found[:MOST_ROWS]
            for line in self._lines:
                self._source.fill_in(line)
        self._bring_graph_up_to_date(change, force=force)
        figures = None if self._graph is None else self._graph.figures
        self._alerts = alerts_of(self._source.lines.values(), self._rules, now, figures)
        self._send_table(whole=False)

    def _send_table(self, *, whole: bool) -> None:
        """Send the rows that are new or other ones, the order where it is another one, and what stands around."""
        rows: dict[str, dict[str, Any]] = {}
        kept: dict[str, tuple[int, dict[str, Any]]] = {}
        order: list[str] = []
        for line in self._lines:
            version, row = self._rows.get(line.run_id, (-1, {}))
            if version != line.version:
                fresh = row_of(line) | {"id": self._name(line.run_id)}
                if fresh != row:
                    rows[fresh["id"]] = row = fresh
            kept[line.run_id] = (line.version, row)
            order.append(row["id"])
        if whole:
            rows = {row["id"]: row for _, row in kept.values()}
        self._rows = kept
        message: dict[str, Any] = {"rows": rows} if rows else {}
        if whole or order != self._order:
            message["order"] = self._order = order
        told = self._around()
        if whole or told != self._told:
            message["around"] = self._told = told
        if message:
            self._tell_page(message)

    def _around(self) -> dict[str, Any]:
        lines = self._source.lines.values()
        workflows = sorted({line.workflow for line in lines})
        return {
            "counts": tallied(lines),
            "found": self._found,
            "shown": len(self._lines),
            "followed": len(lines),
            "total": self._source.total,
            "workflows": [[name, visible(shorten(name, 80))] for name in workflows[:200] if name.isprintable()],
            "view": {name: getattr(self._view, name) for name in ("text", "workflow", "state", "sort", "descending")},
            "alerts": [self._alert(alert) for alert in self._alerts[:MOST_ALERTS]],
            "more_alerts": max(0, len(self._alerts) - MOST_ALERTS),
        }

    def _alert(self, alert: Alert) -> dict[str, Any]:
        return {
            "kind": alert.kind,
            "id": self._name(alert.run_id) if alert.run_id else "",
            "run": shorten(visible(alert.run_id), 80),
            "text": shorten(visible(alert.text.replace("\n", " ")), 300),
            "since": alert.since,
        }

    # --- the graph

    def _bring_graph_up_to_date(self, change: Change, *, force: bool) -> None:
        line = next((one for one in self._lines if self._wanted_graph in ("", one.workflow)), None)
        line = line or (self._lines[0] if self._lines else None)
        is_other = line is not None and (self._graph is None or self._graph.workflow != line.workflow)
        if line is not None and is_other:
            definition = self._source.definition(line)
            self._graph = None if definition is None else Graph(line.workflow, definition, self.theme)
            self._summed_at = float("-inf")
            if definition is None:
                why = "Its workflow holds Python callables, which are not on record: give the monitor its orchestrator."
                self._no_graph = {"workflow": visible(line.workflow), "steps": [], "why": why}
                self._tell_page({"graph": self._no_graph})
        if self._graph is None:
            return
        lines = [one for one in self._lines if one.workflow == self._graph.workflow]
        has_changed = self._graph.take(lines, change, self._source.attempts, self._clock)
        now = self._clock.monotonic()
        if has_changed or change.lines or is_other or force:
            self._is_stale = True
        if self._is_stale and (is_other or force or now - self._summed_at >= 2 * EVERY_S):
            self._is_stale, self._summed_at = False, now
            self._graph.sum_up(lines, self._rules)
            self._tell_page({"graph": self._graph.full() if is_other else self._graph.changes()})

    _is_stale = False

    def _change_theme(self, _change: Any) -> None:
        if self._graph is not None:
            with self._watcher.turn:
                self._graph.use_theme(self.theme)
                self._tell_page({"graph": self._graph.changes()})

    # --- one run

    def _open(self, make: Callable[[], Player | ApprovalBox], title: str, code: str) -> None:
        with self._watcher.turn:
            self._put_away()
            try:
                self._below = make()
            except Exception:  # noqa: BLE001 - marimo makes widgets in cells alone, and says so in its own way
                _log.debug("No widget can be shown within a widget here", exc_info=True)
            how = f"This program shows no widget within a widget. In a cell of its own: {code}"
            self._openings += 1
            with self.hold_sync():  # or a page would look for one before it knows the other
                self.child = str(getattr(self._below, "model_id", None) or "")
                self.opened = {
                    "title": shorten(visible(title), 120),
                    "how": shorten(visible(how), 400),
                    "number": self._openings,
                }

    def _put_away(self) -> None:
        widget, self._below = self._below, None
        with self.hold_sync():
            self.child, self.opened = "", {}
        if widget is not None:
            widget.close()

    def _follow_opened(self, player: Player, change: Change) -> None:
        """Show the run that is open as it is by now, where another process drives it."""
        run = player.run
        if run.run_id not in change.lines or run.is_driven or run.log is None or not run.log.is_behind:
            return
        try:
            player.follow(self._source.handle(run.run_id))
        except OrchestrationError as error:
            self.tell(f"Run {run.run_id!r} cannot be read any more. {error}", level="error")
            self._put_away()

    def _name(self, run_id: str) -> str:
        return f"r{self._numbers.setdefault(run_id, len(self._numbers) + 1)}"

    def _run_id(self, name: str) -> str:
        found = next((run_id for run_id, number in self._numbers.items() if name == f"r{number}"), None)
        if found is None:
            raise ValueError(f"There is no row {name!r:.40}.")
        return found

    def _refuse(self) -> None:
        self.tell(
            "This monitor only looks. Start it with changes allowed to cancel or answer from here.", level="error"
        )


def _source_of(source: Any) -> Source:
    if isinstance(source, Orchestrator):
        return HubSource(source) if source.journal is None else JournalSource(source.journal, source)
    if isinstance(source, (str, PathLike)):
        return JournalSource(open_for_reading(cast("PathLike[str] | str", source)), is_own=True)
    if isinstance(source, Journal):
        return JournalSource(source)
    raise TypeError(
        f"A Monitor is of an Orchestrator, a journal, or the path of a journal's file, not of {type(source).__name__}. "
        'For example: Monitor(orchestrator), or Monitor("runs.db").'
    )
