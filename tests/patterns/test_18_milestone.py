from __future__ import annotations

from orchestration_kit import Branch, ParallelStep, WaitStep
from tests.branches.doors import ends_of, flow_of, hub_of, paths, run_flow, through
from tests.support import step


def test_18_a_step_is_taken_only_while_the_state_is_what_it_has_to_be(door):
    """The change of an order counts only as long as it has not been shipped."""
    flow = flow_of(
        step("change", "refuse", branches=(Branch(when="data.stage == 'open'", to="apply"),)),
        step("apply"),
        step("refuse"),
    )
    workers = {"change": str, "apply": str, "refuse": str}
    for stage, taken in (("open", "apply"), ("shipped", "refuse")):
        run = run_flow(flow, workers, door, data={"stage": stage})
        assert paths(run) == ["change#1", f"{taken}#1"]
        assert run.history[0]["why"] == [
            {"text": "data.stage == 'open'", "inputs": {"data.stage": stage}, "result": stage == "open"}
        ]


def test_18_a_branch_goes_on_when_another_has_come_so_far(door):
    """The milestone is an event that the branch which reaches it has sent from outside."""
    flow = flow_of(
        ParallelStep(step_id="p", branches={"build": "build", "announce": "wait"}, is_terminal=True),
        step("build", "test", is_terminal=False),
        step("test", is_terminal=False),
        WaitStep(step_id="wait", event="built", on_success="tell"),
        step("tell", is_terminal=False),
    )

    def build(_):
        hub.last_run.send("built", {"version": 2})
        return "built"

    hub = hub_of(flow, {"build": build, "test": str, "tell": lambda given: f"version {given['version']}"})
    run = through(door, hub.start("flow", "go"))
    assert run.state == "completed"
    assert paths(run) == [
        "p#1[build]/build#1",
        "p#1[build]/test#1",
        "p#1[announce]/wait#1",
        "p#1[announce]/tell#1",
        "p#1",
    ]
    assert run.context.data["p_output"] == {"build": "built", "announce": "version 2"}
    assert ends_of(run, "p#1") == {"build": "completed", "announce": "completed"}
