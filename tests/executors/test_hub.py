"""What a hub does with an executor: where workers are called, how long it waits, and what it says when that fails."""

from __future__ import annotations

import asyncio
import os
import threading
import time

import pytest

from orchestration_kit import Failure, RetryPolicy, Spawn, WorkerDefinition
from orchestration_kit.engine.executor_port import Call
from orchestration_kit.engine.outcome import Action
from orchestration_kit.executors import InlineExecutor, ProcessesExecutor, ThreadsExecutor
from orchestration_kit.governance.constraints import create_default_engine
from orchestration_kit.journal import MemoryJournal
from orchestration_kit.journal.cassette import Cassette
from orchestration_kit.templates import create_generic_pipeline
from tests.executors.flows import hub_with, one_step
from tests.support import step

HERE = os.getpid()


@pytest.fixture(scope="module", name="processes")
def two_processes():
    with ProcessesExecutor(2) as executor:
        yield executor


@pytest.fixture(scope="module", name="threads")
def two_threads():
    with ThreadsExecutor(2) as executor:
        yield executor


@pytest.fixture(params=["inline", "threads", "processes"], name="executor")
def the_executor(request, threads, processes):
    return {"inline": InlineExecutor(), "threads": threads, "processes": processes}[request.param]


class Recorder(InlineExecutor):
    """Notes the calls that it makes."""

    def __init__(self):
        super().__init__()
        self.calls: list[Call] = []

    def submit(self, call):
        self.calls.append(call)
        return super().submit(call)


def wait_for_file(path: str) -> str:
    while not os.path.exists(path):
        time.sleep(0.005)
    return "through"


# --- where workers are called


def test_workers_are_called_in_other_processes(processes):
    run = one_step(processes, lambda given: os.getpid())
    assert run.context.get_last_output() != HERE


def test_every_call_of_a_worker_goes_through_the_executor_and_a_passed_on_output_does_not():
    executor = Recorder()
    hub = hub_with(
        executor,
        step("a", "b", max_retries=1),
        step("b", "end"),
        step("end"),
        workers={"a": failing_once(), "b": str.upper},
    )
    context = hub.execute_workflow("flow", "g", verbose=False)
    assert context.get_last_output() == "G"
    assert [call.key.split("|")[1] for call in executor.calls] == ["a#1", "a#1", "b#1"]


def failing_once():
    def worker(given, context):
        if context.attempt == 1:
            raise OSError("once")
        return given

    return worker


def test_async_workers_stay_in_the_loop(processes):
    async def worker(given):
        await asyncio.sleep(0)
        return os.getpid()

    assert one_step(processes, worker).context.get_last_output() == HERE


def test_a_worker_can_be_kept_at_the_hub(processes):
    worker = WorkerDefinition(worker_type="work", name="w", executor=lambda given: os.getpid(), at_hub=True)
    assert one_step(processes, worker).context.get_last_output() == HERE


def test_a_person_is_asked_at_the_hub(processes):
    from orchestration_kit import worker_from
    from orchestration_kit.workers.person import Person

    worker = worker_from(Person("How many?", schema=int), worker_type="work", ask=lambda shown: "3")
    assert one_step(processes, worker).context.get_last_output() == 3


def test_stand_ins_of_one_run_go_through_the_executor_too(processes):
    hub = hub_with(processes, step("a"), workers={"a": str.upper})
    run = hub.start("flow", "g", workers={"a": lambda given: os.getpid()})
    assert run.run().get_last_output() != HERE


def test_subworkflows_are_run_by_the_hub_and_their_workers_by_the_executor(processes):
    from orchestration_kit import SubworkflowStep
    from tests.support import workflow_of

    hub = hub_with(
        processes,
        SubworkflowStep(step_id="inner", workflow="other", on_success="end"),
        step("end"),
        workers={"a": lambda given: os.getpid()},
    )
    hub.register_workflow(workflow_of(step("a"), name="other"))
    assert hub.execute_workflow("flow", "g", verbose=False).get_last_output() != HERE


def test_a_worker_on_a_thread_may_run_a_workflow_of_its_own_hub_though_no_thread_is_left():
    with ThreadsExecutor(1) as executor:
        hub = hub_with(
            executor,
            step("a"),
            workers={"a": lambda given: hub.execute_workflow("inner", given, verbose=False).get_last_output()},
        )
        from tests.support import workflow_of

        hub.register_worker(WorkerDefinition(worker_type="b", name="b", executor=str.upper))
        hub.register_workflow(workflow_of(step("b"), name="inner"))
        assert hub.execute_workflow("flow", "g", verbose=False).get_last_output() == "G"


def test_the_key_of_a_call_holds_run_position_attempt_and_the_epoch_of_the_lease():
    executor, journal = Recorder(), MemoryJournal()
    hub = hub_with(executor, step("a", "b"), step("b"), workers={"a": str.upper, "b": str.lower}, journal=journal)
    run = hub.start("flow", "g", run_id="mine")
    run.step()
    run.step()
    first, second = (call.key.split("|")[:4] for call in executor.calls)
    assert first == ["mine", "a#1", "1", "1"]
    assert second == ["mine", "b#1", "1", "2"], "each driving has a lease of its own"
    assert len({call.key for call in executor.calls}) == 2


def test_what_is_no_executor_is_refused_with_what_would_be_one():
    with pytest.raises(TypeError, match=r"Give ThreadsExecutor\(8\)"):
        hub_with("threads", step("a"), workers={"a": str})
    with pytest.raises(TypeError, match=r"executor=ThreadsExecutor\(\.\.\.\)"):
        hub_with(ThreadsExecutor, step("a"), workers={"a": str})


# --- outcomes


def test_a_returned_failure_is_one(executor):
    entry = one_step(executor, lambda given: Failure("3 tests fail", output={"failing": 3})).history[0]
    assert (entry["success"], entry["error"], entry["error_type"]) == (False, "3 tests fail", "OutputRejected")
    assert entry["output"] == {"error": "3 tests fail", "output": {"failing": 3}}


def test_a_raised_failure_keeps_its_output(executor):
    def worker(given):
        raise Failure("no", output=[1])

    assert one_step(executor, worker).history[0]["output"] == {"error": "no", "output": [1]}


def test_retry_policies_see_the_bases_of_an_error(executor):
    def worker(given, context):
        if context.attempt < 3:
            raise ConnectionResetError("busy")
        return context.last_error.type

    run = one_step(executor, worker, step={"max_retries": 5, "retry": RetryPolicy(retry_on=("ConnectionError",))})
    assert run.context.get_last_output() == "ConnectionResetError"
    run = one_step(executor, worker, step={"max_retries": 5, "retry": RetryPolicy(retry_on=("ValueError",))})
    assert len(run.history) == 1


def test_where_an_error_was_raised_is_told_in_its_notes(processes):
    def worker(given):
        return 1 / 0

    run = one_step(processes, worker)
    assert run.history[0]["error_type"] == "ZeroDivisionError"
    assert "return 1 / 0" in "".join(run.exception.__notes__) or "in worker" in "".join(run.exception.__notes__)


def test_a_returned_action_is_carried_out_by_the_hub(executor):
    sent = []
    hub = {
        "constraints": create_default_engine(allowed_domains=["example.org"]),
        "actions": {"send_email": lambda data: sent.append((os.getpid(), data["subject"])) or "sent"},
    }
    mail = {"to": "ann@example.org", "body": "..."}
    run = one_step(executor, lambda given: Action("send_email", {**mail, "subject": given}), hub=hub)
    assert run.context.get_last_output() == "sent", run.context.error
    assert sent == [(HERE, "g")]


def test_a_spawned_workflow_runs(executor):
    def worker(given):
        return Spawn(create_generic_pipeline([("look_up", "helper", "")]), input="moon")

    hub = hub_with(executor, step("work"), workers={"work": worker, "helper": str.upper})
    assert hub.execute_workflow("flow", "g", verbose=False).get_last_output() == "MOON"


def test_pieces_are_told_and_collected(executor):
    def worker(given, context):
        for word in ("one ", "two ", "three"):
            context.data["last"] = word
            yield word

    told = []
    run = one_step(executor, worker, observers=[lambda event: told.append(event)])
    assert run.context.get_last_output() == "one two three"
    assert run.context.data["last"] == "three"
    assert [event.piece for event in told if type(event).__name__ == "PartialOutput"] == ["one ", "two ", "three"]


def test_pieces_before_an_error_are_told(executor):
    def worker(given):
        yield "one"
        raise OSError("then")

    told = []
    run = one_step(executor, worker, observers=[lambda event: told.append(event)])
    assert [event.piece for event in told if type(event).__name__ == "PartialOutput"] == ["one"]
    assert run.history[0]["error"] == "then"


def test_transformers_schema_and_success_when_stay_at_the_hub(processes):
    held = threading.Lock()  # nothing that leaves this process could hold it

    def before(given, context):
        with held:
            return given + "!"

    def after(output):
        with held:
            return output + os.getpid()

    worker = WorkerDefinition(
        worker_type="work",
        name="w",
        executor=lambda given: len(given),
        input_transformer=before,
        output_transformer=after,
        output_schema=int,
    )
    run = one_step(processes, worker, step={"success_when": "output == 2"})
    assert run.context.get_last_output() == 2 + HERE


def test_secrets_are_kept_off_the_record(executor, monkeypatch):
    monkeypatch.setenv("MY_API_KEY", "sk-very-secret-0123456789")
    run = one_step(executor, lambda given: "key: sk-very-secret-0123456789")
    assert "sk-very-secret" not in str(run.history)


def test_a_cassette_stays_at_the_hub_and_its_replay_calls_nothing(tmp_path, processes):
    path = tmp_path / "tape.yaml"
    tape = Cassette(path, mode="record")
    worker = lambda given, context: (context.data.update(pid=os.getpid()), given.upper())[1]
    first = one_step(processes, worker, hub={"cassette": tape}, run_id="r")
    assert first.context.data["pid"] != HERE
    executor = Recorder()
    again = one_step(executor, worker, hub={"cassette": Cassette(path, mode="replay")}, run_id="r")
    assert again.context.data == first.context.data
    assert not executor.calls
