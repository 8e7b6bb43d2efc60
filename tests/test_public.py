"""The public surface: what it holds, and what importing it costs."""

from __future__ import annotations

import ast
import importlib
import pydoc
import re
import subprocess
import sys
from pathlib import Path

import pytest

import orchestration_kit

PUBLIC = {
    "OrchestrationService",
    "RunSet",
    "run_many",
    "Action",
    "Case",
    "Criterion",
    "Person",
    "ActionRefused",
    "ConstraintEngine",
    "Dataset",
    "DoerAgent",
    "Rubric",
    "Verdict",
    "Violation",
    "Wisdom",
    "actions_frame",
    "create_default_engine",
    "evaluate",
    "telemetry",
    "worker_from",
    "AlertRules",
    "AnswerRefused",
    "ApprovalBox",
    "ApprovalStep",
    "Branch",
    "Budget",
    "Composer",
    "CellSession",
    "Comparison",
    "Failure",
    "MapStep",
    "MemoryJournal",
    "Monitor",
    "OrchestrationError",
    "Orchestrator",
    "ParallelStep",
    "Player",
    "Problem",
    "RetryPolicy",
    "Run",
    "RunLimits",
    "SQLiteJournal",
    "Spawn",
    "SubworkflowStep",
    "WaitStep",
    "WorkerDefinition",
    "WorkerType",
    "WorkflowContext",
    "WorkflowDefinition",
    "WorkflowState",
    "WorkflowStep",
    "approvals",
    "cassette",
    "compare",
    "compare_many",
    "create_build_website_workflow",
    "create_debate",
    "create_evaluator_optimizer",
    "create_fallback_cascade",
    "create_gated_chain",
    "create_generic_pipeline",
    "create_human_gate",
    "create_map_reduce",
    "create_orchestrator_workers",
    "create_plan_execute_replan",
    "create_reflexion",
    "create_routing",
    "create_sectioning",
    "create_software_pipeline",
    "create_voting",
    "data_frame",
    "doctor",
    "history_frame",
    "pattern_workers",
    "register_type",
    "replay",
    "runs_frame",
    "step",
    "timeline",
    "transitions_frame",
    "usage_frame",
    "visualize",
    "waiting_frame",
    "write_csv",
}  # fmt: skip
"""A name more or less is a decision, to be made here too."""
HEAVY = ["pandas", "numpy", "networkx", "IPython", "ipywidgets", "graphviz"]
LATER = [*HEAVY, "yaml", "cel", "rich", "asyncio", "pydantic", "matplotlib", "jinja2", "html5lib"]


def loaded_after(code: str, names: list[str]) -> list[str]:
    """Which of the modules a fresh process has loaded after running the code."""
    script = f"{code}\nimport sys\nprint(*(name for name in {names!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_the_public_names_are_these():
    assert set(orchestration_kit.__all__) == PUBLIC
    assert list(orchestration_kit.__all__) == sorted(orchestration_kit.__all__)


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_public_name_can_be_imported_and_is_documented(name):
    thing = getattr(orchestration_kit, name)
    assert thing.__name__.rpartition(".")[2] == name
    assert pydoc.getdoc(thing), f"{name} has no docstring"
    home = getattr(thing, "__module__", None) or thing.__name__.rpartition(".")[0]  # of a module: its package
    assert getattr(importlib.import_module(home), name) is thing


def test_what_type_checkers_see_is_what_there_is():
    tree = ast.parse(Path(orchestration_kit.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name: node.module for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert {name: home.removeprefix("orchestration_kit.") for name, home in seen.items()} == orchestration_kit._HOMES


def test_the_docstring_draws_the_seven_layers():
    layers = re.findall(r"^(\d) (\w+)/", orchestration_kit.__doc__, re.MULTILINE)
    assert [number for number, _ in layers] == list("1234567")
    assert [name for _, name in layers] == ["definition", "checks", "engine", "journal", "history", "visual", "widgets"]


def test_an_unknown_name_is_an_attribute_error_and_an_import_error():
    with pytest.raises(AttributeError, match="module 'orchestration_kit' has no attribute 'Orchestra'"):
        _ = orchestration_kit.Orchestra
    with pytest.raises(ImportError, match="cannot import name 'Orchestra'"):
        exec("from orchestration_kit import Orchestra")
    assert not hasattr(orchestration_kit, "__wrapped__")


def test_dir_shows_every_public_name_for_completion():
    assert set(dir(orchestration_kit)) >= PUBLIC | {"__version__"}
    assert dir(orchestration_kit) == sorted(dir(orchestration_kit))
    shown = loaded_after("import orchestration_kit\nassert 'Orchestrator' in dir(orchestration_kit)", LATER)
    assert shown == []


def test_a_star_import_brings_them_all():
    space: dict = {}
    exec("from orchestration_kit import *", space)
    assert set(space) - {"__builtins__"} == PUBLIC


def test_a_star_import_and_a_widget_load_no_grammars():
    """jsonschema builds those of all its formats, which takes more than a second where Jupyter is installed."""
    code = "from orchestration_kit import *\nComposer(Orchestrator()), Monitor(Orchestrator()), ApprovalBox"
    assert loaded_after(code, ["jsonschema", "lark", "scipy", "matplotlib", "sklearn"]) == []


def test_importing_the_package_loads_nothing_heavy():
    assert loaded_after("import orchestration_kit", LATER) == []


@pytest.mark.parametrize(
    "name", ["Orchestrator", "WorkflowDefinition", "create_build_website_workflow", "WorkflowContext", "Run"]
)
def test_using_a_name_loads_nothing_that_it_does_not_need(name):
    assert loaded_after(f"from orchestration_kit import {name}", [*HEAVY, "yaml", "cel", "rich"]) == []


def test_a_run_of_plain_functions_loads_no_pandas_and_no_event_loop():
    code = (
        "from orchestration_kit import Orchestrator, WorkerDefinition, create_generic_pipeline\n"
        "hub = Orchestrator()\n"
        "hub.register_worker(WorkerDefinition(worker_type='generic', name='turn', executor=lambda text: text[::-1]))\n"
        "hub.register_workflow(create_generic_pipeline([('turn', 'generic', '')]))\n"
        "result = hub.execute_workflow('turn', 'stressed', verbose=False)\n"
        "assert result.data['turn_output'] == 'desserts' and len(result.history) == 1\n"
    )
    assert (
        loaded_after(code, ["pandas", "numpy", "IPython", "ipywidgets", "graphviz", "yaml", "cel", "rich", "asyncio"])
        == []
    )


def test_shift_tab_shows_the_fields_before_first_use():
    code = "import inspect, orchestration_kit as kit; print(inspect.signature(kit.WorkflowStep), inspect.signature(kit.RetryPolicy))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    for expected in ("step_id", "worker_type", "on_success=None", "max_retries=0", "backoff_s=0.0"):
        assert expected in shown
