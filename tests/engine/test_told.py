"""Which branches an account tells of in full."""

from __future__ import annotations

from orchestration_kit.engine.events import AttemptFinished, BranchesOpened, ErrorInfo
from orchestration_kit.engine.told import MAX_BRANCHES, MAX_IN_ALL, Told


def attempt(scope, *, error=None, next_step=None, retry_in_s=None, detail=None):
    return AttemptFinished(
        1, scope, "x", 1, 1, "w", "t", None, None, error, 0.0, 0.0, next_step, retry_in_s, None, (), None, detail=detail
    )


def test_the_run_itself_is_always_told():
    assert Told().is_shown("")


def test_the_first_branches_that_are_heard_of_are_told():
    told = Told()
    told.open("m#1", 1_000)
    shown = [told.is_shown(f"m#1[{key}]/") for key in range(100, 200)]
    assert shown == [True] * MAX_BRANCHES + [False] * (100 - MAX_BRANCHES)
    assert told.is_shown("m#1[100]/")


def test_branches_within_a_branch_that_is_not_told_are_not_either():
    told = Told()
    told.open("m#1", 1_000)
    for key in range(MAX_BRANCHES):
        told.is_shown(f"m#1[{key}]/")
    assert not told.open("m#1[99]/p#1", 2).is_told
    assert not told.is_shown("m#1[99]/p#1[a]/")


def test_branches_within_branches_are_told_up_to_a_number_in_all():
    told = Told()
    told.open("m#1", MAX_BRANCHES)
    shown = 0
    for key in range(MAX_BRANCHES):
        shown += told.is_shown(f"m#1[{key}]/")
        told.open(f"m#1[{key}]/n#1", MAX_BRANCHES)
        shown += sum(told.is_shown(f"m#1[{key}]/n#1[{inner}]/") for inner in range(MAX_BRANCHES))
    assert shown == MAX_IN_ALL
    told.open("m#2", 1)
    assert told.is_shown("m#2[0]/")


def test_what_is_undone_and_what_was_opened_before_is_told():
    told = Told()
    told.open("p#1", 1_000)
    assert told.is_shown("p#1[undo]/")
    assert told.is_shown("[undo]/")
    assert told.is_shown("earlier#1[3]/")


def test_each_tenth_of_many_branches_is_progress():
    told = Told()
    told.open_event(BranchesOpened("m#1", None, list(range(50)), (), 0.0))
    moved = [told.note_attempt(attempt(f"m#1[{key}]/")) is not None for key in range(50)]
    assert [at + 1 for at, has_moved in enumerate(moved) if has_moved] == list(range(5, 51, 5))


def test_only_the_end_of_a_branch_counts():
    told = Told()
    group = told.open("m#1", 100)
    told.note_attempt(attempt("m#1[0]/", next_step="y"))
    told.note_attempt(attempt("m#1[0]/", error=ErrorInfo("E", "x"), retry_in_s=0.0))
    told.note_attempt(attempt("m#1[0]/", detail={"spawn": {}}))
    told.note_attempt(attempt("m#1[undo]/"))
    told.note_attempt(attempt("other#1[0]/"))
    assert group.ended == 0
    told.note_attempt(attempt("m#1[0]/", error=ErrorInfo("E", "x")))
    told.note_attempt(attempt("m#1[1]/", error=ErrorInfo("BranchCancelled", "x")))
    assert (group.ended, group.failed) == (2, 1)


def test_items_that_were_added_count_to_the_map():
    told = Told()
    told.open("m#1", 2)
    told.open("m#1[0]/p#1", 2)
    told.add_items("m#1[0]/p#1[left]/", 3)
    told.add_items("", 3)
    group = told.join("m#1")
    assert group.total == 5
    assert told.join("m#1") is None
