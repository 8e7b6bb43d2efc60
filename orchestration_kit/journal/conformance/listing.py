"""Lists of runs: newest first, cut by filters that agree with `RunQuery.holds`."""
# ruff: noqa: D102, S101 - a test's name says what it shows, and asserts

from __future__ import annotations

import math
from typing import Any

import pytest

from orchestration_kit.journal.conformance.making import TEXTS, Made, a_row, begin, some_facts, some_standing
from orchestration_kit.journal.port import Journal, RunQuery


def listed(journal: Journal, **query: Any) -> list[str]:
    """Return the ids that a query lists, compared with what `holds` says."""
    found = journal.find_runs(RunQuery(**query))
    if not {"limit", "offset"} & query.keys():
        everything = journal.find_runs(RunQuery())
        assert found == [run for run in everything if RunQuery(**query).holds(run)]
    return [run.facts.run_id for run in found]


class Listing(Made):
    """Filters, order and paging."""

    def test_an_empty_journal_lists_nothing(self, journal: Journal) -> None:
        assert listed(journal) == []
        assert listed(journal, workflow="flow", limit=3, offset=1) == []

    def test_a_listed_run_is_the_run_that_is_found(self, journal: Journal) -> None:
        begin(journal, tags={"a": "b"})
        assert journal.find_runs(RunQuery()) == [journal.find_run("run")]

    def test_the_newest_comes_first(self, journal: Journal) -> None:
        for run_id, started_at in (("a", 2.0), ("b", 3.0), ("c", 1.0), ("d", 2.5)):
            begin(journal, run_id, started_at=started_at)
        assert listed(journal) == ["b", "d", "a", "c"]

    def test_runs_of_one_moment_come_by_id_descending(self, journal: Journal) -> None:
        for text in TEXTS:
            begin(journal, text)
        assert listed(journal) == sorted(TEXTS, reverse=True)

    def test_by_workflow(self, journal: Journal) -> None:
        for run_id, workflow in (("a", "x"), ("b", "y"), ("c", "x"), ("d", "X"), ("e", "xx")):
            begin(journal, run_id, workflow=workflow)
        assert listed(journal, workflow="x") == ["c", "a"]
        assert listed(journal, workflow="") == []

    def test_by_state_of_now(self, journal: Journal) -> None:
        lease = begin(journal, "a")
        begin(journal, "b")
        journal.append(lease, [a_row(1)], {}, standing=some_standing("completed"), release=True)
        assert listed(journal, state="completed") == ["a"]
        assert listed(journal, state="in_progress") == ["b"]

    def test_by_parent(self, journal: Journal) -> None:
        for run_id, parent in (("a", None), ("b", "a"), ("c", "a"), ("d", "b"), ("e", "")):
            begin(journal, run_id, parent=parent)
        assert listed(journal, parent="a") == ["c", "b"]
        assert listed(journal, parent="") == ["e"]
        assert len(listed(journal)) == 5

    def test_by_time_from_a_moment_up_to_another(self, journal: Journal) -> None:
        for n in range(5):
            begin(journal, str(n), started_at=float(n))
        assert listed(journal, started_after=2.0) == ["4", "3", "2"]
        assert listed(journal, started_before=2.0) == ["1", "0"]
        assert listed(journal, started_after=1.0, started_before=3.0) == ["2", "1"]
        assert listed(journal, started_after=3.0, started_before=1.0) == []

    @pytest.mark.parametrize(
        "moment",
        [math.inf, -math.inf, math.nan, 0, -1, 10**400, -(10**400), 2**63, 2**53 + 1, 1e308, 5e-324, True],
        ids=lambda moment: repr(moment)[:12],
    )
    def test_by_moments_of_any_size(self, journal: Journal, moment: float) -> None:
        times = (0.0, -1.0, 1.0, 2.0**53, 2.0**53 + 2, 2.0**63, 1e308, 5e-324, math.inf, -math.inf)
        for n, started_at in enumerate(times):
            begin(journal, str(n), started_at=started_at)
        listed(journal, started_after=moment)
        listed(journal, started_before=moment)

    def test_by_tags_all_of_them(self, journal: Journal) -> None:
        begin(journal, "a", tags={"team": "x", "env": "prod"})
        begin(journal, "b", tags={"team": "x"})
        begin(journal, "c", tags={"team": "y", "env": "prod"})
        begin(journal, "d", tags={"x": "team", "te": "am", "teamx": ""})
        assert listed(journal, tags={"team": "x"}) == ["b", "a"]
        assert listed(journal, tags={"env": "prod", "team": "x"}) == ["a"]
        assert listed(journal, tags={"team": ""}) == []
        assert listed(journal, tags={"team": "x", "no": "x"}) == []
        assert listed(journal, tags={}) == ["d", "c", "b", "a"]

    def test_by_part_of_the_id_where_case_matters(self, journal: Journal) -> None:
        for run_id in ("report-1", "Report-2", "a report", "rep", "100%", "100x", "a_b", "axb"):
            begin(journal, run_id)
        assert listed(journal, run_id_contains="report") == ["report-1", "a report"]
        assert listed(journal, run_id_contains="100%") == ["100%"]
        assert listed(journal, run_id_contains="a_b") == ["a_b"]
        assert len(listed(journal, run_id_contains="")) == 8

    @pytest.mark.parametrize("text", TEXTS, ids=ascii)
    def test_by_text_of_any_kind(self, journal: Journal, text: str) -> None:
        for n, other in enumerate(TEXTS):
            facts = some_facts(f"{n} {other}", workflow=other, parent=other, tags={other: text, text: other})
            journal.create(facts, some_standing(other), {})
        for name in ("workflow", "state", "parent", "run_id_contains"):
            assert listed(journal, **{name: text})
        assert listed(journal, tags={text: text})

    def test_all_filters_have_to_hold(self, journal: Journal) -> None:
        begin(journal, "a", workflow="x", tags={"t": "1"}, started_at=1.0)
        begin(journal, "b", workflow="x", tags={"t": "2"}, started_at=2.0)
        begin(journal, "c", workflow="y", tags={"t": "1"}, started_at=3.0)
        assert listed(journal, workflow="x", tags={"t": "1"}, started_after=0.0, state="in_progress") == ["a"]
        assert listed(journal, workflow="x", tags={"t": "1"}, started_after=1.5) == []

    @pytest.mark.parametrize(
        ("limit", "offset", "expected"),
        [
            (0, 0, ""),
            (1, 0, "e"),
            (2, 1, "dc"),
            (None, 3, "ba"),
            (10, 4, "a"),
            (10, 5, ""),
            (None, 10**30, ""),
            (10**30, 0, "edcba"),
            (10**30, 10**30, ""),
        ],
    )
    def test_a_page(self, journal: Journal, limit: int | None, offset: int, expected: str) -> None:
        for run_id in "abcde":
            begin(journal, run_id)
        assert "".join(listed(journal, limit=limit, offset=offset)) == expected

    def test_pages_follow_on_one_another(self, journal: Journal) -> None:
        for n in range(25):
            begin(journal, f"{n:02}", started_at=float(n % 4))
        pages = [listed(journal, limit=4, offset=at) for at in range(0, 28, 4)]
        assert [run_id for page in pages for run_id in page] == listed(journal)

    def test_filters_come_before_the_page(self, journal: Journal) -> None:
        for n in range(20):
            begin(journal, f"{n:02}", workflow="xy"[n % 2])
        assert listed(journal, workflow="x", limit=2, offset=1) == ["16", "14"]

    @pytest.mark.parametrize("value", [-1, -(10**30), 1.5, 1.0, "1", b"1", math.nan, True, [1]], ids=ascii)
    def test_a_limit_or_offset_that_is_no_count_is_refused(self, journal: Journal, value: Any) -> None:
        begin(journal)
        with pytest.raises(ValueError, match="limit"):
            journal.find_runs(RunQuery(limit=value))
        with pytest.raises(ValueError, match="offset"):
            journal.find_runs(RunQuery(offset=value))

    @pytest.mark.parametrize("name", ["workflow", "state", "parent", "run_id_contains", "started_after", "tags"])
    def test_a_filter_of_another_type_is_refused(self, journal: Journal, name: str) -> None:
        value: Any = {"a": 1} if name == "tags" else b"x"
        with pytest.raises(TypeError, match=name):
            journal.find_runs(RunQuery(**{name: value}))
