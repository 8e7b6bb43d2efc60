"""Short runs are committed together, no later than the journal says, and never lost to anything but a crash."""

from __future__ import annotations

import threading

import pytest

from orchestration_kit import MemoryJournal, SubworkflowStep, WorkflowDefinition, WorkflowStep
from orchestration_kit.errors import DuplicateRun
from orchestration_kit.journal.conformance.making import a_row, some_facts, some_rows, some_standing
from orchestration_kit.journal.errors import JournalUnavailable, LeaseLost
from orchestration_kit.journal.port import Lease, RunQuery, WholeRun
from orchestration_kit.scale import run_many
from orchestration_kit.scale.grouping import MAX_BYTES, GroupedJournal
from tests.scale.sets import GOALS, hub_of


class Patient(MemoryJournal):
    """A journal that a crash may take a lot from, and that keeps count of its commits."""

    def __init__(self, may_lose_s=3600.0):
        super().__init__()
        self.may_lose_s = may_lose_s
        self.commits = []
        self.told = threading.Event()
        self.is_full = False

    def create(self, facts, standing, blobs, rows=()):
        lease = super().create(facts, standing, blobs, rows)
        self.commits.append(("create", facts.run_id))
        self.told.set()
        return lease

    def put(self, runs):
        if self.is_full:
            raise JournalUnavailable("runs.db", "the disk is full", "Free some space.")
        super().put(runs)
        if runs:
            self.commits.append(("put", *(run.facts.run_id for run in runs)))


def make(journal, run_id, rows=3):
    lease = journal.create(some_facts(run_id), some_standing(), {"d": b"blob"})
    for seq in range(1, rows):
        journal.append(lease, [a_row(seq)], {})
    journal.append(
        lease, [a_row(rows)], {f"of {run_id}": b"x"}, standing=some_standing("completed", seq=rows), release=True
    )


def test_runs_that_end_in_time_are_committed_together():
    inner = Patient()
    journal = GroupedJournal(inner)
    for run_id in ("a", "b", "c"):
        make(journal, run_id)
    assert inner.commits == []
    journal.flush()
    assert inner.commits == [("put", "a", "b", "c")]
    assert inner.rows("b") == some_rows(1, 3)
    assert inner.blob("of b") == b"x"
    found = inner.find_run("c")
    assert (found.standing, found.holder) == (some_standing("completed", seq=3), None)


def test_a_run_under_way_is_begun_on_record_and_goes_on_there():
    inner = Patient()
    journal = GroupedJournal(inner)
    make(journal, "a")
    lease = journal.create(some_facts("b"), some_standing(), {})
    journal.append(lease, [a_row(1)], {})
    journal.flush()
    assert inner.commits == [("put", "a"), ("create", "b")]
    assert inner.rows("b") == [a_row(1)]
    assert inner.find_run("b").holder is not None
    journal.append(lease, [a_row(2)], {})
    assert inner.rows("b") == some_rows(1, 2)
    journal.append(lease, [], {}, release=True)
    assert inner.find_run("b").holder is None


def test_what_is_old_is_committed_while_a_worker_takes_its_time():
    inner = Patient(may_lose_s=0.001)
    journal = GroupedJournal(inner)
    lease = journal.create(some_facts("a"), some_standing(), {})
    assert inner.told.wait(10)
    journal.append(lease, [a_row(1)], {})
    journal.close()
    assert inner.rows("a") == [a_row(1)]


def test_a_journal_that_loses_nothing_is_written_at_once():
    inner = Patient(may_lose_s=0.0)
    make(GroupedJournal(inner), "a")
    assert inner.commits == [("create", "a")]


def test_what_is_large_does_not_wait():
    inner = Patient()
    journal = GroupedJournal(inner)
    lease = journal.create(some_facts("a"), some_standing(), {"d": b"x" * MAX_BYTES})
    journal.append(lease, [a_row(1)], {"e": b"x"})
    assert inner.commits == [("create", "a")]
    assert inner.blob("e") == b"x"


@pytest.mark.parametrize("release", [False, True])
def test_an_append_that_is_made_again_is_made_once(release):
    inner = Patient()
    journal = GroupedJournal(inner)
    lease = journal.create(some_facts("a"), some_standing(), {})
    for _ in range(3):
        journal.append(lease, [a_row(1)], {"e": b"x"}, standing=some_standing("completed", seq=1), release=release)
    assert inner.rows("a") == [a_row(1)]
    assert (inner.find_run("a").holder is None) == release


def test_who_let_go_of_a_run_adds_nothing():
    journal = GroupedJournal(Patient())
    make(journal, "a")
    with pytest.raises(LeaseLost):
        journal.append(Lease("a", 1), [a_row(4)], {})
    lease = journal.create(some_facts("b"), some_standing(), {})
    with pytest.raises(LeaseLost):
        journal.append(Lease("b", 2), [a_row(1)], {})
    journal.append(lease, [a_row(1)], {})


def test_a_run_is_created_once():
    journal = GroupedJournal(Patient())
    make(journal, "a")
    with pytest.raises(DuplicateRun):
        make(journal, "a")
    journal.flush()
    journal.create(some_facts("a", check=bytes(16)), some_standing(), {})
    with pytest.raises(DuplicateRun):
        journal.flush()


def test_a_blob_is_there_at_once():
    journal = GroupedJournal(Patient())
    make(journal, "a")
    assert journal.blob("of a") == b"x"
    assert journal.blob("nothing") is None


def test_reading_sees_what_is_held_back():
    journal = GroupedJournal(Patient())
    make(journal, "a")
    assert journal.find_run("a") is not None
    make(journal, "b")
    assert journal.rows("b") == some_rows(1, 3)
    make(journal, "c")
    assert len(journal.find_runs(RunQuery())) == 3


def test_what_could_not_be_committed_is_held_and_said_again():
    inner = Patient()
    journal = GroupedJournal(inner)
    make(journal, "a")
    inner.is_full = True
    for act in (journal.flush, lambda: make(journal, "b"), journal.close):
        with pytest.raises(JournalUnavailable):
            act()
    assert journal.held_back == 1
    inner.is_full = False
    journal.flush()
    assert inner.find_run("a").standing.state == "completed"
    assert not journal.held_back


def test_a_commit_that_nobody_heard_of_is_not_made_twice():
    inner = Patient()
    journal = GroupedJournal(inner)
    put = inner.put

    def interrupted(runs):
        put(runs)
        inner.put = put
        raise KeyboardInterrupt

    make(journal, "a")
    inner.put = interrupted
    with pytest.raises(KeyboardInterrupt):
        journal.flush()
    make(journal, "b")
    journal.flush()
    assert sorted(run.facts.run_id for run in inner.find_runs(RunQuery())) == ["a", "b"]


def test_a_beginning_that_nobody_heard_of_is_taken_up():
    inner = Patient()
    journal = GroupedJournal(inner)
    create = inner.create

    def interrupted(*args):
        create(*args)
        inner.create = create
        raise KeyboardInterrupt

    lease = journal.create(some_facts("a"), some_standing(), {})
    journal.append(lease, [a_row(1)], {})
    inner.create = interrupted
    with pytest.raises(KeyboardInterrupt):
        journal.flush()
    journal.flush()
    journal.append(lease, [a_row(2)], {}, release=True)
    assert inner.rows("a") == some_rows(1, 2)
    assert inner.find_run("a").holder is None


def test_what_somebody_else_has_made_stays_and_is_told():
    inner = Patient()
    journal = GroupedJournal(inner, new=["a", "b"])
    assert journal.find_run("a") is None
    make(journal, "a")
    make(journal, "b")
    theirs = WholeRun(some_facts("a", check=bytes(16)), some_standing("failed"), [], {})
    inner.put([theirs])
    with pytest.raises(DuplicateRun, match="'a'"):
        journal.flush()
    journal.flush()
    assert inner.find_run("a").standing.state == "failed"
    assert inner.find_run("b").standing.state == "completed"


def test_runs_within_runs_go_by_the_hubs_own_journal():
    inner = Patient()
    hub = hub_of(inner)
    outer = WorkflowDefinition(name="outer")
    outer.add_step(SubworkflowStep(step_id="inner", workflow="flow", on_success="done"), is_initial=True)
    outer.add_step(WorkflowStep(step_id="done", worker_type="nobody", is_terminal=True))
    hub.register_workflow(outer)
    runs = run_many("outer", ["a", "b"], hub=hub, name="set")
    assert runs.state == {"completed": 2}
    assert [kind for kind, *_ in inner.commits] == ["create"] * 4
    assert len(runs) == 2
    assert len(runs.history()) == sum(len(run.history) for run in runs)


def test_a_set_is_committed_in_few_commits_and_whole():
    inner = Patient()
    runs = run_many("flow", GOALS, hub=hub_of(inner), name="set")
    assert inner.commits == [("put", *runs.run_ids)]
    assert [len(run.history) for run in runs] == [3] * 6


def test_a_run_that_is_let_go_of_in_the_midst_of_a_commit_is_let_go_of():
    """The collector may come at any time, on any thread, and with it the end of a handle that nobody holds."""

    class Interrupted(Patient):
        def create(self, facts, standing, blobs, rows=()):
            lease = super().create(facts, standing, blobs, rows)
            grouped.append(Lease(facts.run_id, 1), (), {}, release=True)
            return lease

    inner = Interrupted()
    grouped = GroupedJournal(inner)
    for run_id in ("a", "b"):
        grouped.append(grouped.create(some_facts(run_id), some_standing(), {}), [a_row(1)], {})
    grouped.flush()
    assert grouped.held_back == 0
    assert inner.commits == [("create", "a"), ("create", "b")]
    for run_id in ("a", "b"):
        assert inner.find_run(run_id).holder is None
        assert inner.rows(run_id) == some_rows(1, 1)
