"""Backups, vacuum, and what an integrity check finds."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import threading
from contextlib import closing

import pytest

from orchestration_kit.journal.codec import content_digest
from orchestration_kit.journal.conformance.making import a_row, begin, some_rows
from orchestration_kit.journal.errors import JournalUnavailable
from orchestration_kit.journal.port import RunQuery
from orchestration_kit.journal.sqlite import SQLiteJournal


@pytest.fixture
def path(tmp_path):
    (tmp_path / "journals").mkdir()
    return tmp_path / "journals" / "runs.db"


@pytest.fixture
def copy(tmp_path):
    (tmp_path / "copies").mkdir()
    return tmp_path / "copies" / "copy.db"


@pytest.fixture
def journal(path):
    with SQLiteJournal(path) as journal:
        yield journal


def fill(journal, runs=5, rows=20):
    for n in range(runs):
        lease = begin(journal, f"run {n}")
        blob = b"blob %d" % (n % 2)
        journal.append(lease, some_rows(1, rows), {content_digest(blob): blob})


@pytest.mark.parametrize("group", [False, True])
def test_a_backup_opens_as_a_journal_with_all_that_was_committed(path, copy, group):
    with SQLiteJournal(path, group_commit=group) as journal:
        fill(journal)
        assert journal.backup(copy) == copy
        runs = journal.find_runs(RunQuery())
    with SQLiteJournal(copy) as again:
        assert again.find_runs(RunQuery()) == runs
        assert again.rows("run 3") == some_rows(1, 20)
        assert again.integrity_check() == []
        begin(again, "new")


def test_a_backup_is_one_private_file(journal, copy):
    fill(journal)
    journal.backup(copy)
    assert [path.name for path in copy.parent.iterdir()] == ["copy.db"]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert copy.read_bytes()[18:20] == b"\x01\x01"  # no log to be looked for


def test_a_backup_can_be_read_where_there_are_no_locks(journal, copy):
    fill(journal)
    journal.backup(copy)
    with closing(sqlite3.connect(f"{copy.as_uri()}?immutable=1", uri=True)) as reader:
        assert reader.execute("SELECT count(*) FROM rows").fetchone() == (100,)


def test_the_journal_goes_on_while_and_after_it_is_copied(journal, copy):
    fill(journal)
    lease = begin(journal)
    stop = threading.Event()

    def write():
        seq = 0
        while not stop.is_set():
            seq += 1
            journal.append(lease, [a_row(seq)], {})

    thread = threading.Thread(target=write)
    thread.start()
    for _ in range(5):
        journal.backup(copy, overwrite=True)
        with SQLiteJournal(copy) as again:
            rows = again.rows("run")
            assert rows == some_rows(1, len(rows))
        os.unlink(copy)
    stop.set()
    thread.join()


def test_a_backup_overwrites_nothing_unless_told(journal, copy):
    copy.write_bytes(b"precious")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        journal.backup(copy)
    assert copy.read_bytes() == b"precious"
    journal.backup(copy, overwrite=True)
    SQLiteJournal(copy).close()


def test_a_journal_is_not_copied_onto_itself(journal, path):
    with pytest.raises(JournalUnavailable, match="the journal itself"):
        journal.backup(path, overwrite=True)


@pytest.mark.parametrize("name", ["no/copy.db", ""])
def test_a_backup_that_cannot_be_written_says_so_and_leaves_nothing(journal, copy, name):
    fill(journal)
    with pytest.raises(JournalUnavailable):
        journal.backup(copy.parent / name, overwrite=True)
    assert list(copy.parent.iterdir()) == []


def test_a_closed_journal_is_not_copied(path, copy):
    journal = SQLiteJournal(path)
    journal.close()
    with pytest.raises(JournalUnavailable, match="closed"):
        journal.backup(copy)
    assert list(copy.parent.iterdir()) == []


def test_vacuum_gives_space_back_and_changes_nothing(journal):
    fill(journal, runs=20, rows=200)
    runs = [f"run {n}" for n in range(1, 20)]
    journal.delete(runs)
    before = journal.size_bytes
    freed = journal.vacuum()
    assert journal.size_bytes == before - freed < before / 4
    assert journal.rows("run 0") == some_rows(1, 200)
    lease = begin(journal, "new")
    journal.append(lease, [a_row(1)], {})
    assert journal.integrity_check() == []


def test_a_lease_survives_vacuum(journal):
    lease = begin(journal)
    journal.append(lease, [a_row(1)], {})
    journal.vacuum()
    journal.append(lease, [a_row(2)], {})


def test_the_size_counts_the_log(journal, path):
    fill(journal)
    assert journal.size_bytes > path.stat().st_size


def test_a_sound_journal_has_no_problems(journal):
    assert journal.integrity_check() == []
    fill(journal)
    assert journal.integrity_check() == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("DELETE FROM runs WHERE number = 2", "rows of a run that is not there (number 2)"),
        ("DELETE FROM runs WHERE number = 2", "kept for a run that is not there (number 2)"),
        ("DELETE FROM blobs WHERE number = 1", "Run run 0 names 1 blobs that are not there"),
        ("UPDATE blobs SET content = x'00' WHERE number = 1", "is not what was written"),
        ("UPDATE blobs SET content = 5 WHERE number = 1", "another type"),
        ("DELETE FROM uses", "is kept for no run"),
        ("UPDATE runs SET epoch = 'x' WHERE number = 1", "'run 0' is damaged: epoch holds bytes in place of int"),
    ],
)
def test_what_is_wrong_is_told(journal, path, change, told):
    fill(journal)
    with closing(sqlite3.connect(path)) as hand:
        hand.execute(change)
        hand.commit()
    assert any(told in problem for problem in journal.integrity_check())


def test_the_checksums_of_runs_are_asked_of_who_knows_them(journal):
    fill(journal, runs=2)
    problems = journal.integrity_check(run_problems=lambda run_id: [f"{run_id} is odd"] if run_id == "run 1" else [])
    assert problems == ["Run 'run 1': run 1 is odd"]


def test_damaged_pages_are_told(path, tmp_path):
    with SQLiteJournal(path) as journal:
        fill(journal, rows=300)
    damaged = bytearray(path.read_bytes())
    for page in range(3, len(damaged) // 8192):
        damaged[page * 8192 : page * 8192 + 8] = b"\xee" * 8
    copy = tmp_path / "damaged.db"
    copy.write_bytes(damaged)
    with SQLiteJournal(copy) as journal:
        assert any("SQLite" in problem or "damaged" in problem for problem in journal.integrity_check())


def test_a_file_copied_without_its_log_loses_rows_and_a_backup_does_not(journal, path, tmp_path, copy):
    fill(journal)
    shutil.copy(path, tmp_path / "careless.db")
    journal.backup(copy)
    with SQLiteJournal(copy) as whole:
        assert len(whole.find_runs(RunQuery())) == 5
    with SQLiteJournal(tmp_path / "careless.db") as careless:
        assert len(careless.find_runs(RunQuery())) < 5
