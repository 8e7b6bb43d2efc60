"""The file of the lessons: whole commits, several threads and processes, clear errors."""

from __future__ import annotations

import gc
import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing

import pytest

from orchestration_kit.governance.wisdom import Wisdom
from orchestration_kit.governance.wisdom import database as database_module
from orchestration_kit.governance.wisdom.database import Database
from orchestration_kit.governance.wisdom.errors import WisdomUnavailable
from orchestration_kit.governance.wisdom.schema import MIGRATIONS, Migration
from tests.governance.wisdom.support import failed


def test_lessons_outlive_the_process(tmp_path):
    path = tmp_path / "lessons.db"
    code = f"from orchestration_kit.governance.wisdom import Wisdom; Wisdom({str(path)!r}).add('Give prices in euros', approve=True)"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert [lesson.text for lesson in Wisdom(path).search("prices")] == ["Give prices in euros"]


def test_two_open_files_see_what_the_other_wrote(tmp_path):
    one, other = Wisdom(tmp_path / "lessons.db"), Wisdom(tmp_path / "lessons.db")
    lesson = one.propose("Give prices in euros")
    other.approve(lesson.id, by="Ann")
    assert len(one.search("prices")) == 1


@pytest.mark.parametrize("kind", ["file", "memory"])
def test_threads_lose_nothing_and_count_nothing_twice(tmp_path, kind):
    wisdom = Wisdom(tmp_path / "lessons.db" if kind == "file" else ":memory:")
    errors: list[BaseException] = []

    def work(number):
        try:
            for visit in range(20):
                wisdom.observe(failed(visit=visit, step="write"), "shop", f"r-{number % 2}")
                wisdom.search("euros", step="write")
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert [lesson.seen for lesson in wisdom.lessons()] == [40]


def test_processes_write_to_one_file_side_by_side(tmp_path):
    path = tmp_path / "lessons.db"
    Wisdom(path).close()
    code = (
        "import sys; from orchestration_kit.governance.wisdom import Wisdom; w = Wisdom(sys.argv[1])\n"
        "for n in range(50): w.propose(f'lesson {n}', runs=[sys.argv[2]])"
    )
    children = [subprocess.Popen([sys.executable, "-c", code, str(path), name]) for name in "abc"]
    assert [child.wait() for child in children] == [0, 0, 0]
    assert {(lesson.seen, len(lesson.runs)) for lesson in Wisdom(path).lessons()} == {(3, 3)}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_fork_goes_on_with_connections_of_its_own(tmp_path):
    wisdom = Wisdom(tmp_path / "lessons.db")
    wisdom.propose("before")
    child = os.fork()
    if child == 0:
        try:
            wisdom.propose("by the child")
            os._exit(len(wisdom.lessons()))
        finally:
            os._exit(99)
    _, status = os.waitpid(child, 0)
    wisdom.propose("by the parent")
    assert os.waitstatus_to_exitcode(status) == 2
    assert {lesson.text for lesson in wisdom.lessons()} == {"before", "by the child", "by the parent"}


def test_whatever_fails_within_a_write_nothing_of_it_is_kept(tmp_path):
    wisdom = Wisdom(tmp_path / "lessons.db")
    lesson = wisdom.propose("Give prices in euros")

    def half(file):
        file.execute("UPDATE lessons SET text = 'half'")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        wisdom._database.write(half)
    assert wisdom.get(lesson.id).text == "Give prices in euros"


def test_a_file_of_another_kind_is_refused_and_left_as_it_is(tmp_path):
    text, other, newer = (tmp_path / name for name in ("text.db", "other.db", "newer.db"))
    text.write_text("Not a database, whatever its name says. " * 50)
    with closing(sqlite3.connect(other)) as file, file:
        file.execute("CREATE TABLE things(a)")
    Wisdom(newer).close()
    with closing(sqlite3.connect(newer)) as file, file:
        file.execute("PRAGMA user_version = 99")
    file.close()
    for path, reason in (
        (text, "not an SQLite database"),
        (other, "another kind"),
        (newer, "of version 99"),
        (tmp_path, "a folder"),
        (tmp_path / "no" / "x.db", "cannot be made"),
    ):
        before = path.read_bytes() if path.is_file() else None
        with pytest.raises(WisdomUnavailable, match=reason):
            Wisdom(path)
        assert (path.read_bytes() if path.is_file() else None) == before


def test_a_migration_is_done_as_a_whole_or_not_at_all(tmp_path):
    path = str(tmp_path / "lessons.db")
    Database(path).close()
    broken = (*MIGRATIONS, Migration("broken", ("CREATE TABLE more(a)", "CREATE TABLE more(a)")))
    with pytest.raises(WisdomUnavailable):
        Database(path, migrations=broken)
    good = (*MIGRATIONS, Migration("good", ("CREATE TABLE more(a)",)))
    opened = Database(path, migrations=good)
    assert opened.read(lambda file: file.execute("SELECT description FROM migrations").fetchall()) == [
        ("lessons",),
        ("good",),
    ]


def test_a_file_that_was_refused_is_not_left_open(tmp_path):
    path = str(tmp_path / "other.db")
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE t(a)")
    other.close()
    with pytest.raises(WisdomUnavailable) as refused:
        Database(path)
    [entry] = [one for one in refused.traceback if one.name == "__init__" and "self" in one.locals]
    assert entry.locals["self"]._connection is None


def test_a_network_file_system_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(database_module, "remote_file_system", lambda path, mounts: "nfs4")
    with pytest.raises(WisdomUnavailable, match="network or shared file system"):
        Wisdom(tmp_path / "lessons.db")
    assert not list(tmp_path.iterdir())


def test_a_file_that_vanished_or_was_closed_is_told(tmp_path):
    wisdom = Wisdom(tmp_path / "lessons.db")
    (tmp_path / "lessons.db").unlink()
    with pytest.raises(WisdomUnavailable, match="deleted, moved or replaced"):
        wisdom.propose("a lesson")
    assert not (tmp_path / "lessons.db").exists()
    wisdom.close()
    with pytest.raises(WisdomUnavailable, match="it is closed"):
        len(wisdom)


def test_a_lock_that_is_held_too_long_is_told(tmp_path):
    path = tmp_path / "lessons.db"
    database = Database(str(path), busy_timeout_s=0.05)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(WisdomUnavailable, match="locked for too long"):
        database.write(lambda file: None)
    holder.execute("ROLLBACK")
    holder.close()
    assert database.write(lambda file: 1) == 1


def test_a_damaged_file_is_told_and_nothing_raw_comes_out(tmp_path):
    path = tmp_path / "lessons.db"
    wisdom = Wisdom(path)
    for number in range(300):
        wisdom.add(f"lesson {number} " + "x" * 100, approve=True)
    wisdom.close()
    content = bytearray(path.read_bytes())
    for at in range(4096, len(content) - 4096, 512):
        content[at : at + 64] = b"\xff" * 64
    path.write_bytes(bytes(content))
    with pytest.raises(WisdomUnavailable):
        Wisdom(path).lessons()


def test_a_file_that_is_only_forgotten_is_closed(tmp_path):
    wisdom = Wisdom(tmp_path / "lessons.db")
    connection = wisdom._database._connection
    del wisdom
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError, match="closed database"):
        connection.execute("SELECT 1")
