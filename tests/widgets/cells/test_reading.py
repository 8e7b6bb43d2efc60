"""What running a cell means, given what is on record: each case by itself."""

from __future__ import annotations

from types import SimpleNamespace as Stub

from orchestration_kit.widgets.cells.reading import MakeAgain, MakeNext, OnRecord, Record, Refuse, TakeOver, decide
from orchestration_kit.widgets.cells.turns import Turn


def turns(*made):
    """Turns such as "b:v1": step b, made by v1."""
    counts: dict[str, int] = {}
    found = []
    for one in made:
        step, _, worker = one.partition(":")
        counts[step] = counts.get(step, 0) + 1
        key = f"{step}#{counts[step]}"
        found.append(Turn(key, step, [Stub(path=key, worker=worker)]))
    return found


def read(made, step, worker, *, place=None, next_step=None, next_key=None, **options):
    found = turns(*made)
    at = len(found) if place is None else place
    return decide(Record(found, at, next_step, next_key), step, worker, **options)


def test_what_is_next_is_made():
    assert read(["a:v1"], "b", "v1", next_step="b", next_key="b#1") == MakeNext()


def test_what_the_run_has_not_come_to_is_refused():
    assert read(["a:v1"], "c", "v1", next_step="b") == Refuse()


def test_the_same_code_again_changes_nothing():
    assert read(["a:v1", "b:v1"], "a", "v1", next_step="c") == OnRecord(turns("a:v1")[0])


def test_other_code_makes_the_visit_again():
    assert read(["a:v1", "b:v1"], "a", "v2", next_step="c") == MakeAgain(turns("a:v1")[0])


def test_asked_for_the_same_code_makes_it_again():
    assert read(["a:v1"], "a", "v1", next_step="b", again=True) == MakeAgain(turns("a:v1")[0])


def test_asked_for_again_what_was_never_made_is_simply_made():
    assert read(["a:v1"], "b", "v1", next_step="b", again=True) == MakeNext()


def test_when_a_loop_comes_back_the_cell_makes_the_next_visit_edited_or_not():
    for worker in ("v1", "v2"):
        assert read(["a:v1", "b:v1"], "a", worker, next_step="a", next_key="a#2") == MakeNext()


def test_of_several_visits_the_last_is_made_again():
    found = read(["a:v1", "b:v1", "a:v1", "b:v1"], "a", "v2", next_step=None)
    assert found.turn.key == "a#2"


def test_after_a_restart_cells_are_taken_over_one_after_another():
    made = ["a:v1", "b:v1", "a:v1"]
    assert read(made, "a", "v1", place=0) == TakeOver(0)
    assert read(made, "b", "v1", place=1) == TakeOver(1)
    assert read(made, "a", "v1", place=2) == TakeOver(2)


def test_after_a_restart_a_loop_is_found_by_the_version_that_is_in_the_notebook_now():
    """The cell was edited between two visits; the notebook holds the last version alone."""
    made = ["a:v1", "b:v1", "a:v2"]
    assert read(made, "a", "v2", place=0, next_step="b") == TakeOver(2)


def test_after_a_restart_an_edited_cell_makes_its_visit_again():
    assert read(["a:v1", "b:v1"], "a", "v2", place=0, next_step="c") == MakeAgain(turns("a:v1")[0])


def test_a_cell_that_was_deleted_is_passed_over():
    assert read(["a:v1", "b:v1", "c:v1"], "c", "v1", place=1) == TakeOver(2)


def test_what_was_begun_and_not_finished_is_gone_on_with_by_the_same_code():
    assert read(["a:v1"], "a", "v1", next_step="a", next_key="a#1") == MakeNext()
    assert read(["a:v1"], "a", "v1", place=0, next_step="a", next_key="a#1") == MakeNext()


def test_what_was_begun_and_not_finished_is_begun_anew_by_other_code():
    for place in (0, 1):
        assert read(["a:v1"], "a", "v2", place=place, next_step="a", next_key="a#1") == MakeAgain(turns("a:v1")[0])
