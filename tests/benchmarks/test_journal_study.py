"""The study of journals measures what it says, at a tiny size, and counts no time of a wrong result."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from benchmarks import journal_again
from benchmarks.harness import WrongResult
from benchmarks.journal import TASKS, places
from benchmarks.journal_cases import chain, check_kept, keep, new_keys, one_list, raw, texts
from benchmarks.journal_peers import PEERS, is_installed

STEPS = 12
OPTIONS = [{}, {"group_commit": True}, {"group_commit": True, "durability": "full"}]


@pytest.mark.soak
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("name", TASKS)
def test_a_run_is_kept_whole_and_timed(name, options, tmp_path):
    kept = keep(TASKS[name](STEPS), tmp_path, **options)
    assert kept.seconds_a_step > 0
    assert kept.growth > 0
    assert kept.file_bytes > kept.payload_bytes > 0


def test_what_a_step_takes_beyond_its_payload_counts_outputs_and_initial_data_once(tmp_path):
    kept = keep(chain(STEPS, data={"carried": texts(3)}), tmp_path)
    assert kept.payload_bytes == (STEPS + 3) * 1024
    assert kept.beyond_payload == (kept.file_bytes - kept.payload_bytes) / STEPS


def test_a_worker_that_reads_what_is_carried_finds_it(tmp_path):
    empty = chain(STEPS, data={"carried": []}, reads="carried")
    with pytest.raises(WrongResult, match=r"ended failed.*carried is empty"):
        keep(empty, tmp_path)


def test_raw_sqlite3_keeps_its_rows(tmp_path):
    assert raw(STEPS, tmp_path) > 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"outputs": texts(STEPS + 1)}, f"holds {STEPS + 1} rows"),
        ({"outputs": texts(STEPS)[::-1]}, "outputs"),
        ({"left": {"carried": "something else"}}, "data bus"),
    ],
)
def test_a_file_that_does_not_hold_the_run_is_refused(change, reason, tmp_path):
    task = chain(STEPS, data={"carried": "on"})
    keep(task, tmp_path)
    with pytest.raises(WrongResult, match=reason):
        check_kept(replace(task, **change), tmp_path / "runs.db")


@pytest.mark.soak
@pytest.mark.parametrize("make", [new_keys, one_list])
def test_what_grew_is_looked_at_entry_by_entry(make, tmp_path):
    task = make(STEPS)
    keep(task, tmp_path)
    key = next(iter(task.left))
    with pytest.raises(WrongResult, match="data bus"):
        check_kept(replace(task, left={key: texts(STEPS)[:-1]}), tmp_path / "runs.db")


@pytest.mark.soak
def test_a_run_whose_process_was_killed_goes_on_here_and_in_a_fresh_process(tmp_path):
    path = journal_again.killed(tmp_path, steps=STEPS, done=9)
    for _ in range(2):
        assert journal_again.resume(path, steps=STEPS, done=9).first_step_s > 0
    fresh = journal_again.resume_in_a_fresh_process(path, steps=STEPS, done=9)
    assert fresh.whole_s > fresh.import_s + fresh.register_s + fresh.first_step_s + fresh.rest_s > 0


def test_a_process_that_was_not_killed_is_refused(tmp_path):
    with pytest.raises(WrongResult, match="not killed"):
        journal_again.killed(tmp_path, steps=2, done=2)


@pytest.mark.soak
def test_a_resumed_run_that_makes_another_number_of_steps_is_refused(tmp_path):
    path = journal_again.killed(tmp_path, steps=STEPS, done=9)
    with pytest.raises(WrongResult, match="after 3 steps, 10 entries"):
        journal_again.resume(path, steps=STEPS, done=8)
    with pytest.raises(WrongResult, match="'called': 3"):
        journal_again.resume_in_a_fresh_process(path, steps=STEPS, done=8)


@pytest.mark.soak
def test_all_runs_are_listed(tmp_path):
    path = tmp_path / "many.db"
    journal_again.many_runs(path, 5)
    assert journal_again.list_seconds(path, 5) > 0
    with pytest.raises(WrongResult, match="of 6 runs"):
        journal_again.list_seconds(path, 6)


def test_a_list_whose_run_was_changed_counts_for_nothing(tmp_path):
    path = tmp_path / "many.db"
    journal_again.many_runs(path, 3)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE runs SET state = CAST('failed' AS BLOB) WHERE number = 2")
    connection.close()
    with pytest.raises(WrongResult, match="damaged"):
        journal_again.list_seconds(path, 3)


def test_there_is_a_place_to_measure_in():
    assert all(folder.is_dir() for folder in places().values())


@pytest.mark.soak
@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("case", [{"grows": False}, {"grows": True}, {"carried": {"corpus": texts(2)}}], ids=str)
def test_a_peer_keeps_the_same_run(peer, case, tmp_path):
    if not is_installed(peer):
        pytest.skip(f"{peer} is in .venv-bench alone")
    kept = PEERS[peer](tmp_path, STEPS, **{"carried": {}, "grows": False, **case})
    assert kept.file_bytes > 0
