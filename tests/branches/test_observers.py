"""Observers hear of every event, each once, one at a time, before what follows from it."""

from __future__ import annotations

import threading

import pytest

from orchestration_kit import MapStep, MemoryJournal, ParallelStep
from orchestration_kit.engine.events import AttemptFinished, AttemptStarted, BranchesOpened, RunFinished, RunStarted
from tests.branches.doors import flow_of, hub_of, through
from tests.support import step

FLOW = flow_of(
    ParallelStep(step_id="p", branches={"l": "m", "r": "b"}, on_success="end"), MapStep(step_id="m", over="data.items", body="a", max_concurrency=8),
    step("a", is_terminal=False, max_retries=1), step("b", is_terminal=False), step("end"),
)  # fmt: skip


def a(n, context):
    if n % 5 == 0 and context.attempt == 1:
        raise ValueError("again")
    return n


WORKERS = {"a": a, "b": lambda _: "b", "end": lambda given: given}


class Listener:
    def __init__(self):
        self.heard, self.inside, self.overlaps = [], threading.Lock(), 0

    def __call__(self, event):
        if not self.inside.acquire(blocking=False):
            self.overlaps += 1
            return
        try:
            self.heard.append(event)
            for _ in range(20):
                threading.Event().is_set()  # lets another thread in, if it can come in
        finally:
            self.inside.release()


@pytest.mark.parametrize("journaled", [False, True])
def test_every_attempt_is_told_once_and_never_two_at_a_time(door, journaled):
    listener = Listener()
    hub = hub_of(FLOW, WORKERS, observers=[listener], journal=MemoryJournal() if journaled else None)
    run = through(door, hub.start("flow", "go", {"items": list(range(40))}))
    assert listener.overlaps == 0
    told = [(event.path, event.attempt) for event in listener.heard if isinstance(event, AttemptFinished)]
    assert sorted(told) == sorted((entry["path"], entry["attempt"]) for entry in run.history)
    assert len(told) == len(set(told)) == 40 + 8 + 1 + 1 + 1 + 1
    assert isinstance(listener.heard[0], RunStarted)
    assert isinstance(listener.heard[-1], RunFinished)


def test_what_opens_comes_before_what_is_within_and_that_before_the_join(door):
    listener = Listener()
    through(door, hub_of(FLOW, WORKERS, observers=[listener]).start("flow", "go", {"items": [1, 2, 3]}))
    at = {
        (type(event).__name__, event.path): place
        for place, event in enumerate(listener.heard)
        if hasattr(event, "path")
    }
    assert at["BranchesOpened", "p#1"] < at["BranchesOpened", "p#1[l]/m#1"]
    for n in range(1, 3):
        path = f"p#1[l]/m#1[{n}]/a#1"
        assert (
            at["BranchesOpened", "p#1[l]/m#1"]
            < at["AttemptStarted", path]
            < at["AttemptFinished", path]
            < at["AttemptFinished", "p#1[l]/m#1"]
        )
    assert at["AttemptFinished", "p#1[l]/m#1"] < at["AttemptFinished", "p#1"] < at["AttemptFinished", "end#1"]
    opened = [event for event in listener.heard if isinstance(event, BranchesOpened)]
    assert [(event.path, event.keys) for event in opened] == [("p#1", ("l", "r")), ("p#1[l]/m#1", None)]


def test_every_attempt_of_a_worker_that_is_finished_was_announced(door):
    listener = Listener()
    run = through(door, hub_of(FLOW, WORKERS, observers=[listener]).start("flow", "go", {"items": list(range(12))}))
    begun = sorted((event.path, event.attempt) for event in listener.heard if isinstance(event, AttemptStarted))
    assert begun == sorted((entry["path"], entry["attempt"]) for entry in run.history if entry["worker"])


def test_an_observer_that_raises_in_a_branch_is_left_out_and_the_run_goes_on(door, caplog):
    calls = []

    def broken(event):
        calls.append(event)
        raise RuntimeError("no")

    listener = Listener()
    run = through(door, hub_of(FLOW, WORKERS, observers=[broken, listener]).start("flow", "go", {"items": [1, 2]}))
    assert run.state == "completed"
    assert len(calls) == 1
    assert isinstance(listener.heard[-1], RunFinished)


def test_an_observer_may_look_at_the_run_while_branches_are_under_way(door):
    seen = []

    def look(event):
        run = hub.last_run
        if run is not None and isinstance(event, AttemptFinished):
            seen.append((run.state.value, len(run.history), len(run.events)))

    hub = hub_of(FLOW, WORKERS, observers=[look])
    run = through(door, hub.start("flow", "go", {"items": list(range(10))}))
    assert len(seen) == len(run.history)
    assert {state for state, _, _ in seen} <= {"in_progress", "completed"}


def test_pieces_of_generators_are_told_while_they_come(door):
    def spell(word):
        yield from word

    listener = Listener()
    flow = flow_of(MapStep(step_id="m", over="data.items", body="a", is_terminal=True), step("a", is_terminal=False))
    run = through(door, hub_of(flow, {"a": spell}, observers=[listener]).start("flow", "go", {"items": ["abc", "de"]}))
    assert run.context.data["m_output"] == ["abc", "de"]
    pieces = [(event.path, event.piece) for event in listener.heard if type(event).__name__ == "PartialOutput"]
    assert sorted(pieces) == [
        ("m#1[0]/a#1", "a"),
        ("m#1[0]/a#1", "b"),
        ("m#1[0]/a#1", "c"),
        ("m#1[1]/a#1", "d"),
        ("m#1[1]/a#1", "e"),
    ]
    assert listener.overlaps == 0
