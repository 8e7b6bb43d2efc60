"""Row 24: workers of a Dask cluster are killed while they work, and no result is lost or doubled."""

from __future__ import annotations

import pytest

from orchestration_kit import MapStep, Orchestrator, RunLimits, WorkerDefinition
from orchestration_kit.executors import DaskExecutor, local_cluster
from tests.scorecard.felling import Feller, deeds, mark
from tests.support import step, workflow_of


@pytest.fixture(scope="module")
def client():
    with local_cluster(workers=2) as client:
        yield client


def run_map(client, folder, *, tasks: int, kills: int, idempotent: bool, journal=None):
    """Map over items on the cluster, with workers killed on the way."""
    where = str(folder)

    def worker(item):
        return mark(where, item)

    workflow = workflow_of(
        MapStep(step_id="map", over="data.items", body="mark", on_success="end", failure="continue", max_items=tasks),
        step("mark", None, worker_type="marker"),
        step("end", None, worker_type="none"),
    )
    with DaskExecutor(client) as executor:
        hub = Orchestrator(executor=executor, limits=RunLimits(max_steps=10 * tasks), journal=journal)
        hub.register_worker(
            WorkerDefinition(worker_type="marker", name="marker", executor=worker, idempotent=idempotent)
        )
        hub.register_workflow(workflow)
        with Feller(client, kills=kills, results=tasks) as feller:
            run = hub.start("flow", "mark every item", {"items": list(range(tasks))}, observers=[feller.hear])
            context = run.run()
    assert feller.problem is None
    assert len(feller.felled) == kills
    return run, context


def check_nothing_is_lost_or_doubled(client, folder, journal, figure, *, tasks, kills):
    run, context = run_map(client, folder, tasks=tasks, kills=kills, idempotent=True, journal=journal)
    assert context.state == "completed", context.error
    assert context.data["map_output"] == [item * item for item in range(tasks)]
    attempts = [entry for entry in context.history if entry["worker"] == "marker"]
    assert sorted(entry["branch"] for entry in attempts) == sorted(map(str, range(tasks)))
    assert all(entry["success"] for entry in attempts)
    done = deeds(folder)
    assert set(done) == set(range(tasks))
    figure(
        f"row 24: {tasks:,} tasks, {kills} workers killed: 0 results lost, 0 doubled; "
        f"{sum(done.values()) - tasks} calls were made again"
    )


def check_nothing_is_done_twice(client, folder, figure, *, tasks, kills):
    run, context = run_map(client, folder, tasks=tasks, kills=kills, idempotent=False)
    assert context.state == "completed", context.error
    attempts = {int(e["branch"]): e for e in context.history if e["worker"] == "marker"}
    assert len(attempts) == tasks
    lost = {item for item, entry in attempts.items() if not entry["success"]}
    assert {attempts[item]["error_type"] for item in lost} <= {"WorkerLost"}
    done = deeds(folder)
    assert max(done.values()) == 1, "nothing was done twice"
    assert set(range(tasks)) - lost <= set(done), "what has a result was done"
    # A machine takes with it what it is at, and what it has done if nobody has fetched that yet.
    assert len(lost) <= 2 * kills
    results = context.data["map_output"]
    assert all(results[item] == item * item for item in range(tasks) if item not in lost)
    figure(
        f"row 24: {tasks:,} tasks that must not repeat, {kills} workers killed: {len(lost)} told as lost, 0 done twice"
    )


def test_no_result_is_lost_or_doubled_when_workers_are_killed(client, tmp_path, figure):
    folder = tmp_path / "deeds"
    folder.mkdir()
    check_nothing_is_lost_or_doubled(client, folder, tmp_path / "runs.db", figure, tasks=60, kills=3)


def test_what_must_not_repeat_is_never_done_twice(client, tmp_path, figure):
    check_nothing_is_done_twice(client, tmp_path, figure, tasks=30, kills=2)


@pytest.mark.soak
def test_no_result_is_lost_or_doubled_in_a_thousand_tasks_and_fifty_kills(client, tmp_path, figure):
    folder = tmp_path / "deeds"
    folder.mkdir()
    check_nothing_is_lost_or_doubled(client, folder, tmp_path / "runs.db", figure, tasks=1_000, kills=50)


@pytest.mark.soak
def test_what_must_not_repeat_is_never_done_twice_in_a_thousand_tasks_and_fifty_kills(client, tmp_path, figure):
    check_nothing_is_done_twice(client, tmp_path, figure, tasks=1_000, kills=50)
