"""The rows of a timeline become a matplotlib figure.

Only the object-oriented API is used: no pyplot, no state of a figure behind the user's back. Text from runs is
drawn as it is, never read as mathematics or TeX.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from orchestration_kit.errors import OrchestrationError
from orchestration_kit.visual.overlay import StepState
from orchestration_kit.visual.theme import Paint, Theme
from orchestration_kit.visual.timeline_rows import UNIT_NAMES, Row, end_of, in_words, title_of, unit_for
from orchestration_kit.visual.timeline_spans import STATES, SpanState

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from orchestration_kit.history import Recorded

_PAINTS: Mapping[SpanState, StepState] = {
    "success": "succeeded", "failed": "failed", "cancelled": "cancelled", "retry wait": "retrying",
    "waiting": "waiting", "branches": "running",
}  # fmt: skip
_HATCHES: Mapping[SpanState, str] = {
    "success": "", "failed": "xxx", "cancelled": "\\\\\\", "retry wait": "////", "waiting": "---", "branches": "|||",
}  # fmt: skip
_WIDTH_IN, _ROW_IN, _MOST_IN = 8.5, 0.34, 16.0  # so wide, it shows whole beside the file browser at 1280 pixels
_MOST_LABELS = 48
_HAIRLINE = 0.004
"""The least width of a bar, as a share of the whole: a short attempt must not vanish."""
_MARGIN = 1.03
"""Where the axis ends, the run being 1."""
_WAITS = ("retry wait", "waiting", "branches")


class _Scale(NamedTuple):
    """How time becomes length."""

    length: float
    """Seconds in one unit of the axis."""
    end: float
    """The end of the run in that unit."""


class MissingPlotExtra(OrchestrationError, ImportError):
    """The picture of a timeline needs matplotlib, and it is not installed; or, given in words, something else does."""

    def __str__(self) -> str:
        if self.args:
            how = "Install it with: pip install 'orchestration-kit[plot]'"
            return f"{self.args[0]} needs matplotlib, which is not installed. {how}"
        return (
            "The picture of a timeline needs matplotlib, which is not installed. "
            "Install it with: pip install 'orchestration-kit[plot]' "
            "The timeline is there without it: .frame has it as data, .outline as text."
        )


def draw(run: Recorded, rows: Sequence[Row], theme: Theme) -> Figure:
    """Return the picture of a timeline.

    Raises:
        MissingPlotExtra: matplotlib is not installed.
    """
    with plain_style():
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine

        height = min(_MOST_IN, 1.35 + _ROW_IN * max(len(rows), 1))
        spacing = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.1)
        figure = Figure(figsize=(_WIDTH_IN, height), layout=spacing, facecolor=theme.background)
        axes: Any = figure.add_subplot(facecolor=theme.background)  # its stubs know half of it
        unit, length = unit_for(end_of(rows))
        scale = _Scale(length, max(end_of(rows) / length, 1e-9))
        _draw_lanes(axes, rows, theme)
        drawn = _draw_bars(axes, rows, scale, theme)
        _draw_frame(axes, rows, scale, theme)
        axes.set_xlabel(f"{UNIT_NAMES.get(unit, unit)} since the run began", color=theme.edge_label)
        axes.xaxis.set_visible(bool(rows))
        title = f"{title_of(run)} \N{MIDDLE DOT} {in_words(end_of(rows))}" if rows else f"{title_of(run)}: no attempt"
        axes.set_title(title, loc="left", color=theme.title, fontsize=11, fontweight="bold", parse_math=False, pad=26)
        _draw_legend(axes, drawn, theme)
    return figure


@contextmanager
def plain_style() -> Generator[None]:
    """Matplotlib's own defaults instead of what the notebook has set, and put back afterwards."""
    try:
        from matplotlib import style
    except ImportError as error:
        raise MissingPlotExtra from error
    ours = {"svg.fonttype": "none", "svg.hashsalt": "orchestration_kit", "text.usetex": False, "hatch.linewidth": 0.7}
    with style.context(["default", ours]):
        yield


def _draw_bars(axes: Any, rows: Sequence[Row], scale: _Scale, theme: Theme) -> list[SpanState]:
    """Draw the spans of all rows, one path for each state, and return the states there were to draw."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    found: list[SpanState] = []
    for state in STATES:
        bars = [(at, start, width) for at, row in enumerate(rows) for start, width in _bars(row, state, scale)]
        if not bars:
            continue
        half = 0.15 if state in _WAITS else 0.32
        corners: list[tuple[float, float]] = []
        for at, start, width in bars:
            left, right, top, bottom = start, start + width, at - half, at + half
            corners += [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
        codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY] * len(bars)
        path = Path(cast("Any", corners), cast("Any", codes))
        axes.add_patch(PathPatch(path, zorder=3, **_look(state, theme)))
        if state == "failed":
            _draw_crosses(axes, bars, scale, theme)
        found.append(state)
    return found


def _bars(row: Row, state: SpanState, scale: _Scale) -> list[tuple[float, float]]:
    """Return start and width of each bar of one state. Bars too short to tell apart become one; short waits none."""
    bars: list[tuple[float, float]] = []
    hairline = _HAIRLINE * scale.end
    for span in row.spans:
        if span.state != state or not math.isfinite(span.start_s):
            continue
        start = span.start_s / scale.length
        stop = scale.end * _MARGIN if span.is_open else span.known_end_s / scale.length
        if state in _WAITS and stop - start < hairline:
            continue
        width = max(stop - start, hairline)
        if bars and start - sum(bars[-1]) < hairline / 4 and width <= 2 * hairline:
            bars[-1] = bars[-1][0], max(sum(bars[-1]), start + width) - bars[-1][0]
        else:
            bars.append((start, width))
    return bars


def _draw_crosses(axes: Any, bars: Sequence[tuple[int, float, float]], scale: _Scale, theme: Theme) -> None:
    """Put a cross on each failure, and a clear spot behind it where the bar is wide enough to be seen around."""
    paint = theme.states["failed"]
    centres = [(start + width / 2, at) for at, start, width in bars]
    spots = [one for one, (_, _, width) in zip(centres, bars, strict=True) if width > 0.03 * scale.end]
    look: dict[str, Any] = {"linestyle": "none", "markeredgewidth": 2, "zorder": 4}
    if spots:
        axes.plot(*zip(*spots, strict=True), marker="o", markersize=11, color=paint.fill, **look)
    axes.plot(*zip(*centres, strict=True), marker="x", markersize=6, color=paint.text, **look)


def _look(state: SpanState, theme: Theme) -> dict[str, Any]:
    paint = _paint(state, theme)
    if state == "success":
        return {"facecolor": paint.stroke, "edgecolor": theme.background, "linewidth": 0.6}
    return {"facecolor": paint.fill, "edgecolor": paint.stroke, "hatch": _HATCHES[state], "linewidth": 1.0}


def _paint(state: SpanState, theme: Theme) -> Paint:
    return theme.states[_PAINTS[state]]


def _draw_lanes(axes: Any, rows: Sequence[Row], theme: Theme) -> None:
    """Shade every other lane, where there are several."""
    lanes = list(dict.fromkeys(row.lane for row in rows))
    for at, row in enumerate(rows):
        if lanes.index(row.lane) % 2:
            axes.axhspan(at - 0.5, at + 0.5, facecolor=theme.cluster.fill, edgecolor="none", zorder=0)
        if at and rows[at - 1].lane != row.lane:
            axes.axhline(at - 0.5, color=theme.cluster.stroke, linewidth=0.8, zorder=1)


def _draw_frame(axes: Any, rows: Sequence[Row], scale: _Scale, theme: Theme) -> None:
    """Axes, labels on the left, sums on the right."""
    every = max(1, math.ceil(len(rows) / _MOST_LABELS))
    at = list(range(0, len(rows), every))
    axes.set_xlim(-0.005 * scale.end, scale.end * _MARGIN)
    axes.set_ylim(max(len(rows), 1) - 0.4, -0.6)
    axes.set_yticks(at, [rows[i].label for i in at], color=theme.title, fontsize=9.5, parse_math=False)
    axes.tick_params(axis="x", colors=theme.edge_label, labelsize=9)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=theme.idle, linewidth=0.6, alpha=0.6, zorder=0)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(theme.idle)
    sums = axes.secondary_yaxis("right")
    sums.set_yticks(at, [rows[i].summary for i in at], color=theme.edge_label, fontsize=9, parse_math=False)
    sums.tick_params(axis="y", length=0)
    sums.spines["right"].set_visible(False)


def _draw_legend(axes: Any, states: Sequence[SpanState], theme: Theme) -> None:
    from matplotlib.patches import Patch

    patches = [Patch(label=state, **_look(state, theme)) for state in states]
    if patches:
        axes.legend(
            handles=patches, loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=len(patches), frameon=False,
            labelcolor=theme.edge_label, fontsize=9, handlelength=2.2, borderaxespad=0.2, columnspacing=1.6,
        )  # fmt: skip
