"""A new worker takes over step by step: of a few runs at first, of more while it does no worse, of none where it does.

The state is a fold over what is on record: the version of a run follows from its id and the stage, both are among its
tags, and outcomes are taken in the order in which runs ended. So a new process comes to the same state.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from orchestration_kit.reliability.needs import scipy_part
from orchestration_kit.service.sequential import Evidence

if TYPE_CHECKING:
    import pandas as pd

    from orchestration_kit.definition.workers import WorkerDefinition

STAGES = (0.01, 0.05, 0.2, 1.0)
State = Literal["under way", "complete", "rolled back"]


@dataclass(frozen=True, slots=True)
class Tried:
    """A run that ended while a worker was being rolled out."""

    run_id: str
    version: str
    """`new` or `old`."""
    stage: int
    """Which stage it was begun in, from 0 on."""
    succeeded: bool


class Rollout:
    """Lets a new worker take part of the runs, then more, or none any more.

    A stage ends when `runs_per_stage` runs with the new worker have ended in it and the new one is not worse than
    `baseline - margin` with a probability of `confidence` (beta posterior, Jeffreys' prior). It is rolled back as soon
    as an e-process says that it is worse than that (see `sequential.py`): one that is as good is rolled back with a
    probability of `alpha` at most, in all stages together. That a stage ends is no such promise: it is looked at after
    every run, and one that is just worse than the margin may pass.

    >>> from orchestration_kit import WorkerDefinition
    >>> better = WorkerDefinition(worker_type="coder", name="Coder 2", executor=str)
    >>> rollout = Rollout(better, ("implement_code",), baseline=0.9, runs_per_stage=5)
    >>> rollout.share, sum(rollout.version_of(f"run {n}") == "new" for n in range(10_000))
    (0.01, 106)
    >>> rollout.note(Tried(f"run {n}", "new", 0, True) for n in range(40))
    >>> rollout.stage, rollout.share
    (1, 0.05)

    Args:
        worker: The new one.
        steps: The steps at which it stands in.
        baseline: How often runs succeed without it.
        stages: Shares of runs that it takes part in, one after the other.
        margin: By how much it may be worse.
        runs_per_stage: How many runs with it have to end in each stage.
        confidence: How probable it has to be that it is not worse, before it is given more.
        alpha: The chance that one which is not worse is rolled back.
        name: What the rollout is called on record: runs are tagged with it.
    """

    def __init__(  # noqa: PLR0913 - what a rollout is made of
        self,
        worker: WorkerDefinition,
        steps: Sequence[str],
        *,
        baseline: float,
        stages: Sequence[float] = STAGES,
        margin: float = 0.05,
        runs_per_stage: int = 20,
        confidence: float = 0.8,
        alpha: float = 0.05,
        name: str | None = None,
    ) -> None:
        checked = tuple(float(share) for share in stages)
        if not checked or not all(0 < share <= 1 for share in checked) or list(checked) != sorted(set(checked)):
            raise ValueError(f"stages are shares of runs, each more than the one before, up to 1; got {stages!r:.80}")
        for what, value in (("baseline", baseline), ("margin", margin), ("confidence", confidence), ("alpha", alpha)):
            if not 0 <= value <= 1:
                raise ValueError(f"{what} is from 0 to 1, not {value!r:.80}")
        if isinstance(runs_per_stage, bool) or not isinstance(runs_per_stage, int) or runs_per_stage < 1:
            raise ValueError(f"runs_per_stage is a whole number, 1 or more, not {runs_per_stage!r:.80}")
        self.worker, self.steps, self.baseline = worker, tuple(steps), baseline
        self.stages, self.margin, self.runs_per_stage = checked, margin, runs_per_stage
        self.confidence, self.alpha = confidence, alpha
        self.name = name or worker.name
        self.state: State = "under way"
        self.stage = 0
        """Which stage it is in, from 0 on; the last one when it is complete."""
        self._evidence = Evidence(self.accepted, 1.0)
        self._here = 0
        self._seen: dict[str, Tried] = {}

    @property
    def accepted(self) -> float:
        """The lowest share of successes that is not worse."""
        return max(0.0, self.baseline - self.margin)

    @property
    def share(self) -> float:
        """Of how many runs the new worker takes part now."""
        return 0.0 if self.state == "rolled back" else self.stages[self.stage]

    def version_of(self, run_id: str) -> str:
        """Return which version a run is made with: it follows from its id and the share alone.

        A run that has the new one at a stage would have it at every later one.
        """
        digest = hashlib.blake2b(f"{self.name}\0{run_id}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
        return "new" if int.from_bytes(digest) / 2**64 < self.share else "old"

    def note(self, tried: Iterable[Tried]) -> None:
        """Take what came of runs, in the order in which they ended; of one that was seen before, nothing."""
        for one in tried:
            if one.run_id in self._seen:
                continue
            self._seen[one.run_id] = one
            if self.state == "under way" and one.version == "new":
                self._take(one)

    def _take(self, one: Tried) -> None:
        self._evidence.add([one.succeeded])
        self._here += one.stage == self.stage
        if self._evidence.value >= 1 / self.alpha:
            self.state = "rolled back"
        elif self._here >= self.runs_per_stage and self.probability >= self.confidence:
            self._here = 0
            if self.stage + 1 < len(self.stages):
                self.stage += 1
            else:
                self.state = "complete"

    @property
    def probability(self) -> float:
        """How probable it is that the new worker is not worse than the margin allows."""
        good, count = self._evidence.successes, self._evidence.count
        below = scipy_part("special").betainc(good + 0.5, count - good + 0.5, self.accepted)
        return float(1 - below) if self.accepted > 0 else 1.0

    def frame(self) -> pd.DataFrame:
        """Return one row per stage and version of which a run has ended.

        Columns (dtype):
            stage (int64): from 0 on. share (float64): of runs that the new worker took part in.
            version (str): `new` or `old`. runs, succeeded (int64). success (float64): their share.
        """
        import pandas as pd

        rows = [(one.stage, one.version, one.succeeded) for one in self._seen.values()]
        frame = pd.DataFrame(rows, columns=["stage", "version", "ok"])
        found = frame.groupby(["stage", "version"])["ok"].agg(["size", "sum"]).reset_index()
        found.columns = ["stage", "version", "runs", "succeeded"]
        found.insert(1, "share", [self.stages[int(stage)] for stage in found["stage"]])
        found = found.astype({"stage": "int64", "share": "float64", "version": "str", "runs": "int64"})
        found = found.astype({"succeeded": "int64"})
        found["success"] = found["succeeded"] / found["runs"]
        return found

    def explain(self) -> str:
        """Say where it stands, and why."""
        good, count = self._evidence.successes, self._evidence.count
        seen = (
            f"{good:,} of {count:,} runs with {self.worker.name!r} succeeded" if count else "no run with it has ended"
        )
        wanted = (
            f"{self.accepted:.0%} or more is wanted (it was {self.baseline:.0%}, less a margin of {self.margin:.0%})"
        )
        if self.state == "rolled back":
            return f"Rolled back in stage {self.stage} ({self.stages[self.stage]:.0%} of runs): {seen}; {wanted}."
        if self.state == "complete":
            return f"Complete: {seen}; {wanted}. Register it in the place of the old one."
        left = max(0, self.runs_per_stage - self._here)
        probable = (
            f"with a probability of {self.probability:.0%} it is not worse" if count else "nothing is known of it"
        )
        return (
            f"Stage {self.stage} of {len(self.stages) - 1}, {self.share:.0%} of runs: {seen}; {wanted}; {probable}. "
            f"The next stage takes {left:,} more runs, and a probability of {self.confidence:.0%}."
        )

    def __repr__(self) -> str:
        return f"<Rollout of {self.worker.name!r}: {self.state}, {self.share:.0%} of runs>"
