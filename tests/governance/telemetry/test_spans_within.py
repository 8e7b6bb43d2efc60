"""Spans of runs within runs, of other processes, of callers; what of a run is told."""

import threading
from types import SimpleNamespace

from opentelemetry import trace
from opentelemetry.trace import format_trace_id

from orchestration_kit import (
    Action,
    Orchestrator,
    RunLimits,
    SubworkflowStep,
    WorkflowDefinition,
)
from orchestration_kit.governance import telemetry
from orchestration_kit.governance.telemetry.identity import ids_of
from tests.governance.telemetry.test_spans import OWN, _with_approval, first, second


def test_a_sub_workflow_stands_within_the_attempt_that_runs_it(hub, make_chain, told, tree):
    make_chain(hub, "inner", first, second)
    workflow = WorkflowDefinition(name="outer")
    workflow.add_step(SubworkflowStep(step_id="sub", workflow="inner", is_terminal=True), is_initial=True)
    hub.register_workflow(workflow)
    context = hub.execute_workflow("outer", "hi", verbose=False)
    assert context.state.value == "completed"
    spans = tree()
    outer, inner = spans.one("invoke_workflow outer"), spans.one("invoke_workflow inner")
    attempt = spans.parent(inner)
    assert attempt.attributes[OWN + "step"] == "sub"
    assert spans.parent(attempt) is outer
    assert "gen_ai.usage.input_tokens" not in attempt.attributes  # or sums over spans would count it twice
    assert spans.one("invoke_agent second_worker").attributes["gen_ai.usage.input_tokens"] == 7
    assert inner.attributes[OWN + "run.parent"] == context.workflow_id


def test_a_workflow_that_a_worker_runs_itself_stands_within_it_too(hub, make_chain, told, tree):
    make_chain(hub, "inner", first)

    def outer(given):
        return hub.execute_workflow("inner", given, verbose=False).get_last_output()

    make_chain(hub, "outer", outer)
    hub.execute_workflow("outer", "hi", verbose=False)
    spans = tree()
    assert spans.parent(spans.one("invoke_workflow inner")) is spans.one("invoke_agent outer_worker")


def test_a_fork_is_linked_to_the_run_it_comes_from(hub, make_chain, told, tree):
    make_chain(hub, "two", first, second)
    hub.execute_workflow("two", "hi", verbose=False)
    forked = hub.last_run.fork("second#1")
    forked.run()
    spans = tree()
    origin, fork = spans.all("invoke_workflow two")
    (link,) = fork.links
    assert link.context.span_id == origin.context.span_id
    assert dict(link.attributes) == {OWN + "link": "forked_from"}
    assert fork.context.trace_id != origin.context.trace_id
    assert fork.attributes[OWN + "run.attempts"] == 1  # what it shares was told before


def test_the_trace_of_a_run_follows_from_its_id(hub, make_chain, told, tree):
    make_chain(hub, "one", first)
    hub.execute_workflow("one", "hi", verbose=False, run_id="build_1")
    ids = ids_of("build_1")
    context = tree().one("invoke_workflow one").context
    assert (context.trace_id, context.span_id) == ids
    assert format_trace_id(ids.trace_id) == format_trace_id(ids_of("build_1").trace_id)


def test_a_run_resumed_by_another_process_joins_its_trace(tmp_path, make_chain, tree_of):
    calls = []

    def breaks(given):
        calls.append(given)
        if len(calls) == 1:
            raise ValueError("once")

    seen = []
    for _ in range(2):  # nothing is left over from one to the next but the journal
        hub = Orchestrator(journal=tmp_path / "runs.db")
        make_chain(hub, "one", first, breaks)
        with telemetry.enable("memory") as told:
            if not seen:
                hub.execute_workflow("one", "hi", verbose=False, run_id="r")
            else:
                hub.resume("r", verbose=False)
            seen.append(tree_of(told.spans).one("invoke_workflow one"))
        hub.journal.close()
    before, after = seen
    assert [one.attributes[OWN + "run.state"] for one in seen] == ["failed", "completed"]
    assert after.context.trace_id == before.context.trace_id
    assert after.parent.span_id == before.context.span_id
    assert after.links[0].context.span_id == before.context.span_id


def test_a_run_stands_within_what_its_caller_traces(hub, make_chain, told, tree):
    make_chain(hub, "one", first)
    with told.provider.get_tracer("web").start_as_current_span("request"):
        hub.execute_workflow("one", "hi", verbose=False)
        run = hub.start("one", "hi")
        run.play()
        run.wait()
    spans = tree()
    request = spans.one("request")
    assert [spans.parent(one) for one in spans.all("invoke_workflow one")] == [request, request]
    assert trace.get_current_span().get_span_context().is_valid is False


def test_a_worker_that_outlives_its_time_harms_nothing(hub, make_chain, told, tree):
    late = threading.Event()
    over = threading.Event()

    def slow(given):
        late.wait(10)
        over.set()

    make_chain(hub, "slow", slow, timeout_s=0.01)
    hub.execute_workflow("slow", "hi", verbose=False)
    late.set()
    assert over.wait(10)
    assert tree().one("invoke_agent slow_worker").attributes["error.type"] == "StepTimeout"


def test_contents_are_told_where_they_are_asked_for(hub, make_chain, tree_of):
    make_chain(hub, "one", first)
    with telemetry.enable("memory", contents=True) as told:
        hub.execute_workflow("one", "x" * 10_000, verbose=False)
    spans = tree_of(told.spans)
    attempt = spans.one("invoke_agent first_worker")
    assert attempt.attributes[OWN + "input"] == "x" * 3_999 + "…"
    assert spans.one("invoke_workflow one").attributes[OWN + "goal"].startswith("xxx")


def test_an_object_that_cannot_be_told_harms_nothing(hub, make_chain, tree_of):
    class Odd:
        def __repr__(self):
            raise RuntimeError("not for your eyes")

    def odd(given):
        return {"odd": Odd()}

    make_chain(hub, "two", odd, second)
    with telemetry.enable("memory", contents=True) as told:
        assert hub.execute_workflow("two", "hi", verbose=False).state.value == "completed"
    assert tree_of(told.spans).one("invoke_agent odd_worker").attributes[OWN + "output"] == "<dict>"


def test_nothing_is_told_of_contents_by_default(hub, make_chain, told):
    make_chain(hub, "one", first)
    hub.execute_workflow("one", "a very particular goal", {"entry": "a very particular goal"}, verbose=False)
    assert "particular" not in "".join(span.to_json() for span in told.spans)


def test_runs_at_once_keep_to_themselves(hub, make_chain, told, tree):
    make_chain(hub, "two", first, second)
    runs = [hub.start("two", "hi") for _ in range(8)]
    for run in runs:
        run.play()
    for run in runs:
        run.wait()
    spans = tree()
    whole = spans.all("invoke_workflow two")
    assert len(whole) == 8
    for span in whole:
        assert len([one for one in spans.spans if spans.parent(one) is span]) == 2
    assert len({span.context.trace_id for span in whole}) == 8


class Gate:
    """Approves e-mails within the house."""

    def validate_plan(self, plan, *, history=(), now=None):
        approved = plan["action_data"]["to"].endswith("@example.org")
        violations = [] if approved else [SimpleNamespace(rule="domain", message="it leaves the house", hint="do not")]
        return SimpleNamespace(approved=approved, violations=violations, on_violation="retry", plan=plan)

    def labels_of(self, plan, result):
        return []

    def check_outcome(self, plan, result, *, history=()):
        return SimpleNamespace(approved=True, violations=[], on_violation="retry", plan=plan)


def test_actions_are_told_by_their_kind_alone(make_chain, told, tree):
    hub = Orchestrator(
        constraints=Gate(),
        actions={"send_email": lambda action_data, context: "sent"},
    )
    to = iter(["ann@elsewhere.net", "ann@example.org"])

    def mails(given):
        return Action("send_email", {"to": next(to), "subject": "about", "body": "a very particular text"})

    make_chain(hub, "mails", mails, max_retries=1)
    context = hub.execute_workflow("mails", "hi", verbose=False)
    assert context.state.value == "completed", [entry["error"] for entry in context.history]
    refused, done = tree().all("invoke_agent mails_worker")
    assert refused.attributes[OWN + "actions"] == done.attributes[OWN + "actions"] == ("send_email",)
    assert refused.attributes[OWN + "actions_refused"] == 1
    assert OWN + "actions_refused" not in done.attributes
    assert "particular" not in "".join(span.to_json() for span in told.spans)


def test_a_sub_workflow_that_waits_goes_on_within_the_next_span(hub, told, tree):
    _with_approval(hub)
    workflow = WorkflowDefinition(name="outer")
    workflow.add_step(SubworkflowStep(step_id="sub", workflow="asks", is_terminal=True), is_initial=True)
    hub.register_workflow(workflow)
    hub.execute_workflow("outer", "hi", verbose=False)
    run = hub.last_run
    assert [span.attributes[OWN + "run.state"] for span in tree().all("invoke_workflow outer")] == ["waiting"]
    run.approve()
    run.run()
    assert run.state.value == "completed"
    spans = tree()
    outer, again = spans.all("invoke_workflow outer")
    inner, inner_again = spans.all("invoke_workflow asks")
    assert again.attributes[OWN + "run.state"] == inner_again.attributes[OWN + "run.state"] == "completed"
    assert spans.parent(spans.parent(inner)) is outer
    assert inner_again.context.trace_id == outer.context.trace_id
    assert inner_again.links[0].context.span_id == inner.context.span_id


def test_a_limit_that_is_reached_is_told(hub, make_chain, told, tree):
    def loops(given):
        return given

    make_chain(hub, "three", loops, first, second)
    context = hub.execute_workflow("three", "hi", verbose=False, limits=RunLimits(max_steps=2))
    assert context.state.value == "failed"
    run = tree().one("invoke_workflow three")
    assert "max_steps" in run.status.description
