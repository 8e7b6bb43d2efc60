"""A real Ctrl-C at any moment: the run ends on record and can be looked at, and nothing is left locked."""

from __future__ import annotations

import ast
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import hub_of, step, workflow_of

ROOT = Path(__file__).parent.parent.parent

STEPS = 40


def interrupted_runs(count: int, seed: int) -> dict[str, int]:
    """Drive runs with a signal at a random moment each, hold the promises, and count how they ended."""
    ids = [f"s{n}" for n in range(STEPS)]
    steps = [step(s, ids[n + 1] if n + 1 < STEPS else None, worker_type="w") for n, s in enumerate(ids)]
    hub = hub_of(workflow_of(*steps), {"w": lambda given, context: given}, observers=[lambda event: None])
    draw, ended = random.Random(seed), {"completed": 0, "cancelled": 0, "not begun": 0}

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for _ in range(count):
            heard = []
            run = hub.start("flow", "g", observers=[heard.append])
            try:
                signal.setitimer(signal.ITIMER_REAL, draw.uniform(1e-6, 400e-6))
                run.run()
                signal.setitimer(signal.ITIMER_REAL, 0)
            except KeyboardInterrupt:
                signal.setitimer(signal.ITIMER_REAL, 0)
            if not run.is_finished:
                assert run.events == [run.machine.started]
                ended["not begun"] += 1
            else:
                assert run.next_step is None
                assert run.events[-1].steps == len(run.history)
                ended[run.state] += 1
            run.cancel()
            assert run.run().state in ("completed", "cancelled")
            assert [entry["seq"] for entry in run.history] == list(range(1, len(run.history) + 1))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return ended


def in_a_process_of_its_own(count: int, seed: int) -> str:
    """Signals reach the main thread, and must not hit the tools of the tests."""
    code = f"from tests.engine.test_signals import interrupted_runs; print(interrupted_runs({count}, {seed}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_an_interrupt_at_any_moment_leaves_no_run_wedged_or_locked(capsys):
    ended = in_a_process_of_its_own(500, seed=1)
    with capsys.disabled():
        print(f"\n500 runs with a signal each: {ended}")
    assert ast.literal_eval(ended)["cancelled"] > 20


@pytest.mark.soak
def test_fifty_thousand_interrupts_leave_no_run_wedged_or_locked(capsys):
    ended = in_a_process_of_its_own(50_000, seed=2)
    with capsys.disabled():
        print(f"\n50,000 runs with a signal each: {ended}")
    assert ast.literal_eval(ended)["cancelled"] > 2_000
