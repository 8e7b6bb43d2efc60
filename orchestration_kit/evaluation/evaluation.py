"""A worker or a workflow, cases and a rubric become a table: one row per case and repeat."""

from __future__ import annotations

import contextvars
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

from orchestration_kit.evaluation.criteria import Answer
from orchestration_kit.evaluation.dataset import Case, Dataset
from orchestration_kit.evaluation.rubric import MAX_WHY, Rubric, Scores, as_rubric
from orchestration_kit.evaluation.subjects import OutputOf, Subject, subject_of

if TYPE_CHECKING:
    import pandas as pd

    from orchestration_kit.engine.context import WorkflowContext
    from orchestration_kit.engine.limits import RunLimits
    from orchestration_kit.engine.orchestrator import Orchestrator
    from orchestration_kit.engine.run import Run

MAX_AT_ONCE = 256


class _Row(NamedTuple):
    case: Case
    repeat: int
    output: Any
    scores: Scores
    error: str | None
    duration_s: float
    cost_usd: float | None
    tokens: int | None
    run_id: str


def evaluate(  # noqa: PLR0913 - what an evaluation is made of
    subject: Any,
    dataset: Dataset | Iterable[Case | Mapping[str, Any]],
    rubric: Rubric | Mapping[str, Any] | Any,
    *,
    hub: Orchestrator | None = None,
    repeats: int = 1,
    at_once: int = 1,
    output: OutputOf = None,
    tags: Mapping[str, str] | None = None,
    limits: RunLimits | None = None,
) -> pd.DataFrame:
    """Run every case, score what comes out, and return one row per case and repeat, in the order of the dataset.

    Nothing that a worker or a criterion raises leads out: a run that fails scores 0 in every dimension and has its
    error in the row; a criterion that fails scores NaN, and `why` names its error.

    Args:
        subject: A function, or anything that `worker_from` takes; a `WorkerDefinition`; or a workflow, or its name,
            with `hub=`.
        dataset: The cases.
        rubric: What counts as good; a mapping of criteria, or a single one, will do.
        hub: Which hub makes the runs: its journal keeps them, its limits and rules count. Runs are tagged with
            `dataset`, `case`, `repeat` and `evaluation`: `hub.runs(tags={"dataset": "greetings"})`. A worker is tried
            in a workflow `evaluate <name>`, which is registered with it. Without one: a hub of its own, and no journal.
        repeats: How often each case is run, as what brains say differs.
        at_once: How many runs are made at the same time, on threads; the rows do not depend on it.
        output: What of a run is scored: an entry of the data bus, or a function of its context; the last output by
            default.
        tags: More tags for the runs.
        limits: What each run may use.

    Columns (dtype):
        case (str), repeat (int64): from 1 on.
        output (object): missing where the run failed.
        one per dimension (float64): 0 to 1; NaN where the criterion failed.
        total (float64): the weighted mean. passed (bool): whether every dimension reaches its threshold.
        error (object): why the run failed, or None. why (object): what the criteria said, and their errors; "" if none.
        duration_s (float64): seconds of all attempts together.
        cost_usd (Float64), tokens (Int64): missing where no attempt told any.
        run_id (str)

    `frame.attrs` has `evaluation` (an id), `dataset`, `subject`, `weights` and `thresholds`; `summary(frame)` has means
    and intervals.

    >>> frame = evaluate(str.title, [{"input": "ada", "expected": "Ada"}, {"input": "o'neil", "expected": "O'neil"}],
    ...     {"exact": lambda output, expected: output == expected})
    >>> frame[["case", "exact", "passed"]].values.tolist()
    [['case_1', 1.0, True], ['case_2', 0.0, False]]

    Raises:
        DatasetError: there are no cases. RubricError: a dimension cannot score. Both are ValueErrors.
        TypeError: a workflow comes without its hub, or the subject is nothing that can be run.
    """
    cases = dataset if isinstance(dataset, Dataset) else Dataset(dataset)
    judge = as_rubric(rubric)
    for name, value, most in (("repeats", repeats, 100_000), ("at_once", at_once, MAX_AT_ONCE)):
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise ValueError(f"{name} is a whole number from 1 to {most:,}, not {value!r:.80}.")
    tried = subject_of(subject, hub, output)
    evaluation = os.urandom(6).hex()
    shared = {**(tags or {}), "dataset": cases.name, "evaluation": evaluation}
    work = _Work(tried, judge, shared, limits)
    rows = work.all([(case, repeat) for case in cases for repeat in range(1, repeats + 1)], at_once)
    frame = _frame(rows, judge)
    frame.attrs = {
        "evaluation": evaluation,
        "dataset": cases.name,
        "subject": tried.title,
        "weights": {name: float(one.weight) for name, one in judge.criteria.items()},
        "thresholds": {name: float(one.threshold) for name, one in judge.criteria.items()},
    }
    return frame


class _Work:
    """Makes the runs of an evaluation, and leaves none behind where it is interrupted."""

    def __init__(self, subject: Subject, rubric: Rubric, tags: dict[str, str], limits: RunLimits | None) -> None:
        self.subject, self.rubric, self.tags, self.limits = subject, rubric, tags, limits
        self.running: dict[str, Run] = {}

    def all(self, pairs: list[tuple[Case, int]], at_once: int) -> list[_Row]:
        """Return a row for each case and repeat, in order."""
        if at_once == 1:
            return [self.one(case, repeat) for case, repeat in pairs]
        pool = ThreadPoolExecutor(at_once, thread_name_prefix="orchestration_kit evaluation")
        try:
            jobs = [pool.submit(contextvars.copy_context().run, self.one, case, repeat) for case, repeat in pairs]
            return [job.result() for job in jobs]
        except BaseException as error:
            pool.shutdown(wait=False, cancel_futures=True)
            for run in list(self.running.values()):
                run.cancel(f"the evaluation was ended by {type(error).__name__}")
            raise
        finally:
            pool.shutdown(cancel_futures=True)

    def one(self, case: Case, repeat: int) -> _Row:
        """Run a case once, and score what comes out."""
        tags = {**self.tags, "case": case.name, "repeat": str(repeat)}
        try:
            run = self.subject.start(case, tags=tags, limits=self.limits)
        except (TypeError, ValueError) as error:  # what the case gives cannot begin a run
            return _Row(case, repeat, None, self.rubric.nothing(), _told(error), 0.0, None, None, "")
        self.running[run.run_id] = run
        try:
            context = run.run(progress=False)
        finally:
            self.running.pop(run.run_id, None)
        used = _used(context)
        found, error = None, _error(run, context)
        if error is None:
            try:
                found = self.subject.output_of(context)
            except Exception as raised:  # noqa: BLE001 - the caller's function
                error = f"there is no output: {_told(raised)}"
        if error is None:
            answer = Answer(case, found, context, *used)
            scores = self.rubric.score(answer)
        else:
            scores = self.rubric.nothing()
        return _Row(case, repeat, found, scores, error, *used, run.run_id)


def _error(run: Run, context: WorkflowContext) -> str | None:
    """Say why there is nothing to score; None where there is."""
    if context.state.value == "completed":
        return None
    if run.waiting:
        asked = run.waiting[0]
        return f"the run waits at {asked.path} ({asked.kind}): what it waits for cannot be given in an evaluation"
    return context.error or f"the run ended as {context.state.value}"


def _used(context: WorkflowContext) -> tuple[float, float | None, int | None]:
    """Return what a run used: seconds, USD and tokens; the latter None where nobody told."""
    history = context.history
    told = [entry["usage"] for entry in history if entry["usage"] is not None]
    duration_s = sum(entry["duration_s"] for entry in history)
    if not told:
        return duration_s, None, None
    tokens = sum(int(one["input_tokens"]) + int(one["output_tokens"]) for one in told)
    return duration_s, sum(float(one["cost_usd"]) for one in told), tokens


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error!s:.500}"[:MAX_WHY]


def _frame(rows: list[_Row], rubric: Rubric) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    def column(values: Iterable[Any], dtype: Any) -> pd.Series[Any]:
        return pd.Series(list(values), dtype=dtype)

    outputs = np.empty(len(rows), dtype=object)
    for at, row in enumerate(rows):
        outputs[at] = row.output  # one by one: lists and tables stay one cell
    columns: dict[str, Any] = {
        "case": column((row.case.name for row in rows), "str"),
        "repeat": column((row.repeat for row in rows), "int64"),
        "output": pd.Series(outputs, dtype=object),
    }
    columns |= {name: column((row.scores.scores[name] for row in rows), "float64") for name in rubric}
    columns |= {
        "total": column((row.scores.total for row in rows), "float64"),
        "passed": column((row.scores.passed for row in rows), "bool"),
        "error": column((row.error for row in rows), object),
        "why": column((row.scores.why for row in rows), object),
        "duration_s": column((row.duration_s for row in rows), "float64"),
        "cost_usd": column((row.cost_usd for row in rows), "Float64"),
        "tokens": column((row.tokens for row in rows), "Int64"),
        "run_id": column((row.run_id for row in rows), "str"),
    }
    return pd.DataFrame(columns)
