"""Replay: recorded events fold into the state they came from, and decide nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration_kit import Branch, RetryPolicy, RunLimits
from orchestration_kit.engine.data import Changes
from orchestration_kit.engine.events import AttemptFinished
from orchestration_kit.engine.machine import Machine
from orchestration_kit.engine.visits import Visit
from tests.engine.machines import CHAIN, OOPS, machine_of, settle
from tests.laws import examples
from tests.support import step

BUSY = (
    step("a", "b", on_failure="c", max_retries=1, retry=RetryPolicy(backoff_s=3, jitter=0.5)),
    step("b", "a", on_failure="c", branches=[Branch(when="output > 5", to="c"), Branch(when="output == 5", to="b")]),
    step("c"),
)

machine_of(*BUSY)
"""Loads what checks and conditions need: Hypothesis takes an import within a strategy for hidden randomness."""


@st.composite
def played(draw: st.DrawFn) -> Machine:
    """A machine that was driven by hand for some attempts, to the end or not."""
    limits = RunLimits(
        max_steps=draw(st.integers(1, 12)),
        max_tokens=draw(st.none() | st.just(20)),
        max_seconds=draw(st.none() | st.just(15)),
    )
    machine = machine_of(*BUSY, limits=limits, data={"x": 0})
    for _ in range(draw(st.integers(0, 12))):
        if machine.upcoming() is None or machine.recorded >= limits.max_steps:
            machine.next()
            break
        error = draw(st.sampled_from([None, None, OOPS]))
        changes = draw(st.none() | st.just(Changes({"x": draw(st.integers(0, 9))}, ("y",))))
        usage = draw(st.none() | st.just({"input_tokens": 3, "output_tokens": 4, "cost_usd": 0.1}))
        settle(
            machine,
            draw(st.integers(0, 9) | st.just("text")),
            error,
            changes=changes,
            usage=usage,
            took=draw(st.sampled_from([0.0, 1.0])),
        )
    return machine


def state_of(machine: Machine):
    upcoming = machine.upcoming()
    seen = (
        None
        if upcoming is None or machine.finished
        else (upcoming.path, upcoming.attempt, upcoming.input, upcoming.last_error, upcoming.wait_s)
    )
    return (
        machine.state, machine.data, machine.records, machine.recorded, machine.finished, machine.root.visits, seen,
    )  # fmt: skip


@settings(max_examples=examples(100), deadline=None)
@given(played())
def test_a_replay_folds_events_into_the_same_state(machine):
    folded = Machine(machine.plan, machine.limits, machine.started)
    folded.replay([machine.started, *machine.records, *([machine.finished] if machine.finished else [])])
    assert state_of(folded) == state_of(machine)


@settings(max_examples=examples(100), deadline=None)
@given(played(), st.integers(0, 12))
def test_a_replay_of_a_part_stands_where_the_run_stood_and_can_go_on(machine, kept):
    events = machine.records[:kept]
    folded = Machine(machine.plan, machine.limits, machine.started)
    folded.replay(events)
    assert [record.seq for record in folded.records] == list(range(1, len(events) + 1))
    if folded.finished is None and folded.upcoming() is not None and len(events) < len(machine.records):
        following = machine.records[len(events)]
        assert (folded.upcoming().path, folded.upcoming().attempt) == (following.path, following.attempt)


def test_a_replay_decides_nothing():
    machine = machine_of(*CHAIN)
    odd = AttemptFinished("x", "", "a", 1, 1, "W", "a", "in", "out", None, 1.0, 2.0, "c", None, None, (), None)
    machine.replay([odd])
    assert machine.upcoming().path == "c#1", "as recorded, and not as the plan has it"


@pytest.mark.parametrize(
    ("change", "said"),
    [({"step": "b"}, "event 1 is attempt 1 of b#1; the run stands at a#1, attempt 1"), ({"visit": 2}, "event 1 is attempt 1 of a#2"), ({"attempt": 2}, "event 1 is attempt 2 of a#1; the run stands at a#1, attempt 1"), ({"scope": "x#1/"}, "event 1 is attempt 1 of x#1/a#1")],
)  # fmt: skip
def test_a_replay_refuses_events_of_another_run(change, said):
    machine, other = machine_of(*CHAIN), machine_of(*CHAIN)
    event = settle(machine)._replace(**change)
    with pytest.raises(ValueError, match=said):
        other.replay([event])
    assert other.records == []


def test_a_replay_refuses_events_after_the_end():
    machine, other = machine_of(step("a")), machine_of(step("a"))
    event = settle(machine)
    with pytest.raises(ValueError, match="event 1 is attempt 1 of a#1; the run stands at its end"):
        other.replay([event, event])


def test_a_replay_of_a_cancelled_run_has_nothing_left_to_do():
    machine, other = machine_of(*CHAIN), machine_of(*CHAIN)
    settle(machine)
    machine.cancel("enough", 5.0)
    other.replay([*machine.records, machine.finished])
    assert state_of(other) == state_of(machine)
    assert other.current_step == machine.current_step
    assert other.next() is None


def test_records_keep_their_names_however_often_they_are_looked_at():
    machine = machine_of(*CHAIN)
    for expected in (1, 2):
        settle(machine)
        assert machine.recorded == expected
        assert all(isinstance(record, AttemptFinished) for record in machine.records)
        assert machine.records == machine.records


def test_positions_name_scope_step_and_visit():
    machine = machine_of(*CHAIN)
    visit = machine.next()
    assert isinstance(visit, Visit)
    visit.scope.prefix = "research#1[3]/"
    assert visit.path == "research#1[3]/a#1"


def test_looking_at_what_is_new_does_not_go_over_the_whole_record():
    """Stepping by hand looks at the last attempt after each step: a long run must not make that slow."""
    machine = machine_of(*CHAIN)
    settle_without_looking = machine.settle
    for expected in (1, 2):
        visit = machine.next()
        settle_without_looking(visit, expected)
        assert machine.last_record().output == expected
        assert [record.seq for record in machine.records_since(expected - 1)] == [expected]
    assert not any(isinstance(row, AttemptFinished) for row in machine._rows)
