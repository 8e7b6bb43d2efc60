"""`RunSet`: the handle a person holds on many runs of one workflow. They are read when somebody looks at them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, overload

from orchestration_kit.engine.summary import RunSummary
from orchestration_kit.errors import JournalError, RunStateError, UnknownRun, counted
from orchestration_kit.scale.frames import NOT_STARTED, frame_of_failures, frame_of_runs
from orchestration_kit.scale.going import Going
from orchestration_kit.scale.making import FINISHED
from orchestration_kit.scale.plan import Planned, SetPlan, run_id
from orchestration_kit.scale.reading import Reader
from orchestration_kit.scale.view import as_html, in_words, ordered

if TYPE_CHECKING:
    import pandas as pd

    from orchestration_kit.engine.orchestrator import Orchestrator
    from orchestration_kit.engine.run import Run
    from orchestration_kit.history.sources import Recorded
    from orchestration_kit.reliability import Reliability


class RunSet:
    """Many runs of one workflow: `run_many` returns one.

    `len(runs)`; `runs[0]`, `runs["tuesday/shop/2"]` and `runs["shop", 2]` are handles (`Run`), and so is what a loop
    gives, one after another: a set of ten thousand holds none of them in memory where the hub has a journal.

    >>> from orchestration_kit import Orchestrator, WorkerDefinition, create_generic_pipeline, run_many
    >>> hub = Orchestrator()
    >>> hub.register_worker(WorkerDefinition(worker_type="generic", name="shout", executor=str.upper))
    >>> runs = run_many(create_generic_pipeline([("say", "generic", "")]), ["hello", "bye"], hub=hub, name="words")
    >>> len(runs), runs[1].run_id, runs["1", 1].state.value
    (2, 'words/2/1', 'completed')
    """

    def __init__(self, hub: Orchestrator, plan: SetPlan, *, at_once: int | None = None, executor: Any = None) -> None:
        self.hub = hub
        self.plan = plan
        """Which runs there are to be."""
        self._going = Going(hub, plan, at_once, executor)
        self._finished: dict[str, RunSummary] | None = None

    # --- what it is

    @property
    def name(self) -> str:
        """What it is called; its runs are tagged `many=<name>`."""
        return self.plan.name

    @property
    def workflow(self) -> str:
        """The name of the workflow."""
        return self.plan.workflow

    @property
    def run_ids(self) -> list[str]:
        """The ids of its runs, in the order of the goals."""
        return [run.run_id for run in self.plan.runs]

    def __len__(self) -> int:
        return len(self.plan.runs)

    def __iter__(self) -> Iterator[Run]:
        """Give the handles of those runs that were begun, one after another."""
        found = self._summaries()
        return (self.hub.get_run(run.run_id) for run in self.plan.runs if run.run_id in found)

    @overload
    def __getitem__(self, which: int | str | tuple[str | int, int]) -> Run: ...
    @overload
    def __getitem__(self, which: slice) -> list[Run]: ...

    def __getitem__(self, which: int | str | slice | tuple[str | int, int]) -> Run | list[Run]:
        """Return the handle of a run: by its place, its id, or its goal's id and the repeat (from 1 on).

        Raises:
            IndexError: there are not so many.
            UnknownRun: there is no such run in the set.
            RunStateError: it was not begun.
        """
        if isinstance(which, slice):
            return [self._handle(run.run_id) for run in self.plan.runs[which]]
        if isinstance(which, int):
            if not -len(self) <= which < len(self):
                raise IndexError(f"The set {self.name!r} has {counted(len(self), 'run')}; there is no runs[{which}].")
            return self._handle(self.plan.runs[which].run_id)
        found = run_id(self.name, str(which[0]), which[1]) if isinstance(which, tuple) else which
        if found not in self.plan.places:
            raise UnknownRun(str(found), self.run_ids)
        return self._handle(found)

    def _handle(self, run_id: str) -> Run:
        try:
            return self.hub.get_run(run_id)
        except UnknownRun:
            hint = "It is made by .resume(); or wait for it with .wait(), where the set is being made."
            raise RunStateError(run_id, NOT_STARTED, "it was not begun yet", hint) from None

    # --- how it stands

    @property
    def state(self) -> dict[str, int]:
        """How many runs are in each state: `{"completed": 97, "failed": 3}`; what was not begun is "not started"."""
        counts: dict[str, int] = {}
        found = self._summaries()
        for run in self.plan.runs:
            summary = found.get(run.run_id)
            state = NOT_STARTED if summary is None else summary.state
            counts[state] = counts.get(state, 0) + 1
        return ordered(counts)

    @property
    def is_busy(self) -> bool:
        """Whether runs are being made."""
        return self._going.is_busy

    @property
    def is_finished(self) -> bool:
        """Whether every run has completed or failed."""
        return all(state in FINISHED for state in self.state)

    # --- what came of it

    def frame(self, *, outputs: bool = True) -> pd.DataFrame:
        """Return one row per run, in the order of goals and repeats, those not begun included.

        Args:
            outputs: With the last output of each run that completed; for that, each of them is read.

        Columns (dtype):
            run (string): the run's id.
            goal_id (category), goal (string), repeat (Int64): from 1 on.
            state (category): completed, failed, waiting, ...; not started. reason (string): why it failed or stopped.
            success (boolean): completed or failed; missing where that is open.
            steps, attempts (Int64): different steps that were visited; attempts in all.
            duration_s (float64): busy time, so attempts and waits for retries.
            tokens (Int64), cost_usd (Float64): missing where no attempt told any.
            output (object): the last output; None where the run did not complete.
        """
        found = self._summaries()
        listed = [found.get(run.run_id) for run in self.plan.runs]
        return frame_of_runs(self.plan.runs, listed, self._outputs(listed) if outputs else None)

    def outputs(self) -> list[Any]:
        """Return the last output of each run, in the order of goals and repeats; None where it did not complete."""
        found = self._summaries()
        return list(self._outputs([found.get(run.run_id) for run in self.plan.runs]))

    def failures(self) -> pd.DataFrame:
        """Return one row per run that failed, in the order of goals and repeats.

        >>> from orchestration_kit import Orchestrator, WorkerDefinition, WorkflowDefinition, WorkflowStep, run_many
        >>> hub = Orchestrator()
        >>> hub.register_worker(WorkerDefinition(worker_type="generic", name="number", executor=lambda text: int(text)))
        >>> flow = WorkflowDefinition(name="read")
        >>> flow.add_step(WorkflowStep(step_id="read", worker_type="generic", is_terminal=True), is_initial=True)
        >>> run_many(flow, ["7", "seven"], hub=hub).failures()[["goal", "error_type"]].values.tolist()
        [['seven', 'ValueError']]

        Columns (dtype): run (string), goal_id (category), goal (string), repeat (Int64); path (string), step, worker,
        error_type (category), error (string): of its last failed attempt; reason (string): why the run failed;
        attempts (Int64).
        """
        found = self._summaries()
        failed = [run for run in self.plan.runs if run.run_id in found and found[run.run_id].state == "failed"]
        reader = Reader(self.hub, self.workflow)
        return frame_of_failures(failed, [found[run.run_id] for run in failed], reader.recorded)

    def history(self) -> pd.DataFrame:
        """Return one row per attempt of all runs: their `history_frame`."""
        from orchestration_kit.history import history_frame

        return history_frame(self.recorded())

    def transitions(self) -> pd.DataFrame:
        """Return one row per edge that was taken: the `transitions_frame` of all runs."""
        from orchestration_kit.history import transitions_frame

        return transitions_frame(self.recorded())

    def usage(self) -> pd.DataFrame:
        """Return one row per worker and model: the `usage_frame` of all runs."""
        from orchestration_kit.history import usage_frame

        return usage_frame(self.recorded())

    def recorded(self) -> list[Recorded]:
        """Return what is on record of each run that was begun, without the handles."""
        reader, found = Reader(self.hub, self.workflow), self._summaries()
        return [reader.recorded(run.run_id) for run in self.plan.runs if run.run_id in found]

    def compare(self, other: RunSet) -> pd.DataFrame:
        """Return one row per goal, this set (a) beside another (b), and a last row, `(all)`, over goals that both have.

        Runs that completed or failed count. A goal's row compares its repeats: shares by Newcombe's interval, means by
        Welch's. The last row pairs goals by their id, as goals differ in difficulty: it takes the mean over goals of
        each goal's mean, as many trials as there are goals, with the correlation between the sets; repeats of a goal
        are not independent trials (Miller, arXiv:2411.00640). All intervals are of 95 %.

        Columns (dtype):
            goal_id (string): missing in the last row. goal (string)
            runs_a, runs_b (Int64): that count.
            success_a, success_b (Float64): shares that completed. success_difference, success_low, success_high
                (Float64): b less a, and the interval around it.
            cost_a_usd, cost_b_usd, cost_difference_usd, cost_low_usd, cost_high_usd (Float64): means of runs that told
                their cost; missing where none did, intervals also where there are less than two runs.
            duration_a_s, duration_b_s, duration_difference_s, duration_low_s, duration_high_s (Float64): busy time.

        Raises:
            TypeError: it is no set of runs.
        """
        from orchestration_kit.scale.comparison import comparison

        if not isinstance(other, RunSet):
            raise TypeError(f"compare takes another RunSet, as run_many returns it, not {other!r:.80}.")
        return comparison(self._pairs(), other._pairs())

    def reliability(self, **options: Any) -> Reliability:
        """Return how reliable the workflow is, as far as these runs tell; repeats per goal tell how goals differ.

        Args:
            **options: `level`, `draws`, `seed`: see `orchestration_kit.reliability.reliability`.

        Raises:
            ChainError: nothing is on record.
        """
        from orchestration_kit.reliability import reliability

        reader, found = Reader(self.hub, self.workflow), self._summaries()
        begun = [run for run in self.plan.runs if run.run_id in found]
        # Goals are told apart by their ids: two of them may share a text, and differ in their data.
        runs = [replace(reader.recorded(run.run_id), goal=run.goal.id) for run in begun]
        return reliability(runs, workflow=self.hub.workflows[self.workflow], **options)

    # --- going on

    def cancel(self, reason: str = "cancelled") -> None:
        """Begin no further run, and cancel those under way. What was cancelled can be gone on with: `resume()`."""
        self._going.cancel(reason)

    def wait(self, timeout_s: float | None = None) -> RunSet:
        """Wait until no run is being made any more, and return the set.

        Raises:
            TimeoutError: runs are still being made after `timeout_s` seconds.
            JournalError: they could not be put on record; `resume()` goes on.
        """
        self._going.wait(timeout_s)
        return self

    def resume(self, *, retry_failed: bool = False, progress: bool = True, wait: bool = True) -> RunSet:
        """Make what is missing, and go on with what stopped half way; what is finished stays as it is.

        Args:
            retry_failed: Go on with runs that failed as well.
            progress: Show a bar, in a notebook and on a terminal.
            wait: Return when all runs were made; else at once.

        Raises:
            As `run_many` does.
        """
        self._finished = None
        self._going.begin(retry_failed=retry_failed, progress=progress, wait=wait)
        return self

    # --- inside

    def _summaries(self) -> dict[str, RunSummary]:
        """Return the runs that are on record in a line each, by id."""
        if self._finished is not None:
            return self._finished
        self._going.flush()
        places = self.plan.places
        listed = self.hub.runs(run_id_contains=f"{self.name}/")
        found = {one.run_id: one for one in listed if one.run_id in places}
        is_over = len(found) == len(places) and all(one.state in FINISHED for one in found.values())
        if is_over and not self.is_busy:
            self._finished = found
        return found

    def _pairs(self) -> list[tuple[Planned, RunSummary | None]]:
        found = self._summaries()
        return [(run, found.get(run.run_id)) for run in self.plan.runs]

    def _outputs(self, listed: list[RunSummary | None]) -> Iterator[Any]:
        reader = Reader(self.hub, self.workflow)
        for one in listed:
            yield None if one is None or one.state != "completed" else reader.last_output(one.run_id)

    def __repr__(self) -> str:
        busy = ", being made" if self.is_busy else ""
        try:
            states = in_words(self.state)
        except JournalError as error:  # it was closed, say: a display that raises would hide what it is to show
            states = f"{counted(len(self), 'run')}, and the journal cannot be read now ({error!s:.200})"
        return f"<RunSet {self.name!r} of {self.workflow}: {states}{busy}>"

    def _repr_html_(self) -> str | None:
        try:
            found = self._summaries()
        except JournalError:
            return None  # the line above is shown
        failed = [(one.run_id, one.reason or "") for one in self._in_order(found) if one.state == "failed"]
        costs = [one.totals.cost_usd for one in found.values() if one.totals.cost_usd is not None]
        busy_s = sum(one.totals.duration_s for one in found.values())
        figures = {
            "goals": f"{len(self.plan.goals):,}",
            "repeats": f"{self.plan.repeats:,}",
            "busy": f"{busy_s:,.1f} s",
        }
        if costs:
            figures["cost"] = f"${sum(costs):,.4f}"
        return as_html(self.name, self.workflow, self.state, figures, failed)

    def _in_order(self, found: dict[str, RunSummary]) -> list[RunSummary]:
        return [found[run.run_id] for run in self.plan.runs if run.run_id in found]
