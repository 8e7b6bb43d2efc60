"""What a person can do with a run in a player. Every click may come late or twice: then it says so and does nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestration_kit.errors import RunStateError
from orchestration_kit.visual.text import one_line
from orchestration_kit.widgets.base import intent
from orchestration_kit.widgets.player_status import Counts, is_child, possible
from orchestration_kit.widgets.player_texts import value_of
from orchestration_kit.widgets.player_visits import is_same_input

if TYPE_CHECKING:
    from orchestration_kit.engine.run import Run

_LATE = "Nothing was done: the run has gone on since; it comes to {now} next."


class Moves:
    """The intents of a player that change something. `Player` adds what is seen."""

    _run: Run
    _counts: Counts
    _goes_on: bool
    _has_played: bool
    _at: int | None
    notice: Any
    tell: Any
    _show_now: Any
    follow: Any
    _attach: Any

    @intent
    def step(self, at: str | None = None, text: str | None = None, how: str = "text") -> None:
        """Make the next visit; with a text, of another input, in a fork."""
        self._begin("step", at, text, how)

    @intent
    def run_on(self, at: str | None = None, text: str | None = None, how: str = "text") -> None:
        """Run to the end, or until somebody is asked."""
        self._begin("run", at, text, how)

    def _begin(self, button: str, at: str | None, text: str | None, how: str) -> None:
        if not self._may(button):
            return
        run = self._run
        coming = run.machine.coming()
        if at is not None and (coming is None or coming.path != at):
            self.tell(_LATE.format(now="its end" if coming is None else one_line(coming.path, 120)))
            self._show_now()
            return
        if text is not None and coming is not None:
            value = value_of(text, how)
            if not is_same_input(run, value):
                run = self._move_to(run.fork(coming.path, input=value), "its input was changed")
        if run.is_finished:
            run.go_on()
            self._attach(run)
        self._goes_on = button == "run"
        self._at = None
        run.play(visits=None if self._goes_on else 1)
        self._has_played = True
        self._show_now()

    @intent
    def pause(self) -> None:
        """Begin no further visit."""
        self._goes_on = False
        if self._may("pause"):
            self._run.pause()
            self._show_now()

    @intent
    def stop(self) -> None:
        """End the run as cancelled."""
        self._goes_on = False
        if self._may("stop"):
            self._run.cancel("stopped in the player")
            self._show_now()

    @intent
    def retry(self) -> None:
        """Make the visit that failed last once more."""
        if not self._may("retry"):
            return
        again = self._run.retry()
        if again is not self._run:
            self._move_to(again, "the visit that failed is made again")
        self._attach(again)
        self._goes_on, self._at = False, None
        again.play(visits=1)
        self._has_played = True
        self._show_now()

    @intent
    def skip(self, at: str | None = None, text: str | None = None, how: str = "text") -> None:
        """Do not call the next worker: put out a text that was given, or what would go in."""
        if not self._may("skip"):
            return
        coming = self._run.machine.upcoming()
        if at is not None and (coming is None or coming.path != at):
            self.tell(_LATE.format(now="its end" if coming is None else one_line(coming.path, 120)))
        elif text is None:
            self._run.skip()
        else:
            self._run.skip(value_of(text, how))
        self._at = None
        self._show_now()

    @intent
    def back(self, at: int | None = None, text: str | None = None, how: str = "text") -> None:
        """Go to the beginning of a visit, in a fork; the last one where none is named."""
        if not self._may("back"):
            return
        machine = self._run.machine
        number = at if isinstance(at, int) and 0 <= at < machine.recorded else machine.recorded - 1
        path = machine.record(number).path
        given: dict[str, Any] = {} if text is None else {"input": value_of(text, how)}
        self._move_to(self._run.fork(path, **given), "with another input" if given else "as it was then")
        self._goes_on = False
        self._show_now()

    @intent
    def approve(self, request: str, text: str | None = None, how: str = "json") -> None:
        """Approve what was asked, with a value or the plain yes."""
        if text is None:
            self._outermost().approve(request=request)
        else:
            self._outermost().approve(value_of(text, how), request=request)
        self._answered("Approved.")

    @intent
    def reject(self, request: str, reason: str = "") -> None:
        """Say no, and why."""
        if not str(reason).strip():
            self.tell("Say why: the reason goes on record, and the run goes on with it.", level="error")
            return
        self._outermost().reject(str(reason).strip()[:4_000], request=request)
        self._answered("Rejected.")

    @intent
    def send_event(self, event: str, text: str | None = None, how: str = "json") -> None:
        """Send an event that a step waits for."""
        self._run.send(event, None if text is None else value_of(text, how))
        self._answered(f"Event {one_line(event, 80)} was sent.")

    def _answered(self, words: str) -> None:
        run = self._outermost()
        if self._goes_on and not run.is_driven and not run.is_finished:
            run.play()
            self._has_played = run is self._run
            self.tell(f"{words} The run goes on.")
        else:
            where = "" if run is self._run else f" of {one_line(run.run_id, 120)}"
            self.tell(words if run.is_driven else f"{words} Step or Run{where} goes on from there.")
        self._show_now()

    def _outermost(self) -> Run:
        """Return the run that drives the one that is shown: a sub-workflow does not go on by itself."""
        run = self._run
        while is_child(run) and run.machine.started.parent is not None:
            run = self._find(run.machine.started.parent)
        return run

    @intent
    def open_run(self, run: str) -> None:
        """Show another run: one that was shown before, a sub-workflow's, or the one that this came from."""
        found = self._find(str(run))
        if found is self._run:
            return
        self.follow(found)
        words = "It is part of another run, which drives it." if is_child(found) else ""
        self.tell(f"This is {one_line(found.run_id, 160)}. {words}".strip())

    @intent
    def open_parent(self) -> None:
        """Show the run that this one came from."""
        parent = self._run.machine.started.parent
        if parent is None:
            self.tell("This run began by itself.")
            return
        self.open_run(parent)

    def _find(self, run_id: str) -> Run:
        known: dict[str, Run] = getattr(self, "_known", {})
        for one in (*known.values(), *self._run.children.values()):
            if one.run_id == run_id:
                return one
        if self._run.hub is None:
            raise RunStateError(run_id, self._run.state, "nobody knows it here", "It belongs to no orchestrator.")
        return self._run.hub.get_run(run_id)

    def _move_to(self, run: Run, why: str) -> Run:
        """Go over to a fork, and say so."""
        forked_at = run.machine.started.forked_at or ""
        before = one_line(self._run.run_id, 120)
        self.follow(run)
        self.tell(
            f"You are in a fork now: {one_line(run.run_id, 120)}, made at {one_line(forked_at, 120)}: {why}. "
            f"{before} stays as it was."
        )
        return run

    def _may(self, button: str) -> bool:
        """Whether a button does something now; else say why not."""
        why = possible(self._run, self._counts.of(self._run))[button]
        if why:
            self.tell(why)
            self._show_now()
        elif self.notice.get("text"):
            self.notice = {**self.notice, "text": ""}  # it was about what was clicked before
        return not why
