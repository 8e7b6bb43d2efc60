from __future__ import annotations

import threading

from orchestration_kit import Branch, ParallelStep
from tests.branches.doors import ends_of, flow_of, hub_of, paths, run_flow
from tests.support import step

FLOW = flow_of(
    ParallelStep(
        step_id="p",
        branches={
            "never": Branch(when="false", to="never"),
            "one": Branch(when="data.wanted >= 1", to="one"),
            "two": Branch(when="data.wanted >= 2", to="two"),
        },
        on_success="end",
    ),
    step("never", is_terminal=False),
    step("one", is_terminal=False),
    step("two", is_terminal=False),
    step("end"),
)


def test_07_the_join_waits_for_exactly_the_branches_that_were_activated(door):
    workers = {"one": lambda _: 1, "two": lambda _: 2, "never": lambda _: 1 / 0, "end": dict}
    for wanted, names in ((0, []), (1, ["one"]), (2, ["one", "two"])):
        run = run_flow(FLOW, workers, door, data={"wanted": wanted})
        assert run.state == "completed"
        assert paths(run)[-2:] == ["p#1", "end#1"]
        assert ends_of(run, "p#1") == dict.fromkeys(names, "completed")


def test_07_it_does_wait_for_each_of_them():
    go_on, seen = threading.Event(), []

    def one(_):
        assert go_on.wait(30)
        seen.append("one")

    def two(_):
        seen.append("two")
        go_on.set()

    workers = {"one": one, "two": two, "never": str, "end": lambda _: list(seen)}
    run = hub_of(FLOW, workers).start("flow", "go", {"wanted": 2})
    assert run.run().data["end_output"] == ["two", "one"]
