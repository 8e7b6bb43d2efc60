"""A follower tells what is new in a journal, once, whoever wrote it; and asks for little."""

from __future__ import annotations

import pytest

from orchestration_kit import MemoryJournal, SQLiteJournal
from orchestration_kit.journal.following import Follower
from orchestration_kit.testing import FakeClock
from tests.support import hub_of, step, workflow_of

KINDS = ["memory", "sqlite", "sqlite in groups", "sqlite, another's", "any port"]


@pytest.fixture(params=KINDS)
def kept(request, tmp_path):
    """A journal that is written to, and what follows it."""
    if request.param == "memory":
        journal = other = MemoryJournal()
    else:
        journal = SQLiteJournal(tmp_path / "runs.db", group_commit=request.param == "sqlite in groups")
        other = SQLiteJournal(tmp_path / "runs.db") if "another" in request.param else journal
    follower = Follower(other) if request.param == "any port" else other.follow()
    yield journal, follower
    journal.close()
    other.close()


def a_hub(journal, **options):
    workflow = workflow_of(step("a", "b"), step("b", "c"), step("c"))
    return hub_of(workflow, {name: (lambda given: given) for name in "abc"}, journal=journal, **options)


def ids(news):
    return [run.facts.run_id for run in news.runs]


def test_nothing_is_news_in_an_empty_journal(kept):
    _, follower = kept
    assert follower.look().is_empty
    assert follower.total == 0


def test_a_run_that_was_over_before_is_told_without_its_rows(kept):
    journal, follower = kept
    a_hub(journal).start("flow", "go", run_id="r").run()
    news = follower.look()
    assert (ids(news), news.rows, news.gone) == (["r"], {}, [])
    assert news.runs[0].standing.state == "completed"
    assert follower.total == 1


def test_what_was_told_is_not_told_again(kept):
    journal, follower = kept
    run = a_hub(journal).start("flow", "go", run_id="r")
    run.step()
    assert ids(follower.look()) == ["r"]
    assert follower.look().is_empty


def test_rows_of_a_run_that_goes_on_are_told_as_they_come(kept):
    journal, follower = kept
    run = a_hub(journal).start("flow", "go", run_id="r")
    seen = []
    for _ in range(3):
        run.step()
        seen.append([row.seq for row in follower.look().rows["r"]])
    assert seen == [[1], [2], [3, 4]]  # with its end
    assert follower.look().is_empty


def test_of_a_run_that_goes_on_all_rows_are_told_at_first_sight(kept):
    journal, follower = kept
    run = a_hub(journal).start("flow", "go", run_id="r")
    run.step()
    run.step()
    assert [row.seq for row in follower.look().rows["r"]] == [1, 2]


def test_the_newest_run_comes_first(kept):
    journal, follower = kept
    clock = FakeClock()
    hub = a_hub(journal, clock=clock)
    for name in ("old", "new"):
        hub.start("flow", "go", run_id=name).run()
        clock.advance(1)
    assert ids(follower.look()) == ["new", "old"]


def test_a_run_that_ended_and_goes_on_is_told_from_its_beginning(kept):
    journal, follower = kept
    hub = a_hub(journal)
    run = hub.start("flow", "go", run_id="r")
    run.step()
    run.cancel()
    assert follower.look().rows == {}
    hub.reopen("r").step()
    news = follower.look()
    assert ids(news) == ["r"]
    assert [row.seq for row in news.rows["r"]][:2] == [1, 2]


def test_a_run_that_is_deleted_is_gone(kept):
    journal, follower = kept
    hub = a_hub(journal)
    for name in ("one", "other"):
        hub.start("flow", "go", run_id=name).run()
    follower.look()
    hub.forget("one")
    news = follower.look()
    assert (news.gone, news.runs) == (["one"], [])
    assert follower.total == 1


def test_a_run_under_a_deleted_runs_id_is_another_one(kept):
    journal, follower = kept
    hub = a_hub(journal)
    hub.start("flow", "go", run_id="r").run()
    follower.look()
    hub.forget("r")
    hub.start("flow", "go", run_id="r").step()
    news = follower.look()
    assert ids(news) == ["r"]
    assert news.runs[0].standing.state == "in_progress"
    assert [row.seq for row in news.rows["r"]] == [1]


@pytest.mark.parametrize(
    "make", [Follower, lambda journal, newest: journal.follow(newest=newest)], ids=["port", "sqlite"]
)
def test_the_newest_are_followed_and_those_that_go_on(make, tmp_path):
    clock = FakeClock()
    with SQLiteJournal(tmp_path / "runs.db") as journal:
        hub = a_hub(journal, clock=clock)
        hub.start("flow", "go", run_id="goes on").step()
        for number in range(4):
            clock.advance(1)
            hub.start("flow", "go", run_id=f"over {number}").run()
        follower = make(journal, 2)
        assert ids(follower.look()) == ["over 3", "over 2", "goes on"]
        assert follower.total == 5


def test_one_question_is_asked_of_a_file_in_which_nothing_happened(tmp_path):
    with SQLiteJournal(tmp_path / "runs.db") as journal, SQLiteJournal(tmp_path / "runs.db") as other:
        run = a_hub(journal).start("flow", "go", run_id="r")
        run.step()
        follower = other.follow()
        asked = []
        read = follower._read
        follower._read = lambda query, values: asked.append(query) or read(query, values)
        follower.look()
        assert len(asked) > 1
        asked.clear()
        assert follower.look().is_empty
        assert asked == ["PRAGMA data_version"]
        run.step()
        assert not follower.look().is_empty


def test_a_run_that_is_not_followed_is_found_when_it_goes_on(tmp_path):
    clock = FakeClock()
    with SQLiteJournal(tmp_path / "runs.db") as journal:
        hub = a_hub(journal, clock=clock)
        old = hub.start("flow", "go", run_id="old")
        old.step()
        old.cancel()
        clock.advance(1)
        hub.start("flow", "go", run_id="new").run()
        follower = journal.follow(newest=1)
        assert ids(follower.look()) == ["new"]
        hub.reopen("old").step()
        found = []
        for number in range(40):
            hub.start("flow", "go", run_id=f"further {number}").run()  # or there is nothing to look at
            found += ids(follower.look())
        assert "old" in found
