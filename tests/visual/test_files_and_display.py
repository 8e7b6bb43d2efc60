"""Saving a diagram, and showing it in a notebook."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from orchestration_kit import WorkflowDefinition, WorkflowStep
from orchestration_kit.visual import THEMES, mimebundle, visualize
from orchestration_kit.visual.diagram import NOTEBOOK_WIDTH
from orchestration_kit.visual.theme import Paint, contrast
from tests.visual.models import build_website


@pytest.mark.parametrize(
    ("suffix", "begins"),
    [
        (".svg", "<svg"),
        (".dot", "digraph"),
        (".gv", "digraph"),
        (".mmd", "flowchart"),
        (".txt", "Workflow build"),
    ],
)
def test_the_suffix_says_what_is_written(tmp_path: Path, suffix: str, begins: str) -> None:
    path = visualize(build_website(), renderer="builtin").save(tmp_path / f"w{suffix}")
    assert path.read_text(encoding="utf-8").startswith(begins)
    assert [file.name for file in tmp_path.iterdir()] == [f"w{suffix}"]


def test_an_unknown_suffix_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'\.jpg' is not one of \.svg, \.png, \.pdf"):
        visualize(build_website()).save(tmp_path / "w.jpg")
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "w.svg"
    target.write_text("old")

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        visualize(build_website(), renderer="builtin").save(target)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_notebook_gets_svg_and_text() -> None:
    shown = mimebundle(build_website())
    assert set(shown) == {"image/svg+xml", "text/plain"}
    assert shown["text/plain"].splitlines()[1].strip() == "1. create_specs (product_manager) [start]"


def chain(size: int) -> WorkflowDefinition:
    workflow = WorkflowDefinition("chain")
    for at in range(size):
        last = at == size - 1
        workflow.add_step(
            WorkflowStep(
                step_id=f"s{at}", worker_type="t", on_success=None if last else f"s{at + 1}", is_terminal=last
            ),
            is_initial=at == 0,
        )
    return workflow


def test_a_notebook_shows_all_of_a_wide_picture_and_a_file_keeps_its_size() -> None:
    wide = visualize(chain(12), direction="LR", renderer="builtin")
    shown = ET.fromstring(wide._repr_mimebundle_()["image/svg+xml"])  # pyright: ignore[reportPrivateUsage]
    full = ET.fromstring(wide.svg)
    assert shown.get("width") == str(NOTEBOOK_WIDTH)
    assert shown.get("viewBox") == full.get("viewBox") == f"0 0 {full.get('width')} {full.get('height')}"
    scale = NOTEBOOK_WIDTH / float(full.get("width", "0"))
    assert scale < 0.5
    assert float(shown.get("height", "0")) == pytest.approx(float(full.get("height", "0")) * scale, abs=1)


def test_a_notebook_shows_a_small_picture_as_it_is() -> None:
    small = visualize(build_website(), renderer="builtin")
    assert small._repr_mimebundle_()["image/svg+xml"] == small.svg  # pyright: ignore[reportPrivateUsage]


class Broken:
    """A workflow whose every attribute raises."""

    @property
    def steps(self) -> object:
        raise RuntimeError("broken <b>")


def test_a_notebook_gets_the_reason_where_nothing_can_be_drawn() -> None:
    assert mimebundle(Broken())["text/plain"].startswith("This could not be drawn: RuntimeError\nbroken")


def test_every_text_of_every_theme_can_be_read() -> None:
    for theme in THEMES.values():
        paints = [theme.step, theme.start, theme.completed, theme.failed, theme.problem, theme.cluster]
        for paint in (*paints, *theme.states.values()):
            assert isinstance(paint, Paint)
            assert contrast(paint.text, paint.fill) >= 4.5, (theme.name, paint)
            assert contrast(paint.muted, paint.fill) >= 4.5, (theme.name, paint)
        idle = theme.states["not visited"].muted
        for ink in (theme.title, theme.edge_label, theme.failure, theme.branch, theme.aside, idle, theme.problem.text):
            for ground in (theme.background, theme.cluster.fill):
                assert contrast(ink, ground) >= 4.5 or ink == theme.problem.text, (theme.name, ink)
        for line in (theme.edge, theme.faint):
            assert contrast(line, theme.background) >= 3, theme.name  # lines: WCAG 1.4.11


def test_every_colour_has_six_digits() -> None:
    for theme in THEMES.values():
        svg = visualize(build_website(), theme=theme, renderer="builtin").svg
        colours = [part[:8] for part in svg.split('="#')[1:]]
        assert colours and all(len(part) >= 7 and part[6] == '"' for part in colours)


def test_states_differ_by_mark_and_word_not_by_colour_alone() -> None:
    from orchestration_kit.visual.overlay import MARKS

    assert len(set(MARKS.values())) == len(MARKS)
