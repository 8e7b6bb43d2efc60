"""Row 5: replay of generated workflows takes the same path and calls nobody; through a journal, and in forks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration_kit import Orchestrator, WorkerDefinition, WorkflowDefinition
from orchestration_kit.engine.events import AttemptFinished
from orchestration_kit.engine.replay import replay
from orchestration_kit.engine.run import Run
from orchestration_kit.journal.memory import MemoryJournal
from orchestration_kit.testing import FakeClock, assert_same_flow
from tests.engine.test_laws import LIMITS, outcome, sound_workflows

MAX_FORKS = 6


def hub_of(journal: Any, workflow: WorkflowDefinition, seed: int | None, calls: list[str]) -> Orchestrator:
    """A hub with the workflow and its worker; without a seed, with nothing."""
    hub = Orchestrator(journal=journal, clock=FakeClock(), limits=LIMITS)
    if seed is not None:

        def worker(given, context):
            calls.append(context.path)
            return outcome(seed, context)

        hub.register_worker(WorkerDefinition(worker_type="any", name="any", executor=worker))
        hub.register_workflow(workflow)
    return hub


def hold_row_5(workflow: WorkflowDefinition, seed: int, figures: dict[str, int]) -> None:
    calls: list[str] = []
    with MemoryJournal() as journal:
        hub = hub_of(journal, workflow, seed, calls)
        run = hub.start("random", "g", run_id="r")
        run.run()
        made = len(calls)
        _hold_replays(run, hub_of(journal, workflow, seed, calls).get_run("r"))
        _hold_replays(run, hub_of(journal, workflow, None, calls).get_run("r"))
        assert len(calls) == made, "a replay called a worker"
        figures["workflows"] += 1
        figures["attempts"] += len(run.history)
        figures["forks"] += _hold_forks(run, hub)


def _hold_replays(run: Run, loaded: Run) -> None:
    assert loaded.events == run.events
    assert repr(loaded.events) == repr(run.events)  # 1 and 1.0 are equal
    assert (loaded.machine.started, loaded.machine.limits) == (run.machine.started, run.machine.limits)
    for one in (run, loaded):
        again = replay(one)
        assert again.is_same, again
        assert again.attempts == len(run.history)
        assert again.context.history == run.history
        assert dict(again.context.data) == dict(run.context.data)
        assert again.context.state == run.state


def _hold_forks(run: Run, hub: Orchestrator) -> int:
    """With the same workers, a fork at any visit comes to the same end by the same way, but for its own randomness."""
    paths = list(dict.fromkeys(event.path for event in run.events if isinstance(event, AttemptFinished)))
    for path in paths[:MAX_FORKS]:
        fork = run.fork(path)
        fork.run()
        assert_same_flow(fork, run)
        loaded = hub_of(hub.journal, run.workflow, None, []).get_run(fork.run_id)
        assert loaded.events == fork.events
    return len(paths[:MAX_FORKS])


def figure_of(examples: int) -> str:
    figures = dict.fromkeys(("workflows", "attempts", "forks"), 0)

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(workflow=sound_workflows(), seed=st.integers(0, 2**32))
    def hold(workflow, seed):
        hold_row_5(workflow, seed, figures)

    hold()
    assert figures["workflows"] >= examples
    return (
        f"row 5: {figures['workflows']:,} generated workflows, {figures['attempts']:,} attempts, {figures['forks']:,} forks: "
        "identical transitions, 0 worker calls"
    )


def test_replay_of_generated_workflows_takes_the_same_path_and_calls_nobody(figure):
    figure(figure_of(60))


@pytest.mark.soak
def test_replay_of_a_thousand_generated_workflows_takes_the_same_path_and_calls_nobody(figure):
    figure(figure_of(1_000))
