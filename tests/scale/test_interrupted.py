"""Whatever stops a set, the next call under its name comes to what an uninterrupted one comes to."""

from __future__ import annotations

import threading
from collections import Counter

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration_kit import MemoryJournal, SQLiteJournal
from orchestration_kit.journal.errors import JournalUnavailable
from orchestration_kit.scale import RunSetBusy, run_many
from tests.laws import examples
from tests.scale.sets import GOALS, hub_of, without_times


class Interrupting:
    """Workers that are interrupted at some of their calls, and keep count of what they have done."""

    def __init__(self, *at: int) -> None:
        self.at, self.calls = set(at), 0
        self.done: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def worker(self, step: str):
        def work(given, context):
            with self._lock:
                self.calls += 1
                if self.calls in self.at:
                    raise KeyboardInterrupt
            if step == "draft" and "2" in given:
                raise ValueError("never")
            with self._lock:
                self.done[context.workflow_id, step] += 1
            return f"{given} {step}"

        return work

    def hub(self, journal):
        return hub_of(journal, **{step: self.worker(step) for step in ("draft", "check", "done")})


def outcome(runs):
    """What a set came to, without what an interrupt leaves on record, and what was made anew for it."""
    frame = without_times(runs.frame()).drop(columns="attempts")
    history = runs.history()
    made = history[~history["error_type"].isin(["KeyboardInterrupt"])]
    return frame, made[["run", "path", "success", "error", "next_step"]].reset_index(drop=True).astype(str)


JOURNALS = {
    "memory alone": lambda path: None,
    "a journal in memory": lambda path: MemoryJournal(),
    "a file": lambda path: SQLiteJournal(path / "runs.db"),
    "a file with group commit": lambda path: SQLiteJournal(path / "runs.db", group_commit=True),
}


@pytest.mark.parametrize("kind", JOURNALS)
@given(at=st.sets(st.integers(1, 16), max_size=4), at_once=st.sampled_from([1, 3]))
@settings(max_examples=examples(12), deadline=None)
def test_interrupted_anywhere_and_called_again_is_as_never_interrupted(tmp_path_factory, kind, at, at_once):
    journal = JOURNALS[kind](tmp_path_factory.mktemp("set"))
    calm = run_many("flow", GOALS[:4], hub=Interrupting().hub(None), name="set")
    workers = Interrupting(*at)
    hub = workers.hub(journal)
    runs = None
    for _ in range(len(at) + 1):
        try:
            runs = run_many("flow", GOALS[:4], hub=hub, name="set", max_concurrency=at_once)
            break
        except KeyboardInterrupt as interrupt:
            assert "name='set'" in interrupt.__notes__[-1]
            assert hub.last_many.name == "set"
    assert runs is not None
    for ours, theirs in zip(outcome(runs), outcome(calm), strict=True):
        pd.testing.assert_frame_equal(ours, theirs)
    assert set(workers.done.values()) == {1}, "a completed step was made again"
    if journal is not None:
        journal.close()


def test_an_interrupt_leaves_what_is_finished_and_says_how_to_go_on():
    workers = Interrupting(8)
    hub = workers.hub(MemoryJournal())
    with pytest.raises(KeyboardInterrupt) as caught:
        run_many("flow", ["a", "b", "c", "d"], hub=hub, name="set")
    assert "2 of 4 runs of the set 'set' were made, and are on record" in caught.value.__notes__[-1]
    assert hub.last_many.state == {"completed": 2, "cancelled": 1, "not started": 1}
    assert hub.last_many.resume().state == {"completed": 4}


class Full(MemoryJournal):
    """A journal whose disk is full after so many commits."""

    room = 10**9

    def append(self, lease, rows, blobs, **options):
        self.use_room()
        super().append(lease, rows, blobs, **options)

    def put(self, runs):
        self.use_room()
        super().put(runs)

    def use_room(self):
        self.room -= 1
        if self.room < 0:
            raise JournalUnavailable("runs.db", "the disk is full", "Free some space.")


@pytest.mark.parametrize("at_once", [1, 3])
@pytest.mark.parametrize(
    ("room", "may_lose_s"), [*((room, 0.0) for room in range(0, 12, 3)), (0, 1e-9), (2, 1e-9), (0, 60.0)]
)
def test_a_journal_that_cannot_be_written_stops_the_set_and_loses_nothing(room, may_lose_s, at_once):
    journal = Full()
    journal.may_lose_s = may_lose_s
    workers = Interrupting()
    hub = workers.hub(journal)
    journal.room = room
    with pytest.raises(JournalUnavailable, match="the disk is full") as caught:
        run_many("flow", ["a", "b", "c", "d"], hub=hub, name="set", max_concurrency=at_once)
    assert "run_many(..., name='set')" in caught.value.__notes__[-1]
    journal.room = 10**9
    assert run_many("flow", ["a", "b", "c", "d"], hub=hub, name="set").state == {"completed": 4}
    assert set(workers.done.values()) == {1}


def test_an_interrupt_of_whoever_waits_stops_the_threads(monkeypatch):
    begun, go = threading.Semaphore(0), threading.Event()

    def draft(goal):
        begun.release()
        go.wait(10)
        return goal

    hub = hub_of(MemoryJournal(), draft=draft)

    class Impatient(threading.Thread):
        def join(self, timeout=None):
            if threading.current_thread() is threading.main_thread() and not go.is_set():
                for _ in range(2):
                    begun.acquire()
                go.set()
                raise KeyboardInterrupt
            super().join(timeout)

    monkeypatch.setattr("orchestration_kit.scale.work.threading.Thread", Impatient)
    with pytest.raises(KeyboardInterrupt):
        run_many("flow", GOALS, hub=hub, name="set", max_concurrency=2)
    assert hub.last_many.state == {"cancelled": 2, "not started": 4}
    monkeypatch.undo()
    assert hub.last_many.resume().state == {"completed": 6}


# --- in the background


def slow_hub(journal=None):
    begun, go = threading.Semaphore(0), threading.Event()

    def draft(goal):
        begun.release()
        assert go.wait(30)
        return goal

    return hub_of(journal, draft=draft), begun, go


def test_a_set_may_be_made_in_the_background():
    hub, begun, go = slow_hub(MemoryJournal())
    runs = run_many("flow", GOALS, hub=hub, name="set", wait=False, max_concurrency=2)
    for _ in range(2):
        begun.acquire()
    assert runs.is_busy
    assert runs.state == {"in_progress": 2, "not started": 4}
    assert "being made" in repr(runs)
    with pytest.raises(TimeoutError, match="6 runs of 'set' are still to be made after 0.01 s"):
        runs.wait(0.01)
    go.set()
    assert runs.wait().state == {"completed": 6}
    assert not runs.is_busy


def test_a_set_is_made_once_at_a_time():
    hub, begun, go = slow_hub(MemoryJournal())
    runs = run_many("flow", GOALS, hub=hub, name="set", wait=False)
    begun.acquire()
    for again in (lambda: run_many("flow", GOALS, hub=hub, name="set"), runs.resume):
        with pytest.raises(RunSetBusy, match="'set' are being made by this hub"):
            again()
    go.set()
    runs.wait()
    assert run_many("flow", GOALS, hub=hub, name="set").is_finished


@pytest.mark.parametrize("journaled", [True, False])
def test_what_is_cancelled_can_be_gone_on_with(journaled):
    hub, begun, go = slow_hub(MemoryJournal() if journaled else None)
    runs = run_many("flow", GOALS, hub=hub, name="set", wait=False, max_concurrency=2)
    for _ in range(2):
        begun.acquire()
    runs.cancel("that is enough")
    go.set()
    assert runs.wait().state == {"cancelled": 2, "not started": 4}
    assert runs.frame()["reason"].dropna().tolist() == ["that is enough"] * 2
    assert runs.resume().state == {"completed": 6}


def test_what_stops_a_set_in_the_background_is_raised_by_whoever_waits():
    journal = Full()
    hub = hub_of(journal)
    journal.room = 3
    runs = run_many("flow", GOALS, hub=hub, name="set", wait=False)
    with pytest.raises(JournalUnavailable, match="the disk is full"):
        runs.wait()


def test_a_set_that_was_never_begun_is_waited_for_in_no_time():
    runs = run_many("flow", ["a"], hub=hub_of())
    assert runs.wait() is runs
    runs.cancel()
    assert runs.state == {"completed": 1}
