"""Seeded: a lesson changes the outcome of runs, and only once it is approved."""

from __future__ import annotations

import pytest

from orchestration_kit import Orchestrator, SQLiteJournal, WorkerDefinition, WorkflowContext
from orchestration_kit.governance.wisdom import Wisdom
from orchestration_kit.governance.wisdom.experiment import ForgetfulWorker, lift
from tests.support import hub_of, step, workflow_of

RUNS, RATE = 150, 0.4


def _hub(wisdom, **options):
    hub = Orchestrator(wisdom=wisdom, **options)
    worker = ForgetfulWorker("euros", rate=RATE, seed=3)
    hub.register_worker(WorkerDefinition(worker_type="writer", name="Ann", executor=worker))
    hub.register_workflow(
        workflow_of(step("write", worker_type="writer", description="Write the price list"), name="shop")
    )
    return hub


def _failures(hub, name, runs=RUNS):
    failed = 0
    for number in range(runs):
        context = hub.execute_workflow(
            "shop", goal="A price list for the bakery", run_id=f"{name}-{number}", verbose=False
        )
        failed += context.state.value == "failed"
    return failed, runs


def test_a_lesson_from_failures_lowers_the_failure_rate_once_it_is_approved(tmp_path):
    wisdom = Wisdom(tmp_path / "lessons.db")
    hub = _hub(wisdom)
    before = _failures(hub, "before")
    (proposed,) = wisdom.lessons()
    assert (proposed.status, proposed.layer, proposed.step) == ("proposed", "safety", "write")
    assert proposed.seen == before[0]

    unapproved = _failures(hub, "unapproved")
    wisdom.approve(proposed.id, by="Ann")
    after = _failures(hub, "after")

    unchanged, changed = lift(before, unapproved), lift(before, after)
    print(
        f"failed: {before[0]}/{before[1]} before, {unapproved[0]}/{unapproved[1]} proposed only, {after[0]}/{after[1]} approved; p = {changed.p_value:.1g}"
    )
    assert not unchanged.is_better
    assert unchanged.before_interval[0] < RATE < unchanged.before_interval[1]
    assert changed.is_better
    assert changed.p_value < 1e-6
    assert after[0] == 0
    kept = wisdom.get(proposed.id)
    assert (kept.use, kept.success) == (RUNS, RUNS)
    assert kept.confidence > 0.97


def test_rejecting_or_retiring_it_gives_the_old_rate_back(tmp_path):
    wisdom = Wisdom()
    hub = _hub(wisdom)
    lesson = wisdom.add("Give prices in euros", layer="safety", step="write", approve=True)
    assert _failures(hub, "with", 40)[0] == 0
    wisdom.retire(lesson.id, by="Ann")
    assert _failures(hub, "without", 40)[0] > 8


def test_without_lessons_unapproved_ones_and_other_ones_every_run_ends_the_same_way():
    """The dice of the worker are its own: what changes nothing for it changes no outcome at all."""

    def outcomes(wisdom):
        hub = _hub(wisdom)
        return [
            hub.execute_workflow("shop", goal="A list", run_id=f"same-{number}", verbose=False).state
            for number in range(40)
        ]

    unapproved, other = Wisdom(), Wisdom()
    unapproved.propose("Give prices in euros", layer="safety", step="write")
    other.add("Write in capitals", approve=True)
    assert outcomes(Wisdom()) == outcomes(unapproved) == outcomes(other)


def test_lessons_that_were_used_are_on_record_and_a_resumed_run_counts_them_once(tmp_path):
    wisdom = Wisdom(tmp_path / "lessons.db")
    lesson = wisdom.add("Give prices in euros", layer="safety", step="write", approve=True)
    journal = SQLiteJournal(tmp_path / "runs.db")
    hub = _hub(wisdom, journal=journal)
    context = hub.execute_workflow("shop", goal="A list", run_id="r-1", verbose=False)
    assert context.history[0]["detail"] == {"lessons": [lesson.id]}
    again = _hub(wisdom, journal=SQLiteJournal(tmp_path / "runs.db"))
    assert again.get_run("r-1").context.history[0]["detail"] == {"lessons": [lesson.id]}
    assert wisdom.get(lesson.id).use == 1


def test_a_policy_lets_the_first_failure_teach_all_later_runs():
    wisdom = Wisdom(policy=lambda lesson: lesson.layer == "safety")
    hub = _hub(wisdom)
    failures, runs = _failures(hub, "policy", 60)
    assert failures == 1  # the first one taught it, and the policy let it count at once


def test_a_hub_without_lessons_says_what_to_do():
    def worker(input_data, context):
        return context.wisdom.search()

    context = hub_of(workflow_of(step("write")), {"write": worker}).execute_workflow("flow", "goal", verbose=False)
    assert "Orchestrator(wisdom=" in context.error


def test_a_worker_in_a_hand_made_context_may_look_for_lessons():
    wisdom = Wisdom()
    wisdom.add("Give prices in euros", approve=True)
    noted = []
    found = wisdom.bound(WorkflowContext("r", "a price"), noted.extend).search()
    assert [lesson.id for lesson in found] == noted == [1]


@pytest.mark.parametrize(
    ("before", "after", "is_better"),
    [((60, 150), (0, 150), True), ((60, 150), (55, 150), False), ((0, 150), (0, 150), False), ((3, 5), (0, 5), False)],
)
def test_a_lift_is_told_only_where_it_cannot_be_chance(before, after, is_better):
    assert lift(before, after).is_better is is_better
