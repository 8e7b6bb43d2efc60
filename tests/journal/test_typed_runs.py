"""Runs whose workers return types of their own are resumed in a new process that defines them, and nothing else."""

from __future__ import annotations

import subprocess
import sys

MODULE = """
import sys
from dataclasses import dataclass
from enum import Enum
from pydantic import BaseModel
from orchestration_kit import Orchestrator, WorkerDefinition, create_generic_pipeline

class Mood(Enum):
    GOOD = 1

@dataclass
class Draft:
    text: str
    mood: Mood

class Verdict(BaseModel):
    draft: str

def hub(crash):
    def write(goal): return Draft(goal, Mood.GOOD)
    def review(draft):
        if crash: import os, signal; os.kill(os.getpid(), signal.SIGKILL)
        assert isinstance(draft, Draft) and draft.mood is Mood.GOOD
        return Verdict(draft=draft.text)
    made = Orchestrator(journal=sys.argv[1])
    for name, call in (("write", write), ("review", review)):
        made.register_worker(WorkerDefinition(worker_type=name, name=name, executor=call))
    made.register_workflow(create_generic_pipeline([("write", "write", ""), ("review", "review", "")]))
    return made
"""


def python(code, *arguments, cwd):
    return subprocess.run([sys.executable, "-c", code, *arguments], cwd=cwd, capture_output=True, text=True, timeout=60)


def test_types_that_the_workers_can_see_are_known_when_a_run_is_resumed(tmp_path):
    (tmp_path / "flow.py").write_text(MODULE)
    died = python(
        "import flow; flow.hub(True).execute_workflow('write_review', 'go', run_id='r')", "runs.db", cwd=tmp_path
    )
    assert died.returncode == -9, died.stderr
    done = python(
        "import flow; print(repr(flow.hub(False).resume('r', verbose=False).data['review_output']))",
        "runs.db",
        cwd=tmp_path,
    )
    assert done.stdout.strip() == "Verdict(draft='go')", done.stderr
    listed = python(
        "import sys; from orchestration_kit import Orchestrator; print(Orchestrator(journal=sys.argv[1]).runs()[0].totals.attempts)",
        "runs.db",
        cwd=tmp_path,
    )
    assert listed.stdout.strip() == "2", listed.stderr


def test_a_process_that_does_not_know_a_type_is_told_what_to_do(tmp_path):
    (tmp_path / "flow.py").write_text(MODULE)
    python("import flow; flow.hub(False).execute_workflow('write_review', 'go', run_id='r')", "runs.db", cwd=tmp_path)
    blind = python(
        "import sys; from orchestration_kit import Orchestrator; Orchestrator(journal=sys.argv[1]).get_run('r')",
        "runs.db",
        cwd=tmp_path,
    )
    assert "UnknownType: The record holds a" in blind.stderr
    assert "register_type(" in blind.stderr
