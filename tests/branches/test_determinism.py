"""The same outcomes give the same events, data bus and frames, whatever the timing, and through whichever door."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from orchestration_kit import MapStep, ParallelStep, replay
from orchestration_kit.testing import FakeClock
from tests.branches.doors import check_record, flow_of, folded, hub_of, paths, same_state, through, told
from tests.branches.random_flows import DATA, answer, flows, hub_for
from tests.branches.virtual import Turns, in_virtual_time
from tests.laws import examples
from tests.support import step

PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
QUICK = settings(max_examples=examples(40), deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES)
LONG = settings(QUICK, max_examples=1_500)
TIMES = ["timestamp", "duration_s", "started_at", "finished_at"]


def by_hand(flow, salt):
    return through("hand", hub_for(flow, salt, clock=FakeClock()).start("flow", "go", DATA, run_id="r", seed=1), answer)


def in_a_loop(flow, salt, timing):
    """Through the async door, in virtual time: how long each attempt takes hangs on `timing`."""

    async def main(clock):
        run = hub_for(flow, salt, timing=timing, clock=clock).start("flow", "go", DATA, run_id="r", seed=1)
        while not run.is_finished:
            await run.arun()
            if not run.is_finished:
                answer(run)
        return run

    run = in_virtual_time(main)
    check_record(run)
    return run


def on_threads(flow, salt, numbers):
    """Through the sync door; which of the workers on threads goes on is said by `numbers`."""
    turns = Turns(numbers)
    hub = hub_for(flow, salt, turns=turns, clock=FakeClock())
    turns.run = hub.start("flow", "go", DATA, run_id="r", seed=1, observers=[turns])
    return through("sync", turns.run, answer)


def frame(run):
    found = run.to_frame()
    found["detail"] = found["detail"].astype("string").str.replace(r'"answered_at": ?[\d.e+]+', "", regex=True)
    return found.drop(columns=[name for name in TIMES if name in found.columns])


def seen(run):
    """All that can be seen of a run, times aside."""
    children = {path: told(child) for path, child in sorted(run.children.items())}
    return told(run), dict(run.context.data), run.state.value, run.context.error, children


def same(one, other):
    assert paths(one) == paths(other)
    assert seen(one) == seen(other)
    pd.testing.assert_frame_equal(frame(one), frame(other))


def hold(flow, salt, timings, numbers):
    run = by_hand(flow, salt)
    for timing in timings:
        same(run, in_a_loop(flow, salt, timing))
    same(run, on_threads(flow, salt, numbers))


SALTS = st.integers(0, 10**6)
NUMBERS = st.lists(st.integers(0, 20), min_size=1, max_size=12)


@given(flow=flows(), salt=SALTS, timings=st.lists(SALTS, min_size=2, max_size=2), numbers=NUMBERS)
@QUICK
def test_no_timing_and_no_door_changes_events_data_or_frames(flow, salt, timings, numbers):
    hold(flow, salt, timings, numbers)


@pytest.mark.soak
@given(flow=flows(), salt=SALTS, timings=st.lists(SALTS, min_size=3, max_size=3), numbers=NUMBERS)
@LONG
def test_no_timing_and_no_door_changes_events_data_or_frames_long(flow, salt, timings, numbers):
    hold(flow, salt, timings, numbers)


def hold_race(flow, salt, timing, numbers):
    """Who won is part of the outcome: what is on record of it leads to the same state again."""
    for run in (by_hand(flow, salt), in_a_loop(flow, salt, timing), on_threads(flow, salt, numbers)):
        same_state(run, folded(run, run.machine.arrivals()))
        same_state(run, folded(run))
        assert replay(run).is_same


@given(flow=flows(races=True), salt=SALTS, timing=SALTS, numbers=NUMBERS)
@QUICK
def test_where_the_race_is_part_of_the_outcome_the_record_of_it_gives_the_same_state(flow, salt, timing, numbers):
    hold_race(flow, salt, timing, numbers)


@pytest.mark.soak
@given(flow=flows(races=True), salt=SALTS, timing=SALTS, numbers=NUMBERS)
@LONG
def test_where_the_race_is_part_of_the_outcome_the_record_of_it_gives_the_same_state_long(flow, salt, timing, numbers):
    hold_race(flow, salt, timing, numbers)


@given(flow=flows(races=True), salt=SALTS, timing=SALTS, cut=st.integers(0, 200))
@QUICK
def test_any_beginning_of_a_record_can_be_folded_and_run_on_to_an_end(flow, salt, timing, cut):
    run = in_a_loop(flow, salt, timing)
    arrivals = run.machine.arrivals()
    machine = folded(run, arrivals[: cut % (len(arrivals) + 1)])
    again = folded(run, [*machine.arrivals(), *arrivals[machine.count :]])
    same_state(run, again)


@given(timings=st.lists(SALTS, min_size=2, max_size=4, unique=True))
@QUICK
def test_items_added_by_branches_within_an_item_have_the_same_keys_whoever_added_first(timings):
    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="p", is_terminal=True),
        ParallelStep(step_id="p", branches={"l": "a", "r": "a"}),
        step("a", is_terminal=False),
    )

    def run_with(timing):
        import asyncio
        import random

        async def a(n, context):
            await asyncio.sleep(random.Random(f"{timing}|{context.path}").choice([0, 1, 2]))
            if n < 2:
                context.add_item(n + 1)
            return n

        async def main(clock):
            run = hub_of(flow, {"a": a}, clock=clock).start("flow", "go", {"items": [0, 1]}, run_id="r")
            await run.arun()
            return run

        return in_virtual_time(main)

    runs = [run_with(timing) for timing in timings]
    for run in runs[1:]:
        same(runs[0], run)


def test_the_threads_take_the_turns_that_the_numbers_say():
    """The tool itself: by the numbers, the third of three ends first."""
    flow = flow_of(MapStep(step_id="m", over="data.items", body="a", is_terminal=True), step("a", is_terminal=False))
    orders = {}
    for numbers in ([2, 1, 0], [0], [1]):
        turns, ended = Turns(numbers), []

        def work(n, context):
            turns.hold(context.path)
            ended.append(n)
            return n

        turns.run = hub_of(flow, {"a": work}).start("flow", "go", {"items": [0, 1, 2]}, observers=[turns])
        run = through("sync", turns.run)
        orders[tuple(numbers)] = list(ended)
        assert run.context.data["m_output"] == [0, 1, 2]
    assert orders == {(2, 1, 0): [2, 1, 0], (0,): [0, 1, 2], (1,): [1, 2, 0]}
