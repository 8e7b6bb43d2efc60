import asyncio
import gc
import threading

import pytest
from opentelemetry.trace import StatusCode

from orchestration_kit import (
    ApprovalStep,
    MapStep,
    Orchestrator,
    ParallelStep,
    WorkerDefinition,
    WorkflowDefinition,
    WorkflowStep,
)

OWN = "orchestration_kit."


def first(given):
    return f"{given}!"


def second(given, context):
    context.add_usage(input_tokens=7, output_tokens=3, cost_usd=0.25, model="tiny-1")
    return given


def test_a_run_is_a_span_with_its_attempts_within(hub, make_chain, told, tree):
    make_chain(hub, "two", first, second)
    context = hub.execute_workflow("two", "hi", verbose=False)
    spans = tree()
    run = spans.one("invoke_workflow two")
    assert run.parent is None
    assert run.attributes["gen_ai.operation.name"] == "invoke_workflow"
    assert run.attributes["gen_ai.workflow.name"] == run.attributes["gen_ai.agent.name"] == "two"
    assert run.attributes[OWN + "run.id"] == context.workflow_id
    assert run.attributes[OWN + "run.state"] == "completed"
    assert run.attributes[OWN + "run.attempts"] == 2
    attempts = [spans.one("invoke_agent first_worker"), spans.one("invoke_agent second_worker")]
    assert [spans.parent(one) for one in attempts] == [run, run]
    told_first, told_second = (dict(one.attributes) for one in attempts)
    assert told_first == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "first_worker",
        OWN + "step": "first",
        OWN + "path": "first#1",
        OWN + "visit": 1,
        OWN + "attempt": 1,
        OWN + "outcome": "completed",
        OWN + "worker_type": "first",
        OWN + "next_step": "second",
    }
    assert told_second["gen_ai.usage.input_tokens"] == 7
    assert told_second["gen_ai.usage.output_tokens"] == 3
    assert told_second["gen_ai.request.model"] == told_second["gen_ai.response.model"] == "tiny-1"
    assert told_second[OWN + "cost_usd"] == 0.25
    assert run.start_time <= attempts[0].start_time <= attempts[0].end_time <= attempts[1].end_time <= run.end_time


def test_times_are_those_on_record(make_chain, told, tree):
    from orchestration_kit.testing import FakeClock

    clock = FakeClock(start=1_000.0)
    hub = Orchestrator(clock=clock)

    def slow(given):
        clock.advance(2.5)

    make_chain(hub, "slow", slow)
    hub.execute_workflow("slow", "hi", verbose=False)
    span = tree().one("invoke_agent slow_worker")
    assert (span.start_time, span.end_time) == (1_000_000_000_000, 1_002_500_000_000)


@pytest.mark.parametrize("way", ["sync", "async", "async worker, sync loop", "generator", "async generator", "timeout"])
def test_what_a_worker_makes_comes_to_stand_within_its_attempt(hub, make_chain, told, tree, way):
    tracer = told.provider.get_tracer("mine")

    def work(given):
        with tracer.start_as_current_span("inner"):
            return given

    async def awork(given):
        with tracer.start_as_current_span("inner"):
            await asyncio.sleep(0)
            return given

    def yields(given):
        with tracer.start_as_current_span("inner"):
            yield given

    async def ayields(given):
        with tracer.start_as_current_span("inner"):
            yield given

    kind = {"async worker, sync loop": awork, "generator": yields, "async generator": ayields, "async": awork}
    worker = kind.get(way, work)
    worker.__name__ = "work"
    make_chain(hub, "one", worker, **({"timeout_s": 30.0} if way == "timeout" else {}))
    if way.startswith("async") and way != "async worker, sync loop":
        asyncio.run(hub.aexecute_workflow("one", "hi", verbose=False))
    else:
        hub.execute_workflow("one", "hi", verbose=False)
    spans = tree()
    assert spans.parent(spans.one("inner")) is spans.one("invoke_agent work_worker")


def test_a_retry_has_a_span_of_its_own_and_a_failure_is_an_error(hub, make_chain, told, tree):
    calls = []

    def shaky(given):
        calls.append(given)
        if len(calls) < 3:
            raise KeyError("price")

    make_chain(hub, "shaky", shaky, max_retries=2)
    hub.execute_workflow("shaky", "hi", verbose=False)
    attempts = tree().all("invoke_agent shaky_worker")
    assert [one.attributes[OWN + "attempt"] for one in attempts] == [1, 2, 3]
    assert [one.attributes[OWN + "outcome"] for one in attempts] == ["retried", "retried", "completed"]
    assert [one.attributes.get("error.type") for one in attempts] == ["KeyError", "KeyError", None]
    assert attempts[0].status.status_code is StatusCode.ERROR
    assert "price" in attempts[0].status.description
    assert attempts[2].status.status_code is StatusCode.UNSET


def test_a_run_that_fails_is_an_error(hub, make_chain, told, tree):
    def breaks(given):
        raise ValueError("no such thing")

    make_chain(hub, "breaks", breaks)
    assert hub.execute_workflow("breaks", "hi", verbose=False).state.value == "failed"
    run = tree().one("invoke_workflow breaks")
    assert run.status.status_code is StatusCode.ERROR
    assert "no such thing" in run.status.description
    assert tree().one("invoke_agent breaks_worker").attributes[OWN + "outcome"] == "failed"


def test_a_run_that_is_cancelled_ends_its_spans_and_is_no_error(hub, make_chain, told, tree):
    def stops(given, context):
        hub.last_run.cancel("enough")
        return given

    make_chain(hub, "stops", stops, first)
    hub.execute_workflow("stops", "hi", verbose=False)
    run = tree().one("invoke_workflow stops")
    assert run.attributes[OWN + "run.state"] == "cancelled"
    assert run.attributes[OWN + "run.reason"] == "enough"
    assert run.status.status_code is StatusCode.UNSET


def test_an_interrupt_leaves_no_span_open(hub, make_chain, told, tree):
    def interrupted(given):
        raise KeyboardInterrupt

    make_chain(hub, "interrupted", interrupted)
    with pytest.raises(KeyboardInterrupt):
        hub.execute_workflow("interrupted", "hi", verbose=False)
    spans = tree()
    assert spans.one("invoke_workflow interrupted").attributes[OWN + "run.state"] == "cancelled"
    assert spans.one("invoke_agent interrupted_worker").attributes[OWN + "outcome"] == "cancelled"


def _branches(hub, barrier=None):
    def meet(given, context):
        if barrier is not None:
            barrier.wait(timeout=10)
        return context.branch

    hub.register_worker(WorkerDefinition(worker_type="meet", name="meet", executor=meet))
    hub.register_worker(WorkerDefinition(worker_type="join", name="join", executor=lambda given: given))
    workflow = WorkflowDefinition(name="both")
    split = ParallelStep(step_id="split", branches={"a": "in_a", "b": "in_b"}, on_success="end")
    workflow.add_step(split, is_initial=True)
    for key in ("a", "b"):
        workflow.add_step(WorkflowStep(step_id=f"in_{key}", worker_type="meet"))
    workflow.add_step(WorkflowStep(step_id="end", worker_type="join", is_terminal=True))
    hub.register_workflow(workflow)


@pytest.mark.parametrize("is_async", [False, True])
def test_parallel_attempts_overlap_as_they_did(hub, told, tree, is_async):
    _branches(hub, threading.Barrier(2))  # each waits for the other, so that they do overlap
    if is_async:
        asyncio.run(hub.aexecute_workflow("both", "hi", verbose=False))
    else:
        hub.execute_workflow("both", "hi", verbose=False)
    spans = tree()
    run = spans.one("invoke_workflow both")
    one, other = spans.all("invoke_agent meet")
    assert spans.parent(one) is spans.parent(other) is run
    assert max(one.start_time, other.start_time) <= min(one.end_time, other.end_time)
    assert {one.attributes[OWN + "path"], other.attributes[OWN + "path"]} == {
        "split#1[a]/in_a#1",
        "split#1[b]/in_b#1",
    }
    assert spans.one("split").attributes[OWN + "branches"] == 2
    (event,) = [event for event in run.events if event.name == "branches_opened"]
    assert event.attributes[OWN + "branches"] == 2


def test_a_map_over_many_items_tells_each_once(hub, told, tree):
    hub.register_worker(WorkerDefinition(worker_type="item", name="item", executor=lambda item: item * 2))
    hub.register_worker(WorkerDefinition(worker_type="items", name="items", executor=lambda given: list(range(2_000))))
    workflow = WorkflowDefinition(name="many")
    workflow.add_step(WorkflowStep(step_id="items", worker_type="items", on_success="each"), is_initial=True)
    workflow.add_step(MapStep(step_id="each", body="double", is_terminal=True))
    workflow.add_step(WorkflowStep(step_id="double", worker_type="item"))
    hub.register_workflow(workflow)
    hub.execute_workflow("many", "hi", verbose=False)
    spans = tree()
    assert len(spans.all("invoke_agent item")) == 2_000
    assert len({one.attributes[OWN + "path"] for one in spans.all("invoke_agent item")}) == 2_000
    assert len(spans.one("invoke_workflow many").events) == 1


def _with_approval(hub):
    hub.register_worker(WorkerDefinition(worker_type="work", name="work", executor=lambda given: given))
    workflow = WorkflowDefinition(name="asks")
    workflow.add_step(ApprovalStep(step_id="ask", prompt="Go on?", on_success="work"), is_initial=True)
    workflow.add_step(WorkflowStep(step_id="work", worker_type="work", is_terminal=True))
    hub.register_workflow(workflow)


def test_a_run_that_waits_ends_its_span_and_goes_on_in_another_that_is_linked(hub, told, tree):
    _with_approval(hub)
    hub.execute_workflow("asks", "hi", verbose=False)
    before = tree().one("invoke_workflow asks")
    assert before.attributes[OWN + "run.state"] == "waiting"
    assert [event.name for event in before.events] == ["wait_started"]
    run = hub.last_run
    run.approve()
    assert len(tree().all("invoke_workflow asks")) == 1  # to answer is not yet to go on
    run.run()
    spans = tree()
    after = spans.all("invoke_workflow asks")[1]
    assert after.attributes[OWN + "run.state"] == "completed"
    assert "answered" in [event.name for event in after.events]
    assert after.context.trace_id == before.context.trace_id
    assert spans.parent(after) is before
    (link,) = after.links
    assert link.context.span_id == before.context.span_id
    assert spans.parent(spans.one("invoke_agent work")) is after


def test_a_stepped_run_is_one_span(hub, make_chain, told, tree):
    make_chain(hub, "two", first, second)
    run = hub.start("two", "hi")
    run.step()
    assert tree().all("invoke_workflow two") == []
    run.step()
    assert tree().one("invoke_workflow two").attributes[OWN + "run.attempts"] == 2


def test_a_run_that_is_let_go_of_ends_its_span(make_chain, told, tree):
    hub = Orchestrator()
    make_chain(hub, "two", first, second)
    run = hub.start("two", "hi")
    run.step()
    del run, hub
    gc.collect()
    assert tree().one("invoke_workflow two").attributes[OWN + "run.state"] == "in_progress"
