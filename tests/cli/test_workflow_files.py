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


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("flow.yaml", b"name: x\nsteps: {a: {worker_typ: y}}", "did you mean 'worker_type'"),
        ("flow.yaml", b"\xff\xfe", "is not UTF-8"),
        ("flow.txt", b"", "Workflow files end in .yaml, .yml or .json"),
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
