"""Numbered migrations: whole or not at all, in order, by one process at a time."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from orchestration_kit.journal.conformance.making import a_row, begin
from orchestration_kit.journal.errors import JournalCorrupt, JournalUnavailable, JournalVersion
from orchestration_kit.journal.sqlite import SQLiteJournal, database
from orchestration_kit.journal.sqlite.database import Database
from orchestration_kit.journal.sqlite.schema import APPLICATION_ID, MIGRATIONS, Migration, migrate
from tests.journal.processes import program

SECOND = Migration("a note on every run", ("ALTER TABLE runs ADD COLUMN note BLOB", "CREATE TABLE notes(a) "))
HALF = Migration("stops halfway", ("ALTER TABLE runs ADD COLUMN note BLOB", "CREATE TABLE rows(a)"))


@pytest.fixture
def path(tmp_path):
    """A journal of the first version, with something in it."""
    with SQLiteJournal(tmp_path / "runs.db") as journal:
        journal.append(begin(journal), [a_row(1)], {})
    return tmp_path / "runs.db"


def opened(path, *more):
    return closing(Database(str(path), durability="normal", busy_timeout_s=10, migrations=(*MIGRATIONS, *more)))


def asked(path, question):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(question).fetchall()


def dump(path):
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump()), connection.execute("PRAGMA user_version").fetchone()


def test_a_journal_says_what_it_is(path):
    assert asked(path, "PRAGMA application_id") == [(APPLICATION_ID,)]
    assert asked(path, "PRAGMA user_version") == [(len(MIGRATIONS),)]
    assert asked(path, "SELECT version, description FROM migrations") == [(1, "runs, rows and blobs")]


def test_opening_again_changes_nothing(path):
    before = dump(path)
    SQLiteJournal(path).close()
    assert dump(path) == before


def test_an_old_version_is_brought_up_with_its_record(path):
    with opened(path, SECOND) as database:
        assert database.read("SELECT note FROM runs") == [(None,)]
    assert asked(path, "SELECT version, description FROM migrations") == [
        (1, "runs, rows and blobs"),
        (2, SECOND.description),
    ]
    assert asked(path, "PRAGMA user_version") == [(2,)]
    assert len(asked(path, "SELECT * FROM rows")) == 1


def test_a_new_file_goes_through_all_versions(tmp_path):
    with opened(tmp_path / "new.db", SECOND, Migration("a third", ("CREATE TABLE third(a)",))):
        pass
    assert asked(tmp_path / "new.db", "SELECT version FROM migrations") == [(1,), (2,), (3,)]


def test_a_migration_that_stops_halfway_leaves_the_file_as_it_was(path):
    before = dump(path)
    with pytest.raises(JournalCorrupt, match="already exists"):
        opened(path, HALF)
    assert dump(path) == before
    with SQLiteJournal(path) as journal:
        assert journal.rows("run") == [a_row(1)]


def test_of_two_migrations_the_one_that_works_stays(path):
    with pytest.raises(JournalCorrupt):
        opened(path, SECOND, HALF)
    assert asked(path, "PRAGMA user_version") == [(2,)]
    with opened(path, SECOND):
        pass


def test_a_newer_version_is_refused_and_left_alone(path):
    with opened(path, SECOND):
        pass
    before = dump(path)
    with pytest.raises(JournalVersion, match=r"version 2.*pip install --upgrade"):
        SQLiteJournal(path)
    assert dump(path) == before


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TRIGGER t AFTER INSERT ON rows BEGIN DELETE FROM rows; END",
        "CREATE VIEW v AS SELECT * FROM runs",
        "CREATE TABLE more(a)",
        "CREATE INDEX i ON runs(state)",
        "ALTER TABLE rows RENAME TO old",
        "DROP TABLE uses",
        "ALTER TABLE runs ADD COLUMN x DEFAULT (load_extension('x'))",
    ],
)
def test_a_file_with_other_tables_or_with_triggers_is_refused(path, change):
    with closing(sqlite3.connect(path)) as connection:
        if "DEFAULT" in change:  # a generated default cannot be added: write it into the schema
            connection.execute("PRAGMA writable_schema = ON")
            connection.execute(
                "UPDATE sqlite_master SET sql = replace(sql, 'beat INTEGER', 'beat INTEGER DEFAULT 1') WHERE name = 'runs'"
            )
        else:
            connection.execute(change)
        connection.commit()
    with pytest.raises(JournalCorrupt, match="other tables"):
        SQLiteJournal(path)


def test_statistics_that_a_browser_left_are_no_matter(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ANALYZE")
    SQLiteJournal(path).close()


@pytest.mark.parametrize("version", [0, -1, 99, 2**31 - 1])
def test_a_version_that_cannot_be_is_refused(path, version):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    with pytest.raises(JournalVersion):
        SQLiteJournal(path)


OPEN = """
say("ready"); hear()
with SQLiteJournal(sys.argv[1]) as journal:
    lease = begin(journal, sys.argv[2])
    journal.append(lease, [a_row(1)], {})
say("done")
"""


def test_processes_that_open_a_new_file_at_once_all_succeed(tmp_path):
    from contextlib import ExitStack

    path = tmp_path / "new.db"
    with ExitStack() as stack:
        programs = [stack.enter_context(program(OPEN, path, n)) for n in range(4)]
        for one in programs:
            assert one.hear() == "ready"
        for one in programs:
            one.say()
        assert [one.end() for one in programs] == [["done"]] * 4
    with SQLiteJournal(path) as journal:
        assert [journal.rows(str(n)) for n in range(4)] == [[a_row(1)]] * 4
        assert asked(path, "SELECT count(*) FROM migrations") == [(1,)]


def test_a_file_that_another_process_uses_while_it_is_opened_is_waited_for(path, monkeypatch):
    tries = []

    def migrate_second_time(*given):
        tries.append(given)
        if len(tries) == 1:
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = sqlite3.SQLITE_BUSY_RECOVERY
            raise error
        migrate(*given)

    monkeypatch.setattr(database, "migrate", migrate_second_time)
    SQLiteJournal(path).close()
    assert len(tries) == 2


def test_threads_that_open_a_new_file_at_once_all_succeed(tmp_path):
    from orchestration_kit.journal.conformance.lifecycle import in_threads

    def work(n):
        with SQLiteJournal(tmp_path / "runs.db") as journal:
            journal.append(begin(journal, str(n)), [a_row(1)], {})

    assert in_threads(8, work) == [None] * 8


def test_a_file_that_a_browser_keeps_locked_is_said(path):
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(JournalUnavailable, match="locked"):
            Database(str(path), durability="normal", busy_timeout_s=0.05, migrations=(*MIGRATIONS, SECOND))
