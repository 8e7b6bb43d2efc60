"""The tutorials are saved as a reader wants to find them: executed, in order, clean, and with something to try.

That their outputs are still true is nbval's business; here nothing is executed.
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
MOST_BYTES = 500_000
MACHINE_PATHS = re.compile(r"(?:/home/|/Users/|/root/|/tmp/|/usr/(?:lib|local)/|site-packages|[A-Z]:\\\\Users)")
WIDGET = "application/vnd.jupyter.widget-view+json"
WARNINGS = re.compile(r"\b\w*Warning: ")

pytestmark = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def cells(path, kind=None):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return [cell for cell in notebook["cells"] if kind is None or cell["cell_type"] == kind]


def source(cell):
    return "".join(cell["source"])


def ends_with_a_value(code):
    """Whether a cell ends with an expression that a notebook shows, as opposed to a call for its effect."""
    last = ast.parse(re.sub(r"^%.*$", "", code, flags=re.MULTILINE)).body[-1]
    for_effect = re.compile(r"(?:\w+\.)?(?:assert|register)_\w+\(")
    return isinstance(last, ast.Expr) and not for_effect.match(ast.unparse(last))


def test_it_opens_with_a_title_and_a_question(path):
    first = cells(path)[0]
    assert first["cell_type"] == "markdown"
    title, _, opening, *_ = source(first).splitlines()
    assert re.fullmatch(r"# \S.*", title)
    assert re.fullmatch(r"\*.*\?\*", opening)
    assert sum(source(cell).startswith("# ") for cell in cells(path, "markdown")) == 1


def test_it_was_executed_once_from_top_to_bottom(path):
    code = cells(path, "code")
    assert code
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert [cell["id"] for cell in code if not source(cell).strip()] == []


def test_every_value_it_ends_a_cell_with_is_shown(path):
    """An output that somebody cleared, or a cell that was changed and not run again, leaves a gap."""
    shown = [cell for cell in cells(path, "code") if cell["outputs"]]
    results = [
        (cell["execution_count"], output["execution_count"])
        for cell in shown
        for output in cell["outputs"]
        if output["output_type"] == "execute_result"
    ]
    assert results
    assert all(cell == output for cell, output in results)
    silent = [cell["id"] for cell in cells(path, "code") if not cell["outputs"] and ends_with_a_value(source(cell))]
    assert silent == []


def test_nothing_failed_and_nothing_warned(path):
    outputs = [output for cell in cells(path, "code") for output in cell["outputs"]]
    assert [output for output in outputs if output["output_type"] == "error"] == []
    assert [output for output in outputs if output.get("name") == "stderr"] == []
    assert WARNINGS.findall(json.dumps(outputs, ensure_ascii=False)) == []


def test_it_names_no_place_on_the_machine_it_ran_on(path):
    assert MACHINE_PATHS.findall(path.read_text(encoding="utf-8")) == []


def test_every_picture_is_there_without_a_kernel_and_as_text(path):
    bundles = [output["data"] for cell in cells(path, "code") for output in cell["outputs"] if "data" in output]
    pictures = [bundle for bundle in bundles if any(kind.startswith("image/") for kind in bundle)]
    assert pictures
    assert all("".join(bundle["text/plain"]).strip() for bundle in bundles)
    assert all("<svg" in "".join(bundle["image/svg+xml"]) for bundle in pictures)


def test_every_widget_is_saved_with_its_state(path):
    """So that it shows how things stood, also without a kernel."""
    bundles = [output["data"] for cell in cells(path, "code") for output in cell["outputs"] if "data" in output]
    shown = [bundle[WIDGET]["model_id"] for bundle in bundles if WIDGET in bundle]
    metadata = json.loads(path.read_text(encoding="utf-8"))["metadata"]
    saved = metadata.get("widgets", {}).get("application/vnd.jupyter.widget-state+json", {}).get("state", {})
    assert [model for model in shown if model not in saved] == []


def test_it_ends_with_an_exercise_its_answer_and_the_way_on(path):
    last = source(cells(path, "markdown")[-1])
    assert cells(path)[-1]["cell_type"] == "markdown"
    assert last.startswith("## Exercise")
    assert re.search(r"<details>\n<summary>.+?</summary>\n\n```python\n.+?\n```\n.*?\n</details>", last, re.DOTALL)
    assert re.search(r"^\*\*Next:\*\* \S", last, re.MULTILINE)


def test_the_code_of_its_answer_compiles(path):
    [answer] = re.findall(r"```python\n(.+?)```", source(cells(path, "markdown")[-1]), re.DOTALL)
    compile(answer, path.name, "exec")


def test_the_notebooks_it_points_to_exist(path):
    named = {name for cell in cells(path, "markdown") for name in re.findall(r"\b\d\d_\w+\.ipynb", source(cell))}
    assert named <= {other.name for other in NOTEBOOKS}


def test_the_cassettes_it_plays_are_beside_it(path):
    """Where one is missing, its models would be called; one that nobody plays is left over."""
    played = {name for cell in cells(path, "code") for name in re.findall(r'\bcassette\("([^"]+)"', source(cell))}
    assert played == {file.name for file in path.parent.glob(f"{path.stem}*.y*ml")}


def test_its_cells_are_named_by_hand(path):
    """Ids such as `see-03`, so that a change shows up where it was made."""
    ids = [cell["id"] for cell in cells(path)]
    assert len(set(ids)) == len(ids)
    assert [name for name in ids if not re.fullmatch(r"[a-z]+(-[a-z]+)*-\d\d", name)] == []
    assert len({name.rpartition("-")[0] for name in ids}) == 1


def test_it_opens_with_any_python_3_kernel(path):
    metadata = json.loads(path.read_text(encoding="utf-8"))["metadata"]
    assert metadata["kernelspec"] == {"display_name": "Python 3", "language": "python", "name": "python3"}


def test_it_is_small_enough_for_a_repository(path):
    assert path.stat().st_size < MOST_BYTES
