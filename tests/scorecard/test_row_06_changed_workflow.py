"""Row 6: a workflow that was changed since is refused before any effect, or accepted where it leads the same way."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any, NamedTuple

import pytest

from orchestration_kit import Branch, Orchestrator, WorkerDefinition, WorkflowDefinition
from orchestration_kit.errors import DefinitionChanged, MissingWorkers, UnknownWorkflow
from orchestration_kit.journal.sqlite import SQLiteJournal
from orchestration_kit.testing import assert_same_flow
from tests.support import step, workflow_of

PASSED = ["plan#1", "write#1", "write#1", "check#1", "write#2", "check#2"]
"""What was done when the run stopped: a failed attempt, a loop, a branch."""


class Workers:
    """The workers, and what they were asked to do."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def __call__(self, given: Any, context: Any) -> Any:
        self.calls.append(context.path)
        if context.path == "write#1" and context.attempt == 1:
            raise RuntimeError("not yet")
        context.data["seen"] = [*context.data.get("seen", []), context.path]
        return {"score": context.visit * 10, "of": context.path}


def original(**changed: dict[str, Any]) -> WorkflowDefinition:
    """The workflow; by step, what is another way now."""
    steps = {
        "plan": {"to": "write"},
        "write": {"to": "check", "max_retries": 1},
        "check": {
            "to": "write",
            "success_when": "output.score > 0",
            "branches": (Branch(when="output.score >= 20", to="polish"),),
            "on_failure": "bad",
        },
        "polish": {"to": "end"},
        "end": {},
        "bad": {"outcome": "failed"},
    }
    for name, fields in changed.items():
        steps[name] = {**steps.get(name, {}), **fields}
    return workflow_of(*(step(name, **{"worker_type": "any", **fields}) for name, fields in steps.items()))


def renamed(before: str, after: str) -> WorkflowDefinition:
    text = original().to_yaml()
    return WorkflowDefinition.from_yaml(text.replace(before, after))


def begun_elsewhere() -> WorkflowDefinition:
    return original(start={"to": "plan"}).model_copy(update={"initial_step": "start"})


class Change(NamedTuple):
    """One kind of change."""

    what: str
    workflow: Callable[[], WorkflowDefinition]
    parts_at: str | None
    """Where it leads another way than the run went; None where it is accepted."""


CHANGES = [
    Change("a passed step was renamed", lambda: renamed("write", "compose"), "plan#1"),
    Change("a passed step leads elsewhere", lambda: original(plan={"to": "check"}), "plan#1"),
    Change("a step was put in between passed ones", lambda: original(plan={"to": "x"}, x={"to": "write"}), "plan#1"),
    Change(
        "a passed step was removed",
        lambda: workflow_of(
            step("plan", "check", worker_type="any"),
            step("check", "polish", worker_type="any"),
            step("polish", "end", worker_type="any"),
            step("end", worker_type="any"),
        ),
        "plan#1",
    ),
    Change("another step is the first", begun_elsewhere, "plan#1"),
    Change("a failed attempt is not tried again", lambda: original(write={"max_retries": 0}), "write#1"),
    Change(
        "a branch decides otherwise",
        lambda: original(check={"branches": (Branch(when="output.score >= 10", to="polish"),)}),
        "check#1",
    ),
    Change("a branch was removed", lambda: original(check={"branches": (), "to": "polish"}), "check#1"),
    Change(
        "what counts as success is another", lambda: original(check={"success_when": "output.score > 15"}), "check#1"
    ),
    Change(
        "a passed step ends the run",
        lambda: workflow_of(step("plan", worker_type="any")),
        "plan#1",
    ),
    Change("nothing", original, None),
    Change("a step was added after the present", lambda: original(polish={"to": "shine"}, shine={"to": "end"}), None),
    Change(
        "a coming step leads elsewhere",
        lambda: original(polish={"to": "bad", "branches": (Branch(when="output.score > 99", to="end"),)}),
        None,
    ),
    Change("a description is another", lambda: original(write={"description": "in verse"}), None),
    Change("a time limit is another", lambda: original(write={"timeout_s": 30.0}), None),
    Change("there may be more retries", lambda: original(write={"max_retries": 5}), None),
    Change(
        "a branch decides the same in other words",
        lambda: original(check={"branches": (Branch(when="output.score > 15", to="polish"),)}),
        None,
    ),
    Change(
        "a branch was added that never held",
        lambda: original(
            check={
                "branches": (Branch(when="output.score > 99", to="end"), Branch(when="output.score >= 20", to="polish"))
            }
        ),
        None,
    ),
    Change("success is told in other words", lambda: original(check={"success_when": "output.score >= 1"}), None),
    Change("the end is a failure now", lambda: original(end={"outcome": "failed"}), None),
    Change("another worker does what was done", lambda: original(write={"worker_type": "other"}), None),
]


def hub_of(journal: SQLiteJournal, workflow: WorkflowDefinition | None, workers: Workers) -> Orchestrator:
    hub = Orchestrator(journal=journal)
    for name in ("any", "other"):
        hub.register_worker(WorkerDefinition(worker_type=name, name=name, executor=workers))
    if workflow is not None:
        hub.register_workflow(workflow)
    return hub


def stopped_midway(journal: SQLiteJournal) -> None:
    run = hub_of(journal, original(), Workers()).start("flow", "g", run_id="r")
    run.run_until("polish")
    assert [entry["path"] for entry in run.history] == PASSED


def content_of(journal: SQLiteJournal) -> list[str]:
    """Everything that the tables hold."""
    with closing(sqlite3.connect(f"file:{journal.path}?mode=ro", uri=True)) as connection:
        return list(connection.iterdump())


@pytest.mark.parametrize("change", CHANGES, ids=[change.what for change in CHANGES])
def test_a_changed_workflow_is_refused_before_any_effect_or_accepted(tmp_path, change):
    with SQLiteJournal(tmp_path / "runs.db") as journal:
        stopped_midway(journal)
        before, workers = content_of(journal), Workers()
        hub = hub_of(journal, change.workflow(), workers)
        if change.parts_at is None:
            context = hub.resume("r", verbose=False)
            assert [entry["path"] for entry in context.history][: len(PASSED)] == PASSED
            assert workers.calls[0] == "polish#1"
            assert context.state == "failed" if "failure" in change.what or "elsewhere" in change.what else "completed"
            return
        for act in (
            lambda: hub.resume("r", verbose=False),
            lambda: hub.reopen("r"),
            lambda: hub.get_run("r").run(),
            lambda: hub.get_run("r").step(),
            lambda: hub.get_run("r").fork("polish"),
        ):
            with pytest.raises(DefinitionChanged) as caught:
                act()
            assert change.parts_at in str(caught.value)
        assert workers.calls == []
        assert content_of(journal) == before
        assert [entry["path"] for entry in hub.get_run("r").history] == PASSED  # it can still be looked at
        assert hub_of(journal, original(), workers).resume("r", verbose=False).state == "completed"


def test_a_workflow_or_worker_that_is_missing_is_named_before_any_effect(tmp_path):
    with SQLiteJournal(tmp_path / "runs.db") as journal:
        stopped_midway(journal)
        before = content_of(journal)
        with pytest.raises(UnknownWorkflow):
            hub_of(journal, None, Workers()).resume("r", verbose=False)
        hub = Orchestrator(journal=journal)
        hub.register_workflow(original())
        with pytest.raises(MissingWorkers):
            hub.resume("r", verbose=False)
        assert content_of(journal) == before


def test_a_run_resumed_by_an_accepted_workflow_is_read_back_by_it(tmp_path):
    """What a run went by at last is what reads it: a step that was not there as it began is in its record."""
    changed = original(polish={"to": "shine"}, shine={"to": "end"})
    with SQLiteJournal(tmp_path / "runs.db") as journal:
        stopped_midway(journal)
        hub = hub_of(journal, changed, Workers())
        hub.resume("r", verbose=False)
        finished = hub.get_run("r")
        assert [entry["path"] for entry in finished.history][-2:] == ["shine#1", "end#1"]
        assert_same_flow(hub_of(journal, changed, Workers()).get_run("r"), finished)
        for workflow in (None, original()):  # and by a hub that does not have it
            assert_same_flow(hub_of(journal, workflow, Workers()).get_run("r"), finished)


def test_the_figure(figure):
    refused = sum(change.parts_at is not None for change in CHANGES)
    assert refused >= 10
    figure(
        f"row 6: {len(CHANGES)} kinds of change: {refused} refused before any effect, {len(CHANGES) - refused} accepted"
    )
