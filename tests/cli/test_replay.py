"""`replay`, and types of ones own on record."""

from __future__ import annotations

import os
import subprocess
import sys

from orchestration_kit.cli import main
from tests.cli.support import command


def test_a_replay_says_whether_the_path_is_the_same(runs, capsys):
    import flow_under_test

    assert main(["replay", "first"]) == 0
    assert capsys.readouterr().out == "Run 'first': the same path, 5 attempts, no worker called.\n"
    assert main(["replay", "first", "--hub", "flow_under_test:hub"]) == 0
    changed = flow_under_test.ready.workflows["article"].model_copy(deep=True)
    changed.steps["review"].on_failure = "publish"
    (runs / "changed.yaml").write_text(changed.to_yaml())
    capsys.readouterr()
    for other in (["--workflow", "changed.yaml"], ["--workflow", "changed.yaml", "--hub", "flow_under_test:hub"]):
        assert main(["replay", "first", *other]) == 1
        assert (
            "at review#1, attempt 1:\n  on record, it goes on to 'write'\n  by this workflow, it goes on to 'publish'\n"
            in capsys.readouterr().out
        )
    flow_under_test.ready.register_workflow(changed)
    assert main(["replay", "first", "--hub", "flow_under_test:ready"]) == 1
    assert main(["replay", "first", "--workflow", "changed.txt"]) == 1
    assert main(["replay", "first", "--workflow", "none.yaml"]) == 1


TYPED = """
import dataclasses, enum
from orchestration_kit import Orchestrator, WorkerDefinition, create_generic_pipeline

class Mood(enum.Enum):
    DRY = 1

@dataclasses.dataclass
class Finding:
    text: str
    mood: Mood = Mood.DRY

def work(goal):
    return Finding(goal)

def hub(journal=None):
    made = Orchestrator(journal=journal)
    made.register_worker(WorkerDefinition(worker_type="generic", name="work", executor=work))
    made.register_workflow(create_generic_pipeline([("a", "generic", "")]))
    return made
"""


def test_values_of_types_of_ones_own_are_read_once_their_module_is_named(here):
    (here / "typed.py").write_text(TYPED)
    code = "import typed; typed.hub('runs.db').execute_workflow('a', 'go', verbose=False, run_id='r')"
    subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        env={**os.environ, "PYTHONPATH": f"{here}:{os.environ.get('PYTHONPATH', '')}"},
    )
    listed, checked = command("runs", "list"), command("runs", "check")
    assert "completed" in listed.stdout
    assert (checked.returncode, "is sound: 1 run." in checked.stdout) == (0, True)
    assert "Run r: its checksums fit, but its values were not all read." in checked.stderr
    shown = command("runs", "show", "r", "--data")
    assert shown.returncode == 1
    assert "'typed.Mood', which is not registered here" in shown.stderr
    assert shown.stderr.endswith("Here, name its module: --import typed\n")
    assert (
        "Finding(text='go', mood=<Mood.DRY: 1>)" in command("runs", "show", "r", "--data", "--import", "typed").stdout
    )
    assert command("runs", "check", "--import", "typed").stderr == ""
    assert command("replay", "r", "--import", "typed").returncode == 0
    assert command("replay", "r", "--hub", "typed:hub").returncode == 0
