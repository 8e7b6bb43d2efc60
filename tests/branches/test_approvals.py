"""A person decides: bound to what was shown, once, in time, wherever the answer comes from."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from orchestration_kit import ApprovalStep, Branch, MapStep, MemoryJournal, ParallelStep, SQLiteJournal
from orchestration_kit.engine.events import WaitStarted
from orchestration_kit.engine.refusals import AnswerRefused
from orchestration_kit.errors import RunStateError
from orchestration_kit.testing import FakeClock
from tests.branches.doors import check_record, entry_of, flow_of, go, hub_of, paths, run_flow, through
from tests.support import step


def flow_with(**fields):
    return flow_of(
        step("offer", "sign"),
        ApprovalStep(step_id="sign", prompt="Send it?", on_success="send", **fields),
        step("send"),
    )


WORKERS = {"offer": lambda _: {"price": 3}, "send": lambda given: given}


def refused(run, message, act):
    """Expect a refusal that changes nothing."""
    before = (run.events, run.state, dict(run.context.data))
    with pytest.raises(AnswerRefused, match=message) as caught:
        act()
    assert (run.events, run.state, dict(run.context.data)) == before
    return caught.value


def test_a_run_waits_and_says_what_is_asked(door):
    clock = FakeClock(1000.0)
    run = go(hub_of(flow_with(schema=bool, timeout_s=60), WORKERS, clock=clock).start("flow", "go"), door)
    assert run.state == "waiting"
    assert not run.is_finished
    (request,) = run.waiting
    assert (request.path, request.step, request.kind, request.prompt) == ("sign#1", "sign", "approval", "Send it?")
    assert (request.shown, request.schema) == ({"input": {"price": 3}}, {"type": "boolean"})
    assert (request.asked_at, request.deadline, request.run_id) == (1000.0, 1060.0, run.run_id)
    assert len(request.hash) == 64
    assert paths(run) == ["offer#1"]
    check_record(run)


def test_execute_workflow_comes_back_while_the_run_waits():
    context = hub_of(flow_with(), WORKERS).execute_workflow("flow", "go", verbose=False)
    assert context.state == "waiting"


def test_driving_a_run_that_waits_for_a_person_changes_nothing(door):
    run = go(hub_of(flow_with(), WORKERS).start("flow", "go"), door)
    events = run.events
    go(run, door)
    assert run.events == events


def test_the_approved_value_is_the_output(door):
    run = run_flow(
        flow_with(schema={"type": "object", "required": ["to"]}), WORKERS, door, lambda run: run.approve({"to": "Ada"})
    )
    assert run.context.data["send_output"] == {"to": "Ada"}
    assert entry_of(run, "sign#1")["detail"]["answer"] == "approved"


class Offer(BaseModel):
    to: str
    price: float


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (bool, "yes"),
        (int, "3"),
        (Offer, {"to": "Ada"}),
        (Offer, {"to": 1, "price": 2}),
        ({"enum": ["a", "b"]}, "c"),
        ({"maxItems": 1}, [1, 2]),
    ],
)
def test_a_value_that_does_not_fit_the_schema_is_refused_and_the_question_stays_open(door, schema, value):
    run = go(hub_of(flow_with(schema=schema), WORKERS).start("flow", "go"), door)
    error = refused(run, "the value does not fit", lambda: run.approve(value))
    assert "It has to fit the schema" in str(error)
    assert len(run.waiting) == 1


def test_a_schema_refers_to_nothing_elsewhere():
    flow = flow_with(schema={"$ref": "http://localhost:9/never.json"})
    run = go(hub_of(flow, WORKERS).start("flow", "go"))
    with pytest.raises(Exception, match="never.json"):
        run.approve(1)
    assert run.state == "waiting"


def test_a_rejection_is_a_failure_with_its_reason(door):
    run = run_flow(flow_with(), WORKERS, door, lambda run: run.reject("too dear"))
    assert run.state == "failed"
    entry = entry_of(run, "sign#1")
    assert (entry["error_type"], entry["error"]) == ("ApprovalRejected", "sign#1 was rejected: too dear")


def test_what_is_shown_is_what_the_paths_name(door):
    flow = flow_with(show=("data.offer_output.price", "goal", lambda output, context: sorted(output)))
    run = go(hub_of(flow, WORKERS).start("flow", "go"), door)
    shown = run.waiting[0].shown
    assert [*shown.values()] == [3, "go", ["price"]]
    assert [*shown][:2] == ["data.offer_output.price", "goal"]


def test_nobody_is_asked_to_approve_what_is_not_there(door):
    run = go(hub_of(flow_with(show=("data.offer_output.none",)), WORKERS).start("flow", "go"), door)
    assert run.state == "failed"
    assert "nothing at data.offer_output.none to show" in run.context.error


def test_looking_at_a_request_and_changing_it_changes_nothing(door):
    run = go(hub_of(flow_with(), WORKERS).start("flow", "go"), door)
    run.waiting[0].shown["input"]["price"] = 1_000_000
    assert run.waiting[0].shown == {"input": {"price": 3}}
    through(door, run, lambda run: run.approve("ok"))
    assert run.context.data["offer_output"] == {"price": 3}


# --- twice, too late, the wrong one


def test_answering_twice_is_refused(door):
    run = go(hub_of(flow_with(), WORKERS).start("flow", "go"), door)
    (request,) = run.waiting
    run.approve("first")
    refused(run, "no approval is waited for", lambda: run.approve("second"))
    refused(run, "no approval is waited for", lambda: run.reject("second", request))
    go(run, door)
    refused(run, "it has ended", lambda: run.approve("third", request))
    assert run.context.data["send_output"] == "first"


def test_an_answer_after_the_time_is_up_is_refused_whether_or_not_the_run_was_driven(door):
    clock = FakeClock()
    flow = flow_of(
        ApprovalStep(step_id="sign", prompt="?", timeout_s=60, on_timeout="late", on_success="send"), step("send"), step("late", "sign2"),
        ApprovalStep(step_id="sign2", prompt="And now?", is_terminal=True),
    )  # fmt: skip
    run = go(hub_of(flow, {"send": str, "late": dict}, clock=clock).start("flow", "go"), door)
    (request,) = run.waiting
    clock.advance(59.999)
    go(run, door)
    assert run.waiting == [request]
    clock.advance(0.002)
    refused(run, "the time for sign#1 is up", lambda: run.approve("late", request))
    go(run, door)
    assert [one.path for one in run.waiting] == ["sign2#1"]
    refused(run, "that question is not open any more", lambda: run.approve("late", request))


def test_a_forged_hash_is_refused(door):
    run = go(hub_of(flow_with(), WORKERS).start("flow", "go"), door)
    (request,) = run.waiting
    for forged in (request.hash[:-1] + ("0" if request.hash[-1] != "0" else "1"), "", "sign#2", "offer#1", "0" * 64):
        refused(
            run, "that question is not open any more, or was another one", lambda forged=forged: run.approve(1, forged)
        )
    other = hub_of(flow_with(), WORKERS).start("flow", "go")
    go(other, door)
    refused(run, "that question is not open any more", lambda: run.approve(1, other.waiting[0]))
    run.approve("yes", request.hash)
    assert go(run, door).context.data["send_output"] == "yes"


def test_a_question_that_comes_again_with_other_content_wants_an_answer_of_its_own(door):
    flow = flow_of(
        step("offer", "sign"),
        ApprovalStep(step_id="sign", prompt="Send it?", on_success="send", on_failure="offer"),
        step("send"),
    )
    run = go(
        hub_of(flow, {**WORKERS, "offer": lambda _, context: {"price": 3 * context.visit}}).start("flow", "go"), door
    )
    (first,) = run.waiting
    run.reject("cheaper")
    go(run, door)
    (second,) = run.waiting
    assert (second.path, second.shown) == ("sign#2", {"input": {"price": 6}})
    assert second.hash != first.hash
    refused(run, "that question is not open any more, or was another one", lambda: run.approve(1, first))
    refused(run, "that question is not open any more, or was another one", lambda: run.approve(1, first.hash))
    run.approve(1, second)
    assert go(run, door).state == "completed"


def test_even_the_same_content_at_another_visit_is_another_question(door):
    flow = flow_of(
        step("offer", "sign"),
        ApprovalStep(step_id="sign", prompt="?", on_success="offer", branches=(Branch(when="visits > 1", to="send"),)),
        step("send"),
    )
    run = go(hub_of(flow, WORKERS).start("flow", "go"), door)
    (first,) = run.waiting
    run.approve(1)
    go(run, door)
    assert run.waiting[0].shown == first.shown
    refused(run, "was another one", lambda: run.approve(1, first))


# --- several


def test_several_questions_at_once_are_answered_one_by_one_in_any_order(door):
    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="sign", on_success="send"),
        ApprovalStep(step_id="sign", prompt="?", on_success="after"),
        step("after", is_terminal=False),
        step("send"),
    )
    run = go(
        hub_of(flow, {"after": lambda given: given, "send": list}).start("flow", "go", {"items": [10, 20, 30]}), door
    )
    assert [(one.path, one.shown) for one in run.waiting] == [
        (f"m#1[{n}]/sign#1", {"input": (n + 1) * 10}) for n in range(3)
    ]
    refused(run, "3 approvals are waited for", lambda: run.approve("which?"))
    run.approve("c", "m#1[2]/sign#1")
    run.approve("a", run.waiting[0])
    go(run, door)
    run.approve("b")
    through(door, run)
    assert run.context.data["send_output"] == ["a", "b", "c"]
    assert paths(run) == [*(f"m#1[{n}]/{name}#1" for n in range(3) for name in ("sign", "after")), "m#1", "send#1"]


def test_others_go_on_while_one_branch_waits(door):
    flow = flow_of(
        ParallelStep(step_id="p", branches={"ask": "sign", "work": "a"}, is_terminal=True), ApprovalStep(step_id="sign", prompt="?"),
        step("a", "b", is_terminal=False), step("b", is_terminal=False),
    )  # fmt: skip
    run = go(hub_of(flow, {"a": str, "b": str}).start("flow", "go"), door)
    assert run.state == "waiting"
    assert paths(run) == ["p#1[work]/a#1", "p#1[work]/b#1"]
    through(door, run, lambda run: run.approve("yes"))
    assert run.context.data["p_output"] == {"ask": "yes", "work": "go"}


def test_branches_that_wait_for_people_take_no_place_from_others(door):
    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="sign", max_concurrency=2, is_terminal=True),
        ApprovalStep(step_id="sign", prompt="?"),
    )
    run = go(hub_of(flow, {}).start("flow", "go", {"items": list(range(6))}), door)
    assert len(run.waiting) == 6
    through(door, run, lambda run: [run.approve(one.shown["input"], one) for one in run.waiting])
    assert run.context.data["m_output"] == list(range(6))


# --- after a restart, from elsewhere


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_question_outlives_the_process_and_is_answered_in_another(door, kind, tmp_path):
    journal = MemoryJournal() if kind == "memory" else SQLiteJournal(tmp_path / "runs.db")
    run = go(hub_of(flow_with(schema=str), WORKERS, journal=journal).start("flow", "go", run_id="r"), door)
    (asked,) = run.waiting
    del run
    again = hub_of(flow_with(schema=str), WORKERS, journal=journal).get_run("r")
    assert again.state == "waiting"
    assert again.waiting == [asked]
    refused(again, "the value does not fit", lambda: again.approve(3))
    again.approve("yes", asked)
    third = hub_of(flow_with(schema=str), WORKERS, journal=journal)
    assert third.get_run("r").waiting == []
    assert third.resume("r", verbose=False).data["send_output"] == "yes"
    check_record(third.get_run("r"))
    assert sum(isinstance(event, WaitStarted) for event in third.get_run("r").events) == 1


def test_answering_twice_from_two_processes_is_refused():
    journal = MemoryJournal()
    go(hub_of(flow_with(), WORKERS, journal=journal).start("flow", "go", run_id="r"))
    one, other = (hub_of(flow_with(), WORKERS, journal=journal).get_run("r") for _ in range(2))
    assert one is not other
    one.approve("one")
    with pytest.raises(RunStateError, match="it has gone on elsewhere"):
        other.approve("other")
    assert hub_of(flow_with(), WORKERS, journal=journal).resume("r", verbose=False).data["send_output"] == "one"


def test_a_timeout_counts_on_through_a_restart():
    journal, clock = MemoryJournal(), FakeClock(1000.0)
    flow = flow_with(timeout_s=60, on_timeout="send")
    go(hub_of(flow, WORKERS, journal=journal, clock=clock).start("flow", "go", run_id="r"))
    clock.advance(45)
    again = go(hub_of(flow, WORKERS, journal=journal, clock=clock).reopen("r"))
    assert again.waiting[0].deadline == 1060.0
    clock.advance(14)
    assert go(again).state == "waiting"
    clock.advance(2)
    assert go(again).state == "completed"
    assert entry_of(again, "sign#1")["error_type"] == "WaitTimeout"


def test_an_answer_is_refused_where_the_definition_has_changed_since_it_was_asked():
    """The run is resumed with another prompt: what was shown before is not what is asked now."""
    journal = MemoryJournal()
    go(hub_of(flow_with(), WORKERS, journal=journal).start("flow", "go", run_id="r"))
    changed = flow_with()
    changed.add_step(
        changed.steps["sign"].model_copy(update={"prompt": "Send it, and a million with it?"}), replace=True
    )
    hub = hub_of(changed, WORKERS, journal=journal)
    run = hub.get_run("r")
    old = run.waiting[0]
    run.approve("yes", old)
    context = hub.resume("r", verbose=False)
    assert context.state == "waiting"
    assert "send_output" not in context.data
    (now,) = hub.get_run("r").waiting
    assert now.prompt == "Send it, and a million with it?"
    assert now.hash != old.hash
    hub.get_run("r").approve("yes, that too", now)
    assert hub.resume("r", verbose=False).data["send_output"] == "yes, that too"
