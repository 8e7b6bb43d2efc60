"""Row 15: hostile journal and workflow files are refused or read; nothing of them is executed, imported or opened."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scorecard.forging import forge_files
from tests.scorecard.forks import ROOT

MODULES = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "jsonpickle", "imp"}
CALLS = {"eval", "exec", "compile", "__import__"}
ATTRIBUTES = {
    ("yaml", "load"),
    ("yaml", "unsafe_load"),
    ("yaml", "full_load"),
    ("pandas", "read_pickle"),
    ("os", "system"),
}


OWN_CELLS = ROOT / "orchestration_kit" / "widgets" / "cells" / "body.py"
"""It runs what a person has typed into a cell of their notebook, as the notebook does. Nothing that is loaded gets there."""


def hold_row_15(folder: Path, files: int, share_of_values: float) -> str:
    forge_files(folder, files, share_of_values=share_of_values)
    done = subprocess.run(
        [sys.executable, "-m", "tests.scorecard.watched", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    assert found["files"] >= files
    assert found["done"] == []
    assert found["raw"] == []
    assert found["slow"] == []
    assert not found["pwned"]
    assert sum(found["outcomes"].values()) > files * 5
    return f"row 15: {found['files']} hostile files: no import, exec, open or subprocess; {found['outcomes']}"


def test_hostile_files_are_refused_or_read_and_nothing_of_them_is_executed(tmp_path, figure):
    figure(hold_row_15(tmp_path, 100, 0.15))


@pytest.mark.soak
def test_many_hostile_files_are_refused_or_read_and_nothing_of_them_is_executed(tmp_path, figure):
    figure(hold_row_15(tmp_path, 1_000, 1.0))


SEND_CODE = {
    ROOT / "orchestration_kit" / name
    for name in (
        "executors/away.py",
        "executors/processes.py",
        "executors/remote.py",
        "scale/parcel.py",
        "scale/remote.py",
    )
}
"""They send the workers of a hub to processes that the hub has called for: code, which no data format holds. What comes back
is data, and what is kept in files never goes this way."""


def test_nothing_in_the_package_can_execute_what_it_loads(figure):
    files = sorted((ROOT / "orchestration_kit").rglob("*.py"))
    offences = [offence for path in files if path not in {OWN_CELLS, *SEND_CODE} for offence in _offences(path)]
    assert offences == []
    sent = {offence.partition(" ")[2] for path in SEND_CODE for offence in _offences(path)}
    assert sent <= {"import pickle", "import cloudpickle"}
    opened = {f"{path.parent.name}/{path.name}" for path in SEND_CODE if "pickle.loads" in path.read_text("utf-8")}
    assert opened == {"executors/away.py", "scale/remote.py"}  # in the process that was called, and there alone
    assert {offence.rpartition(" ")[2] for offence in _offences(OWN_CELLS)} == {"compile()", "exec()", "eval()"}
    figure(f"row 15: {len(files)} modules: no pickle, marshal, shelve, eval, exec, compile or yaml.load")


def _offences(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        where = f"{path.name}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Import):
            found += [f"{where} import {one.name}" for one in node.names if one.name.split(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES:
            found.append(f"{where} from {node.module}")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS:
            found.append(f"{where} {node.func.id}()")
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if (node.value.id, node.attr) in ATTRIBUTES:
                found.append(f"{where} {node.value.id}.{node.attr}")
    return found
