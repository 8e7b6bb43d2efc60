"""What is put on record of branches: each thing once, in rows that say no more than a reader cannot know."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from orchestration_kit import ApprovalStep, MapStep, Orchestrator, ParallelStep, Spawn, SubworkflowStep, WaitStep
from orchestration_kit.engine.events import RunStarted
from orchestration_kit.journal import MemoryJournal, RunQuery
from orchestration_kit.journal.errors import JournalCorrupt
from orchestration_kit.journal.fold import Fold
from orchestration_kit.journal.loading import load_run
from orchestration_kit.journal.port import Standing
from tests.support import hub_of, step, workflow_of


def rows(journal: MemoryJournal, run_id: str = "r") -> list[Any]:
    return [json.loads(row.body) for row in journal.rows(run_id)]


def attempts(journal: MemoryJournal, step_id: str, run_id: str = "r") -> list[Any]:
    """The extras of the rows of a step."""
    found = [row for row in rows(journal, run_id) if row[0] == "a" and row[2] == step_id]
    return [row[9] if len(row) > 9 else {} for row in found]


def text_of(journal: MemoryJournal) -> bytes:
    """Everything of a run but its header."""
    return b"".join([row.body for row in journal.rows("r")] + list(journal._blobs.values()))


def drive(hub: Orchestrator, door: str = "sync", run_id: str = "r", **options: Any) -> Any:
    run = hub.start(next(iter(hub.workflows)), "goal", run_id=run_id, **options)
    if door == "sync":
        return run.run()
    return asyncio.run(run.arun())


def mapped(*body: Any, workers: dict[str, Any], **fields: Any) -> tuple[MemoryJournal, Orchestrator]:
    journal = MemoryJournal()
    first = body[0].step_id if not hasattr(body[0], "steps") else body[0]
    steps = [] if hasattr(body[0], "steps") else list(body)
    m = MapStep(step_id="m", over="data.items", body=first, **{"on_success": "end", **fields})
    return journal, hub_of(workflow_of(m, *steps, step("end")), {"end": lambda given: 0, **workers}, journal=journal)


@pytest.mark.parametrize("door", ["sync", "async"])
def test_items_and_outputs_of_a_map_are_stored_once(door):
    journal, hub = mapped(step("work"), workers={"work": lambda given: f"output of {given}"})
    items = [f"<item {n}>" for n in range(40)]
    context = drive(hub, door, initial_data={"items": items})
    assert context.data["m_output"] == [f"output of <item {n}>" for n in range(40)]
    stored = text_of(journal)
    assert stored.count(b'"<item 7>"') == 1
    assert stored.count(b"output of <item 7>") == 1
    assert attempts(journal, "m") == [{"b": [["completed", 40]], "j": ["c", []]}]
    other = hub_of(hub.get_run("r").workflow, {"work": repr, "end": repr}, journal=journal)
    assert other.get_run("r").context.data == context.data


def test_large_items_and_outputs_are_blobs_that_are_stored_once():
    journal, hub = mapped(step("work"), workers={"work": lambda given: given.upper()})
    drive(hub, initial_data={"items": [f"{n}" * 30_000 + "a" for n in range(3)]})
    stored = text_of(journal)
    assert [stored.count(end) for end in (b"222a", b"222A")] == [1, 1]


def test_of_outputs_that_are_made_of_branches_only_what_is_new_is_stored():
    def work(given):
        if given == 3:
            raise ValueError("no luck")
        return [given]

    journal, hub = mapped(step("work"), workers={"work": work}, failure="continue")
    context = drive(hub, initial_data={"items": [0, 1, 2, 3, 4]})
    (extras,) = attempts(journal, "m")
    assert extras["b"] == [["completed", 3], ["failed", 1], ["completed", 1]]
    error = context.data["m_output"][3]
    assert extras["j"] == ["f", [[3, error]]]
    assert load_run(journal, "r").events == hub.get_run("r").machine.arrivals()


def test_a_worker_is_named_once_for_branches_that_are_alike():
    inside = workflow_of(step("draft", "check"), step("check"), name="inside")
    journal, hub = mapped(inside, workers={"draft": lambda given: given, "check": lambda given: given})
    drive(hub, initial_data={"items": list(range(20))})
    for step_id in ("draft", "check"):
        named = [extras for extras in attempts(journal, step_id) if "w" in extras]
        assert len(named) == 1
    assert [entry["worker"] for entry in hub.get_run("r").history][:2] == ["draft", "check"]
    assert load_run(journal, "r").events == hub.get_run("r").machine.arrivals()


def test_what_grows_in_a_branch_is_stored_as_what_is_new():
    def work(given, context):
        context.data["log"] = [*context.data["log"], f"entry of {given}"]
        return given

    journal, hub = mapped(
        step("work", "more"), step("more", worker_type="work"), workers={"work": work}, reducer="last"
    )
    drive(hub, initial_data={"items": ["a", "b"], "log": [f"line {n}" for n in range(500)]})
    assert max(len(row.body) for row in journal.rows("r")) < 400
    for step_id in ("work", "more"):
        stored = [patch for extras in attempts(journal, step_id) for key, patch in extras["c"]]  # in any order
        assert sorted(stored) == [["l", 500 + (step_id == "more"), 0, [f"entry of {item}"]] for item in "ab"]


def test_each_wait_answer_and_event_has_a_row():
    journal = MemoryJournal()
    flow = workflow_of(
        ParallelStep(step_id="p", branches={"a": "sign", "b": "paid"}, on_success="end"),
        ApprovalStep(step_id="sign", prompt="Well?", show=("data.amount",), is_terminal=True),
        WaitStep(step_id="paid", event="money", is_terminal=True),
        step("end"),
    )
    hub = hub_of(flow, {"end": lambda given: given}, journal=journal)
    run = hub.start("flow", "g", {"amount": 7}, run_id="r")
    run.send("money", {"sum": 7})
    assert run.run().state == "waiting"
    run.approve({"by": "ann"})
    assert run.run().state == "completed"
    kinds = [row[0] for row in rows(journal)]
    assert sorted(kinds) == ["a", "a", "a", "a", "b", "e", "n", "q", "q", "w", "w"]
    again = hub_of(flow, {"end": repr}, journal=journal).get_run("r")
    assert again.events == run.events
    assert again.context.data["p_output"] == {"a": {"by": "ann"}, "b": {"sum": 7}}


@pytest.mark.parametrize("door", ["sync", "async"])
def test_a_run_that_waits_says_so_and_is_let_go_of(door):
    journal = MemoryJournal()
    flow = workflow_of(step("a", "sign"), ApprovalStep(step_id="sign", prompt="Well?", on_success="end"), step("end"))
    standings: list[Standing] = []

    def end(given):
        standings.append(journal.find_run("r").standing)
        return given

    hub = hub_of(flow, {"a": lambda given: 1, "end": end}, journal=journal)
    drive(hub, door)
    stored = journal.find_run("r")
    assert (stored.standing.state, stored.holder) == ("waiting", None)
    assert [run.run_id for run in hub.runs(state="waiting")] == ["r"]
    other = hub_of(flow, {"a": repr, "end": end}, journal=journal).get_run("r")
    other.approve(value=True)
    assert journal.find_run("r").standing.state == "in_progress"
    assert other.run().state == "completed"
    assert [one.state for one in standings] == ["in_progress"]
    assert journal.find_run("r").standing.state == "completed"


def test_a_failed_run_is_in_progress_as_soon_as_it_goes_on():
    journal, seen = MemoryJournal(), []

    def work(given, context):
        if context.attempt == 1:
            raise ValueError("no")
        seen.append(journal.find_run("r").standing)
        return given

    hub = hub_of(workflow_of(step("work")), {"work": work}, journal=journal)
    assert drive(hub).state == "failed"
    hub.resume("r", verbose=False)
    assert [(one.state, one.finished_at) for one in seen] == [("in_progress", None)]


BAD = object()


@pytest.mark.parametrize("what", ["item", "added", "spawned", "shown"])
def test_what_cannot_be_put_on_record_fails_its_attempt_and_names_it(what):
    def work(given, context):
        if what == "added":
            context.add_item({"bad": {3, BAD}})
        if what == "spawned":
            return Spawn(workflow_of(step("x", worker_type="work"), name="made"), input=BAD)
        context.data["bad"] = 0
        return given

    journal, hub = mapped(step("work"), workers={"work": work})
    hub.register_workflow(
        workflow_of(
            ApprovalStep(step_id="sign", prompt="Well?", show=(lambda output, context: BAD,), is_terminal=True),
            name="sign",
        )
    )
    if what == "item":
        hub.register_workflow(
            workflow_of(
                MapStep(step_id="m", over=lambda output, context: [1, BAD], body="work", is_terminal=True),
                step("work"),
                name="items",
            )
        )
    name = {"shown": "sign", "item": "items"}.get(what, "flow")
    context = hub.execute_workflow(name, "g", {"items": [1]}, run_id="r", verbose=False)
    assert context.state == "failed"
    failed = next(entry for entry in context.history if entry["error_type"] == "NotRecordable")
    assert "object" in failed["error"]
    assert failed["step"] in failed["error"]
    assert load_run(journal, "r").events == hub.get_run("r").machine.arrivals()


def test_a_run_of_a_sub_workflow_is_loaded_by_itself():
    journal = MemoryJournal()
    flow = workflow_of(
        step("a", "sub"), SubworkflowStep(step_id="sub", workflow="inner", on_success="end"), step("end")
    )
    workers = {"a": lambda given: "from a", "end": lambda given: given, "b": lambda given: f"{given}, by b"}
    hub = hub_of(flow, workers, journal=journal)
    hub.register_workflow(workflow_of(step("b"), name="inner"))
    assert drive(hub).data["end_output"] == "from a, by b"
    stored = journal.find_run("r/sub#1")
    assert (stored.facts.parent, stored.facts.forked_at, stored.facts.shared) == ("r", None, 0)
    loaded = load_run(journal, "r/sub#1")
    assert (loaded.started.input, loaded.started.depth) == (("from a",), 1)
    assert [event.path for event in loaded.events if hasattr(event, "path")] == ["b#1"]
    assert [run.facts.run_id for run in journal.find_runs(RunQuery(parent="r"))] == ["r/sub#1"]
    journal.delete(["r"])
    assert load_run(journal, "r/sub#1").events == loaded.events
    child = hub_of(flow, workers, journal=journal)
    child.register_workflow(workflow_of(step("b"), name="inner"))
    fork = child.get_run("r/sub#1").fork("b#1", run_id="fork")
    assert fork.run().data["b_output"] == "from a, by b"
    assert load_run(journal, "fork").started.input == ("from a",)


@pytest.mark.parametrize("known", [True, False], ids=["registered", "not registered"])
def test_a_branched_run_can_be_looked_at_whatever_is_registered(known):
    inside = workflow_of(step("draft"), name="inside")
    journal, hub = mapped(inside, workers={"draft": lambda given: given})
    done = drive(hub, initial_data={"items": [1, 2]})
    other = hub if known else Orchestrator(journal=journal)
    assert other.get_run("r").history == done.history


@pytest.mark.parametrize(
    "bodies",
    [
        [["b", "m#1", None, 3, 0.0]],
        [["b", "m#1", [1], None, 0.0]],
        [["b", 3, None, [], 0.0]],
        [["w", "a#1", "money", "h", {}, 0.0, None]],
        [["q", "a#1", "bribed", 1, None, "h", 0.0]],
        [["n", 3, 4, 0.0]],
        [["l", "max_steps", 3, None, 0.0]],
        [["a", "m#1[0]/", "a", 1, 1, 0.0, 0.0, None, 1]],
        [["a", "[undo]/[undo]/" * 500, "a", 1, 1, 0.0, 0.0, None, 1]],
        [["a", "", "a", 1, 1, 0.0, 0.0, None, 1, {"d": 3}]],
        [["a", "", "a", 1, 1, 0.0, 0.0, None, 1, {"b": [["completed", 1]]}]],
        [["b", "a#1", None, [1], 0.0], ["a", "", "a", 1, 1, 0.0, 0.0, None, 1, {"b": [["completed", 2]]}]],
        [["b", "a#1", None, [1], 0.0], ["a", "", "a", 1, 1, 0.0, 0.0, None, None, {"b": [["completed", 1]], "j": ["c", []]}]],
        [["b", "a#1", None, [1], 0.0], ["a", "", "a", 1, 1, 0.0, 0.0, None, None, {"b": [["completed", 1]], "j": ["c", [[-1, 1]]]}]],
        [["b", "a#1", None, [1], 0.0], ["a", "", "a", 1, 1, 0.0, 0.0, None, None, {"b": [["completed", 10**15]], "j": ["x", []]}]],
        [["a", "", "a", 1, 1, 0.0, 0.0, None, 1, {"d": {"spawn": 3}}]],
        [["b", "a#1", None, [1], 0.0], ["a", "a#1[0]/", "a", 1, 1, 0.0, 0.0, None, 1, {"d": {"added": 3}}]],
        [["b", "a#1", None, [1], 0.0], ["a", "a#1[x]/", "a", 1, 1, 0.0, 0.0, None, 1, {"d": {"added": [3]}}], ["a", "", "a", 1, 1, 0.0, 0.0, None, 1, {"b": []}]],
    ],
    ids=str,
)  # fmt: skip
def test_a_row_that_nobody_wrote_is_refused(bodies):
    from orchestration_kit.journal import codec
    from orchestration_kit.journal.chain import next_check
    from orchestration_kit.journal.port import Row

    journal = MemoryJournal()
    hub = hub_of(workflow_of(step("a")), {"a": repr}, journal=journal)
    run = hub.start("flow", "g", run_id="r")
    run.put_on_record()
    check = journal.find_run("r").facts.check
    made = []
    for seq, body in enumerate(bodies, 1):
        content = codec.dumps(body)
        check = next_check(check, seq, content)
        made.append(Row(seq, content, check))
    lease = journal.claim("r", None)
    journal.append(lease, made, {}, release=True)
    with pytest.raises(JournalCorrupt):
        load_run(journal, "r")


def test_a_branch_that_nobody_opened_takes_nothing_with_it():
    fold = Fold(RunStarted("r", "f", "", "goal", {str(n): n for n in range(1_000)}, 1, 0.0))
    assert fold.scope("[undo]/[undo]/" * 1_000).data == {}
    assert len(fold.scopes) == 1
