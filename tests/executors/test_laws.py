"""Laws: wherever workers are called, the flow is the same."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration_kit import MapStep, Orchestrator, WorkerDefinition, WorkflowStep
from orchestration_kit.executors import FuturesExecutor, InlineExecutor, ProcessesExecutor, ThreadsExecutor
from orchestration_kit.testing import FakeClock, assert_same_flow
from tests.engine.test_laws import LIMITS, outcome, sound_workflows
from tests.executors.flows import everything, hub_with, thread_pool
from tests.laws import examples
from tests.support import step

SLOWLY = settings(max_examples=examples(20), deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def executors():
    with InlineExecutor() as inline, ThreadsExecutor(3) as threads, thread_pool() as pool:
        yield [inline, threads, pool]


@pytest.fixture(scope="module")
def processes():
    with ProcessesExecutor(2) as executor:
        yield executor


def run_on(executor, workflow, seed, *, in_loop=False):
    hub = Orchestrator(executor=executor, clock=FakeClock(), limits=LIMITS)

    def worker(input_data, context):
        return outcome(seed, context)

    hub.register_worker(WorkerDefinition(worker_type="any", name="any", executor=worker))
    hub.register_workflow(workflow)
    run = hub.start("random", "g", run_id="r")
    asyncio.run(run.arun()) if in_loop else run.run()
    return run


@SLOWLY
@given(workflow=sound_workflows(), seed=st.integers(0, 2**32))
def test_the_flow_is_the_same_on_every_executor_and_through_every_door(executors, workflow, seed):
    plain = run_on(None, workflow, seed)
    for executor in executors:
        assert_same_flow(plain, run_on(executor, workflow, seed))
    assert_same_flow(plain, run_on(executors[1], workflow, seed, in_loop=True))


@settings(SLOWLY, max_examples=examples(8))
@given(workflow=sound_workflows(), seed=st.integers(0, 2**32))
def test_the_flow_is_the_same_in_processes(processes, workflow, seed):
    plain = run_on(None, workflow, seed)
    assert_same_flow(plain, run_on(processes, workflow, seed))
    assert_same_flow(plain, run_on(processes, workflow, seed, in_loop=True))


def branched(executor, seed, *, in_loop=False):
    hub = hub_with(
        executor,
        step("first", "map", worker_type="any", max_retries=3, on_failure="map"),
        MapStep(step_id="map", over="data.items", body="one", on_success="last", failure="continue", reducer="last"),
        WorkflowStep(step_id="one", worker_type="any", on_success="two", max_retries=1),
        WorkflowStep(step_id="two", worker_type="any", is_terminal=True, max_retries=1),
        step("last", None, worker_type="any", max_retries=3),
        workers={"any": everything},
        clock=FakeClock(),
    )
    run = hub.start("flow", "g", {"items": list(range(6))}, run_id="r", seed=seed)
    asyncio.run(run.arun()) if in_loop else run.run()
    return run


@settings(SLOWLY, max_examples=examples(10))
@given(seed=st.integers(0, 2**32))
def test_branches_and_all_that_a_context_tells_are_the_same_on_every_executor(executors, processes, seed):
    plain = branched(None, seed)
    for executor in [*executors, processes]:
        other = branched(executor, seed)
        assert_same_flow(plain, other)
        assert other.context.data == plain.context.data
        assert [e["usage"] for e in other.history] == [e["usage"] for e in plain.history]
    assert_same_flow(plain, branched(processes, seed, in_loop=True))


def test_a_pool_of_the_standard_library_is_taken_as_it_is(processes):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2) as pool:
        hub = hub_with(pool, step("a"), workers={"a": str.upper})
        assert isinstance(hub.place.executor, FuturesExecutor)
        assert hub.execute_workflow("flow", "g", verbose=False).get_last_output() == "G"
