"""A notebook in a real kernel, twice: the second time nothing on record is executed, and what was edited is."""

from __future__ import annotations

import os

import nbformat
import pytest
from nbclient import NotebookClient

OPENING = """
from orchestration_kit import Orchestrator, WorkflowDefinition, WorkflowStep
from pathlib import Path

workflow = WorkflowDefinition(name="story")
workflow.add_step(WorkflowStep(step_id="plot", worker_type="x", on_success="draft"), is_initial=True)
workflow.add_step(WorkflowStep(step_id="draft", worker_type="y", on_success="print", max_retries=1))
workflow.add_step(WorkflowStep(step_id="print", worker_type="z", is_terminal=True))
hub = Orchestrator(journal="runs.db")
hub.register_workflow(workflow)


def executed(name):
    with Path("executed.txt").open("a") as file:
        print(name, file=file)


%load_ext orchestration_kit
"""
CELLS = [
    OPENING,
    '%workflow story --goal "a fox" --run-id fox',
    "#| step plot\nexecuted('plot')\nimport asyncio\nawait asyncio.sleep(0)\ncontext.goal.upper()",
    "from orchestration_kit import step\n\n@step('draft')\ndef draft(input, context):\n    executed('draft')\n    return input + '!'",
    "%%step print\nexecuted('print')\nprint('printing')\ninput",
    "%history",
]


@pytest.fixture
def execute(tmp_path):
    def run(cells, **options):
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
        environ = {**os.environ, "IPYTHONDIR": str(tmp_path / "ipython")}
        client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}, **options)
        client.execute(env=environ)
        return notebook.cells

    return run


def texts(cell):
    outputs = (output.get("data", {}).get("text/plain", output.get("text", "")) for output in cell.outputs)
    return "\n".join(outputs)


def executed(tmp_path):
    return (tmp_path / "executed.txt").read_text().split()


def test_a_notebook_is_run_again_from_the_top_after_a_restart(execute, tmp_path):
    first = execute(CELLS)
    assert executed(tmp_path) == ["plot", "draft", "print"]
    assert "story:  plot ✓ → draft ✓ → print ✓\nThe run is completed." in texts(first[4])
    assert "printing" in texts(first[4])
    second = execute(CELLS)
    assert executed(tmp_path) == ["plot", "draft", "print"]
    assert "plot#1 was taken over from the record, not executed again." in texts(second[2])
    edited = [source.replace("'!'", "'?'") for source in CELLS]
    third = execute(edited)
    assert executed(tmp_path) == ["plot", "draft", "print", "draft", "print"]
    assert "'A FOX?'" in texts(third[4])


def test_an_error_is_an_error_of_the_cell_with_its_lines_and_the_run_can_go_on(execute, tmp_path):
    broken = [*CELLS[:2], "#| step plot\nname = 'fox'\n\nnmae"]
    [*_, cell] = execute(broken, allow_errors=True)
    [error] = [output for output in cell.outputs if output.output_type == "error"]
    text = "".join(error.traceback)
    assert error.ename == "NameError"
    assert "nmae" in text
    assert "drivers.py" not in text
    assert "The run is failed" in text
    assert "Cell" in text
    assert f"In[{cell.execution_count}]" in text.replace("\x1b[32m", "").replace("\x1b[39m", "").replace("\x1b[36m", "")
    [*_, cell] = execute([*CELLS[:2], "#| step plot\nname = 'fox'\n\nname"])
    assert "Edition 2 of the run begins at plot#1" in texts(cell)
