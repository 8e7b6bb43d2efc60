"""`visualize` draws a workflow or a run; the `Diagram` it returns is a picture, a file and text at once."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from orchestration_kit.errors import did_you_mean
from orchestration_kit.visual.dot import dot_source
from orchestration_kit.visual.dot_layout import dot_layout
from orchestration_kit.visual.layered import layered_layout
from orchestration_kit.visual.layout import Layout
from orchestration_kit.visual.levels import levels_of, total_span
from orchestration_kit.visual.mermaid import mermaid_source
from orchestration_kit.visual.model import Detail, DiagramModel, Direction, check_model, visible
from orchestration_kit.visual.outline import outline, run_summary
from orchestration_kit.visual.overlay import Overlay
from orchestration_kit.visual.positioned import raster
from orchestration_kit.visual.render import DotFailed, has_dot
from orchestration_kit.visual.scene import Scene
from orchestration_kit.visual.subject import model_for, overlay_for
from orchestration_kit.visual.svg import Memory, paint_groups, paint_svg
from orchestration_kit.visual.theme import Theme, theme_named

Renderer = Literal["dot", "builtin"]

DOT_EDGES, DOT_SPAN = 200, 250
"""Edges, and layers that edges cross, up to which `dot` lays out by default. Beyond, it takes longer than the
built-in layout: half a second where 50 steps can all fail into one terminal."""
NOTEBOOK_WIDTH = 960
"""Pixels that a picture is wide at most in a notebook: JupyterLab cuts off what is wider, and has no scroll bar."""
DOT_PATIENCE_S = 5.0
"""Seconds after which an unasked-for `dot` is given up, and the built-in layout draws."""


@dataclass(slots=True)
class Drawing:
    """A model laid out, once for all overlays and themes."""

    shown: DiagramModel
    layout: Layout
    note: str
    """Why it was the built-in layout, where `dot` would have been the first choice."""
    about: str
    """The outline, without a run."""
    memory: dict[str, Memory] = field(default_factory=dict[str, Memory])
    """What was painted, by theme."""


@dataclass(frozen=True)
class Diagram:
    """A workflow or a run as a picture. In a notebook it shows itself.

    `svg`, `dot`, `mermaid` and `outline` are text, `png` and `pdf` are bytes (these two need Graphviz).
    `renderer` says who laid it out: "dot", or "builtin", which needs nothing but Python.

    >>> from orchestration_kit import create_generic_pipeline, visualize
    >>> diagram = visualize(create_generic_pipeline([("plan", "generic", ""), ("write", "generic", "")]))
    >>> print(diagram.mermaid.splitlines()[0])
    flowchart TB
    >>> print(diagram.outline)
    Workflow plan_write: 3 steps
      1. plan (generic) [start]
           → write
           → failed (✗ fails)
      2. ✓ write (generic) [ends: completed]
           → failed (✗ fails)
      3. ✗ failed (generic) [ends: failed]
           A step failed
    """

    model: DiagramModel
    theme: Theme
    overlay: Overlay | None = None
    asked_for: Renderer | None = None
    """The renderer that was asked for; None leaves the choice to size and to what is installed."""
    _drawings: list[Drawing] = field(default_factory=list[Drawing], repr=False, compare=False)
    """Empty until first drawn; then one, shared by the diagrams that differ in overlay or theme alone."""

    @property
    def renderer(self) -> Renderer:
        """Which layout drew it."""
        return "dot" if self.layout.drawn_by == "dot" else "builtin"

    @property
    def renderer_note(self) -> str:
        """Why the built-in layout drew although `dot` would have been the first choice; mostly empty."""
        return self._drawn().note

    @property
    def layout(self) -> Layout:
        """Where everything is; made once, and shared by every overlay on this diagram."""
        return self._drawn().layout

    @cached_property
    def svg(self) -> str:
        """The picture as one safe `<svg>` element: no script, no link, no outside reference.

        It is as large as it needs to be. A notebook shows it scaled down to `NOTEBOOK_WIDTH` where it is wider.
        """
        return self._painted(None)

    @property
    def groups(self) -> dict[str, str]:
        """The groups of `svg` by id, in order: after another overlay, those that differ are what has changed."""
        return paint_groups(self._scene(), self._memory())

    @property
    def png(self) -> bytes:
        """The picture as PNG, at twice the size of the SVG.

        Raises:
            DotFailed: Graphviz is missing or failed; the message says how to install it.
        """
        return raster(self._scene(), "png")

    @property
    def pdf(self) -> bytes:
        """The picture as PDF.

        Raises:
            DotFailed: Graphviz is missing or failed; the message says how to install it.
        """
        return raster(self._scene(), "pdf")

    @property
    def dot(self) -> str:
        """The workflow in Graphviz's language, without the run."""
        return dot_source(self.model, self.theme)

    @property
    def mermaid(self) -> str:
        """The workflow as a Mermaid flowchart, without the run."""
        return mermaid_source(self.model, self.theme)

    @property
    def outline(self) -> str:
        """The workflow, and the run if there is one, as lines of text."""
        return outline(visible(self.model), self.overlay)

    def with_overlay(self, run: Any) -> Diagram:
        """Return the same drawing with another state on it; nothing moves and nothing is laid out again.

        `run` is a run, a context, a history or an `Overlay`; None takes the state away.
        """
        return replace(self, overlay=overlay_for(run, self.model))

    def with_theme(self, theme: str | Theme) -> Diagram:
        """Return the same drawing in other colours."""
        return replace(self, theme=theme_named(theme))

    def fold(self, *clusters: str) -> Diagram:
        """Return the diagram with these clusters (all, without names) drawn as one box each."""
        return replace(self, model=self.model.fold(*clusters), _drawings=[])

    def unfold(self, *clusters: str) -> Diagram:
        """Return the diagram with these clusters (all, without names) drawn open."""
        return replace(self, model=self.model.unfold(*clusters), _drawings=[])

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the diagram to a file whose suffix says what to write, wholly or not at all.

        Suffixes: .svg, .png, .pdf, .dot (.gv), .mmd (.mermaid), .txt.

        Raises:
            ValueError: another suffix.
            DotFailed: .png or .pdf without Graphviz.
        """
        target = Path(path)
        writers: dict[str, Callable[[], str | bytes]] = {
            ".svg": lambda: self.svg,
            ".png": lambda: self.png,
            ".pdf": lambda: self.pdf,
            ".dot": lambda: self.dot,
            ".gv": lambda: self.dot,
            ".mmd": lambda: self.mermaid,
            ".mermaid": lambda: self.mermaid,
            ".txt": lambda: self.outline + "\n",
        }
        write = writers.get(target.suffix.lower())
        if write is None:
            raise ValueError(
                f"A diagram cannot be saved as {target.name!r}: the suffix {target.suffix!r} is not one of "
                f"{', '.join(writers)}.{did_you_mean(target.suffix, writers)}"
            )
        content = write()
        _write_whole(target, content.encode("utf-8", "replace") if isinstance(content, str) else content)
        return target

    def _drawn(self) -> Drawing:
        if not self._drawings:
            shown = visible(self.model)
            self._drawings.append(Drawing(shown, *_lay_out(shown, self.asked_for), outline(shown)))
        return self._drawings[0]

    def _scene(self) -> Scene:
        drawing = self._drawn()
        run = f"\n{run_summary(drawing.shown, self.overlay)}" if self.overlay is not None else ""
        return Scene(drawing.shown, drawing.layout, self.theme, self.overlay, drawing.about + run)

    def _painted(self, widest: float | None) -> str:
        return paint_svg(self._scene(), self._memory(), widest=widest)

    def _memory(self) -> Memory:
        return self._drawn().memory.setdefault(repr(self.theme), Memory())

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        try:
            return {"image/svg+xml": self._painted(NOTEBOOK_WIDTH), "text/plain": self.outline}
        except Exception as error:  # noqa: BLE001 - a notebook shows the reason where the picture would be
            return {"text/plain": _reason(error)}


def visualize(  # noqa: PLR0913 - each is a choice a reader of a notebook makes by name
    subject: Any,
    *,
    theme: str | Theme = "light",
    direction: Direction = "TB",
    detail: Detail = "full",
    overlay: Any = None,
    renderer: Renderer | None = None,
) -> Diagram:
    """Draw a workflow, a run, a context or a history.

    Args:
        subject: a `WorkflowDefinition`, sound or not; a run or context, drawn with what happened; a list of
            history entries, or a run whose definition is gone: what happened alone.
        theme: "light", "dark", "print", or a `Theme`.
        direction: "TB" from top to bottom, or "LR" from left to right.
        detail: "full" with workers and descriptions, or "compact" with names only.
        overlay: a run, context, history or `Overlay` to draw over a workflow. None takes it from `subject`
            where it ran; False draws no run; True insists on one.
        renderer: "dot" or "builtin" to insist on one. By default `dot` lays out where it is installed, and
            the built-in layout where it is not, fails, or would be slow.

    Raises:
        TypeError: `subject` cannot be drawn.
        ValueError: an unknown theme, direction, detail or renderer; `overlay=True` without a run.

    >>> from types import SimpleNamespace as Stub
    >>> step = Stub(step_id="hello", worker_type="generic", is_terminal=True)
    >>> diagram = visualize(Stub(name="demo", initial_step="hello", steps={"hello": step}), renderer="builtin")
    >>> diagram.svg[:4], diagram.renderer
    ('<svg', 'builtin')
    """
    for given, name, known in (
        (direction, "direction", ("TB", "LR")),
        (detail, "detail", ("full", "compact")),
        (renderer, "renderer", (None, "dot", "builtin")),
    ):
        if given not in known:
            raise ValueError(f"{name}={given!r} is not known. Choose one of {', '.join(map(repr, known))}.")
    colours = theme_named(theme)
    model = model_for(subject, detail=detail, direction=direction)
    check_model(model)
    if overlay is None or overlay is True:
        over = overlay_for(subject, model) if not isinstance(subject, DiagramModel) else None
    else:
        over = None if overlay is False else overlay_for(overlay, model)
    if over is None and overlay not in (None, False):
        raise ValueError(
            f"overlay={overlay if overlay is True else type(overlay).__name__!r} needs a run: give a Run, a "
            "WorkflowContext, a list of history entries, or an Overlay."
        )
    return Diagram(model, colours, over, renderer)


def mimebundle(subject: Any) -> dict[str, str]:
    """Return what a notebook shows for a workflow or a run: SVG and text. Never raises.

    >>> mimebundle(object())["text/plain"].splitlines()[0]
    'This could not be drawn: TypeError'
    """
    try:
        return visualize(subject)._repr_mimebundle_()  # pyright: ignore[reportPrivateUsage]
    except Exception as error:  # noqa: BLE001 - a display hook that raises would hide the value it was to show
        return {"text/plain": _reason(error)}


def _lay_out(model: DiagramModel, asked_for: Renderer | None) -> tuple[Layout, str]:
    if asked_for == "builtin":
        return layered_layout(model), ""
    if asked_for == "dot":
        return dot_layout(model), ""
    if not has_dot():
        return layered_layout(model), "no `dot` program on the PATH"
    if len(model.edges) > DOT_EDGES or total_span(levels_of(model)) > DOT_SPAN:
        return layered_layout(model), "faster than `dot` at this size"
    try:
        return dot_layout(model, time_limit_s=DOT_PATIENCE_S), ""
    except DotFailed as error:
        return layered_layout(model), error.reason


def _reason(error: Exception) -> str:
    return f"This could not be drawn: {type(error).__name__}\n{str(error)[:2_000]}"


def _write_whole(target: Path, content: bytes) -> None:
    """Write beside the target, then rename: a reader sees the old file or the new one."""
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).chmod(0o644)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
