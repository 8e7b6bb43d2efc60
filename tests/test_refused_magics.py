"""A notebook whose cell prints `UsageError:` fails, also where nobody compares its outputs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CELLS = {
    "a magic that there is not": "%nosuchmagic\n1 / 0",
    "arguments that cannot be read": "%timeit -z 1 + 1",
    "a cell magic that there is not": "%%nosuchmagic\n1 / 0",
    "a magic that there is": "%who_ls int",
    "a line on stderr": "import sys\nprint('some UsageError: of somebody', file=sys.stderr)",
}


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("refused")
    (folder / "conftest.py").write_text((ROOT / "conftest.py").read_text(encoding="utf-8"), encoding="utf-8")
    cells = [
        {"cell_type": "code", "id": f"c{n}", "metadata": {}, "execution_count": n + 1, "outputs": [], "source": source}
        for n, source in enumerate(CELLS.values())
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    (folder / "magics.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "-rA", "-p", "no:cacheprovider", "magics.ipynb"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False).stdout


@pytest.mark.parametrize(("name", "passes"), [(name, n >= 3) for n, name in enumerate(CELLS)])
def test_a_refused_magic_fails_its_cell(report, name, passes):
    number = list(CELLS).index(name)
    assert f"{'PASSED' if passes else 'FAILED'} magics.ipynb::Cell {number}" in report, report


def test_the_failure_says_what_was_refused(report):
    assert "IPython refused a magic, and skipped the rest of the cell: UsageError: Line magic function" in report
