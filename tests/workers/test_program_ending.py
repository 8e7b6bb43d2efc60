"""How a program ends: its time is up, its run is cancelled, its process goes; with its children."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from orchestration_kit import Orchestrator, create_generic_pipeline
from orchestration_kit.errors import StepTimeout
from orchestration_kit.workers.adapt import worker_from
from orchestration_kit.workers.processes import run_process
from tests.support import step, workflow_of
from tests.workers.test_program import (
    ECHO,
    FAMILY,
    STUBBORN,
    is_alive,
    output_of,
    pids_in,
    python,
    run_with,
    wait_until,
)


@pytest.mark.parametrize("where", ["worker", "step"])
def test_when_its_time_is_up_it_and_its_children_are_ended(tmp_path, where):
    argv = ["sh", "-c", 'sleep 600 & echo $$ $! > "$1.new"; mv "$1.new" "$1"; wait', "sh", str(tmp_path / "pids")]
    options = {"timeout_s": 0.7} if where == "worker" else {}
    context = run_with(worker_from(argv, **options), **({} if where == "worker" else {"timeout_s": 0.7}))
    assert context.history[-1]["error_type"] == StepTimeout.__name__
    for pid in pids_in(tmp_path / "pids"):
        wait_until(lambda pid=pid: not is_alive(pid))


def test_what_it_leaves_in_the_background_is_ended_with_it(tmp_path):
    argv = python(FAMILY.format(then="print('done')"), str(tmp_path / "pids"))
    assert output_of(worker_from(argv)) == "done"
    for pid in pids_in(tmp_path / "pids"):
        wait_until(lambda pid=pid: not is_alive(pid))


def test_a_cancelled_run_ends_it(tmp_path):
    hub = Orchestrator()
    hub.register_worker(worker_from(python(FAMILY.format(then="child.wait()"), str(tmp_path / "pids"))))
    hub.register_workflow(create_generic_pipeline([("work", "generic", "")]))
    run = hub.start("work", "goal")
    thread = threading.Thread(target=run.run)
    thread.start()
    pids = pids_in(tmp_path / "pids")
    run.cancel("enough")
    thread.join(20)
    assert run.state == "cancelled"
    for pid in pids:
        wait_until(lambda pid=pid: not is_alive(pid))


def test_cancelled_while_it_is_being_started_it_is_ended_with_what_it_has_started(tmp_path):
    async def main():
        argv = python(FAMILY.format(then="child.wait()"), str(tmp_path / "pids"))
        call = asyncio.create_task(run_process(argv, b"", env=os.environ, cwd=None, max_stdout=1_000))
        for _ in range(2):
            await asyncio.sleep(0)  # the process is there, its pipes are not connected
        pids = pids_in(tmp_path / "pids")  # nobody's turn in the loop
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(call, 20)
        return pids

    for pid in asyncio.run(main()):
        wait_until(lambda pid=pid: not is_alive(pid))


@pytest.mark.parametrize("then", ["child.wait()", STUBBORN])
def test_an_interrupt_ends_it_also_where_it_does_not_want_to(tmp_path, then):
    script = tmp_path / "host.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import sys
            from orchestration_kit import Orchestrator, create_generic_pipeline
            from orchestration_kit.workers.adapt import worker_from
            hub = Orchestrator()
            hub.register_worker(worker_from({python(FAMILY.format(then=then), str(tmp_path / "pids"))!r}))
            hub.register_workflow(create_generic_pipeline([("work", "generic", "")]))
            hub.execute_workflow("work", "goal", verbose=False)
            """
        )
    )
    host = subprocess.Popen([sys.executable, str(script)], stderr=subprocess.DEVNULL, cwd=Path(__file__).parents[2])
    pids = pids_in(tmp_path / "pids")
    assert all(map(is_alive, pids))
    host.send_signal(signal.SIGINT)
    assert host.wait(20) != 0
    for pid in pids:
        wait_until(lambda pid=pid: not is_alive(pid))


def test_a_process_that_ends_while_a_thread_runs_it_takes_it_along(tmp_path):
    script = tmp_path / "host.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import os, threading
            from orchestration_kit import Orchestrator, create_generic_pipeline
            from orchestration_kit.workers.adapt import worker_from
            hub = Orchestrator()
            hub.register_worker(worker_from({python(FAMILY.format(then="child.wait()"), str(tmp_path / "pids"))!r}))
            hub.register_workflow(create_generic_pipeline([("work", "generic", "")]))
            threading.Thread(target=hub.start("work", "goal").run, daemon=True).start()
            while not os.path.exists({str(tmp_path / "pids")!r}):
                threading.Event().wait(0.01)
            """
        )
    )
    subprocess.run([sys.executable, str(script)], check=True, cwd=Path(__file__).parents[2], timeout=30)
    for pid in pids_in(tmp_path / "pids"):
        wait_until(lambda pid=pid: not is_alive(pid))


def test_branches_run_their_programs_at_the_same_time(tmp_path):
    # Each waits for the other's file: one after the other they would never end.
    code = """
        import os, pathlib, sys, time
        own, other = (pathlib.Path(one) for one in sys.argv[1:])
        own.touch()
        while not other.exists():
            time.sleep(0.005)
        print("met")
    """
    from orchestration_kit import ParallelStep

    hub = Orchestrator()
    a, b = str(tmp_path / "a"), str(tmp_path / "b")
    hub.register_worker(worker_from(python(code, a, b), worker_type="left", name="left", timeout_s=20))
    hub.register_worker(worker_from(python(code, b, a), worker_type="right", name="right", timeout_s=20))
    flow = workflow_of(
        ParallelStep(step_id="both", branches={"l": "left", "r": "right"}, is_terminal=True),
        step("left"),
        step("right"),
    )
    hub.register_workflow(flow)
    assert hub.execute_workflow("flow", "goal", verbose=False).data["both_output"] == {"l": "met", "r": "met"}


def test_in_an_event_loop_it_works_as_well():
    import asyncio

    hub = Orchestrator()
    hub.register_worker(worker_from(python(ECHO)))
    hub.register_workflow(create_generic_pipeline([("work", "generic", "")]))
    context = asyncio.run(hub.aexecute_workflow("work", "goal", verbose=False))
    assert context.data["work_output"] == "goal"
