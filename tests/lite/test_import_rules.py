"""The core is imported and runs where there are no threads, processes or sockets: as in a browser.

Real Pyodide is in `test_pyodide.py`; this is CPython with as much taken away, in every `make test`.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ("definition", "checks", "templates", "engine", "journal", "history", "visual", "widgets")
NOT_AT_IMPORT = {"multiprocessing", "subprocess", "fcntl", "termios", "resource", "_posixsubprocess", "_posixshmem", "cel", "ctypes"}  # fmt: skip
OF_PROCESSES = {"render.py: subprocess", "serving.py: subprocess"}
"""The two places that start one, when they are called: `dot`, and a dashboard's server. Pyodide has the module."""
OTHERS = ("pandas", "jsonschema", "IPython", "anywidget", "ipywidgets", "tqdm.auto")
"""Libraries that look at the platform when they are loaded: what they do then is not what is tried here."""
WORLD = "import sys; sys.path.insert(0, '.'); from tests.lite import browser_world; browser_world.enter({})\n"


def modules() -> list[str]:
    """Every module of the core, and of the package itself."""
    files = [path for layer in CORE for path in sorted((ROOT / "orchestration_kit" / layer).rglob("*.py"))]
    named = [path.relative_to(ROOT).with_suffix("").parts for path in files if "node_modules" not in path.parts]
    return [".".join(parts).removesuffix(".__init__") for parts in named if parts[-1] != "__main__"]


def in_the_browsers_world(script: str, *load: str) -> str:
    """What a script prints in a process without threads, processes and sockets."""
    command = [sys.executable, "-W", "error", "-c", WORLD.format(", ".join(map(repr, load))) + script]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-3_000:] + done.stderr[-3_000:]
    return done.stdout


@pytest.mark.parametrize("layer", CORE)
def test_no_module_of_the_core_imports_at_once_what_a_browser_has_not(layer):
    found = []
    for path in sorted((ROOT / "orchestration_kit" / layer).rglob("*.py")):
        if "node_modules" in path.parts:
            continue
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found += [f"{path.name}: {name}" for name in names if name.split(".")[0] in NOT_AT_IMPORT]
    assert set(found) <= OF_PROCESSES


def test_every_module_of_the_core_is_imported_there_and_does_what_it_can():
    script = (
        f"import asyncio, importlib\nfor name in {modules()!r}:\n    importlib.import_module(name)\n"
        "from tests.lite import capabilities\nasyncio.run(capabilities.tell())"
    )
    lines = [line for line in in_the_browsers_world(script, *OTHERS).splitlines() if line.startswith("CAPABILITY ")]
    told = [json.loads(line.removeprefix("CAPABILITY ")) for line in lines]
    assert len(told) > 20
    assert [one for one in told if one["outcome"] != "ok"] == []


def test_the_first_examples_of_the_readme_run_there(tmp_path):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    first, journaled = re.findall(r"```python\n(.*?)```", readme, flags=re.DOTALL)[:2]
    printed = in_the_browsers_world(f"import os; os.chdir({str(tmp_path)!r})\n{first}{journaled}")
    assert "completed {'text': " in printed
    assert "completed forked from tuesday at review#1" in printed


@pytest.mark.parametrize("which", ["out_of_a_journal", pytest.param("not async", marks=pytest.mark.soak)])
def test_the_templates_run_there(which):
    script = (  # async workers in calls that are not async need a thread, or a browser that can put Python aside
        "import os, pytest\nos.environ['PYTEST_DISABLE_PLUGIN_AUTOLOAD'] = '1'\n"
        f"sys.exit(pytest.main(['tests/templates/test_template_runs.py', '-qp', 'no:cacheprovider', '-k', {which!r}]))"
    )
    assert " passed" in in_the_browsers_world(script)


LEFT_ALONE = """
from orchestration_kit.engine.ticker import Ticker
from tests.lite.capabilities import *

run = one_step(hub_of(work)).start("one", "goal")
run.play()
print(run.is_finished, run.wait().state.value)

async def main():
    run = one_step(hub_of(work)).start("one", "goal")
    run.play()
    for seconds in (None, 0.01):
        try:
            run.wait(seconds)
        except (kit.OrchestrationError, TimeoutError) as error:
            print(error)
    print((await run).state.value)
    ticker, ticked = Ticker(), asyncio.Event()
    ticker.at(ticker.monotonic() + 0.01, ticked.set)
    await asyncio.wait_for(ticked.wait(), 5)

asyncio.run(main())

def work(given):
    time.sleep(0.02)

run = one_step(hub_of(work), timeout_s=0.01).start("one", "goal")
run.run()
print(*run.exception.__notes__)
"""


def test_a_run_that_is_left_alone_plays_at_once_or_in_the_loop_and_says_what_cannot_be():
    at_once, for_ever, too_short, in_the_end, late = in_the_browsers_world(LEFT_ALONE).splitlines()
    assert at_once == "True completed"
    assert "Write `await run`" in for_ever
    assert "still goes on after 0.01 s" in too_short
    assert in_the_end == "completed"
    assert "No thread can be started here" in late
