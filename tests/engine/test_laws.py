"""Laws of the engine, on random sound workflows and random outcomes."""

from __future__ import annotations

import asyncio
import hashlib

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration_kit import Branch, Orchestrator, RunLimits, WorkerDefinition, WorkflowDefinition, WorkflowStep
from orchestration_kit.engine.machine import Machine
from orchestration_kit.testing import FakeClock, assert_same_flow, flow
from tests.laws import examples

LIMITS = RunLimits(max_steps=60)


@st.composite
def sound_workflows(draw: st.DrawFn) -> WorkflowDefinition:
    """A chain to a terminal step, with random shortcuts, loops, branches, retries and a failure end."""
    size = draw(st.integers(1, 7))
    ids = [f"s{i}" for i in range(size)]
    workflow = WorkflowDefinition(name="random")
    anywhere = st.sampled_from([*ids, "end", "bad"])
    for index, step_id in enumerate(ids):
        branches = draw(
            st.lists(
                st.builds(
                    Branch,
                    when=st.sampled_from(
                        ["output.value > 5", "visits >= 2", "output.value % 2 == 0 && attempt == 1", "has(data.x)"]
                    ),
                    to=anywhere,
                ),
                max_size=2,
            )
        )
        workflow.add_step(
            WorkflowStep(
                step_id=step_id,
                worker_type="any",
                on_success=ids[index + 1] if index + 1 < size else "end",
                on_failure=draw(st.none() | anywhere),
                max_retries=draw(st.integers(0, 2)),
                success_when=draw(st.sampled_from([None, "output.value != 3"])),
                branches=tuple(branches),
            ),
            is_initial=index == 0,
        )
    workflow.add_step(WorkflowStep(step_id="end", worker_type="none", is_terminal=True))
    if any("bad" in (t.target for t in s.transitions()) for s in workflow.steps.values()):
        workflow.add_step(WorkflowStep(step_id="bad", worker_type="none", is_terminal=True, outcome="failed"))
    return workflow


def outcome(seed: int, context) -> dict[str, int]:
    """What the worker does is decided by where it is, and by nothing else."""
    digest = hashlib.sha256(f"{seed}|{context.path}|{context.attempt}".encode()).digest()
    context.data["last"] = context.path
    if digest[1] % 3 == 0:
        context.data.setdefault("seen", []).append(digest[0])
    if digest[2] % 7 == 0:
        context.data["x"] = 1
    if digest[0] % 4 == 0:
        raise RuntimeError(f"failed at {context.path}")
    return {"value": digest[0] % 10}


def hub_for(workflow: WorkflowDefinition, seed: int, *, is_async: bool) -> Orchestrator:
    hub = Orchestrator(clock=FakeClock(), limits=LIMITS)

    async def aworker(input_data, context):
        await asyncio.sleep(0)
        return outcome(seed, context)

    executor = aworker if is_async else lambda input_data, context: outcome(seed, context)
    hub.register_worker(WorkerDefinition(worker_type="any", name="any", executor=executor))
    hub.register_workflow(workflow)
    return hub


@settings(max_examples=examples(75), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(workflow=sound_workflows(), seed=st.integers(0, 2**32))
def test_the_flow_is_the_same_through_every_door_and_every_run_ends(workflow, seed):
    assert workflow.validate() == (True, None)
    sync = hub_for(workflow, seed, is_async=False).start("random", "g", run_id="r")
    sync.run()

    stepped = hub_for(workflow, seed, is_async=False).start("random", "g", run_id="r")
    while stepped.step() is not None:
        assert len(stepped.history) <= LIMITS.max_steps

    in_loop = hub_for(workflow, seed, is_async=True).start("random", "g", run_id="r")
    asyncio.run(in_loop.arun())

    mixed = hub_for(workflow, seed, is_async=False).start("random", "g", run_id="r")
    asyncio.run(mixed.arun())

    for other in (stepped, in_loop, mixed):
        assert_same_flow(sync, other)
    assert sync.is_finished
    assert sync.state in ("completed", "failed")
    if sync.state == "failed":
        assert sync.context.error
    assert [e["seq"] for e in sync.history] == list(range(1, len(sync.history) + 1))


@settings(max_examples=examples(100), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(workflow=sound_workflows(), seed=st.integers(0, 2**32))
def test_the_state_of_a_run_is_the_fold_of_its_events(workflow, seed):
    run = hub_for(workflow, seed, is_async=False).start("random", "g", run_id="r")
    run.run()
    folded = Machine(run.machine.plan, run.machine.limits, run.machine.started)
    folded.replay(run.events)
    assert folded.data == run.machine.data
    assert folded.state == run.state
    assert folded.records == run.machine.records
    assert (folded.recorded, folded.finished) == (run.machine.recorded, run.machine.finished)


@settings(max_examples=examples(60), deadline=None)
@given(workflow=sound_workflows(), seed=st.integers(0, 2**32))
def test_a_workflow_from_its_file_runs_the_same(workflow, seed):
    again = WorkflowDefinition.from_yaml(workflow.to_yaml())
    assert again == workflow == WorkflowDefinition.from_json(workflow.to_json())
    assert again.fingerprint() == workflow.fingerprint()
    one = hub_for(workflow, seed, is_async=False).execute_workflow("random", "g", verbose=False, run_id="r")
    other = hub_for(again, seed, is_async=False).execute_workflow("random", "g", verbose=False, run_id="r")
    assert flow(one) == flow(other)
