"""The file of a journal: where it may be, what it may be, and that it stays there."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from contextlib import closing

import pytest

from orchestration_kit.journal.conformance.making import a_row, begin, some_rows, some_standing
from orchestration_kit.journal.errors import JournalCorrupt, JournalUnavailable, JournalVersion
from orchestration_kit.journal.port import RunQuery
from orchestration_kit.journal.sqlite import SQLiteJournal
from tests.journal.processes import program


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs.db"


@pytest.fixture
def journal(path):
    with SQLiteJournal(path) as journal:
        yield journal


# Where it is


@pytest.mark.parametrize("name", ["", ":memory:"])
def test_a_path_that_names_no_file_is_refused_and_names_the_other_journal(name):
    with pytest.raises(JournalUnavailable, match=r"MemoryJournal\(\)"):
        SQLiteJournal(name)


def test_a_missing_folder_is_said(tmp_path):
    with pytest.raises(JournalUnavailable, match="mkdir -p"):
        SQLiteJournal(tmp_path / "no" / "runs.db")
    assert not (tmp_path / "no").exists()


def test_a_folder_in_place_of_a_file_is_said(tmp_path):
    with pytest.raises(JournalUnavailable, match="it is a folder"):
        SQLiteJournal(tmp_path)


def test_a_file_in_place_of_a_folder_is_said(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(JournalUnavailable, match="folder"):
        SQLiteJournal(tmp_path / "file" / "runs.db")


@pytest.mark.parametrize("name", ["a\0b", "x" * 300, "\ud800"], ids=["NUL", "long", "surrogate"])
def test_a_name_that_no_file_can_have_is_said(tmp_path, name):
    with pytest.raises(JournalUnavailable):
        SQLiteJournal(f"{tmp_path}/{name}")


def test_a_link_to_nowhere_is_said(tmp_path):
    (tmp_path / "link.db").symlink_to(tmp_path / "no" / "runs.db")
    with pytest.raises(JournalUnavailable):
        SQLiteJournal(tmp_path / "link.db")


@pytest.mark.parametrize("name", ["a b.db", "q?mode=memory", "50%.db", "#1.db", "ü🦄.db", "file:x", "-x", "it's"])
def test_names_with_odd_characters_are_just_names(tmp_path, name):
    with SQLiteJournal(tmp_path / name) as journal:
        journal.append(begin(journal), [a_row(1)], {})
        assert (tmp_path / name).is_file()
    with SQLiteJournal(tmp_path / name) as journal:
        assert journal.rows("run") == [a_row(1)]
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_the_home_folder_may_be_a_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    with SQLiteJournal("~/runs.db") as journal:
        assert journal.path == tmp_path / "runs.db"


def test_another_working_directory_changes_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with SQLiteJournal("runs.db") as journal:
        lease = begin(journal)
        monkeypatch.chdir("/")
        journal.append(lease, [a_row(1)], {}, release=True)
        assert journal.path == tmp_path / "runs.db"


def test_two_paths_to_one_file_are_one_journal(tmp_path):
    (tmp_path / "link.db").symlink_to(tmp_path / "runs.db")
    with SQLiteJournal(tmp_path / "runs.db") as one, SQLiteJournal(tmp_path / "link.db") as other:
        begin(one)
        assert other.find_run("run") == one.find_run("run")


@pytest.mark.parametrize(
    "options", [{"durability": "fast"}, {"durability": None}, {"lease_s": 0}, {"lease_s": float("nan")}]
)
def test_options_that_mean_nothing_are_refused(path, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        SQLiteJournal(path, **options)
    assert not path.exists()


# What it is


@pytest.mark.parametrize("content", [b"hello", b"x" * 10_000, b"SQLite format 3\0" + b"x" * 100, b"\0" * 5000])
def test_a_file_that_is_no_database_is_refused_and_left_alone(path, content):
    path.write_bytes(content)
    with pytest.raises((JournalVersion, JournalCorrupt)):
        SQLiteJournal(path)
    assert path.read_bytes() == content


def test_a_database_of_another_program_is_refused_and_left_alone(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE runs(a)")
        connection.commit()
    before = path.read_bytes()
    with pytest.raises(JournalVersion, match="another program"):
        SQLiteJournal(path)
    assert path.read_bytes() == before


def test_an_empty_file_becomes_a_journal(path):
    path.touch()
    with SQLiteJournal(path) as journal:
        assert journal.find_runs(RunQuery()) == []


def test_a_file_deleted_while_it_is_open_is_said(journal, path):
    lease = begin(journal)
    path.unlink()
    with pytest.raises(JournalUnavailable, match="deleted, moved or replaced"):
        journal.append(lease, [a_row(1)], {}, standing=some_standing())
    assert not path.exists()


def test_a_deleted_file_is_found_out_by_the_heartbeat(path):
    with SQLiteJournal(path, lease_s=0.03) as journal:
        lease = begin(journal)
        path.unlink()
        deadline = time.monotonic() + 10
        with pytest.raises(JournalUnavailable, match="deleted, moved or replaced"):
            for seq in range(1, 10**9):
                journal.append(lease, [a_row(seq)], {})
                assert time.monotonic() < deadline


def test_a_file_that_is_put_back_goes_on(journal, path, tmp_path):
    lease = begin(journal)
    journal.append(lease, [a_row(1)], {})
    path.rename(tmp_path / "away.db")
    with pytest.raises(JournalUnavailable):
        journal.append(lease, [a_row(2)], {}, standing=some_standing())
    (tmp_path / "away.db").rename(path)
    journal.append(lease, [a_row(2)], {}, standing=some_standing())
    assert journal.rows("run") == some_rows(1, 2)


def test_a_file_replaced_while_it_is_open_is_said(journal, path, tmp_path):
    begin(journal)
    journal.backup(tmp_path / "copy.db")
    (tmp_path / "copy.db").replace(path)
    with pytest.raises(JournalUnavailable, match="deleted, moved or replaced"):
        begin(journal, "other")


READ_ONLY = """
os.setgid(65534); os.setuid(65534)
try:
    with SQLiteJournal(sys.argv[1]) as journal: begin(journal)
except JournalUnavailable as error: say("told" if "writ" in error.hint else error)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="takes a user who may become another")
@pytest.mark.parametrize("there", [True, False], ids=["the file", "the folder"])
def test_what_may_only_be_read_is_said(there):
    folder = f"/tmp/okit-read-only-{os.getpid()}"  # a folder that another user can reach
    os.mkdir(folder, 0o755)
    try:
        if there:
            with SQLiteJournal(f"{folder}/runs.db") as journal:
                begin(journal)
            os.chmod(f"{folder}/runs.db", 0o644)
        with program(READ_ONLY, f"{folder}/runs.db") as reader:
            assert reader.end() == ["told"]
    finally:
        shutil.rmtree(folder)
