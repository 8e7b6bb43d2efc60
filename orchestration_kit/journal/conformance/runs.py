"""Runs: what is put on record comes back as it was."""
# ruff: noqa: D102, S101 - a test's name says what it shows, and asserts

from __future__ import annotations

import pytest

from orchestration_kit.errors import DuplicateRun, UnknownRun
from orchestration_kit.journal.conformance.making import TEXTS, Made, a_row, begin, some_facts, some_standing
from orchestration_kit.journal.port import Journal, Lease, WholeRun


class Runs(Made):
    """Creating and finding runs."""

    def test_a_new_run_has_the_first_epoch(self, journal: Journal) -> None:
        assert begin(journal, "run") == Lease("run", 1)

    def test_a_run_comes_back_as_it_was_created(self, journal: Journal) -> None:
        facts = some_facts(
            "child",
            workflow="other",
            started_at=1234.5,
            parent="p",
            forked_at="s#2",
            shared=7,
            tags={"b": "2", "a": "1"},
            header=bytes(range(256)),
        )
        standing = some_standing("waiting", reason="of me", finished_at=99.125, seq=7, totals=b"\x00\xff")
        journal.create(facts, standing, {})
        found = journal.find_run("child")
        assert found is not None
        assert (found.facts, found.standing) == (facts, standing)

    def test_nothing_is_found_under_an_unknown_id(self, journal: Journal) -> None:
        begin(journal, "run")
        assert journal.find_run("Run") is None
        assert journal.find_run("run ") is None
        assert journal.find_run("") is None

    def test_a_new_run_has_no_rows(self, journal: Journal) -> None:
        begin(journal)
        assert journal.rows("run") == []

    def test_a_run_may_begin_with_rows(self, journal: Journal) -> None:
        rows = [a_row(8), a_row(9)]
        lease = journal.create(some_facts(shared=7), some_standing(seq=9), {"d": b"blob"}, rows)
        assert journal.rows("run") == rows
        journal.append(lease, [a_row(9), a_row(10)], {})
        assert journal.rows("run", after=8) == [a_row(9), a_row(10)]

    def test_a_refused_run_leaves_no_rows_behind(self, journal: Journal) -> None:
        begin(journal, "run")
        with pytest.raises(DuplicateRun):
            journal.create(some_facts("run"), some_standing(), {}, [a_row(1)])
        with pytest.raises(ValueError, match=r"Row\.seq is 0"):
            journal.create(some_facts("other"), some_standing(), {}, [a_row(0)])
        assert journal.rows("run") == journal.rows("other") == []
        assert journal.find_run("other") is None

    def test_the_holder_of_a_new_run_is_this_journal(self, journal: Journal) -> None:
        begin(journal)
        found = journal.find_run("run")
        assert found is not None
        assert found.holder is not None
        assert (found.holder.owner, found.holder.epoch, found.holder.beat) == (journal.owner, 1, 0)

    def test_a_used_id_is_refused_and_says_how_the_run_stands(self, journal: Journal) -> None:
        journal.create(some_facts("run"), some_standing("waiting"), {})
        with pytest.raises(DuplicateRun) as caught:
            begin(journal, "run")
        assert (caught.value.run_id, caught.value.state) == ("run", "waiting")

    def test_a_refused_run_changes_nothing(self, journal: Journal) -> None:
        lease = begin(journal, "run")
        before = journal.find_run("run")
        with pytest.raises(DuplicateRun):
            journal.create(some_facts("run", workflow="other"), some_standing("failed"), {"d": b"blob"})
        assert journal.find_run("run") == before
        assert journal.blob("d") is None
        journal.append(lease, [a_row(1)], {})

    def test_the_id_of_a_deleted_run_can_be_used_again(self, journal: Journal) -> None:
        journal.append(begin(journal), [a_row(1)], {})
        journal.delete(["run"])
        assert begin(journal) == Lease("run", 1)
        assert journal.rows("run") == []

    @pytest.mark.parametrize("text", TEXTS, ids=ascii)
    def test_text_of_any_kind_comes_back(self, journal: Journal, text: str) -> None:
        facts = some_facts(text, workflow=text, parent=text, forked_at=text, tags={text: text, "k" + text: ""})
        standing = some_standing(text, reason=text)
        lease = journal.create(facts, standing, {})
        journal.append(lease, [a_row(1)], {text: b"blob"})
        found = journal.find_run(text)
        assert found is not None
        assert (found.facts, found.standing) == (facts, standing)
        assert (journal.rows(text), journal.blob(text)) == ([a_row(1)], b"blob")
        assert journal.delete([text]) == 1
        assert (journal.find_run(text), journal.blob(text)) == (None, None)

    def test_ids_that_look_alike_are_different_runs(self, journal: Journal) -> None:
        ids = ["é", "e\u0301", "E\u0301", "a", "a\x00", "a\x00b", "A", "a ", "\ud800", "\ufffd", "1", "1.0", "01"]
        for run_id in ids:
            journal.append(begin(journal, run_id), [a_row(1, repr(run_id).encode())], {})
        assert [journal.rows(run_id)[0].body for run_id in ids] == [repr(run_id).encode() for run_id in ids]

    @pytest.mark.parametrize(
        "started_at", [0.0, -1.5, 1e-300, 1_700_000_000.123456, 1e308, float("inf"), float("-inf")]
    )
    def test_times_come_back_exactly(self, journal: Journal, started_at: float) -> None:
        standing = some_standing(finished_at=started_at)
        journal.create(some_facts(started_at=started_at), standing, {})
        found = journal.find_run("run")
        assert found is not None
        assert (found.facts.started_at, found.standing.finished_at) == (started_at, started_at)

    def test_a_time_that_is_not_a_number_is_refused(self, journal: Journal) -> None:
        with pytest.raises(ValueError, match="started_at"):
            begin(journal, started_at=float("nan"))
        assert journal.find_run("run") is None

    def test_many_tags_come_back(self, journal: Journal) -> None:
        tags = {f"key {n}": "v" * n for n in range(200)}
        begin(journal, tags=tags)
        found = journal.find_run("run")
        assert found is not None
        assert found.facts.tags == tags

    def test_a_large_header_comes_back(self, journal: Journal) -> None:
        begin(journal, header=b"h" * 3_000_000)
        found = journal.find_run("run")
        assert found is not None
        assert found.facts.header == b"h" * 3_000_000

    def test_what_is_found_is_the_callers_own(self, journal: Journal) -> None:
        tags = {"a": "1"}
        begin(journal, tags=tags)
        tags["a"] = "2"
        found = journal.find_run("run")
        assert found is not None
        assert found.facts.tags == {"a": "1"}

    def test_a_deleted_run_is_gone(self, journal: Journal) -> None:
        lease = begin(journal)
        journal.append(lease, [a_row(1)], {})
        assert journal.delete(["run"]) == 1
        assert (journal.find_run("run"), journal.rows("run")) == (None, [])
        with pytest.raises(UnknownRun):
            journal.claim("run", None)

    def test_deleting_counts_the_runs_there_were(self, journal: Journal) -> None:
        for run_id in ("a", "b", "c"):
            begin(journal, run_id)
        assert journal.delete(["a", "x", "b", "a"]) == 2
        assert journal.delete(["a", "b"]) == 0
        assert journal.delete([]) == 0
        assert journal.find_run("c") is not None

    def test_deleting_leaves_the_rows_of_others(self, journal: Journal) -> None:
        for run_id in ("a", "b", "c"):
            journal.append(begin(journal, run_id), [a_row(1), a_row(2)], {})
        journal.delete(["b"])
        assert journal.rows("a") == journal.rows("c") == [a_row(1), a_row(2)]

    def test_whole_runs_come_back_as_they_were_put(self, journal: Journal) -> None:
        begin(journal, "before")
        runs = [
            WholeRun(
                some_facts(f"run {n}", tags={"n": str(n)}),
                some_standing("completed", finished_at=99.5, seq=n),
                [a_row(seq, b"%d" % n) for seq in range(1, n + 1)],
                {"shared": b"blob", f"own {n}": b"%d" % n},
            )
            for n in range(4)
        ]
        journal.put(runs)
        for n, run in enumerate(runs):
            found = journal.find_run(f"run {n}")
            assert found is not None
            assert (found.facts, found.standing, found.holder) == (run.facts, run.standing, None)
            assert journal.rows(f"run {n}") == list(run.rows)
            assert journal.blob(f"own {n}") == b"%d" % n
        journal.delete(["run 0", "run 1", "run 2"])
        assert journal.blob("shared") == b"blob"
        assert journal.blob("own 2") is None

    def test_a_whole_run_can_be_driven_on(self, journal: Journal) -> None:
        journal.put([WholeRun(some_facts(), some_standing(seq=1), [a_row(1)], {})])
        lease = journal.claim("run", None)
        journal.append(lease, [a_row(2)], {})
        assert journal.rows("run") == [a_row(1), a_row(2)]

    def test_a_whole_run_under_a_used_id_is_refused(self, journal: Journal) -> None:
        begin(journal, "taken")
        before = journal.find_run("taken")
        with pytest.raises(DuplicateRun):
            journal.put([WholeRun(some_facts("taken"), some_standing(seq=1), [a_row(1)], {})])
        assert (journal.find_run("taken"), journal.rows("taken")) == (before, [])

    def test_no_runs_at_all_may_be_put(self, journal: Journal) -> None:
        journal.put([])
        assert journal.find_run("run") is None
