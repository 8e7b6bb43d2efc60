"""Sets on a Dask cluster: the hub may be killed, machines may be lost, and the set comes to the same."""

from __future__ import annotations

import os
from collections import Counter

import pandas as pd
import pytest

from orchestration_kit import SQLiteJournal
from orchestration_kit.executors import DaskExecutor, local_cluster
from orchestration_kit.scale import run_many
from tests.journal.processes import program
from tests.scale.sets import GOALS, hub_of, moody, without_times

HUB = """
from orchestration_kit import Orchestrator, WorkerDefinition
from orchestration_kit.executors import DaskExecutor
from orchestration_kit.scale import run_many
from tests.scale.test_on_dask import hub_that_notes

class Telling(SQLiteJournal):
    def put(self, runs):
        super().put(runs)
        for run in runs:
            say(run.facts.run_id)

journal, notes, address, count = sys.argv[1:]
hub = hub_that_notes(Telling(journal), notes)
with DaskExecutor(address) as executor:
    run_many("flow", [f"goal {n}" for n in range(int(count))], hub=hub, name="set", executor=executor)
    say("over")
"""


def hub_that_notes(journal, notes):
    """A hub whose workers write down what they have done, wherever they are."""

    def noting(step):
        def work(given, context):
            with open(notes, "a") as file:
                file.write(f"{context.workflow_id} {step}\n")
            return f"{given} {step}"

        return work

    return hub_of(journal, **{step: noting(step) for step in ("draft", "check", "done")})


@pytest.fixture(scope="module")
def client():
    with local_cluster(workers=2) as client:
        yield client


def test_a_set_is_the_same_on_a_cluster(client):
    reference = run_many("flow", GOALS, hub=hub_of(draft=moody), repeats=3, seed=7, name="set")
    with DaskExecutor(client) as executor:
        runs = run_many("flow", GOALS, hub=hub_of(draft=moody), repeats=3, seed=7, name="set", executor=executor)
    pd.testing.assert_frame_equal(without_times(runs.frame()), without_times(reference.frame()))
    pd.testing.assert_frame_equal(without_times(runs.history()), without_times(reference.history()))


def killed_hubs(client, folder, *, count, kills):
    """Kill a hub whenever it has put so many more runs on record; then finish the set here."""
    journal, notes = folder / "runs.db", folder / "notes.txt"
    notes.touch()
    finished: set[str] = set()
    address = client.scheduler.address
    for _ in range(kills):
        with program(HUB, journal, notes, address, count) as hub:
            for _ in range(count // (2 * kills)):
                finished.add(hub.hear(60))
            hub.process.kill()
    with SQLiteJournal(journal) as kept, DaskExecutor(client) as executor:
        on_record = {one.facts.run_id: one.facts.started_at for one in kept.find_runs(_everything())}
        assert finished <= set(on_record)
        hub = hub_that_notes(kept, notes)
        runs = run_many("flow", [f"goal {n}" for n in range(count)], hub=hub, name="set", executor=executor)
        assert runs.state == {"completed": count}
        assert kept.integrity_check() == []
        after = {one.facts.run_id: one.facts.started_at for one in kept.find_runs(_everything())}
        assert after == after | on_record, "what was finished was made again"
        assert len(after) == count
        assert runs.outputs() == [f"goal {n} draft check done" for n in range(count)]
    return Counter(notes.read_text().split("\n")[:-1])


def _everything():
    from orchestration_kit.journal import RunQuery

    return RunQuery()


@pytest.mark.soak
@pytest.mark.skipif(os.name == "nt", reason="what is killed there is killed otherwise")
def test_a_hub_that_is_killed_goes_on_where_it_stood(client, tmp_path):
    done = killed_hubs(client, tmp_path, count=24, kills=1)
    assert len(done) == 72
    assert sum(times > 1 for times in done.values()) <= 3 * 8, "only what was under way is made again"


@pytest.mark.soak
def test_a_hub_that_is_killed_ten_times_goes_on_each_time(client, tmp_path):
    done = killed_hubs(client, tmp_path, count=600, kills=10)
    assert len(done) == 1800


@pytest.mark.soak
def test_a_set_survives_the_loss_of_machines(tmp_path):
    with local_cluster(workers=3) as client, DaskExecutor(client) as executor:
        notes = tmp_path / "notes.txt"
        hub = hub_that_notes(SQLiteJournal(tmp_path / "runs.db"), notes)
        goals = [f"goal {n}" for n in range(300)]
        runs = run_many("flow", goals, hub=hub, name="set", executor=executor, wait=False)
        for _ in range(5):
            before = runs.state.get("completed", 0)
            while runs.is_busy and runs.state.get("completed", 0) < before + 20:
                pass
            client.run(
                os._exit, 1, workers=[next(iter(client.scheduler_info()["workers"]))], wait=False, on_error="ignore"
            )
        assert runs.wait().state == {"completed": 300}
        hub.journal.close()
