"""Blobs: kept once, for as long as a run names them."""
# ruff: noqa: D102, S101 - a test's name says what it shows, and asserts

from __future__ import annotations

import pytest

from orchestration_kit.journal.conformance.making import Made, a_row, begin, some_facts, some_standing
from orchestration_kit.journal.port import Journal


class Blobs(Made):
    """Keeping, sharing and collecting."""

    def test_an_unknown_digest_has_no_blob(self, journal: Journal) -> None:
        assert journal.blob("nothing") is None

    @pytest.mark.parametrize("content", [b"", b"\x00", bytes(range(256)), b"x" * 4_000_000], ids=len)
    def test_a_blob_comes_back_as_it_was(self, journal: Journal, content: bytes) -> None:
        journal.append(begin(journal), [a_row(1)], {"d": content})
        assert journal.blob("d") == content

    def test_a_blob_may_come_with_the_run(self, journal: Journal) -> None:
        journal.create(some_facts(), some_standing(), {"d": b"blob", "e": b"other"})
        assert (journal.blob("d"), journal.blob("e")) == (b"blob", b"other")

    def test_a_blob_may_come_without_rows(self, journal: Journal) -> None:
        journal.append(begin(journal), [], {"d": b"blob"})
        assert journal.blob("d") == b"blob"

    def test_many_blobs_in_one_append(self, journal: Journal) -> None:
        blobs = {f"d{n}": b"%d" % n for n in range(300)}
        journal.append(begin(journal), [a_row(1)], blobs)
        assert {digest: journal.blob(digest) for digest in blobs} == blobs

    def test_a_blob_goes_with_the_only_run_that_names_it(self, journal: Journal) -> None:
        journal.append(begin(journal), [a_row(1)], {"d": b"blob"})
        journal.delete(["run"])
        assert journal.blob("d") is None

    def test_a_blob_of_the_runs_beginning_goes_with_it_too(self, journal: Journal) -> None:
        journal.create(some_facts(), some_standing(), {"d": b"blob"})
        journal.delete(["run"])
        assert journal.blob("d") is None

    def test_a_blob_stays_while_another_run_names_it(self, journal: Journal) -> None:
        for run_id in ("a", "b", "c"):
            journal.append(begin(journal, run_id), [a_row(1)], {"d": b"blob"})
        journal.delete(["a"])
        assert journal.blob("d") == b"blob"
        journal.delete(["c"])
        assert journal.blob("d") == b"blob"
        journal.delete(["b"])
        assert journal.blob("d") is None

    def test_a_blob_named_twice_by_one_run_goes_with_it(self, journal: Journal) -> None:
        lease = begin(journal)
        journal.append(lease, [a_row(1)], {"d": b"blob"})
        journal.append(lease, [a_row(2)], {"d": b"blob"})
        journal.delete(["run"])
        assert journal.blob("d") is None

    def test_blobs_go_with_all_their_runs_at_once(self, journal: Journal) -> None:
        for run_id in ("a", "b"):
            journal.append(begin(journal, run_id), [a_row(1)], {"both": b"1", run_id: b"2"})
        assert journal.delete(["a", "b"]) == 2
        assert [journal.blob(digest) for digest in ("both", "a", "b")] == [None, None, None]

    def test_a_blob_that_went_can_come_again(self, journal: Journal) -> None:
        journal.append(begin(journal, "a"), [], {"d": b"blob"})
        journal.delete(["a"])
        journal.append(begin(journal, "b"), [], {"d": b"blob"})
        assert journal.blob("d") == b"blob"
