"""The kernel is restarted and the notebook run from the top: what is on record is taken over, the rest is made."""

from __future__ import annotations

import pytest

from orchestration_kit import ApprovalStep, SQLiteJournal
from orchestration_kit.widgets.cells import current
from orchestration_kit.widgets.cells.errors import OtherRun
from tests.support import step, workflow_of
from tests.widgets.cells.flows import CHAIN, REVIEW, hub_with, outputs, paths

BEGIN = '%workflow chain --goal "g" --run-id r'


def cells(**edits):
    found = {name: f"#| step {name}\ncalls.append('{name}')\ninput + '{name}'" for name in "abc"} | edits
    return list(found.values())


@pytest.fixture
def kernel(new_notebook, tmp_path):
    """Starts a kernel in which the notebook's first cells were run."""

    def start(begin=BEGIN, workflow=CHAIN, **workers):
        hub = hub_with(workflow, journal=SQLiteJournal(tmp_path / "runs.db"), **workers)
        notebook = new_notebook(hub=hub, calls=[])
        notebook.run(begin)
        return notebook

    return start


def the_run():
    return current.current().run


def test_cells_on_record_are_shown_and_not_executed(kernel):
    kernel().all(*cells())
    before = the_run().machine.count
    notebook = kernel()
    shown = notebook.all(*cells())
    assert notebook["calls"] == []
    assert [cell.shown[0] for cell in shown] == ["'ga'", "'gab'", "'gabc'"]
    assert shown[0].text.splitlines()[0] == "a#1 was taken over from the record, not executed again."
    assert the_run().machine.count == before


def test_it_goes_on_where_the_run_stands(kernel):
    kernel().all(*cells()[:2])
    notebook = kernel()
    notebook.all(*cells())
    assert notebook["calls"] == ["c"]
    assert (the_run().run_id, outputs(the_run())["c#1"]) == ("r", "gabc")


def test_an_edited_cell_is_executed_in_a_fork_and_what_met_the_same_is_taken_over(kernel):
    kernel().all(*cells())
    notebook = kernel()
    notebook.all(*cells(b="#| step b\ncalls.append('B')\n'gab'"))
    assert notebook["calls"] == ["B"]
    assert [entry["cached"] for entry in the_run().history] == [False, False, True]
    assert (the_run().run_id, the_run().state) == ("r~2", "completed")


def test_an_edit_before_the_restart_is_not_executed_again_after_it(kernel):
    edited = cells(b="#| step b\ncalls.append('B')\n'new'")
    kernel().all(*cells(), edited[1], edited[2])
    assert the_run().run_id == "r~2"
    notebook = kernel()
    notebook.all(*edited)
    assert notebook["calls"] == []
    assert (the_run().run_id, outputs(the_run())["c#1"]) == ("r~2", "newc")


def test_edited_back_to_the_version_of_an_earlier_edition_its_record_is_used(kernel):
    kernel().all(*cells(), "#| step a\n'other'")
    notebook = kernel()
    notebook.all(*cells())
    assert notebook["calls"] == []
    assert the_run().run_id == "r~3"
    assert outputs(the_run())["c#1"] == "gabc"


def test_stale_visits_are_known_after_a_restart(kernel):
    kernel().all(*cells(), "#| step a\ncalls.append('A')\n'other'")
    notebook = kernel()
    assert current.current().stale == ["b#1", "c#1"]
    notebook.all("#| step a\ncalls.append('A')\n'other'", *cells()[1:])
    assert notebook["calls"] == ["b", "c"]
    assert current.current().stale == []


def test_a_cell_that_was_deleted_meanwhile_is_passed_over(kernel):
    kernel().all(*cells())
    notebook = kernel()
    notebook.all(cells()[0], cells()[2])
    assert (notebook["calls"], the_run().run_id) == ([], "r")


def test_a_stale_step_whose_cell_was_deleted_asks_for_one(kernel):
    kernel().all(*cells())
    notebook = kernel()
    last = notebook.all("#| step a\n'other'", cells()[2])[-1]
    assert "#| step b" in str(last.error)


def test_loops_are_read_visit_by_visit_with_run_next_between(kernel):
    begin = "%workflow review --goal g --run-id r"
    write, review = "#| step write\ncalls.append(1)\ncontext.visit", "#| step review\n{'approved': input > 2}"
    source = [write, review, "%run_next", review, "%run_until", "%history"]
    kernel(begin, REVIEW).all(*source)
    made = paths(the_run())
    notebook = kernel(begin, REVIEW)
    shown = notebook.all(*source)
    assert (notebook["calls"], paths(the_run())) == ([], made)
    assert made == ["write#1", "review#1", "write#2", "review#2", "write#3", "review#3", "publish#1"]
    assert [cell.error for cell in shown] == [None] * 6


def test_run_until_passes_over_what_is_on_record(kernel):
    kernel(a=str.upper, b=str.lower).all("%run_until", *cells()[2:])
    notebook = kernel(a=str.upper, b=str.lower)
    cell = notebook.run("%run_until c")
    assert cell.printed.splitlines()[:2] == [
        "a#1 was taken over from the record, not executed again.",
        "b#1 was taken over from the record, not executed again.",
    ]
    assert cell.text.splitlines() == [
        "chain:  a ✓ → b ✓ → (c ✓ on record)",
        "Next: c, on record. To take it over, not executed, run its cell or type  %run_next",
    ]
    notebook.run(cells()[2])
    assert notebook["calls"] == []


def test_a_failed_cell_is_tried_again_by_the_same_code(kernel):
    kernel().all("#| step a\n'x'", "#| step b\ncalls[0]")
    assert the_run().state == "failed"
    notebook = kernel()
    notebook["calls"].append("now")
    notebook.all("#| step a\n'x'", "#| step b\ncalls[0]")
    assert outputs(the_run())["b#1"] == "now"
    assert (the_run().run_id, the_run().state) == ("r", "in_progress")


def test_an_interrupted_cell_is_tried_again(kernel):
    source = "#| step b\nif not calls:\n    raise KeyboardInterrupt\n'done'"
    kernel().all("#| step a\n'x'", source)
    notebook = kernel()
    notebook["calls"].append("now")
    notebook.all("#| step a\n'x'", source, "#| step c\ninput")
    assert (the_run().state, outputs(the_run())["c#1"]) == ("completed", "done")


def test_resume_finds_the_newest_run_of_the_workflow(kernel):
    kernel('%workflow chain --goal "first"').all(*cells()[:1])
    kernel('%workflow chain --goal "second"').all(*cells()[:1])
    notebook = kernel("%workflow chain --resume")
    assert the_run().context.goal == "second"
    notebook.all(*cells())
    assert notebook["calls"] == ["b", "c"]


def test_resume_takes_an_id_and_says_where_there_is_none(kernel):
    kernel().all(*cells())
    notebook = kernel("x = 1")
    assert notebook.run("%workflow --resume r").error is None
    assert "No run 'nope' is known" in str(notebook.run("%workflow --resume nope").error)
    assert "No run 'of review'" not in str(notebook.run("%workflow chain --resume").error)


def test_without_an_id_a_new_run_is_begun(kernel):
    kernel("%workflow chain --goal g").all(*cells())
    notebook = kernel("%workflow chain --goal g")
    notebook.all(*cells())
    assert notebook["calls"] == ["a", "b", "c"]


def test_another_goal_or_other_data_under_the_same_id_is_refused(kernel):
    kernel('%workflow chain --goal "g" --run-id r').all(*cells())
    notebook = kernel("x = {'y': 1}")
    for line in ('%workflow chain --goal "other" --run-id r', "%workflow chain --goal g --run-id r --data x"):
        error = notebook.run(line).refusal
        assert isinstance(error, OtherRun)
        assert "%workflow --resume r" in str(error)


def test_looking_at_a_run_puts_nothing_on_record(kernel):
    kernel().all(*cells()[:1])
    before = the_run().machine.count
    kernel().run("%workflow")
    kernel()
    assert the_run().machine.count == before


def test_the_first_cells_run_again_in_the_same_kernel_read_the_record_from_the_top(kernel):
    notebook = kernel()
    notebook.all(*cells(), BEGIN, *cells())
    assert notebook["calls"] == ["a", "b", "c"]
    assert the_run().run_id == "r"


def test_run_all_without_the_first_cells_changes_nothing_either(kernel):
    notebook = kernel()
    notebook.all(*cells(), *cells())
    assert notebook["calls"] == ["a", "b", "c"]


ASKED_TWICE = workflow_of(
    step("a", "first"),
    ApprovalStep(step_id="first", prompt="Go on?", on_success="b"),
    step("b", "second"),
    ApprovalStep(step_id="second", prompt="Publish it?", on_success="c", on_failure="c"),
    step("c"),
    name="chain",
)


def with_answers(*answers):
    a, b, c = (f"#| step {name}\ncalls.append('{name}')\nstr(input)" for name in "abc")
    return [a, answers[0], b, *answers[1:], c]


def test_an_answer_on_record_is_taken_over(kernel):
    kernel(workflow=ASKED_TWICE).all(*with_answers("%approve 1", "%reject too long"))
    before = the_run().machine.count
    notebook = kernel(workflow=ASKED_TWICE)
    shown = notebook.all(*with_answers("%approve 1", "%reject too long"))
    assert [cell.error for cell in shown] == [None] * 5
    assert (notebook["calls"], the_run().machine.count) == ([], before)
    assert shown[1].text.splitlines()[0] == "first#1 was approved so, on record."
    assert shown[3].text.splitlines()[0] == "second#1 was rejected so, on record."


def test_an_answer_on_record_is_not_given_to_another_question(kernel):
    kernel(workflow=ASKED_TWICE).all(*with_answers("%approve")[:3])
    assert [one.step for one in the_run().waiting] == ["second"]
    notebook = kernel(workflow=ASKED_TWICE)
    a, yes, b = with_answers("%approve")[:3]
    notebook.run(a)
    assert "first#1 was approved so, on record." in notebook.run(yes).text
    assert [one.step for one in the_run().waiting] == ["second"]
    refused = str(notebook.run("%approve 2").refusal)
    assert "first#1 was approved there in other words. Nothing was answered." in refused
    assert "%goto b#1" in refused
    notebook.run(b)
    notebook.run("%approve 2")
    assert the_run().waiting == []
