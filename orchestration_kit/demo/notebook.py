"""The demo's run as an executed notebook: pictures and frames in place, ready to go on from there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from orchestration_kit.demo.build import ANSWERS

if TYPE_CHECKING:
    from nbformat import NotebookNode

KERNEL_TIMEOUT_S = 120


def notebook_for(goal: str, seed: int, model: str | None = None) -> NotebookNode:
    """Return the notebook, not yet executed. Goal and model stand in it as data.

    With a model, the notebook goes through the answers that the run left behind, and asks nobody.
    """
    import nbformat
    from nbformat import v4

    make: Any = v4
    code, text = make.new_code_cell, make.new_markdown_cell
    cells = [
        text(
            "# How this website was built\n\n"
            "*The brain is probabilistic, the skeleton is deterministic.* A product manager, a coder and a reviewer "
            "wrote, checked and repaired a website; the workflow alone decided whose turn it was. Run the cells again, "
            "change the goal or the seed, and watch the way change."
        ),
        code(_opening(goal, seed, model)),
        text("The skeleton before anything ran: dashed edges are taken when a step fails. Now run it."),
        code(_start(model)),
        text(
            "The way it took: visits, attempts and time at each step, and thicker edges where it went more than once."
        ),
        code("visualize(run)"),
        text("Every attempt is on record, as a DataFrame. *Which step took longest, and which had to be done twice?*"),
        code('frame = history_frame(run)\nframe[["path", "worker", "success", "duration_s", "next_step", "error"]]'),
        code(
            'by_step = frame.groupby("step", observed=True)["duration_s"].agg(["count", "sum"])\n'
            'by_step.sort_values("sum", ascending=False)'
        ),
        text("What did the reviewer find, and what did the coder make of it?"),
        code(
            "for entry in result.history:\n"
            '    if entry["step"] == "review_code":\n'
            '        verdict = entry["output"].get("output", entry["output"])\n'
            "        found = [f\"  {one['file']}: {one['message']}\" for one in verdict[\"findings\"]]\n"
            '        print(entry["path"], "approved" if verdict["approved"] else "sent back", *found, sep="\\n")'
        ),
        text("And the site itself, as it was deployed beside this notebook:"),
        code('from IPython.display import IFrame\n\nIFrame("site/index.html", width="100%", height=480)'),
    ]
    for index, cell in enumerate(cells):
        cell["id"] = f"cell-{index:02}"
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = make.new_notebook(cells=cells, metadata=metadata)
    nbformat.validate(notebook)
    return notebook


def write_executed_notebook(goal: str, seed: int, folder: Path, *, model: str | None = None) -> Path:
    """Execute the notebook in `folder`, and write it there as `run.ipynb`.

    With a `model`, the answers that `build_website` kept in the folder are gone through again.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed; nothing is written.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbformat.sign import NotebookNotary

    notebook = notebook_for(goal, seed, model)
    client: Any = NotebookClient(
        notebook,
        timeout=KERNEL_TIMEOUT_S,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        extra_arguments=["--IPKernelApp.log_level=ERROR"],  # its note on loopback ports is for servers
    )
    client.execute()
    # JupyterLab shows pictures of notebooks it trusts; this one was made and run here, so it is signed.
    cast("Any", NotebookNotary()).sign(notebook)
    partial = folder / ".run.ipynb.part"
    partial.write_text(cast("Any", nbformat).writes(notebook), encoding="utf-8")
    return partial.replace(folder / "run.ipynb")


def _opening(goal: str, seed: int, model: str | None) -> str:
    head = f"GOAL = {_literal(goal)}\nSEED = {seed}\n"
    if model is None:
        imports = (
            "from orchestration_kit import history_frame, visualize\nfrom orchestration_kit.demo import prepare_hub"
        )
        made = 'prepare_hub("site")'
    else:
        imports = (
            "from orchestration_kit import cassette, history_frame, visualize\n"
            "from orchestration_kit.demo import prepare_hub\n"
            "from orchestration_kit.workers.llm.models import model_on_command_line"
        )
        head += f"MODEL = model_on_command_line({_literal(model)})\n"
        made = 'prepare_hub("site", model=MODEL)'
    return f'{imports}\n\n{head}\nhub = {made}\nhub.workflows["build_website"]'


def _start(model: str | None) -> str:
    run = 'run = hub.start("build_website", GOAL, seed=SEED, verbose=True)'
    if model is None:
        return f"{run}\nresult = run.run()"
    note = "# what the model said then; delete the file, and it is asked anew"
    return f'with cassette("{ANSWERS}"):  {note}\n    {run}\n    result = run.run()'


def _literal(text: str) -> str:
    """Return text as a Python string literal on one line, whatever it holds."""
    return json.dumps(text, ensure_ascii=True)
