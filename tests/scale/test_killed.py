"""A hub that is killed in the middle of a set, on this machine, goes on where its journal stands."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from orchestration_kit import SQLiteJournal
from orchestration_kit.journal import RunQuery
from orchestration_kit.scale import run_many
from tests.journal.processes import program
from tests.scale.test_on_dask import hub_that_notes

pytestmark = pytest.mark.skipif(os.name == "nt", reason="what is killed there is killed otherwise")
COUNT = 160
HUB = """
from orchestration_kit.scale import run_many
from tests.scale.test_on_dask import hub_that_notes

def tell(run_id):
    os.write(1, (run_id + "\\n").encode())  # in one piece, whatever thread it is

class Telling(SQLiteJournal):
    def put(self, runs):
        super().put(runs)
        for run in runs:
            tell(run.facts.run_id)

    def append(self, lease, rows, blobs, *, standing=None, release=False):
        super().append(lease, rows, blobs, standing=standing, release=release)
        if release:
            tell(lease.run_id)

journal, notes, count, is_grouped, at_once = sys.argv[1:]
hub = hub_that_notes(Telling(journal, group_commit=bool(int(is_grouped))), notes)
run_many("flow", [f"goal {n}" for n in range(int(count))], hub=hub, name="set", max_concurrency=int(at_once))
say("over")
"""


@pytest.mark.parametrize(
    ("is_grouped", "at_once"),
    [(0, 1), (1, 3), *(pytest.param(*both, marks=pytest.mark.soak) for both in ((0, 3), (1, 1)))],
)
def test_a_set_goes_on_after_its_hub_was_killed(tmp_path, is_grouped, at_once):
    journal, notes = tmp_path / "runs.db", tmp_path / "notes.txt"
    notes.touch()
    with program(HUB, journal, notes, COUNT, is_grouped, at_once) as hub:
        told = {hub.hear(60) for _ in range(COUNT // 4)}
        hub.process.kill()
        hub.process.wait(30)
    with SQLiteJournal(journal, group_commit=bool(is_grouped)) as kept:
        before = {one.facts.run_id: one.facts.started_at for one in kept.find_runs(RunQuery())}
        assert told <= set(before)
        runs = run_many("flow", [f"goal {n}" for n in range(COUNT)], hub=hub_that_notes(kept, notes), name="set")
        assert runs.state == {"completed": COUNT}
        assert kept.integrity_check() == []
        after = {one.facts.run_id: one.facts.started_at for one in kept.find_runs(RunQuery())}
        assert after == after | before, "what was on record was begun anew"
        assert runs.outputs() == [f"goal {n} draft check done" for n in range(COUNT)]
    done = Counter(notes.read_text().split("\n")[:-1])
    assert len(done) == 3 * COUNT
    again = [what for what, times in done.items() if times > 1]
    if not is_grouped:
        assert len(again) <= at_once, "a step in flight may be repeated, a completed one is not"
    assert not [what for what in again if what.split()[0] in told]
