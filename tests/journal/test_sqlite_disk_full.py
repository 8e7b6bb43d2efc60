"""Row 9 of the scorecard: a full disk loses nothing that was committed, says so, and is no matter once there is space."""

from __future__ import annotations

import pytest

from orchestration_kit.journal.conformance.making import a_row, begin, some_standing
from orchestration_kit.journal.errors import JournalUnavailable
from orchestration_kit.journal.sqlite import SQLiteJournal
from tests.journal.processes import program


def limit_pages(journal, pages):
    journal._database.writer().execute(f"PRAGMA max_page_count = {pages}")


def fill(journal, lease, first=1, size=3000):
    """Append until there is no space; return the row that was refused."""
    seq = first
    while True:
        row = a_row(seq, b"x" * size)
        try:
            journal.append(lease, [row], {})
        except JournalUnavailable as error:
            assert "full" in error.reason and "space" in error.hint
            return row
        seq += 1
        assert seq < 10_000


@pytest.mark.parametrize("options", [{}, {"durability": "full"}], ids=["normal", "full"])
def test_a_full_disk_loses_nothing_and_the_call_can_be_repeated(tmp_path, options):
    with SQLiteJournal(tmp_path / "runs.db", **options) as journal:
        lease = begin(journal)
        refused = None
        for pages in (30, 40, 50):
            limit_pages(journal, pages)
            refused = fill(journal, lease, refused.seq if refused else 1)
            assert [row.seq for row in journal.rows("run")] == list(range(1, refused.seq))
            with pytest.raises(JournalUnavailable):
                journal.append(lease, [refused], {}, standing=some_standing("completed"), release=True)
            assert journal.find_run("run").standing.state == "in_progress"
        limit_pages(journal, 10_000)
        journal.append(lease, [refused], {}, standing=some_standing("completed"), release=True)
        assert [row.seq for row in journal.rows("run")] == list(range(1, refused.seq + 1))
        assert journal.integrity_check() == []
    print(f"row 9: {refused.seq} commits around three full disks, 0 lost")


def test_a_full_disk_refuses_new_runs_claims_and_blobs_clearly(tmp_path):
    with SQLiteJournal(tmp_path / "runs.db") as journal:
        lease = begin(journal)
        limit_pages(journal, 14)
        for call in (
            lambda: begin(journal, "other", header=b"h" * 500_000),
            lambda: journal.append(lease, [], {"d": b"b" * 500_000}),
        ):
            with pytest.raises(JournalUnavailable, match="full"):
                call()
        assert (journal.find_run("other"), journal.blob("d")) == (None, None)
        limit_pages(journal, 10_000)
        begin(journal, "other", header=b"h" * 500_000)
        journal.append(lease, [], {"d": b"b" * 500_000})


def test_group_commit_keeps_what_a_full_disk_refused(tmp_path):
    with SQLiteJournal(tmp_path / "runs.db", group_commit=True) as journal:
        lease = begin(journal)
        limit_pages(journal, 40)
        refused = fill(journal, lease)
        with pytest.raises(JournalUnavailable):
            journal.rows("run")
        with pytest.raises(JournalUnavailable):
            journal.append(lease, [refused], {})
        with pytest.raises(JournalUnavailable):
            journal.close()
        limit_pages(journal, 10_000)
        journal.append(lease, [refused], {})
        assert [row.seq for row in journal.rows("run")] == list(range(1, refused.seq + 1))


LIMITED = """
import resource
unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
options = eval(sys.argv[2])
with SQLiteJournal(sys.argv[1], **options) as journal:
    lease = begin(journal)
    committed, said = 0, 0
    for limit in (200_000, 400_000, 900_000):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, unlimited[1]))
        while True:
            try:
                journal.append(lease, [a_row(committed + 1, b"x" * 3000)], {})
                committed += 1
            except JournalUnavailable as error:
                assert "ulimit" in error.hint or "space" in error.hint, error
                said += 1
                break
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
        if not options: assert [row.seq for row in journal.rows("run")] == list(range(1, committed + 1))
    journal.append(lease, [a_row(committed + 1, b"x" * 3000)], {}, release=True)
    assert [row.seq for row in journal.rows("run")] == list(range(1, committed + 2))
    assert journal.integrity_check() == []
with SQLiteJournal(sys.argv[1]) as journal:
    assert [row.seq for row in journal.rows("run")] == list(range(1, committed + 2))
say(committed, said)
"""


@pytest.mark.parametrize("options", [{}, {"durability": "full"}, {"group_commit": True}], ids=str)
def test_a_limit_on_file_sizes_loses_nothing(tmp_path, options):
    with program(LIMITED, tmp_path / "runs.db", options) as limited:
        committed, said = map(int, limited.end())
    assert said == 3
    print(f"row 9: {committed} commits around three limits on file sizes ({options}), 0 lost")
