"""A hub with an executor: waiting, and errors that say what to do."""

from __future__ import annotations

import asyncio
import os
import threading
import time

import pytest

from orchestration_kit import MapStep, RunLimits, WorkerDefinition
from orchestration_kit.engine.outcome import Action
from orchestration_kit.executors import ProcessesExecutor, ThreadsExecutor
from tests.executors.flows import hub_with, mapped, one_step
from tests.executors.test_hub import the_executor, two_processes, two_threads, wait_for_file  # noqa: F401 - fixtures
from tests.support import step


@pytest.mark.parametrize("in_loop", [False, True], ids=["sync", "in a loop"])
def test_a_time_limit_ends_the_wait_and_the_executor_goes_on(executor, tmp_path, in_loop):
    door = str(tmp_path / "door")
    hub = hub_with(
        executor,
        step("work", "next", timeout_s=0.05, on_failure="next"),
        step("next"),
        workers={"work": lambda given: wait_for_file(door), "next": lambda given: "next"},
    )
    run = hub.start("flow", "g")
    begun = time.monotonic()
    asyncio.run(run.arun()) if in_loop else run.run()
    open(door, "w").close()
    assert time.monotonic() - begun < 5
    assert run.history[0]["error_type"] == "StepTimeout"
    assert run.context.get_last_output() == "next"


@pytest.mark.parametrize("in_loop", [False, True], ids=["sync", "in a loop"])
def test_a_cancel_is_heard_while_a_worker_is_away(request, threads, processes, tmp_path, in_loop):
    for executor in (threads, processes):
        door, begun = str(tmp_path / f"door{executor}"), str(tmp_path / f"begun{executor}")

        def worker(given):
            open(begun, "w").close()
            return wait_for_file(door)

        hub = hub_with(executor, step("work"), workers={"work": worker})
        run = hub.start("flow", "g")

        def cancel():
            wait_for_file(begun)
            run.cancel("enough")

        thread = threading.Thread(target=cancel)
        thread.start()
        asyncio.run(run.arun()) if in_loop else run.run()
        thread.join()
        assert (run.state, run.history[-1]["error_type"]) == ("cancelled", "RunCancelled")
        open(door, "w").close()
        assert one_step(executor, str.upper).context.get_last_output() == "G"


def test_the_time_of_an_attempt_begins_when_there_is_room_for_it(threads):
    def worker(item):
        time.sleep(0.05)
        return item

    run = mapped(threads, worker, list(range(16)), step={"timeout_s": 0.35})
    assert run.context.data["map_output"] == list(range(16)), "all but the first wait longer than their time limit"


def test_a_losing_branch_is_let_go_of(tmp_path):
    door = str(tmp_path / "door")

    def worker(item):
        return item if item == 3 else wait_for_file(door)

    with ProcessesExecutor(4) as executor:
        run = mapped(executor, worker, [0, 1, 2, 3], map={"join": "any"})
        assert run.context.data["map_output"] == [3]
        assert mapped(executor, str, [1, 2]).context.data["map_output"] == ["1", "2"], "its processes are free again"


def test_a_map_has_no_more_under_way_than_twice_the_slots_and_needs_no_more_threads():
    now, most, most_threads, lock = [0], [0], [0], threading.Lock()

    def worker(item):
        with lock:
            now[0] += 1
            most[0], most_threads[0] = max(most[0], now[0]), max(most_threads[0], threading.active_count())
        time.sleep(0.0005)
        with lock:
            now[0] -= 1
        return item

    before = threading.active_count()
    with ThreadsExecutor(3) as executor:
        run = mapped(executor, worker, list(range(1_000)))
    assert run.context.data["map_output"] == list(range(1_000))
    assert most[0] <= 3
    assert most_threads[0] - before <= 3 + 6 + 2


def test_a_thousand_items_in_an_event_loop_need_no_thread_each(threads):
    most = [0]

    def worker(item):
        most[0] = max(most[0], threading.active_count())
        return item

    before = threading.active_count()
    hub = hub_with(
        threads,
        MapStep(step_id="map", over="data.items", body="work", on_success="end"),
        step("work"),
        step("end"),
        workers={"work": worker},
        limits=RunLimits(max_steps=5_000),
    )
    context = asyncio.run(hub.aexecute_workflow("flow", "g", {"items": list(range(500))}, verbose=False))
    assert context.data["map_output"] == list(range(500))
    assert most[0] - before <= 12


# --- errors that say what to do


def test_code_that_cannot_leave_the_process_is_named(processes):
    lock = threading.Lock()

    def worker(given):
        with lock:
            return given

    entry = one_step(processes, worker, step={"max_retries": 3}).history[-1]
    assert entry["attempt"] == 1, "another attempt would come to the same"
    assert entry["error_type"] == "NotSendable"
    assert "The code of worker 'work'" in entry["error"]
    assert "at_hub=True" in entry["error"]


def test_an_output_that_is_no_data_is_named(processes):
    error = one_step(processes, lambda given: {"client": threading.Lock()}).history[0]["error"]
    assert "the output of step 'work' at ['client']" in error


def test_an_entry_of_the_bus_that_is_no_data_is_missed_by_who_looks_at_it(processes):
    data = {"client": threading.Lock(), "x": 1}
    assert one_step(
        processes, lambda given, context: (context.data["x"], sorted(context.data)), data=data
    ).context.get_last_output() == (1, ["client", "x"])
    entry = one_step(processes, lambda given, context: context.data["client"], data=data).history[0]
    assert entry["error_type"] == "NotAtTheHub" or "data['client']" in entry["error"]
    assert "input_transformer" in entry["error"]


def test_what_only_the_hub_has_says_what_to_do_instead(processes):
    for ask, hint in {
        lambda given, context: context.act(Action("note", {})): "Return the action",
        lambda given, context: context.wisdom: "input_transformer",
        lambda given, context: context.workflow: "at_hub=True",
    }.items():
        entry = one_step(processes, ask).history[0]
        assert entry["error_type"] == "NotAtTheHub"
        assert hint in entry["error"]


def test_a_resource_that_this_machine_lacks_is_told_at_once(executor):
    worker = WorkerDefinition(worker_type="work", name="w", executor=str.upper, resources={"GPU": 1})
    entry = one_step(executor, worker, step={"max_retries": 3}).history[-1]
    assert (entry["attempt"], entry["error_type"]) == (1, "ResourcesMissing")
    assert "No machine offers GPU=1" in entry["error"]


def test_calls_that_need_a_resource_take_turns():
    now, most = [0], [0]

    def worker(item):
        now[0] += 1
        most[0] = max(most[0], now[0])
        time.sleep(0.001)
        now[0] -= 1
        return item

    definition = WorkerDefinition(worker_type="work", name="w", executor=worker, resources={"GPU": 1})
    with ThreadsExecutor(4, resources={"GPU": 1}) as executor:
        run = mapped(executor, definition, list(range(20)))
    assert run.context.data["map_output"] == list(range(20))
    assert most[0] == 1


def test_a_worker_that_ends_its_process_is_called_again_and_one_that_is_not_idempotent_is_not(processes, tmp_path):
    mark = tmp_path / "mark"

    def worker(given):
        with mark.open("a") as file:
            file.write("x")
        if len(mark.read_text()) < 3:
            os._exit(1)
        return "alive"

    assert one_step(processes, worker).context.get_last_output() == "alive"
    mark.write_text("")
    once = WorkerDefinition(worker_type="work", name="w", executor=worker, idempotent=False)
    run = one_step(processes, once, step={"max_retries": 5})
    assert [entry["error_type"] for entry in run.history] == ["WorkerLost"]
    assert "not idempotent" in run.history[0]["error"]
    assert mark.read_text() == "x"


def test_large_data_is_sent_to_each_process_once(processes):
    data = {"big": ["word"] * 100_000}

    def worker(item, context):
        return len(context.data["big"]) + item

    hub = hub_with(
        processes,
        MapStep(step_id="map", over="data.items", body="work", on_success="end"),
        step("work"),
        step("end"),
        workers={"work": worker},
    )
    sent = []
    hub.place.executor = Spy(processes, sent)
    context = hub.execute_workflow("flow", "g", {"items": list(range(50)), **data}, verbose=False)
    assert context.data["map_output"] == [100_000 + item for item in range(50)]
    assert sum(size > 500_000 for size in sent) <= 4, "those under way before the first came back"


class Spy:
    def __init__(self, executor, sent):
        self.executor, self.sent = executor, sent

    def submit(self, call):
        self.sent.append(sum(map(len, call.arguments)))
        return self.executor.submit(call)

    def cancel(self, future):
        self.executor.cancel(future)
