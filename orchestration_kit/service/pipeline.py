"""A workflow with its workers and all that is known of them: to be explained, estimated, run and watched."""

from __future__ import annotations

import hashlib
import html
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from orchestration_kit.definition.steps import WorkflowStep
from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.engine.calls import bind_worker
from orchestration_kit.engine.events import RunFinished
from orchestration_kit.errors import counted
from orchestration_kit.reliability import Reliability, reliability
from orchestration_kit.service.errors import NothingMeasured
from orchestration_kit.service.measuring import FEW, Rated
from orchestration_kit.service.rollout import STAGES, Rollout, Tried
from orchestration_kit.service.selecting import Selection, Wanted, rates_of
from orchestration_kit.service.watchdog import Outcome, Watchdog

if TYPE_CHECKING:
    import pandas as pd

    from orchestration_kit.definition.workers import WorkerDefinition
    from orchestration_kit.engine.context import WorkflowContext
    from orchestration_kit.engine.limits import RunLimits
    from orchestration_kit.engine.orchestrator import Orchestrator
    from orchestration_kit.engine.run import Run
    from orchestration_kit.visual.diagram import Diagram
    from orchestration_kit.widgets.monitor import Monitor

PIPELINE, CHOICE, WATCH = "pipeline", "choice", "watch"
"""Tags of its runs: the workflow, who works in it, and how often the watchdog was reset before."""
EXPECTED = "expected"
"""Tag of its runs: what the watchdog held for normal, so that what went wrong does not become what is expected."""
ROLLOUT, VERSION, STAGE, BASELINE = "rollout", "version", "stage", "baseline"
RESET_OF, BY = "reset of", "by"
"""Tags of the record of a reset: which workflow, and who it was. Its goal is the reason."""
RESET = "reset of a watchdog"
"""The workflow whose runs are that record: it has one step, and calls nobody."""
MOST_RUNS = 1_000
"""Runs on record that are looked at, the newest."""
TOLERANCE = 0.05
"""By how much the success of runs may always differ from what is expected, before the watchdog speaks up."""


class Explanation(str):
    """Text that shows itself as it reads."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a pipeline is made of."""

    goal: str
    hub: Orchestrator
    selection: Selection
    workers: Sequence[WorkerDefinition]
    rated: Mapping[str, Rated]
    wanted: Wanted
    words: Sequence[str] = ()
    """How the workflow was found."""
    limits: RunLimits | None = None
    outcomes: dict[str, Outcome] = field(default_factory=dict[str, Outcome])


class Pipeline:
    """A goal's workflow, with a worker at each step. `OrchestrationService.create` makes one.

    >>> from orchestration_kit import OrchestrationService
    >>> pipeline = OrchestrationService.create("Build a website for Luna Bakery in Lisbon")
    >>> pipeline.choices[["step", "worker"]].values.tolist()[:2]
    [['create_specs', 'Product manager'], ['implement_code', 'Coder']]
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.goal = parts.goal
        """What it was made for; each run may have a goal of its own."""
        self.hub = parts.hub
        """Its hub, with the workers and the workflow."""
        self.workflow: WorkflowDefinition = parts.selection.workflow
        chosen = sorted((one.step, one.worker, one.retries or 0) for one in parts.selection.candidates if one.chosen)
        self._choice = hashlib.blake2b(repr(chosen).encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
        self._rollout: Rollout | None = None
        self.watchdog: Watchdog | None = None
        """Trips when runs are not as expected; None until it is known what to expect (`watch`)."""
        expected = self._expected()
        if expected is not None:
            self.watch(*expected)

    # --- what it is

    @property
    def diagram(self) -> Diagram:
        """The workflow, drawn."""
        from orchestration_kit.visual import visualize

        return visualize(self.workflow)

    @property
    def choices(self) -> pd.DataFrame:
        """One row per step and worker that could work there, in the order of the workflow.

        Columns (dtype):
            step, worker (str), chosen (bool), retries (Int64): of the step, where it was chosen.
            success, low, high (Float64): of an attempt, with its 95 % interval; missing where nothing is known.
            attempts (Int64): on record. time_s, cost_usd (Float64): of an attempt on average.
            source (str): measured, given, or unknown. why (str)
        """
        import pandas as pd

        rows = [
            {
                "step": one.step,
                "worker": one.worker,
                "chosen": one.chosen,
                "retries": one.retries,
                "success": None if one.rated is None else one.rated.success,
                "low": None if one.rated is None else one.rated.low,
                "high": None if one.rated is None else one.rated.high,
                "attempts": None if one.rated is None else one.rated.attempts,
                "time_s": None if one.rated is None else one.rated.took.time_s,
                "cost_usd": None if one.rated is None else one.rated.took.cost_usd,
                "source": "unknown" if one.rated is None else one.rated.source,
                "why": one.why,
            }
            for one in self._parts.selection.candidates
        ]
        texts = dict.fromkeys(("step", "worker", "source", "why"), "str")
        figures = dict.fromkeys(("success", "low", "high", "time_s", "cost_usd"), "Float64")
        columns = ["step", "worker", "chosen", "retries", "success", "low", "high", "attempts", "time_s", "cost_usd"]
        frame = pd.DataFrame(rows, columns=[*columns, "source", "why"])
        return frame.astype({**texts, **figures, "chosen": "bool", "retries": "Int64", "attempts": "Int64"})

    def explain(self) -> Explanation:
        """Say in words why the workflow is this one, why each worker was chosen, and what to expect.

        >>> from orchestration_kit import OrchestrationService
        >>> pipeline = OrchestrationService.create("Build a website for Luna Bakery in Lisbon")
        >>> print(str(pipeline.explain()).splitlines()[0])
        Goal: Build a website for Luna Bakery in Lisbon
        """
        lines = [f"Goal: {self.goal}", "", *self._parts.words, "", *self._parts.selection.words, ""]
        for one in self._parts.selection.candidates:
            if one.chosen:
                retries = f", {counted(one.retries, 'retry')}".replace("retrys", "retries") if one.retries else ""
                lines.append(f"- {one.step}: {one.worker}{retries}. {one.why[:1].upper()}{one.why[1:]}.")
        lines += ["", self._expected_words()]
        return Explanation("\n".join(lines).strip())

    def to_code(self) -> str:
        """Return the workflow as Python that makes it again."""
        from orchestration_kit.widgets.composing.code import code_of

        return code_of(self.workflow)

    def _expected_words(self) -> str:
        try:
            found = self.estimate()
        except NothingMeasured:
            return "How likely a run succeeds is not known yet: run it some times, then ask estimate() again."
        cost = "" if found.cost_usd is None else f", at {found.cost_usd.value:.4g} USD a run"
        kind = "From what is known of the workers" if found.counts is None else "From the runs on record"
        return f"{kind}: a run succeeds with a probability of {found.p_success}{cost}."

    def estimate(self) -> Reliability:
        """Return how reliable it is: by its own runs on record; without them, by what is known of its workers.

        Raises:
            NothingMeasured: nobody knows yet.
        """
        ids = [one.run_id for one in self._finished()]
        rates: dict[str, Any] | None = None
        chosen = {one.step: one for one in self._parts.selection.candidates if one.chosen}
        unknown = sorted({one.worker for one in chosen.values() if one.rated is None})
        if len(ids) < FEW and not unknown:
            names = {step: one.worker for step, one in chosen.items()}
            rates = rates_of(names, self._parts.rated, self._parts.wanted.ways)
        if rates is None and not ids:
            raise NothingMeasured(f"How reliable {self.workflow.name!r} is", unknown)
        if rates is not None:
            from orchestration_kit.reliability.errors import ChainError

            try:
                return reliability(self.workflow, rates)
            except ChainError as error:
                if not ids:
                    raise NothingMeasured(f"How reliable {self.workflow.name!r} is", [], error.reason) from None
        return reliability([self.hub.get_run(run_id) for run_id in ids[:MOST_RUNS]])

    # --- running it

    def start(  # noqa: PLR0913 - the options of a run
        self,
        goal: str | None = None,
        data: dict[str, Any] | None = None,
        *,
        run_id: str | None = None,
        seed: int | None = None,
        limits: RunLimits | None = None,
        tags: Mapping[str, str] | None = None,
        verbose: bool = False,
    ) -> Run:
        """Make a run and return its handle; nothing has been called yet.

        Raises:
            WatchdogTripped: runs are not as expected; nothing was begun.
        """
        if self.watchdog is not None:
            if self.watchdog.trip is not None:
                self.watchdog.heed(self._resets())  # somebody may have seen to it in another process
            self.watchdog.check()
        run_id = run_id or f"{self.workflow.name}_{os.urandom(6).hex()}"
        own, workers = self._tags(), {}
        rollout = self._rollout
        if rollout is not None and rollout.state != "rolled back":
            version = rollout.version_of(run_id)
            own |= {
                ROLLOUT: rollout.name,
                VERSION: version,
                STAGE: str(rollout.stage),
                BASELINE: repr(rollout.baseline),
            }
            workers = dict.fromkeys(rollout.steps, rollout.worker) if version == "new" else {}
        run = self.hub.start(
            self.workflow.name,
            self.goal if goal is None else goal,
            data,
            run_id=run_id,
            seed=seed,
            limits=limits or self._parts.limits,
            tags={**(tags or {}), **own},
            verbose=verbose,
            workers=workers or None,
        )
        started_at = run.machine.started.started_at

        def ended(event: Any) -> None:
            if isinstance(event, RunFinished) and event.state in ("completed", "failed"):
                self._take(Outcome(run_id, event.state == "completed", event.finished_at - started_at), own)

        run.audience.own = (*run.audience.own, ended)
        run.audience.observers = [*run.audience.observers, ended]
        return run

    def run(
        self,
        goal: str | None = None,
        data: dict[str, Any] | None = None,
        *,
        verbose: bool = False,
        **options: Any,
    ) -> WorkflowContext:
        """Make a run, to its end, and return its context. Options and errors are those of `start`."""
        return self.start(goal, data, verbose=verbose, **options).run()

    def monitor(self) -> Monitor:
        """Return a widget that follows the runs."""
        from orchestration_kit.widgets.monitor import Monitor

        return Monitor(self.hub)

    # --- watching it

    def watch(self, low: float, high: float = 1.0, **options: Any) -> Watchdog:
        """Have runs watched from now on: they succeed as often as from `low` to `high`. Options are `Watchdog`'s.

        The range is on record with every run, and a new process goes by that of the last one: what is expected does not
        follow what went wrong. Give another range when another one is right.
        """
        self.watchdog = Watchdog(low, high, **options)
        self.watchdog.recorder = self._record_reset
        self.watchdog.heed(self._resets())
        self.look()
        return self.watchdog

    def _expected(self) -> tuple[float, float] | None:
        """Return how often runs are to succeed: as on record, else by the estimate; None where nobody knows."""
        for one in self.hub.runs(tags={PIPELINE: self.workflow.name, CHOICE: self._choice}, limit=MOST_RUNS):
            if EXPECTED in one.tags:
                low, high = one.tags[EXPECTED].split()
                return float(low), float(high)
        try:
            found = self.estimate().p_success
        except NothingMeasured:
            return None
        low, high = min(found.low, found.value - TOLERANCE), max(found.high, found.value + TOLERANCE)
        return max(0.0, round(low, 6)), min(1.0, round(high, 6))

    def _record_reset(self, reason: str, by: str | None) -> None:
        step = WorkflowStep(step_id="reset", worker_type="end", is_terminal=True)
        workflow = WorkflowDefinition(name=RESET)
        workflow.add_step(step, is_initial=True)
        self.hub.register_workflow(workflow)
        tags = {RESET_OF: self.workflow.name, CHOICE: self._choice} | ({} if by is None else {BY: by})
        self.hub.start(RESET, reason, run_id=f"reset_{os.urandom(6).hex()}", tags=tags, verbose=False).run()

    def _resets(self) -> list[tuple[str, str | None]]:
        """Return all resets on record, oldest first."""
        found = self.hub.runs(tags={RESET_OF: self.workflow.name, CHOICE: self._choice})
        found = sorted(found, key=lambda one: (one.started_at, one.run_id))
        return [(self.hub.get_run(one.run_id).context.goal, one.tags.get(BY)) for one in found]

    def rollout(
        self,
        worker: WorkerDefinition,
        *,
        stages: Sequence[float] = STAGES,
        baseline: float | None = None,
        **options: Any,
    ) -> Rollout:
        """Let a new worker take over from the one of its type, step by step; see `Rollout` for the options.

        Without `baseline`, how often runs succeed with the old one is that of `estimate()`.

        Raises:
            NothingMeasured: nobody knows how often runs succeed now.
            ValueError: no step asks for a worker of its type.
        """
        kinds = {name: getattr(step, "worker_type", None) for name, step in self.workflow.steps.items()}
        chosen = {one.step for one in self._parts.selection.candidates if one.chosen}
        steps = [name for name, kind in kinds.items() if kind == str(worker.worker_type) and name in chosen]
        if not steps:
            known = ", ".join(sorted({str(kind) for kind in kinds.values() if kind}))
            raise ValueError(
                f"no step of {self.workflow.name!r} asks for a {str(worker.worker_type)!r}; there is: {known}."
            )
        # another code under the same name is another rollout: what came of the one before is not held against it
        code = hashlib.blake2b(bind_worker(worker).fingerprint.encode("utf-8", "surrogatepass"), digest_size=4)
        name = options.pop("name", None) or f"{worker.name} {code.hexdigest()}"
        success = self._baseline(name) if baseline is None else baseline
        self._rollout = Rollout(worker, steps, baseline=success, stages=stages, name=name, **options)
        self.look()
        return self._rollout

    def _baseline(self, name: str) -> float:
        """Return how often runs succeed without the new worker: as it was when the rollout began."""
        begun = self.hub.runs(tags={PIPELINE: self.workflow.name, ROLLOUT: name}, limit=1)
        on_record = next((one.tags[BASELINE] for one in begun if BASELINE in one.tags), None)
        return self.estimate().p_success.value if on_record is None else float(on_record)

    def look(self) -> None:
        """Take in what came of runs elsewhere, as far as the journal knows: a new process has seen none of them."""
        for one in reversed(self._finished(everything=True)):
            outcome = Outcome(
                one.run_id, one.state == "completed", (one.finished_at or one.started_at) - one.started_at
            )
            self._take(outcome, one.tags)

    def _take(self, outcome: Outcome, tags: Mapping[str, str]) -> None:
        rollout = self._rollout
        if rollout is not None and tags.get(ROLLOUT) == rollout.name and STAGE in tags:
            rollout.note([Tried(outcome.run_id, tags.get(VERSION, "old"), int(tags[STAGE]), outcome.succeeded)])
        own = self._tags()
        if tags.get(VERSION) == "new":  # the rollout looks after these
            return
        if self.watchdog is not None and all(tags.get(name) == value for name, value in own.items()):
            self.watchdog.watch([outcome])

    def _tags(self) -> dict[str, str]:
        dog, own = self.watchdog, {PIPELINE: self.workflow.name, CHOICE: self._choice}
        return own if dog is None else {**own, WATCH: str(len(dog.resets)), EXPECTED: f"{dog.low!r} {dog.high!r}"}

    def _finished(self, *, everything: bool = False) -> list[Any]:
        """Return its runs that ended, newest first; those made with a worker that is being rolled out only if told."""
        wanted = {PIPELINE: self.workflow.name} if everything else {PIPELINE: self.workflow.name, CHOICE: self._choice}
        found: Iterable[Any] = self.hub.runs(tags=wanted, limit=MOST_RUNS)
        if everything and self._rollout is not None:  # a rollout is folded from its beginning on, however long ago
            new = self.hub.runs(tags={**wanted, ROLLOUT: self._rollout.name, VERSION: "new"})
            found = {one.run_id: one for one in (*found, *new)}.values()
        ended = [one for one in found if one.state in ("completed", "failed") and one.finished_at is not None]
        ended.sort(key=lambda one: (one.finished_at, one.run_id), reverse=True)
        return ended if everything else [one for one in ended if one.tags.get(VERSION) != "new"]

    # --- showing it

    def __repr__(self) -> str:
        steps = " -> ".join(one.step for one in self._parts.selection.candidates if one.chosen)
        return f"<Pipeline {self.workflow.name!r}: {steps}. {self._expected_words()}>"

    def _repr_html_(self) -> str:
        return f"{self.diagram.svg}<pre style='white-space: pre-wrap'>{html.escape(self.explain())}</pre>"
