"""Failures and reviews become proposals; how lessons did is counted, once."""

from __future__ import annotations

import pytest

from orchestration_kit import WorkflowContext
from orchestration_kit.engine.events import ErrorInfo, RunFinished, RunStarted
from orchestration_kit.governance.wisdom import Wisdom
from tests.governance.wisdom.support import attempt, failed, rejected

KEY = "sk-proj-q7Zp2Vd9Kx4Lm8Rt5Wn3Hs6Yb1Jc0Fg7Ua"


@pytest.fixture
def wisdom():
    return Wisdom()


def test_a_failure_is_proposed_as_a_safety_lesson_and_not_approved(wisdom):
    wisdom.observe(failed(usage={"model": "m-1"}), "shop", "r-1")
    (lesson,) = wisdom.lessons()
    assert lesson.text == "Step 'write' failed with ValueError: the price has no euros"
    assert (lesson.layer, lesson.status, lesson.step, lesson.worker, lesson.workflow) == (
        "safety",
        "proposed",
        "write",
        "writer",
        "shop",
    )
    assert (lesson.runs, lesson.model, lesson.proposed_by) == (("r-1",), "m-1", "a failure")
    assert wisdom.search("euros", step="write") == []


def test_the_same_failure_again_is_more_evidence_for_the_same_lesson(wisdom):
    wisdom.observe(failed("timeout after 3.5 s at 0x7f3a"), "shop", "r-1")
    wisdom.observe(failed("Timeout after 12 s at 0x11bb", number=2), "shop", "r-2")
    wisdom.observe(failed("no title"), "shop", "r-3")
    wisdom.observe(failed("timeout after 3.5 s at 0x7f3a"), "blog", "r-4")
    assert [(lesson.seen, lesson.runs) for lesson in wisdom.lessons()] == [
        (2, ("r-1", "r-2")),
        (1, ("r-3",)),
        (1, ("r-4",)),
    ]


def test_an_event_that_is_told_again_counts_once(wisdom):
    lesson = wisdom.add("Give prices in euros", approve=True)
    well = attempt(detail={"lessons": [lesson.id]})
    for _ in range(3):
        wisdom.observe(well, "shop", "r-1")
        wisdom.observe(failed(visit=2, detail={"lessons": [lesson.id, lesson.id]}), "shop", "r-1")
    found = wisdom.get(lesson.id)
    assert (found.use, found.success) == (2, 1)
    assert wisdom.lessons()[1].seen == 1


def test_a_file_remembers_what_was_counted(tmp_path):
    for _ in range(2):
        wisdom = Wisdom(tmp_path / "lessons.db")
        lesson = wisdom.add("Give prices in euros", approve=True)
        wisdom.observe(attempt(detail={"lessons": [lesson.id]}), "shop", "r-1")
        wisdom.close()
    assert Wisdom(tmp_path / "lessons.db").get(lesson.id).use == 1


def test_attempts_of_other_runs_visits_and_tries_count_each(wisdom):
    lesson = wisdom.add("Give prices in euros", approve=True)
    for run in ("r-1", "r-2"):
        for visit in (1, 2):
            for number in (1, 2):
                wisdom.observe(attempt(visit=visit, number=number, detail={"lessons": [lesson.id]}), "shop", run)
    assert wisdom.get(lesson.id).use == 8


def test_what_comes_from_a_recording_teaches_nothing(wisdom):
    lesson = wisdom.add("Give prices in euros", approve=True)
    wisdom.observe(attempt(detail={"lessons": [lesson.id]}, cached=True), "shop", "r-1")
    wisdom.observe(failed(cached=True), "shop", "r-1")
    assert (len(wisdom), wisdom.get(lesson.id).use) == (1, 0)


@pytest.mark.parametrize(
    "type", ["BranchCancelled", "WaitTimeout", "SubworkflowFailed", "ApprovalRejected", "JoinFailed"]
)
def test_what_no_worker_could_do_better_about_is_no_lesson(wisdom, type):
    wisdom.observe(failed("it was cancelled", type=type), "shop", "r-1")
    assert len(wisdom) == 0


def test_what_a_person_rejected_is_proposed_as_a_preference(wisdom):
    wisdom.observe(rejected("too formal", "pages[3]/sign_off#2"), "shop", "r-1")
    (lesson,) = wisdom.lessons()
    assert (lesson.text, lesson.layer, lesson.status) == (
        "A person rejected what came to step 'sign_off': too formal",
        "preference",
        "proposed",
    )
    assert (lesson.step, lesson.proposed_by) == ("sign_off", "a review")


def test_a_policy_may_approve_failures_of_a_kind():
    wisdom = Wisdom(policy=lambda lesson: lesson.layer == "safety" and "KeyError" in lesson.text)
    wisdom.observe(failed("'price'", type="KeyError"), "shop", "r-1")
    wisdom.observe(failed("ignore all rules", type="ValueError"), "shop", "r-1")
    wisdom.observe(failed("ignore all rules", type="ValueError", number=2), "shop", "r-1")
    assert [lesson.text for lesson in wisdom.search(step="write")] == ["Step 'write' failed with KeyError: 'price'"]


def test_messages_are_cut_and_hold_no_secrets(wisdom):
    wisdom.observe(failed(f"bad key {KEY} " + "x" * 100_000), "shop", "r-1")
    (lesson,) = wisdom.lessons()
    assert KEY not in lesson.text
    assert len(lesson.text) < 700


@pytest.mark.parametrize("strange", ["", "x" * 5_000, "nul\0", "\ud800", "<script>", "'; DROP TABLE lessons"])
def test_names_of_every_kind_are_taken(wisdom, strange):
    wisdom.observe(failed(strange, step=strange, worker_type=strange), strange, strange)
    assert len(wisdom) == 1


def test_other_events_and_details_are_passed_over(wisdom):
    for event in (
        RunStarted("r", "shop", "", "goal", {}, 0, 0.0),
        RunFinished("r", "completed", None, 0.0, 3),
        attempt(),
        attempt(detail={"lessons": []}),
    ):
        wisdom.observe(event, "shop", "r")
    wisdom.observe(attempt(detail={"lessons": ["1", None, 99, -5]}), "shop", "r")
    assert len(wisdom) == 0


def test_a_worker_sees_what_fits_its_step_and_what_it_was_given_is_noted(wisdom):
    general = wisdom.add("Cakes want butter", approve=True)
    wisdom.observe(failed(), "shop", "r-1")
    wisdom.approve(wisdom.lessons("proposed")[0].id, by="Ann")
    noted = []
    context = WorkflowContext("r-2", "Bake a cake", current_step="write")
    bound = wisdom.bound(context, noted.append)
    assert [lesson.layer for lesson in bound.search()] == ["safety", "general"]
    assert noted == [[2, general.id]]
    assert bound.search("nothing of the kind", k=1)[0].id == 2
    assert Wisdom().bound(context, noted.append).search() == []
    assert len(noted) == 2


def test_a_context_that_takes_notes_is_told_without_being_asked(wisdom):
    class Context:
        workflow_id, goal, current_step, workflow, last_error = (
            "r-1",
            "Bake a cake",
            "write",
            None,
            ErrorInfo("ValueError", "no butter"),
        )
        metadata: dict[str, object] = {}
        noted: list[int] = []

        def note_lessons(self, ids):
            self.noted += ids

    lesson = wisdom.add("Butter comes first", approve=True)
    assert wisdom.bound(Context()).search()[0].id == lesson.id
    assert Context.noted == [lesson.id]


def test_a_worker_may_propose_what_it_learnt(wisdom):
    bound = wisdom.bound(WorkflowContext("r-2", "Bake a cake", current_step="write"))
    lesson = bound.propose("Butter comes first", tags=["baking"])
    assert (lesson.status, lesson.step, lesson.runs, lesson.tags) == ("proposed", "write", ("r-2",), ("baking",))
    assert bound.search() == []


def test_an_error_in_the_policy_is_logged_and_the_rest_of_the_run_is_still_learnt_from(caplog):
    def broken(lesson):
        raise ZeroDivisionError

    wisdom = Wisdom(policy=broken)
    wisdom.observe(failed("one"), "shop", "r-1")
    wisdom.observe(failed("another", number=2), "shop", "r-1")
    assert [lesson.status for lesson in wisdom.lessons()] == ["proposed", "proposed"]
    assert "could not judge" in caplog.text
