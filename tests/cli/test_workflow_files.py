"""The command line: validate and render workflow files, with errors a person can act on."""

from __future__ import annotations

import subprocess
import sys

import pytest

from orchestration_kit import cli, create_build_website_workflow


@pytest.fixture
def flow(tmp_path):
    path = tmp_path / "flow.yaml"
    path.write_text(create_build_website_workflow().to_yaml(), encoding="utf-8")
    return path


def test_validate_says_sound_and_lists_the_warnings(flow, capsys):
    assert cli.main(["validate", str(flow)]) == 0
    printed = capsys.readouterr().out
    assert "flow.yaml: sound, 5 steps, 0 errors, 1 warnings" in printed
    assert "warning: Only the run's limits bound the loop implement_code -> review_code" in printed


def test_validate_lists_every_error_and_exits_1(tmp_path, capsys):
    path = tmp_path / "bad.json"
    path.write_text('{"name": "bad", "initial_step": "a", "steps": {"a": {"worker_type": "x", "on_success": "b"}}}')
    assert cli.main(["validate", str(path)]) == 1
    printed = capsys.readouterr().out
    assert "error: Step 'a' has invalid on_success: 'b' is not a step" in printed
    assert "not sound" in printed


ALL_KINDS = """
name: all kinds
initial_step: each
budget: {max_cost_usd: 1.0, on_budget: sorry}
steps:
  each:
    kind: map
    over: data.items
    body: {name: inner, initial_step: x, steps: {x: {worker_type: x, on_success: ask}, ask: {kind: workflow, workflow: asking}}}
    on_success: both
    on_failure: sorry
  both: {kind: parallel, branches: {left: l, right: {when: data.n > 1, to: r}}, join: any, on_success: sign, on_failure: sorry}
  l: {worker_type: x, rate: 10/s, lock: db}
  r: {kind: wait, event: paid}
  sign: {kind: approval, prompt: Sure?, timeout_s: 60, on_timeout: sorry, on_success: ship, on_failure: sorry}
  ship: {kind: workflow, workflow: shipping, compensate: back, on_success: end, on_failure: sorry}
  back: {worker_type: x}
  end: {worker_type: x, is_terminal: true}
  sorry: {worker_type: x, is_terminal: true, outcome: failed}
"""


def test_workflows_of_all_kinds_of_steps_are_checked_and_drawn(tmp_path, capsys):
    path = tmp_path / "all.yaml"
    path.write_text(ALL_KINDS)
    assert cli.main(["validate", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "sound, 9 steps, 0 errors" in printed
    for name in ("asking", "shipping"):
        assert f"note: The workflow '{name}', which it runs, was not looked at" in printed
    for suffix in (".svg", ".mmd"):
        out = tmp_path / f"all{suffix}"
        assert cli.main(["render", str(path), "-o", str(out)]) == 0
        assert "asks a person" in out.read_text()
    path.write_text(ALL_KINDS.replace("join: any", "join: 3").replace("to: r", "to: nowhere"))
    assert cli.main(["validate", str(path)]) == 1
    printed = capsys.readouterr().out
    assert "waits for 3 branches, and there can be only 2" in printed
    assert "'nowhere' is not a step" in printed


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("flow.yaml", b"name: x\nsteps: {a: {worker_typ: y}}", "did you mean 'worker_type'"),
        ("flow.yaml", b"\xff\xfe", "is not UTF-8"),
        ("flow.txt", b"", "Workflow files end in .yaml, .yml or .json"),
        ("flow.py", b"", "A Python file is not run here: write its workflow's to_yaml() to a file."),
        ("flow.json", b"{", "JSON:"),
    ],
)
def test_a_file_that_is_no_workflow_is_a_clear_message(tmp_path, capsys, name, content, said):
    path = tmp_path / name
    path.write_bytes(content)
    assert cli.main(["validate", str(path)]) == 1
    assert said.lower() in capsys.readouterr().err.lower()


def test_a_missing_file_is_a_clear_message(tmp_path, capsys):
    assert cli.main(["validate", str(tmp_path / "nope.yaml")]) == 1
    assert "nope.yaml" in capsys.readouterr().err


@pytest.mark.parametrize("suffix", [".svg", ".dot", ".mmd", ".png", ".pdf"])
def test_render_draws_into_the_format_of_the_suffix(flow, tmp_path, capsys, suffix):
    out = tmp_path / f"out{suffix}"
    assert cli.main(["render", str(flow), "-o", str(out), "--theme", "dark", "--direction", "LR"]) == 0
    assert out.stat().st_size > 100
    assert f"out{suffix} (drawn by dot)" in capsys.readouterr().out


def test_render_refuses_an_unknown_suffix_or_theme_and_writes_nothing(flow, tmp_path, capsys):
    assert cli.main(["render", str(flow), "-o", str(tmp_path / "out.gif")]) == 1
    assert ".svg" in capsys.readouterr().err
    assert cli.main(["render", str(flow), "-o", str(tmp_path / "out.svg"), "--theme", "drak"]) == 1
    assert "dark" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["flow.yaml"]


def test_the_module_runs_and_explains_itself():
    done = subprocess.run(
        [sys.executable, "-m", "orchestration_kit.cli", "--help"], capture_output=True, text=True, check=True
    )
    for command in ("demo", "validate", "render"):
        assert command in done.stdout
