"""Row 17 of the scorecard: ids and filters of any text give the same answer as a filter in plain Python."""

from __future__ import annotations

import math
import random
import re

import pytest

from orchestration_kit.journal.conformance.making import TEXTS, a_row, some_facts, some_standing
from orchestration_kit.journal.memory import MemoryJournal
from orchestration_kit.journal.port import RunQuery
from orchestration_kit.journal.sqlite import SQLiteJournal
from orchestration_kit.journal.sqlite.records import where
from tests.hostile import PAYLOADS

FRAGMENTS = [
    *TEXTS[:-1], *PAYLOADS[:60], "' OR 1=1 --", "'); DELETE FROM rows; --", '"', "`", "[", "]", "%", "_", "*", "?", "\\", "$.a", "$[0]",
    "json_each(tags)", "x'ff'", "\xff", "\xfe", "\x7f", "0", "-0", "1e3", "true", "null", "{}", "[]", "ı", "İ", "ß", "ẞ", "Ǆ",
]  # fmt: skip
NUMBERS = [0, 1, -1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 10**30, 10**400, -(10**400)]
FLOATS = [0.0, 0.5, 1.0, 1e300, -1e300, 5e-324, math.inf, -math.inf, 2.0**53, 1_700_000_000.5]


class Fuzz:
    """Texts and queries at random, from a seed."""

    def __init__(self, seed):
        self.chance = random.Random(seed)

    def text(self):
        kind = self.chance.random()
        if kind < 0.5:
            return "".join(self.chance.choices(FRAGMENTS, k=self.chance.choice((1, 1, 1, 2, 3))))
        if kind < 0.8:
            return "".join(
                chr(self.chance.choice((0, 39, 34, 37, 95, 97, 65, 0xD800, 0xDFFF, 0xE9, 0x1F984, 0x10FFFF)))
                for _ in range(3)
            )
        return "".join(chr(self.chance.randrange(0x110000)) for _ in range(self.chance.randrange(6)))

    def maybe(self, values, share=0.35):
        return self.chance.choice(values) if self.chance.random() < share else None

    def run(self, run_id, ids):
        tags = {self.text(): self.text() for _ in range(self.chance.randrange(4))}
        facts = some_facts(
            run_id,
            workflow=self.text(),
            started_at=self.chance.choice(FLOATS),
            parent=self.maybe(ids),
            forked_at=self.maybe(FRAGMENTS),
            tags=tags,
        )
        return facts, some_standing(self.text(), reason=self.maybe(FRAGMENTS))

    def query(self, runs):
        facts, standing = self.chance.choice(runs)
        key = self.chance.choice([*facts.tags, self.text()])
        start = self.chance.randrange(len(facts.run_id) + 1)
        part = facts.run_id[start : start + self.chance.randrange(4)]
        return RunQuery(
            workflow=self.maybe([facts.workflow, self.text()]),
            state=self.maybe([standing.state, self.text()], 0.2),
            parent=self.maybe([facts.parent, self.text()], 0.2),
            started_after=self.maybe([*NUMBERS, *FLOATS, math.nan], 0.2),
            started_before=self.maybe([*NUMBERS, *FLOATS, math.nan], 0.2),
            tags=self.chance.choice(
                [{}, {}, facts.tags, {key: facts.tags.get(key, self.text())}, {self.text(): self.text()}]
            ),
            run_id_contains=self.maybe([part, self.text()]),
            limit=self.maybe([0, 1, 3, 10**30, 2**63]),
            offset=self.chance.choice([0, 0, 0, 1, 5, 2**63, 10**30]),
        )


def expected(everything, query):
    """A filter in plain Python."""
    meant = sorted(
        (run for run in everything if query.holds(run)),
        key=lambda run: (run.facts.started_at, run.facts.run_id),
        reverse=True,
    )
    return meant[query.offset :] if query.limit is None else meant[query.offset : query.offset + query.limit]


def compare(tmp_path, seed, runs, queries):
    fuzz = Fuzz(seed)
    with SQLiteJournal(tmp_path / f"{seed}.db") as sqlite, MemoryJournal() as memory:
        put, ids = [], []
        while len(put) < runs:
            run_id = fuzz.text()
            if run_id in ids:
                continue
            facts, standing = fuzz.run(run_id, ids or [run_id])
            for journal in (sqlite, memory):
                journal.append(journal.create(facts, standing, {}), [a_row(1, repr(run_id).encode())], {}, release=True)
            put.append((facts, standing))
            ids.append(run_id)
        everything = memory.find_runs(RunQuery())
        assert sqlite.find_runs(RunQuery()) == everything
        hits = 0
        for _ in range(queries):
            query = fuzz.query(put)
            wanted = expected(everything, query)
            hits += bool(wanted)
            assert re.fullmatch("[A-Za-z_?(),<>=0-9 ]+", where(query)[0])  # no text of a query is ever in the SQL
            assert sqlite.find_runs(query) == wanted, query
            assert memory.find_runs(query) == wanted, query
            run_id = fuzz.chance.choice([*ids, fuzz.text()])
            there = run_id in ids
            assert sqlite.rows(run_id) == memory.rows(run_id) == ([a_row(1, repr(run_id).encode())] if there else [])
            assert sqlite.find_run(run_id) == memory.find_run(run_id)
        gone = fuzz.chance.sample(ids, len(ids) // 2)
        assert sqlite.delete(gone) == memory.delete(gone) == len(gone)
        assert sqlite.find_runs(RunQuery()) == memory.find_runs(RunQuery())
        assert sqlite.integrity_check() == []
    return hits


def test_any_text_gives_the_same_answer_as_plain_python(tmp_path):
    hits = compare(tmp_path, seed=17, runs=60, queries=500)
    print(f"row 17: 500 queries over 60 runs, {hits} with hits: same answer as plain Python")
    assert hits > 50


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_any_text_gives_the_same_answer_as_plain_python_for_long(tmp_path, seed):
    hits = compare(tmp_path, seed=seed, runs=200, queries=1000)
    print(f"row 17: 1,000 queries over 200 runs, {hits} with hits: same answer as plain Python")
