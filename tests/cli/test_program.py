"""The real program, in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

from tests.cli.support import command


def test_a_run_whose_process_was_killed_is_found_and_goes_on(here):
    (here / "kill").touch()
    code = "import flow_under_test as f; f.hub('runs.db').execute_workflow('article', 'go', verbose=False, run_id='r')"
    killed = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": f"{here}:{os.environ.get('PYTHONPATH', '')}"}
    )
    assert killed.returncode == -signal.SIGKILL
    (here / "kill").unlink()
    listed = command("runs", "list")
    assert "dead: process" in listed.stdout
    assert "in_progress" in listed.stdout
    shown = command("runs", "show", "r")
    assert "dead: process" in shown.stdout
    assert "`orchestration-kit runs resume` goes on with the run" in shown.stdout
    resumed = command("runs", "resume", "r", "--hub", "flow_under_test:hub")
    assert (resumed.returncode, resumed.stderr) == (0, "")
    assert "completed after 5 attempts" in resumed.stdout


def test_plain_text_where_the_terminal_knows_no_other_characters(runs):
    done = command("runs", "show", "first", env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert done.stdout.isascii()
    done = command("runs", "list", "--json", env={"PYTHONIOENCODING": "ascii"})
    assert len(json.loads(done.stdout)) == 3


def test_a_reader_that_has_seen_enough_is_no_error(hostile):
    path, _ = hostile
    with subprocess.Popen(
        [
            sys.executable,
            "-m",
            "orchestration_kit.cli",
            "runs",
            "list",
            "--json",
            "--limit",
            "0",
            "--journal",
            str(path),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        process.wait(timeout=60)
    assert process.returncode in (0, 1)


def test_the_help_is_quick_and_loads_no_heavy_module(runs):
    code = "import sys; from orchestration_kit.cli import main\ntry: main(['runs', '--help'])\nexcept SystemExit: pass\nprint([m for m in ('pandas', 'numpy', 'pydantic', 'rich', 'networkx', 'sqlite3', 'IPython') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    for name in ("list", "show", "resume", "fork", "export", "prune", "backup", "check"):
        assert f"\n    {name} " in done.stdout
    code = "import sys; from orchestration_kit.cli import main; main(['runs', 'list']); print([m for m in ('pandas', 'networkx', 'IPython') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
