"""A watchdog: how often it barks for nothing, how soon it barks for something, and what happens then."""

from __future__ import annotations

import pickle
import random

import pytest

from orchestration_kit.service.errors import WatchdogTripped
from orchestration_kit.service.sequential import MAX_STARTS, Evidence, evidence_of
from orchestration_kit.service.watchdog import Outcome, Watchdog


def outcomes(share, count, seed):
    draw = random.Random(seed)
    return [draw.random() < share for _ in range(count)]


def first_alarm(flags, low, high, alpha):
    evidence = Evidence(low, high)
    for at, flag in enumerate(flags, 1):
        evidence.add([flag])
        if evidence.value >= 1 / alpha:
            return at
    return None


@pytest.mark.parametrize(
    "share", [pytest.param(0.85, marks=pytest.mark.soak), 0.9, pytest.param(0.95, marks=pytest.mark.soak)]
)
def test_false_alarms_are_no_more_than_alpha_however_often_one_looks(share):
    """Of 100 watches over 500 runs at 5 %: at most 12 is what even a test exactly at its level stays under in 99.9 %."""
    alarms = [first_alarm(outcomes(share, 500, seed), 0.85, 0.95, 0.05) for seed in range(100)]
    assert sum(alarm is not None for alarm in alarms) <= 12


@pytest.mark.parametrize(("after", "within"), [(0, 200), (100, 250), (500, 350)])
def test_a_drop_from_nine_in_ten_to_seven_is_heard(after, within):
    late = []
    for seed in range(30):
        flags = outcomes(0.9, after, seed) + outcomes(0.7, 2_000, seed + 1_000)
        late.append(first_alarm(flags, 0.88, 0.93, 0.01) - after)
    assert min(late) > 0
    assert max(late) <= within
    print(
        f"a drop from 0.9 to 0.7 after {after} runs: heard after {sorted(late)[15]} runs (median), {max(late)} at most"
    )


def test_a_share_at_the_edge_of_the_range_is_within_it():
    assert evidence_of([True] * 300, 0.9, 1.0).largest < 1
    assert evidence_of([False] * 300, 0.0, 0.1).largest < 1


def test_what_cannot_be_is_proof():
    assert evidence_of([False], 1.0, 1.0).value > 1e200
    assert evidence_of([True], 0.0, 0.0).value > 1e200


def test_old_beginnings_are_let_go():
    evidence = evidence_of([True, True, False] * 4_000, 0.6, 0.7)
    assert len(evidence._weights) == MAX_STARTS
    assert evidence.count == 12_000
    assert evidence.largest < 20


@pytest.mark.parametrize(("low", "high"), [(0.9, 0.8), (-0.1, 0.5), (0.5, 1.2)])
def test_a_range_that_is_none_is_refused(low, high):
    with pytest.raises(ValueError, match="from 0 to 1"):
        Evidence(low, high)


def runs(flags, duration_s=None):
    return [Outcome(f"run {at}", flag, duration_s) for at, flag in enumerate(flags)]


def test_too_many_successes_trip_it_as_well():
    dog = Watchdog(0.5, 0.6)
    dog.watch(runs([True] * 60))
    assert dog.trip.observed == 1.0


def test_slow_runs_trip_it():
    dog = Watchdog(0.5, slow_s=2.0, slow_share=0.1)
    dog.watch(runs([True] * 30, 1.0))
    assert dog.trip is None
    dog.watch([Outcome(f"slow {at}", True, 3.0) for at in range(30)])
    assert dog.trip.measure == "latency"
    assert "were slow" in str(dog.trip)


def test_after_a_trip_nothing_begins_until_somebody_says_why():
    dog = Watchdog(0.9)
    dog.watch(runs([False] * 10))
    with pytest.raises(WatchdogTripped, match=r"0% of \d+ runs succeeded, and 90% to 100% was expected") as caught:
        dog.check()
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.trip) == (str(caught.value), dog.trip)
    with pytest.raises(ValueError, match="takes the reason"):
        dog.reset("  ")
    was = dog.trip
    dog.reset("another model", by="Ann")
    dog.check()
    assert dog.resets == [("another model", "Ann", was)]
    assert dog.runs == 0


def test_a_run_counts_once():
    dog = Watchdog(0.5)
    dog.watch(runs([True, False]) * 3)
    assert dog.runs == 2
    assert dog.frame()["success"].tolist() == [True, False]


@pytest.mark.parametrize("options", [{"alpha": 0}, {"alpha": 1}, {"slow_s": 0}])
def test_figures_that_make_no_sense_are_refused(options):
    with pytest.raises(ValueError, match="not"):
        Watchdog(0.5, **options)
