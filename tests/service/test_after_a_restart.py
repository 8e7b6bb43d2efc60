"""A new process knows what an old one knew: what is expected, what was seen to, and how far a rollout is."""

from __future__ import annotations

import pytest

from orchestration_kit import worker_from
from orchestration_kit.service.creating import OrchestrationService
from orchestration_kit.service.errors import WatchdogTripped

FLOW = {
    "name": "texts",
    "initial_step": "write",
    "steps": {
        "write": {"step_id": "write", "worker_type": "writer", "on_success": "done", "on_failure": "failed"},
        "done": {"step_id": "done", "worker_type": "end", "is_terminal": True},
        "failed": {"step_id": "failed", "worker_type": "end", "is_terminal": True, "outcome": "failed"},
    },
}


class Writer:
    """Succeeds as often as it is told to."""

    def __init__(self, success):
        self.success = success

    def __call__(self, given, context):
        if context.random.random() > self.success:
            raise ValueError("no sense")
        return "text"


def started_anew(journal, writer, **options):
    worker = worker_from(writer, worker_type="writer", name="Ann")
    return OrchestrationService.create(
        "Write a text", [worker], planner=lambda request: FLOW, journal=journal, max_retries=0, **options
    )


def run_until_tripped(pipeline, most=200, first_seed=0):
    for at in range(most):
        try:
            pipeline.run(seed=first_seed + at)
        except WatchdogTripped:
            return at
    return None


RATES = {"Ann": {"success": 0.9, "cost_usd": 0.01}}


def test_what_went_wrong_does_not_become_what_is_expected(tmp_path):
    pipeline = started_anew(tmp_path / "runs.db", Writer(0.6), rates=RATES)
    assert run_until_tripped(pipeline) > 20
    again = started_anew(tmp_path / "runs.db", Writer(0.6), rates=RATES)
    assert (again.watchdog.low, again.watchdog.high) == (pipeline.watchdog.low, pipeline.watchdog.high)
    with pytest.raises(WatchdogTripped):
        again.start()


def test_a_drop_is_heard_however_often_the_process_is_started_anew(tmp_path):
    pipeline = started_anew(tmp_path / "runs.db", Writer(0.9))
    for at in range(40):
        pipeline.run(seed=at)
    bad = 0
    for turn in range(20):
        pipeline = started_anew(tmp_path / "runs.db", Writer(0.6))
        made = run_until_tripped(pipeline, most=5, first_seed=1_000 + 5 * turn)
        bad += 5 if made is None else made
        if made is not None:
            break
    assert made is not None
    assert bad <= 40


def test_a_reset_is_on_record_and_heeded_by_others(tmp_path):
    pipeline = started_anew(tmp_path / "runs.db", Writer(0.1), rates=RATES)
    other = started_anew(tmp_path / "runs.db", Writer(0.1), rates=RATES)
    assert run_until_tripped(pipeline) is not None
    other.look()
    with pytest.raises(WatchdogTripped):
        other.start()
    pipeline.watchdog.reset("the model was exchanged", by="Ann")
    other.start()
    again = started_anew(tmp_path / "runs.db", Writer(0.9), rates=RATES)
    assert again.watchdog.resets == [("the model was exchanged", "Ann", None)]
    assert again.watchdog.trip is None
    again.start()


def test_a_rollout_is_folded_from_its_beginning_on(tmp_path, monkeypatch):
    monkeypatch.setattr("orchestration_kit.service.pipeline.MOST_RUNS", 50)
    pipeline = started_anew(tmp_path / "runs.db", Writer(1.0), rates=RATES)
    pipeline.watchdog = None
    worker = worker_from(Writer(1.0), worker_type="writer", name="Bea")
    rollout = pipeline.rollout(worker, stages=(0.3, 1.0), runs_per_stage=10)
    for at in range(150):
        pipeline.run(run_id=f"run {at}", seed=at)
    assert rollout.state == "complete"
    again = started_anew(tmp_path / "runs.db", Writer(1.0), rates=RATES)
    folded = again.rollout(worker, stages=(0.3, 1.0), runs_per_stage=10)
    assert (folded.state, folded.stage, folded.baseline) == ("complete", rollout.stage, rollout.baseline)


def test_other_code_under_the_same_name_is_another_rollout(tmp_path):
    pipeline = started_anew(tmp_path / "runs.db", Writer(0.9), rates=RATES)

    def mended(given):
        return "text"

    def broken(given):
        raise ValueError("no sense")

    first = pipeline.rollout(worker_from(broken, worker_type="writer", name="Bea"), stages=(1.0,))
    for at in range(20):
        pipeline.run(seed=at)
    assert first.state == "rolled back"
    second = pipeline.rollout(worker_from(mended, worker_type="writer", name="Bea"), stages=(1.0,))
    assert (second.state, second.frame().empty) == ("under way", True)
