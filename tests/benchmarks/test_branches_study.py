"""The study of branches measures what it says, at a tiny size, and counts no time of a wrong result."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from time import process_time

import pytest

from benchmarks import branches, branches_bare, branches_cases, branches_runs
from benchmarks.branches_cases import Fan, check_fan, check_kept, hub_of, journaled, with_tasks, with_threads
from benchmarks.branches_peers import PEERS, is_installed
from benchmarks.harness import WrongResult

FAN = Fan(12, wait_s=0.002, at_once=4)
SUBJECTS = {
    "tasks": with_tasks,
    "threads": with_threads,
    "pool": branches_bare.pool,
    "gather": branches_bare.gather,
    "plain threads": branches_bare.threads,
}


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_fan_does_all_its_work_and_no_faster_than_it_may(name):
    assert SUBJECTS[name](FAN) >= 0.99 * FAN.limit_s


@pytest.mark.soak
@pytest.mark.parametrize("name", SUBJECTS)
def test_a_fan_without_waits_is_told_in_processor_time(name):
    assert SUBJECTS[name](replace(FAN, wait_s=0), clock=process_time) > 0


@pytest.mark.soak
@pytest.mark.parametrize("options", [{}, {"group_commit": True}], ids=str)
def test_a_journaled_fan_is_on_record_whole(options, tmp_path):
    assert journaled(FAN, tmp_path, **options) >= 0.99 * FAN.limit_s
    with pytest.raises(WrongResult, match="12 branches, not the 13"):
        check_kept(replace(FAN, count=13), tmp_path / "branches.db")


def test_a_file_without_the_fan_is_refused(tmp_path):
    journaled(FAN, tmp_path)
    path = tmp_path / "branches.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE runs SET state = CAST('failed' AS BLOB)")
    connection.close()
    with pytest.raises(Exception, match="damaged|ended failed"):
        check_kept(FAN, path)


def test_the_limit_is_what_the_waits_take_at_the_least():
    assert Fan(1_000).limit_s == pytest.approx(0.1)
    assert Fan(10_000).limit_s == pytest.approx(1.0)
    assert Fan(5, wait_s=1.0, at_once=2).limit_s == 3.0


@pytest.mark.parametrize("outputs", [[], FAN.outputs[:-1], FAN.outputs[::-1]], ids=["none", "one less", "out of order"])
def test_other_outputs_are_refused(outputs):
    with pytest.raises(WrongResult, match="not those of its items in their order"):
        check_fan(FAN, outputs, 1.0)


def test_a_time_below_the_limit_is_refused():
    with pytest.raises(WrongResult, match="less than is possible with 4 at a time"):
        check_fan(FAN, FAN.outputs, 0.001)
    assert check_fan(FAN, FAN.outputs, 0.001, clock=process_time) == 0.001


def test_no_more_branches_run_at_a_time_than_the_fan_says():
    under_way: list[int] = []
    most = 0

    async def work(item):
        nonlocal most
        under_way.append(item)
        most = max(most, len(under_way))
        try:
            return await branches_cases.wait_async(replace(FAN, wait_s=0), item)
        finally:
            under_way.remove(item)

    hub_of(FAN, work).execute_workflow("fan", "goal", {"items": FAN.items}, verbose=False)
    assert most <= FAN.at_once


def test_runs_at_once_are_all_under_way_before_one_ends():
    assert branches_runs.many_runs(7) > 0
    assert branches_runs.bare_runs(7) > 0


def test_runs_one_after_another_are_refused():
    crowd = branches_runs.Crowd(2)
    hub = branches_runs.hub_of(crowd)
    contexts = [hub.execute_workflow("three", "goal", verbose=False) for _ in range(2)]
    with pytest.raises(WrongResult, match="1 runs came to their last step before others had begun"):
        branches_runs.check_runs(crowd, contexts)


def test_a_run_is_weighed_in_a_process_of_its_own():
    assert branches_runs.kilobytes_a_run(2_000) > 0


def test_subjects_take_turns_and_the_first_turn_does_not_count():
    called: list[str] = []

    def subject(name, seconds):
        def run():
            called.append(name)
            return next(seconds)

        return run

    subjects = {"a": subject("a", iter([99.0, 1.0, 2.0, 6.0])), "b": subject("b", iter([99.0, 3.0, 3.0, 3.0]))}
    assert branches.taking_turns(subjects, repeats=3) == {"a": 2.0, "b": 3.0}
    assert called == ["a", "b"] * 4


@pytest.mark.soak
@pytest.mark.parametrize("peer", PEERS)
def test_a_peer_does_the_same(peer):
    if not is_installed(peer):
        pytest.skip(f"{peer} is in .venv-bench alone")
    assert PEERS[peer](FAN) >= 0.99 * FAN.limit_s
