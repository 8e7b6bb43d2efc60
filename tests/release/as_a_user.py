"""What somebody does with the wheel alone: `scripts/release/check.py` copies this file to where the source is not.

Beside it lies README.md. Nothing of tests/ is there, and no extra is installed.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import orchestration_kit
from orchestration_kit import (
    ApprovalStep,
    Comparison,
    Composer,
    Monitor,
    Orchestrator,
    SQLiteJournal,
    WorkerDefinition,
    WorkflowDefinition,
    history_frame,
)

HERE = Path(__file__).parent
PYTHON_BLOCK = re.compile(r"```python\n(.*?)```", flags=re.DOTALL)
KIT = Path(sys.executable).with_name("orchestration-kit")
FLOW = WorkflowDefinition.from_edges(
    "flow",
    [("loud", "choose"), ("choose", "done")],
    workers={"loud": "loud", "choose": ApprovalStep(step_id="choose", prompt="Which?", schema=str), "done": "generic"},
)


@pytest.fixture
def hub(tmp_path):
    with SQLiteJournal(tmp_path / "runs.db") as journal:
        yield hub_of(journal)


def hub_of(journal):
    hub = Orchestrator(journal=journal)
    for kind, worker in (("loud", lambda goal: str(goal).upper()), ("generic", lambda value: value)):
        hub.register_worker(WorkerDefinition(worker_type=kind, name=kind, executor=worker))
    hub.register_workflow(FLOW)
    return hub


def kit(*arguments, **options):
    return subprocess.run([str(KIT), *map(str, arguments)], capture_output=True, text=True, timeout=120, **options)


def test_it_is_the_installed_package_and_the_source_is_nowhere_near():
    assert "site-packages" in orchestration_kit.__file__
    assert orchestration_kit.__version__ == metadata.version("orchestration-kit")


def test_every_public_name_is_there():
    for name in orchestration_kit.__all__:
        assert getattr(orchestration_kit, name) is not None


def test_the_readmes_examples_run_one_after_the_other(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {}
    blocks = PYTHON_BLOCK.findall((HERE / "README.md").read_text(encoding="utf-8"))
    for block in blocks[:5]:  # the first that needs an extra is the sixth
        exec(compile(block, "README.md", "exec"), names)
    assert "completed {'text': " in capsys.readouterr().out
    names["hub"].journal.close()


def test_a_workflow_is_drawn_without_graphviz(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "<svg" in FLOW._repr_mimebundle_()["image/svg+xml"]


def test_a_run_is_gone_on_with_in_another_process(hub, tmp_path):
    hub.start("flow", "hello", run_id="tuesday").run()
    code = (
        "import sys; sys.path.insert(0, sys.argv[2]); from as_a_user import SQLiteJournal, hub_of\n"
        "with SQLiteJournal(sys.argv[1]) as journal:\n"
        "    run = hub_of(journal).get_run('tuesday'); run.approve('this'); print(run.run().state)\n"
    )
    hub.journal.close()
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "runs.db", HERE], capture_output=True, text=True, timeout=120
    )
    assert done.stdout.strip() == "completed", done.stderr


def test_a_run_is_a_frame(hub):
    run = hub.start("flow", "hello")
    run.run()
    assert history_frame(run)["step"].tolist()[0] == "loud"


def test_the_widgets_have_their_code_with_them(hub):
    run = hub.start("flow", "hello")
    run.run()
    for widget in (Composer(hub), run.player(), Monitor(hub), Comparison(run, run)):
        assert len(str(widget._esm)) > 1000
        widget.close()


def test_the_command_line_checks_draws_and_lists(hub, tmp_path):
    (tmp_path / "flow.yaml").write_text(FLOW.to_yaml(), encoding="utf-8")
    assert kit("validate", tmp_path / "flow.yaml").returncode == 0
    assert kit("render", tmp_path / "flow.yaml", "-o", tmp_path / "flow.svg").returncode == 0
    assert "<svg" in (tmp_path / "flow.svg").read_text(encoding="utf-8")
    hub.start("flow", "hello", run_id="tuesday").run()
    assert "tuesday" in kit("runs", "list", "--journal", tmp_path / "runs.db").stdout


def test_the_doctor_finds_the_core_whole_and_says_how_to_get_every_extra():
    done = kit("doctor", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    told = {one["what"]: one for one in json.loads(done.stdout)["findings"] if one["area"] in {"extras", "package"}}
    assert told["orchestration-kit"]["state"] == "ok"
    for extra in metadata.metadata("orchestration-kit").get_all("Provides-Extra"):
        assert told[extra]["state"] == "ok" or f"orchestration-kit[{extra}]" in told[extra]["fix"]


def test_types_licences_and_the_bill_of_materials_came_along():
    names = {str(file) for file in metadata.files("orchestration-kit")}
    assert "orchestration_kit/py.typed" in names
    about = f"orchestration_kit-{orchestration_kit.__version__}.dist-info"
    for name in ("licenses/LICENSE", "licenses/THIRD_PARTY_LICENSES.txt", "sboms/orchestration-kit.cdx.json"):
        assert f"{about}/{name}" in names
    assert not any(name.startswith(("tests/", "orchestration_kit/widgets/frontend")) for name in names)
