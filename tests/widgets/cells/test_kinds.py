"""Steps that are more than a worker: approvals, events, times, branches, maps, sub-workflows, ends, compensation."""

from __future__ import annotations

import pytest

from orchestration_kit import ApprovalStep, MapStep, ParallelStep, SubworkflowStep, WaitStep
from orchestration_kit.widgets.cells import current
from tests.support import step, workflow_of
from tests.widgets.cells.flows import hub_with, outputs, paths


@pytest.fixture
def begin(new_notebook):
    def make(*steps, journal=None, others=(), **workers):
        workflow = workflow_of(*steps, name="flow")
        notebook = new_notebook(hub=hub_with(workflow, *others, journal=journal, **workers))
        notebook.run("%workflow flow --goal g")
        return notebook

    return make


def the_run():
    return current.current().run


SIGN = (
    step("draft", "sign"),
    ApprovalStep(step_id="sign", prompt="Print it?", on_success="print", on_failure="draft"),
    step("print"),
)


def test_a_person_is_asked_as_soon_as_it_is_their_turn(begin):
    notebook = begin(*SIGN)
    cell = notebook.run("#| step draft\n'text'")
    assert cell.text.splitlines()[1:] == [
        "flow:  draft ✓ → sign ?",
        "sign#1 asks for approval: Print it? [input: 'text']  %approve  or  %reject WHY",
    ]
    assert "%approve   or   %reject WHY" in str(notebook.run("%run_next").refusal)
    assert "the run waits for sign#1" in str(notebook.run("#| step print\n1").refusal)


def test_approved_the_run_goes_on_to_the_next_cell(begin):
    notebook = begin(*SIGN)
    notebook.run("#| step draft\n'text'")
    assert notebook.run("%approve {'copies': 3}").text.splitlines()[0] == "It was approved."
    notebook.run("#| step print\ninput['copies']")
    assert outputs(the_run())["print#1"] == 3


def test_rejected_it_takes_its_failure_path_with_the_reason_on_record(begin):
    notebook = begin(*SIGN)
    notebook.run("#| step draft\n'text'")
    assert "Next: draft" in notebook.run("%reject it's too short {really}").text
    assert the_run().history[1]["error"].endswith("it's too short {really}")
    notebook.run("#| step draft\n'longer'")
    notebook.run("%approve")
    notebook.run("#| step print\ninput")
    assert paths(the_run()) == ["draft#1", "sign#1", "draft#2", "sign#2", "print#1"]


def test_an_approval_is_not_carried_over_to_another_question(begin):
    notebook = begin(
        step("draft", "sign"), ApprovalStep(step_id="sign", prompt="Ok?", on_success="print"), step("print")
    )
    notebook.run("#| step draft\n'text'")
    notebook.run("%approve")
    notebook.run("#| step draft\n'other text'")
    assert "sign#1 asks for approval" in notebook.run("%workflow").text
    notebook.run("#| step draft\n'text'")
    assert "Next: print" in notebook.run("%workflow").text, "the very question that was answered is not asked again"


def test_an_event_is_waited_for_and_told_how_to_send(begin):
    notebook = begin(step("a", "mail"), WaitStep(step_id="mail", event="mail", on_success="b"), step("b"))
    notebook.run("#| step a\n1")
    assert "session.run.send('mail', ...)" in notebook.run("%workflow").text
    the_run().send("mail", "hello")
    assert "Next: b" in notebook.run("%run_next").text
    notebook.run("#| step b\ninput")
    assert outputs(the_run())["b#1"] == "hello"


def test_a_time_is_waited_for_when_it_is_asked(begin):
    notebook = begin(step("a", "pause"), WaitStep(step_id="pause", for_s=0.01, on_success="b"), step("b"))
    assert "Next: pause. To wait for its time:  %run_next" in notebook.run("#| step a\n1").text
    notebook.run("%run_next")
    notebook.run("#| step b\ninput")
    assert the_run().state == "completed"


MAP = (
    step("find", "each"),
    MapStep(step_id="each", over="output", body="read", on_success="sum"),
    step("read", "rate", is_terminal=False),
    step("rate", None, is_terminal=False),
    step("sum"),
)


def test_a_cell_of_a_maps_body_is_called_for_each_item(begin):
    notebook = begin(*MAP)
    told = notebook.run("#| step find\n['x', 'y', 'z']")
    assert "Next: read, which has no worker. Write a cell for it:  #| step read" in told.text
    read = notebook.run("#| step read\ninput + context.branch")
    assert read.shown == ["{'0': 'x0', '1': 'y1', '2': 'z2'}"]
    assert read.text.splitlines()[:2] == [
        "each#1[]/read#1 was made in 3 branches.",
        "flow:  find ✓ → read ✓ ×3 → rate ?",
    ]
    notebook.run("#| step rate\nlen(input)")
    notebook.run("#| step sum\ninput")
    assert outputs(the_run())["sum#1"] == [2, 2, 2]


def test_an_edited_cell_of_a_maps_body_is_called_for_each_item_again(begin):
    notebook = begin(*MAP)
    notebook.all(
        "#| step find\n['x', 'y']", "#| step read\ninput", "#| step rate\nlen(input)", "#| step sum\nsum(input)"
    )
    notebook.run("#| step read\ninput * (2 if context.branch == '1' else 1)")
    assert current.current().stale == ["each#1[]/rate#1", "sum#1"]
    assert "Made again: 2." in notebook.run("%refresh").text
    assert outputs(the_run())["sum#1"] == 3
    cached = {entry["path"]: entry["cached"] for entry in the_run().history}
    assert (cached["each#1[0]/rate#1"], cached["each#1[1]/rate#1"]) == (True, False)


def test_a_map_over_nothing_has_nothing_to_do(begin):
    notebook = begin(*MAP)
    notebook.run("#| step find\n[]")
    assert "There was nothing to do at 'read'." in notebook.run("#| step read\n1").text
    notebook.run("#| step sum\ninput")
    assert outputs(the_run())["sum#1"] == []


def test_an_item_that_fails_is_named(begin):
    notebook = begin(*MAP)
    notebook.run("#| step find\n[1, 0]")
    cell = notebook.run("#| step read\n1 / input")
    assert "at each#1[1]/read#1" in (cell.text if cell.error is None else str(cell.error.__notes__))


def test_an_interrupt_in_the_middle_of_items_goes_on_with_those_that_are_left(begin):
    notebook = begin(*MAP)
    notebook.run("calls, stops = [], [KeyboardInterrupt]")
    notebook.run("#| step find\n[0, 1, 2]")
    source = "#| step read\nif input == 1 and stops:\n    raise stops.pop()\ncalls.append(input)\ninput"
    assert isinstance(notebook.run(source).error, KeyboardInterrupt)
    notebook.run(source)
    assert sorted(notebook["calls"]) == [0, 1, 2]
    assert [entry["output"] for entry in the_run().history if entry["step"] == "read" and entry["success"]] == [0, 1, 2]


PARALLEL = (
    ParallelStep(step_id="both", branches={"left": "l", "right": "r"}, on_success="end"),
    step("l", None, is_terminal=False),
    step("r", None, is_terminal=False),
    step("end"),
)


@pytest.mark.parametrize("order", ["lr", "rl"])
def test_cells_of_branches_are_run_in_either_order_and_the_record_is_the_same(begin, order):
    notebook = begin(*PARALLEL)
    for name in order:
        assert notebook.run(f"#| step {name}\ninput + '{name}'").error is None
    notebook.run("#| step end\ninput")
    assert paths(the_run()) == ["both#1[left]/l#1", "both#1[right]/r#1", "both#1", "end#1"]
    assert outputs(the_run())["end#1"] == {"left": "gl", "right": "gr"}


def test_a_branch_without_a_cell_stands_aside_and_asks_for_one(begin):
    notebook = begin(*PARALLEL)
    told = notebook.run("#| step r\n1").text
    assert "Next: l, which has no worker. Write a cell for it:  #| step l" in told
    assert "'l' comes next" in str(notebook.run("%run_next").refusal)


def test_a_branch_that_a_person_has_to_answer_holds_up_no_cell(begin):
    notebook = begin(
        ParallelStep(step_id="both", branches={"ask": "sign", "work": "r"}, on_success="end"),
        ApprovalStep(step_id="sign", prompt="Ok?", on_success=None, is_terminal=False),
        step("r", None, is_terminal=False),
        step("end"),
    )
    told = notebook.run("#| step r\n'done'")
    assert "both#1[ask]/sign#1 asks for approval" in told.text
    notebook.run("%approve")
    notebook.run("#| step end\ninput")
    assert outputs(the_run())["end#1"] == {"ask": True, "work": "done"}


def test_a_step_that_runs_another_workflow_runs_it(begin):
    inner = workflow_of(step("shout"), name="inner")
    notebook = begin(
        step("a", "sub"),
        SubworkflowStep(step_id="sub", workflow="inner", on_success="b"),
        step("b"),
        others=(inner,),
        shout=str.upper,
    )
    notebook.run("#| step a\n'x'")
    notebook.run("%run_next")
    notebook.run("#| step b\ninput")
    assert outputs(the_run())["b#1"] == "X"


def test_a_cell_may_stand_in_for_another_workflow(begin):
    notebook = begin(step("a", "sub"), SubworkflowStep(step_id="sub", workflow="nowhere", on_success="b"), step("b"))
    notebook.run("#| step a\n'x'")
    notebook.run("#| step sub\ninput * 3")
    notebook.run("#| step b\ninput")
    assert outputs(the_run())["b#1"] == "xxx"


def test_a_last_step_needs_no_cell_and_may_have_one(begin):
    notebook = begin(step("a", "end"), step("end"))
    assert "Next: end, which needs no worker:  %run_next" in notebook.run("#| step a\n'x'").text
    notebook.run("%run_next")
    assert outputs(the_run()) == {"a#1": "x", "end#1": "x"}
    notebook.run("#| step end\ninput * 2")
    assert outputs(the_run()) == {"a#1": "x", "end#1": "xx"}


def test_a_cell_stands_in_for_a_registered_worker_in_this_run_alone(begin):
    notebook = begin(step("a"), a=str.upper)
    notebook.run("#| step a\ninput * 2")
    assert outputs(the_run()) == {"a#1": "gg"}
    assert the_run().hub.execute_workflow("flow", "g", verbose=False).data["a_output"] == "G"


def test_what_was_done_is_undone_when_the_run_fails(begin):
    notebook = begin(step("book", "pay", compensate="cancel"), step("pay"), step("cancel", None, is_terminal=False))
    notebook.run("done = []")
    notebook.run("from orchestration_kit import step")
    notebook.run("#| step book\n'room'")
    notebook.run("#| step cancel\ndone.append(input)\nNone")
    notebook.run("#| step pay\nraise ValueError('no money')")
    notebook.run("%run_until")
    assert notebook["done"] == ["room"]
    assert the_run().state == "failed"


def test_branches_survive_a_restart(new_notebook, tmp_path):
    sources = [
        "#| step find\n['x', 'y']",
        "#| step read\ncalls.append(input)\ninput",
        "#| step rate\n1",
        "#| step sum\ninput",
    ]
    for until, calls in ((2, ["x", "y"]), (4, [])):
        hub = hub_with(workflow_of(*MAP, name="flow"), journal=tmp_path / "runs.db")
        notebook = new_notebook(hub=hub, calls=[])
        notebook.run("%workflow flow --goal g --run-id r")
        notebook.all(*sources[:until])
        assert notebook["calls"] == calls
    assert the_run().state == "completed"
    assert the_run().run_id == "r"
