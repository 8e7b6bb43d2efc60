"""The core in the real Pyodide, under node: what `make lite` brings. Nothing is fetched here."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from scripts.lite.fetch import PYODIDE, SITE

ROOT = Path(__file__).parents[2]
NOT_HERE = {"a_run_is_a_frame": "needs pandas", "a_person_approves": "needs rpds"}
"""Pyodide's own distribution holds these packages; they are on no registry."""

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(not PYODIDE.is_dir() or shutil.which("node") is None, reason="`make lite` brings Pyodide"),
]


def in_pyodide(code: str) -> str:
    """What a piece of Python prints there."""
    script = Path(__file__).parent / "run_in_pyodide.mjs"
    command = ["node", str(script), str(PYODIDE), str(SITE), str(ROOT), code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-3_000:] + done.stderr[-3_000:]
    assert "Exception in callback" not in done.stdout + done.stderr
    return done.stdout


def test_the_core_does_in_pyodide_what_it_can():
    printed = in_pyodide("from tests.lite import capabilities\nawait capabilities.tell()")
    lines = [line for line in printed.splitlines() if line.startswith("CAPABILITY ")]
    told = {one["name"]: one["outcome"] for one in (json.loads(line.removeprefix("CAPABILITY ")) for line in lines)}
    assert len(told) > 20
    assert {name: outcome for name, outcome in told.items() if outcome != "ok"} == NOT_HERE


def test_conditions_give_in_pyodide_what_the_tests_of_conditions_expect():
    code = (
        "from orchestration_kit.definition.conditions import compile_condition\n"
        "class facts: goal, data, visit, attempt = 'a goal', {'items': [1, 2]}, 3, 1\n"
        "for text in ('output.n > 1.5 && visits < 4', 'data.items.exists(x, x == 2)', 'has(output.m)', '5 / 2 == 2'):\n"
        "    print(compile_condition(text).evaluate('step', {'n': 2}, facts).result)"
    )
    assert in_pyodide(code).split() == ["True", "True", "False", "True"]


def test_an_async_worker_in_a_call_that_is_not_async_says_what_to_write_where_it_cannot_run():
    code = (
        (
            "from tests.lite.capabilities import *\n"
            "run = one_step(hub_of(_named(wait, 'work'))).start('one', 'goal')\nrun.run()\nprint(run.state.value, run.exception)"
        )
        .replace("_named", "capabilities._named")
        .replace("import *\n", "import *\nfrom tests.lite import capabilities\n", 1)
    )
    printed = in_pyodide(code)
    assert printed.startswith("completed") or "await hub.aexecute_workflow" in printed
