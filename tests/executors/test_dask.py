"""Calls on a Dask cluster: the conformance suite, and what only a cluster can do."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import threading
import time

import pytest
from distributed import Client

from orchestration_kit import WorkerDefinition
from orchestration_kit.executors import (
    ClusterLost,
    DaskExecutor,
    InlineExecutor,
    ResourcesMissing,
    WorkerLost,
    local_cluster,
)
from orchestration_kit.executors.conformance import ExecutorConformance, calls
from orchestration_kit.executors.conformance.making import PATIENCE_S, Door, a_call
from orchestration_kit.executors.dask_claims import Claims
from orchestration_kit.testing import assert_same_flow
from tests.executors.flows import mapped, one_step
from tests.executors.test_laws import branched


@pytest.fixture(scope="module")
def client():
    with local_cluster(workers=2) as client:
        yield client


@pytest.fixture
def executor(client):
    with DaskExecutor(client) as executor:
        yield executor


class TestDask(ExecutorConformance):
    loses_machines = True

    @pytest.fixture(scope="class")
    @classmethod
    def make_executor(cls, client):
        return lambda: DaskExecutor(client, patience_s=0)

    @pytest.fixture(autouse=True)
    def _client(self, client):
        self.client = client

    def await_known(self, executor, count):
        deadline = time.monotonic() + PATIENCE_S
        while (known := known_calls(self.client)) is None or len(known) != count:
            assert time.monotonic() < deadline, known


def known_calls(client):
    """What the scheduler has under way, by state; None while a machine has yet to hear of something."""
    states = client.run_on_scheduler(
        lambda dask_scheduler: {key: str(task.state) for key, task in dask_scheduler.tasks.items()}
    )
    known = {key: state for key, state in states.items() if state not in ("memory", "erred", "released", "forgotten")}
    at = client.run(
        lambda dask_worker: [k for k, task in dask_worker.state.tasks.items() if task.state in ("ready", "executing")]
    )
    sent = {key for key, state in known.items() if state == "processing"}
    return known if {key for keys in at.values() for key in keys} == sent else None


def test_the_flow_is_the_same_on_a_cluster(executor):
    assert_same_flow(branched(None, 7), branched(executor, 7))


def test_generators_actions_and_types_of_ones_own_cross(executor):
    def worker(given):
        yield "one "
        yield "two"

    assert one_step(executor, worker).context.get_last_output() == "one two"


def test_a_map_uses_every_machine(executor):
    def worker(item):
        time.sleep(0.01)
        return os.getpid()

    assert len(set(mapped(executor, worker, list(range(20))).context.data["map_output"])) == 2


def test_a_resource_that_no_machine_offers_is_told_after_a_while_with_what_they_offer(client, caplog):
    worker = WorkerDefinition(worker_type="work", name="w", executor=str.upper, resources={"GPU": 1})
    with DaskExecutor(client, patience_s=0.2) as executor, caplog.at_level(logging.WARNING, "orchestration_kit"):
        run = one_step(executor, worker, step={"max_retries": 3})
    [entry] = run.history
    assert entry["error_type"] == "ResourcesMissing"
    assert "No machine offers GPU=1 within 0.2 s. There are: 0: no resources, 1: no resources." in entry["error"]
    assert "--resources" in entry["error"]
    assert "waiting for one" in caplog.text


def test_a_machine_that_comes_in_time_is_used(client):
    worker = WorkerDefinition(worker_type="work", name="w", executor=lambda given: os.getpid(), resources={"GPU": 1})
    address = client.scheduler.address
    command = [sys.executable, "-W", "ignore", "-m", "distributed.cli.dask_worker", address, "--resources", "GPU=2"]
    machine = subprocess.Popen(
        [*command, "--no-nanny", "--no-dashboard", "--nthreads", "1", "--name", "late"], stderr=subprocess.DEVNULL
    )
    try:
        with DaskExecutor(client, patience_s=60) as executor:
            run = one_step(executor, worker)
            assert run.context.get_last_output() == machine.pid, run.context.error
            assert executor.slots == 3
    finally:
        machine.terminate()
        machine.wait()


def test_a_cancel_is_heard_while_no_machine_is_there(client):
    worker = WorkerDefinition(worker_type="work", name="w", executor=str.upper, resources={"GPU": 1})
    with DaskExecutor(client, patience_s=600) as executor:
        run = one_step(executor, worker, step={"timeout_s": 0.1})
    assert run.history[0]["error_type"] == "StepTimeout"


def test_closing_lets_go_of_its_own_calls_and_not_of_the_client(client, tmp_path):
    door, executor = Door(tmp_path), DaskExecutor(client)
    theirs = client.submit(calls.echo, b"theirs", pure=False)
    held = executor.submit(door.call())
    door.await_begun(1)
    executor.close()
    assert held.cancelled()
    door.open(1)
    assert theirs.result(timeout=PATIENCE_S) == b"theirs"
    assert client.status == "running"


def test_an_address_will_do_and_its_client_is_closed_with_the_executor(client):
    with DaskExecutor(client.scheduler.address) as executor:
        assert executor.submit(a_call(calls.echo, b"1")).result(PATIENCE_S) == b"1"
        own = executor._client
    assert own.status == "closed"
    assert client.status == "running"


def test_what_is_no_client_is_refused(client):
    with pytest.raises(TypeError, match=r"takes a distributed\.Client, a cluster or an address"):
        DaskExecutor(3)
    with pytest.raises(TypeError, match=r"DaskExecutor\(client\)"):
        one_step(client, str.upper)

    async def in_a_loop():
        async with Client(client.scheduler.address, asynchronous=True, set_as_default=False) as other:
            with pytest.raises(TypeError, match="not asynchronous"):
                DaskExecutor(other)

    asyncio.run(in_a_loop())


def test_a_cluster_that_is_lost_is_told():
    with local_cluster(workers=1) as client, DaskExecutor(client, patience_s=1) as executor:
        assert executor.submit(a_call(calls.echo, b"1")).result(PATIENCE_S) == b"1"
        futures = [executor.submit(a_call(time_out_bytes, 60)) for _ in range(2)]
        client.cluster.close()
        errors = [future.exception(PATIENCE_S) for future in futures]
        assert {type(error) for error in errors} <= {ClusterLost, ResourcesMissing, WorkerLost}
        assert any("lost" in str(error) for error in errors), errors
        late = executor.submit(a_call(calls.echo, b"2"))
        assert late.exception(PATIENCE_S) is not None


def time_out_bytes(seconds: int) -> bytes:
    threading.Event().wait(seconds)
    return b""


def test_a_claim_is_given_once_and_only_while_somebody_waits_for_the_call():
    claims = Claims()
    claims._tasks = {"call-1": object()}
    assert claims.claim("call-1")
    assert not claims.claim("call-1")
    assert not claims.claim("call-2"), "nobody waits for it"
    claims.transition("call-1", "memory", "forgotten")
    del claims._tasks["call-1"]
    assert not claims.claim("call-1"), "a machine that was thought lost comes late"


def test_a_cluster_of_ones_own_is_reached_from_this_machine_alone(client):
    assert client.scheduler.address.startswith("tcp://127.0.0.1:")
    assert all(address.startswith("tcp://127.0.0.1:") for address in client.scheduler_info()["workers"])
    served = client.cluster.scheduler.http_server._sockets.values()
    assert {one.getsockname()[0] for one in served} == {"127.0.0.1"}


def test_an_inline_executor_and_a_cluster_give_the_same_random_numbers(executor):
    def worker(given, context):
        return context.random.random()

    plain = one_step(InlineExecutor(), worker, run_id="r").context.get_last_output()
    assert one_step(executor, worker, run_id="r").context.get_last_output() == plain
