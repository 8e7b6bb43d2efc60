"""Forgetting old runs: what was asked for, and never one that is needed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestration_kit.errors import RunStateError
from orchestration_kit.journal.conformance.making import a_row, some_facts, some_standing
from orchestration_kit.journal.errors import RunLocked
from orchestration_kit.journal.families import delete_with_inner_runs
from orchestration_kit.journal.memory import MemoryJournal
from orchestration_kit.journal.port import RunQuery
from orchestration_kit.journal.retention import prune
from orchestration_kit.journal.sqlite import SQLiteJournal
from orchestration_kit.testing import FakeClock

NOW = 1_000_000.0
CLOCK = FakeClock(start=NOW)


@pytest.fixture(params=[MemoryJournal, SQLiteJournal])
def journal(request, tmp_path):
    with MemoryJournal() if request.param is MemoryJournal else SQLiteJournal(tmp_path / "runs.db") as journal:
        yield journal


def put(journal, run_id, *, age_s=0.0, finished=True, held=False, state="completed", **fields):
    started_at = NOW - age_s
    standing = some_standing(state, finished_at=started_at if finished else None)
    lease = journal.create(
        some_facts(run_id, started_at=started_at, **fields), standing, {"shared": b"1", run_id: b"2"}
    )
    journal.append(lease, [a_row(1)], {}, release=not held)


def left(journal):
    return sorted(run.facts.run_id for run in journal.find_runs(RunQuery()))


def test_the_last_runs_stay(journal):
    for n in range(6):
        put(journal, str(n), age_s=10 - n)
    assert prune(journal, keep_last=2, clock=CLOCK) == ["3", "2", "1", "0"]
    assert left(journal) == ["4", "5"]
    assert prune(journal, keep_last=2, clock=CLOCK) == []


@pytest.mark.parametrize("older_than", [timedelta(seconds=50), 50, 50.0])
def test_young_runs_stay(journal, older_than):
    for n, age_s in enumerate((10.0, 49.0, 50.0, 51.0, 500.0)):
        put(journal, str(n), age_s=age_s)
    assert prune(journal, older_than=older_than, clock=CLOCK) == ["3", "4"]


def test_age_counts_from_the_end_of_a_run(journal):
    lease = journal.create(some_facts("long", started_at=NOW - 1000), some_standing(), {})
    journal.append(lease, [], {}, standing=some_standing("completed", finished_at=NOW - 5), release=True)
    assert prune(journal, older_than=50, clock=CLOCK) == []


def test_both_limits_have_to_be_passed(journal):
    for n in range(6):
        put(journal, str(n), age_s=100 * n)
    assert prune(journal, keep_last=3, older_than=450, clock=CLOCK) == ["5"]
    assert prune(journal, keep_last=4, older_than=0, clock=CLOCK) == ["4"]


def test_only_runs_of_one_workflow_or_state(journal):
    for n in range(6):
        put(journal, str(n), age_s=n + 1, workflow="xy"[n % 2], state="completed" if n < 4 else "failed")
    assert prune(journal, keep_last=1, workflow="x", clock=CLOCK) == ["2", "4"]
    assert prune(journal, older_than=0, state="failed", clock=CLOCK) == ["5"]


def test_a_dry_run_only_tells(journal):
    put(journal, "a", age_s=10)
    assert prune(journal, keep_last=0, dry_run=True, clock=CLOCK) == ["a"]
    assert left(journal) == ["a"]


def test_runs_that_go_on_stay(journal):
    put(journal, "unfinished", age_s=100, finished=False, state="waiting")
    put(journal, "held", age_s=100, held=True)
    put(journal, "over", age_s=100)
    assert prune(journal, keep_last=0, clock=CLOCK) == ["over"]
    assert prune(journal, keep_last=0, include_unfinished=True, clock=CLOCK) == ["unfinished"]
    assert left(journal) == ["held"]


def test_a_run_stays_while_a_fork_of_it_or_of_its_fork_stays(journal):
    put(journal, "a", age_s=100)
    put(journal, "b", age_s=90, parent="a", forked_at="x#1")
    put(journal, "c", age_s=80, parent="b", forked_at="x#1")
    put(journal, "d", age_s=70, parent="c", forked_at="x#1", held=True)
    put(journal, "e", age_s=60, parent="b", forked_at="x#1")
    assert prune(journal, keep_last=0, clock=CLOCK) == ["e"]
    journal.delete(["d"])
    assert prune(journal, keep_last=0, clock=CLOCK) == ["c", "b", "a"]


@pytest.mark.parametrize("forked_at", [None, "x#1"])
def test_parents_that_run_in_a_circle_do_no_harm(journal, forked_at):
    put(journal, "a", age_s=3, parent="b", forked_at=forked_at)
    put(journal, "b", age_s=2, parent="a", forked_at=forked_at)
    put(journal, "c", age_s=1, parent="c", forked_at=forked_at)
    put(journal, "d", age_s=0, parent="gone", forked_at=forked_at)
    assert prune(journal, keep_last=2, clock=CLOCK) == ["b", "a"]
    assert prune(journal, keep_last=0, clock=CLOCK) == ["d", "c"]


def test_runs_of_sub_workflows_go_with_the_run_they_are_in_and_are_not_counted(journal):
    put(journal, "a", age_s=100)
    put(journal, "a/x#1", age_s=99, parent="a", workflow="inner")
    put(journal, "a/x#1/y#1", age_s=98, parent="a/x#1")
    put(journal, "b", age_s=90)
    put(journal, "b/x#1", age_s=89, parent="b", workflow="inner")
    assert prune(journal, keep_last=0, workflow="inner", clock=CLOCK) == []
    assert prune(journal, keep_last=1, clock=CLOCK) == ["a/x#1/y#1", "a/x#1", "a"]
    assert left(journal) == ["b", "b/x#1"]


@pytest.mark.parametrize("keeps", ["held", "unfinished", "forked"])
def test_a_run_stays_as_long_as_one_inside_of_it(journal, keeps):
    put(journal, "a", age_s=100)
    put(journal, "a/x#1", age_s=99, parent="a", held=keeps == "held", finished=keeps != "unfinished")
    if keeps == "forked":
        put(journal, "fork", age_s=1, parent="a/x#1", forked_at="y#1", held=True)
    assert prune(journal, keep_last=0, clock=CLOCK) == []


def test_a_run_is_deleted_with_those_of_its_sub_workflows(journal):
    put(journal, "a")
    put(journal, "a/x#1", parent="a", finished=False)
    put(journal, "a/x#1/y#1", parent="a/x#1")
    put(journal, "b", parent="gone")
    assert delete_with_inner_runs(journal, "gone") == []
    assert delete_with_inner_runs(journal, "a") == ["a", "a/x#1", "a/x#1/y#1"]
    assert left(journal) == ["b"]


def test_a_run_is_not_deleted_while_one_inside_of_it_is_driven_or_has_a_fork(journal):
    put(journal, "a")
    put(journal, "a/x#1", parent="a", held=True)
    with pytest.raises(RunLocked):
        delete_with_inner_runs(journal, "a")
    assert journal.find_run("a").holder is None
    put(journal, "b")
    put(journal, "b/x#1", parent="b")
    put(journal, "fork", parent="b/x#1", forked_at="y#1")
    with pytest.raises(RunStateError, match="fork share its past"):
        delete_with_inner_runs(journal, "b")
    assert left(journal) == ["a", "a/x#1", "b", "b/x#1", "fork"]


def test_blobs_go_with_the_last_run_that_names_them(journal):
    put(journal, "a", age_s=2)
    put(journal, "b", age_s=1)
    prune(journal, keep_last=1, clock=CLOCK)
    assert (journal.blob("a"), journal.blob("b"), journal.blob("shared")) == (None, b"2", b"1")


class Busy(MemoryJournal):
    """Somebody forks, or resumes, while runs are being looked at."""

    def __init__(self, act):
        super().__init__()
        self.act, self.looks = act, 0

    def find_runs(self, query):
        found = super().find_runs(query)
        self.looks += 1
        if self.looks == 1:
            self.act(self)
        return found


def test_a_run_that_is_resumed_meanwhile_stays():
    with Busy(lambda journal: journal.claim("a", None)) as journal:
        put(journal, "a", age_s=10)
        put(journal, "b", age_s=9)
        assert prune(journal, keep_last=0, clock=CLOCK) == ["b"]


def test_a_run_that_is_forked_meanwhile_stays_and_is_let_go():
    with Busy(lambda journal: put(journal, "child", parent="a", forked_at="x#1", held=True)) as journal:
        put(journal, "a", age_s=10)
        put(journal, "b", age_s=9)
        assert prune(journal, keep_last=0, clock=CLOCK) == ["b"]
        assert journal.find_run("a").holder is None


@pytest.mark.parametrize(
    "limits",
    [{}, {"keep_last": -1}, {"older_than": -1}, {"older_than": timedelta(-1)}, {"older_than": float("nan")}],
    ids=str,
)
def test_limits_that_would_delete_everything_or_mean_nothing_are_refused(journal, limits):
    put(journal, "a")
    with pytest.raises(ValueError):
        prune(journal, workflow=None, **limits)
    assert left(journal) == ["a"]
