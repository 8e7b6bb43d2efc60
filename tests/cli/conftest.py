"""A folder with a module of workflows, a journal of a few runs, and one whose texts are hostile."""

from __future__ import annotations

import sys
import time

import pytest

from orchestration_kit import SQLiteJournal
from orchestration_kit.testing import FakeClock, ScriptedWorker
from tests.cli.support import BRANCHED, FLOW, hub_at
from tests.hostile import PAYLOADS
from tests.support import hub_of, step, workflow_of


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty current folder, with the module `flow_under_test` in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "flow_under_test", raising=False)
    (tmp_path / "flow_under_test.py").write_text(FLOW)
    yield tmp_path
    sys.modules.pop("flow_under_test", None)


@pytest.fixture
def runs(here):
    """A journal with a run that completed, one that failed, and a fork that was never run."""
    hub = hub_at(here)
    with hub.journal:
        hub.execute_workflow(
            "article", "On skeletons", {"n": 1}, verbose=False, run_id="first", tags={"who": "ann", "n": "1"}
        )
        hub.clock.advance(60)
        (here / "offline").touch()
        hub.execute_workflow("article", "On brains", verbose=False, run_id="failing", tags={"who": "bob"})
        (here / "offline").unlink()
        hub.clock.advance(60)
        hub.get_run("first").fork("write#1", {"tone": "lively"}, run_id="lively").put_on_record()
    return here


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A journal of runs that are hostile wherever text comes in; returns it and the ids."""
    path = tmp_path_factory.mktemp("hostile") / "runs.db"
    ids = [payload for payload in PAYLOADS if payload.strip()]
    said = iter(ids)
    with SQLiteJournal(path) as journal:
        workers = {
            "a": lambda value, context: {"said": value, value: 1},
            "b": ScriptedWorker(*(OSError(text) for text in ids)),
        }
        hub = hub_of(workflow_of(step("a", "b"), step("b")), workers, journal=journal)
        for text in ids:
            hub.execute_workflow("flow", text, {text: text}, verbose=False, run_id=text, tags={text: next(said)})
    return path, ids


@pytest.fixture(autouse=True)
def _as_wide_as_it_likes(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture
def asking(tmp_path, monkeypatch):
    """A folder with the module `asking_flow`, and a journal of runs that wait: in a sub-workflow, in branches, in code."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    (tmp_path / "asking_flow.py").write_text(BRANCHED)
    import asking_flow

    hub = asking_flow.hub("runs.db")
    hub.clock = FakeClock(time.time() - 600)
    with hub.journal:
        for run_id, workflow, data in (
            ("shop", "shop", {}),
            ("offer", "order", {}),
            ("many", "many", {"items": list(range(40))}),
            ("coded", "code", {}),
        ):
            hub.start(workflow, f"for {run_id}", data, run_id=run_id).run()
            hub.clock.advance(60)
    yield tmp_path
    sys.modules.pop("asking_flow", None)
