"""Every workload does what it claims, at a tiny size: a benchmark of the wrong thing is worse than none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks import bare, ours
from benchmarks.harness import Case, Outcome, WrongResult, measure, medians, run_once
from benchmarks.table import rows_of
from benchmarks.workloads import WORKLOADS, Workload

if TYPE_CHECKING:
    from benchmarks.harness import Build

SIZE = 4
ADAPTERS: dict[str, dict[str, Build]] = {"bare": bare.CASES, "ours": ours.CASES}
RUNNABLE = [
    pytest.param(cases[workload.case], workload, id=f"{name}-{workload.key}")
    for name, cases in ADAPTERS.items()
    for workload in WORKLOADS
    if workload.case in cases
]


@pytest.mark.parametrize(("build", "workload"), RUNNABLE)
def test_a_workload_does_all_its_work_each_time_it_runs(build: Build, workload: Workload) -> None:
    case = build(SIZE)
    check = workload.check(SIZE)
    for _ in range(2):
        check(run_once(case))


def test_ours_runs_every_workload() -> None:
    assert {workload.case for workload in WORKLOADS} == set(ours.CASES)


def test_keys_are_unique() -> None:
    keys = [workload.key for workload in WORKLOADS]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("outcome", [Outcome(SIZE - 1, SIZE), Outcome(SIZE, SIZE - 1)])
def test_work_left_out_or_forgotten_is_refused(outcome: Outcome) -> None:
    chain = next(workload for workload in WORKLOADS if workload.case == "chain")
    with pytest.raises(WrongResult, match="chain-100"):
        chain.check(SIZE)(outcome)


def test_a_wrong_result_names_its_adapter_and_is_not_timed() -> None:
    chain = next(workload for workload in WORKLOADS if workload.case == "chain")
    plan = chain.plan(lambda _size: Case(run=lambda: None, outcome=lambda _ran: Outcome(0)))
    with pytest.raises(WrongResult, match="idle: chain-100 ended at 0"):
        measure({"idle": plan}, repeats=1)


def test_a_measured_workload_makes_a_row_with_its_goal() -> None:
    workload = next(workload for workload in WORKLOADS if workload.key == "runs")
    plans = {name: workload.plan(cases["chain"], peer=True) for name, cases in ADAPTERS.items()}
    row, *others = rows_of(workload, {"runs": medians(measure(plans, repeats=1))})
    assert row.goal == ">= 50,000 runs/s"
    assert row.met is not None
    assert others == []
