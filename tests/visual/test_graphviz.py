"""With `dot`, without it, and with one that hangs, crashes or talks nonsense: there is always a picture."""

from __future__ import annotations

import os
import pickle
import time
from pathlib import Path

import pytest

from orchestration_kit.visual import DotFailed, DotMissing, diagram, mimebundle, visualize
from orchestration_kit.visual.render import has_dot, run_dot
from tests.visual.models import build_website, classes, clustered

needs_dot = pytest.mark.skipif(not has_dot(), reason="Graphviz is not installed")
needs_shell = pytest.mark.skipif(os.name != "posix", reason="the fake dot is a shell script")


@pytest.fixture
def no_dot(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


def fake_dot(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> None:
    """Put a `dot` first on the PATH that does what a shell script says."""
    program = folder / "dot"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.usefixtures("no_dot")
def test_without_dot_everything_but_png_and_pdf_is_there(tmp_path: Path) -> None:
    drawn = visualize(clustered())
    assert drawn.renderer == "builtin"
    assert "no `dot` program" in drawn.renderer_note
    assert drawn.svg and drawn.dot and drawn.mermaid and drawn.outline
    assert "image/svg+xml" in mimebundle(build_website())
    for form in ("png", "pdf"):
        with pytest.raises(DotMissing, match=r"needs Graphviz.*apt install graphviz"):
            drawn.save(tmp_path / f"x.{form}")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(DotMissing):
        _ = visualize(build_website(), renderer="dot").svg


@needs_shell
@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo 'syntax error near <b>' >&2; exit 1", "failed with code 1: syntax error"),
        ("kill -SEGV $$", "failed with code -"),
        ("exit 0", "failed with code 0: it gave no reason"),
        ("echo 'Format: \"json0\" not recognized' >&2; exit 1", "2.40 or newer"),
        ("cat >/dev/null; echo not json", "could not be read"),
        ("cat >/dev/null; echo '{}'", "could not be read"),
        ("cat >/dev/null; echo '[]'", "could not be read"),
        ('cat >/dev/null; echo \'{"bb":"0,0,1,1","objects":[]}\'', "could not be read"),
    ],
)
def test_a_dot_that_fails_is_named_or_replaced(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, said: str
) -> None:
    fake_dot(monkeypatch, tmp_path, script)
    with pytest.raises(DotFailed, match=said):
        _ = visualize(build_website(), renderer="dot").svg
    instead = visualize(build_website())
    assert classes(instead.svg)["ok-node"] == 6
    assert instead.renderer == "builtin"
    assert instead.renderer_note


@needs_shell
def test_a_dot_that_hangs_is_stopped_with_its_children(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake_dot(monkeypatch, tmp_path, "sleep 60 & sleep 60")
    monkeypatch.setattr(diagram, "DOT_PATIENCE_S", 0.3)
    began = time.monotonic()
    with pytest.raises(DotFailed, match=r"did not finish within 0.3 s and was stopped"):
        run_dot("digraph {}", "-Tsvg", wanted="A test", time_limit_s=0.3)
    assert visualize(build_website()).renderer == "builtin"
    assert time.monotonic() - began < 10


@needs_shell
def test_a_dot_that_cannot_be_started_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "dot").write_text("\x7fnot a program")
    (tmp_path / "dot").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert visualize(build_website()).renderer == "builtin"


@needs_dot
def test_a_small_workflow_is_laid_out_by_dot_and_a_large_one_by_us() -> None:
    assert visualize(build_website()).renderer == "dot"
    workflow = build_website()
    for at in range(60):
        workflow.add_step(
            workflow.steps["create_specs"].model_copy(update={"step_id": f"s{at}", "on_success": f"s{at + 1}"})
        )
    large = visualize(workflow)
    assert large.renderer == "builtin"
    assert "faster" in large.renderer_note


@needs_dot
def test_the_layout_tells_dot_no_text() -> None:
    from orchestration_kit.visual.dot_layout import layout_source

    source = layout_source(clustered())
    assert not any(word in source for word in ("plan", "research", "fails", "skip"))


@needs_dot
@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_png_and_pdf_are_drawn(theme: str, tmp_path: Path) -> None:
    drawn = visualize(clustered(), theme=theme)
    assert drawn.save(tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
    assert drawn.save(tmp_path / "x.PDF").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("error", [DotFailed("it broke"), DotMissing("A PNG")])
def test_errors_survive_pickling(error: DotFailed) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy)) == (type(error), str(error))
