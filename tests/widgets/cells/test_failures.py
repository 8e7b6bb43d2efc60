"""A cell that raises, is interrupted, or puts out what cannot be kept: the person sees it, and the record holds it."""

from __future__ import annotations

import pytest

from orchestration_kit.widgets.cells import current
from tests.widgets.cells.flows import CHAIN, REVIEW, hub_with, outputs, paths


@pytest.fixture
def chain(new_notebook):
    notebook = new_notebook(hub=hub_with(CHAIN))
    notebook.run('%workflow chain --goal "g"')
    return notebook


def the_run():
    return current.current().run


def frames(error):
    found, at = [], error.__traceback__
    while at is not None:
        found.append((at.tb_frame.f_code.co_filename, at.tb_lineno, "__tracebackhide__" in at.tb_frame.f_locals))
        at = at.tb_next
    return found


def test_an_error_that_ends_the_run_is_raised_with_the_lines_of_the_cell(chain):
    cell = chain.run("#| step a\nx = 0\n\n\n1 / x")
    assert isinstance(cell.error, ZeroDivisionError)
    visible = [line for _, line, is_hidden in frames(cell.error) if not is_hidden]
    assert visible[-1] == 5
    assert (the_run().state, the_run().history[0]["error"]) == ("failed", "division by zero")


def test_the_traceback_shows_the_cells_source_and_none_of_the_engine(chain):
    chain.run("#| step a\ndef inner(x):\n    return 1 / x\n\ninner(0)")
    text = "".join(chain.shell.InteractiveTB.structured_traceback(*_last(chain)))
    assert "----> 5 inner(0)" in text
    assert "Cell In[2], line 5" in text, "numbered as the notebook numbers it"
    assert "----> 3     return 1 / x" in text
    assert "drivers.py" not in text
    assert "session.py" not in text
    assert "The run is failed" in text


def _last(notebook):
    error = notebook.shell.last_execution_result.error_in_exec
    return type(error), error, error.__traceback__


def test_lines_count_from_the_top_of_the_cell_also_with_blank_lines_and_magics(chain):
    cell = chain.run("#| step a\n\n\n%time x = 0\n1 / x")
    assert [line for _, line, is_hidden in frames(cell.error) if not is_hidden][-1] == 5


def test_a_function_that_raises_shows_its_own_lines(chain):
    cell = chain.run(
        "from orchestration_kit import step\n@step('a')\ndef f(input, context):\n    raise KeyError('price')"
    )
    assert isinstance(cell.error, KeyError)
    assert [line for _, line, is_hidden in frames(cell.error) if not is_hidden][-1] == 4


def test_an_async_cell_that_raises_shows_its_own_lines(chain):
    cell = chain.run("#| step a\nimport asyncio\nawait asyncio.sleep(0)\n1 / 0")
    text = "".join(chain.shell.InteractiveTB.structured_traceback(*_last(chain)))
    assert isinstance(cell.error, ZeroDivisionError)
    assert "----> 4 1 / 0" in text
    assert "thread.py" not in text


def test_a_failure_that_leads_on_is_shown_but_not_raised(new_notebook):
    notebook = new_notebook(hub=hub_with(REVIEW))
    notebook.run("%workflow review --goal g")
    notebook.run("calls = []")
    cell = notebook.run("#| step write\ncalls.append(context.attempt)\n1 / 0")
    assert cell.error is None
    assert notebook["calls"] == [1, 2]
    assert "ZeroDivisionError" in cell.printed
    assert cell.text.splitlines()[0] == (
        "write#1 was made and failed after 2 attempts: ZeroDivisionError: division by zero; the run goes on to 'give_up'."
    )


def test_retries_call_the_same_cell_and_tell_it_why(new_notebook):
    notebook = new_notebook(hub=hub_with(REVIEW))
    notebook.run("%workflow review --goal g")
    cell = notebook.run("#| step write\nassert context.attempt == 2, 'once more'\ncontext.last_error.message")
    assert cell.text.splitlines()[0] == "write#1 was made, at attempt 2."
    assert outputs(the_run()) == {"write#1": "once more"}


def test_a_cell_that_failed_is_made_again_by_running_it_again_in_the_same_run(chain):
    chain.run("ready = []")
    source = "#| step a\nassert ready, 'not yet'\ncontext.idempotency_key"
    assert isinstance(chain.run(source).error, AssertionError)
    chain.run("ready.append(1)")
    chain.run(source)
    assert [(entry["path"], entry["attempt"], entry["success"]) for entry in the_run().history] == [
        ("a#1", 1, False),
        ("a#1", 2, True),
    ]
    assert len(current.current().editions) == 1


def test_a_cell_that_failed_and_was_edited_begins_the_visit_anew(chain):
    chain.run("#| step a\n1 / 0")
    chain.run("#| step a\n1 / 1")
    assert [(entry["path"], entry["attempt"], entry["success"]) for entry in the_run().history] == [("a#1", 1, True)]
    assert [run.state for run in current.current().editions] == ["failed", "in_progress"]


def test_a_rejected_output_is_shown_with_the_reason(new_notebook):
    notebook = new_notebook(hub=hub_with(REVIEW))
    notebook.run("%workflow review --goal g")
    notebook.run("#| step write\n1")
    cell = notebook.run("#| step review\n{'approved': False, 'why': 'dull'}")
    assert cell.shown == ["{'approved': False, 'why': 'dull'}"]
    assert cell.text.splitlines()[0] == (
        "review#1 was made and failed: success_when was false: output.approved == true; the run goes on to 'write'."
    )


def test_an_interrupt_ends_the_run_on_record_and_the_cell_makes_the_visit_again(chain):
    chain.run("#| step a\n'x'")
    chain.run("interrupts = [KeyboardInterrupt]")
    source = "#| step b\nif interrupts:\n    raise interrupts.pop()\ncontext.attempt"
    cell = chain.run(source)
    assert isinstance(cell.error, KeyboardInterrupt)
    assert the_run().state == "cancelled"
    assert "run the cell of 'b' again" in chain.run("%workflow").text
    chain.run(source)
    assert (the_run().state, outputs(the_run())) == ("in_progress", {"a#1": "x", "b#1": 2})
    chain.run("#| step c\ninput")
    assert the_run().state == "completed"


def test_what_cannot_be_put_on_record_is_an_error_that_names_the_step(new_notebook, tmp_path):
    notebook = new_notebook(hub=hub_with(CHAIN, journal=tmp_path / "runs.db"))
    notebook.run("%workflow chain --goal g")
    cell = notebook.run("#| step a\nlambda: 1")
    assert "step 'a'" in str(cell.error) or "step 'a'" in cell.text


def test_a_syntax_error_is_shown_with_its_line_and_touches_nothing(chain):
    cell = chain.run("#| step a\nx = (\n")
    assert isinstance(cell.error, SyntaxError)
    assert cell.error.lineno >= 2
    assert paths(the_run()) == []


def test_a_worker_of_the_hub_that_raises_is_shown_too(new_notebook):
    def broken(value):
        raise LookupError("no such page")

    notebook = new_notebook(hub=hub_with(CHAIN, a=broken))
    notebook.run("%workflow chain --goal g")
    cell = notebook.run("%run_next")
    assert isinstance(cell.error, LookupError)
    assert [line for _, line, is_hidden in frames(cell.error) if not is_hidden][-1] > 1


def test_a_run_that_somebody_else_drives_is_left_alone(chain):
    chain.run("import threading\ngo, begun = threading.Event(), threading.Event()")
    run = the_run()
    run.use("a", lambda value: (chain["begun"].set(), chain["go"].wait(20))[1])
    run.play(visits=1)
    chain["begun"].wait(20)
    cell = chain.run("#| step a\n2")
    chain["go"].set()
    run.wait(20)
    assert "it is being driven already" in str(cell.error)
    assert outputs(run) == {"a#1": True}
