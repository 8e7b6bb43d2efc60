"""What is known of a workflow's reliability becomes a matplotlib figure: one question, one picture.

Only the object-oriented API is used: no pyplot, no state of a figure behind the user's back. Names of steps are data:
drawn as they are, never read as mathematics or TeX.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from orchestration_kit.errors import did_you_mean
from orchestration_kit.reliability.chain import COMPLETED, FAILED
from orchestration_kit.reliability.drawing import percent
from orchestration_kit.reliability.errors import ChainError
from orchestration_kit.reliability.first_passage import curves, observed_curves
from orchestration_kit.reliability.structure import structure_of
from orchestration_kit.visual.text import one_line
from orchestration_kit.visual.theme import Theme, theme_named
from orchestration_kit.visual.timeline_figure import MissingPlotExtra, plain_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from orchestration_kit.reliability.report import Reliability

Kind = Literal["decay", "repeats", "lost", "sensitivity", "all"]

_WIDTH_IN, _HEIGHT_IN = 6.4, 4.0
_LEAST_ROWS, _MOST_ROWS = 5, 15
_MOST_REPEATS = 10
_MOST_ATTEMPTS = 1_024
_MINUS = "\N{MINUS SIGN}"
_SETTLED = 0.002
"""The decay curve is drawn until it is as near as this to its end."""


class _Colours(NamedTuple):
    main: str
    other: str
    bad: str
    text: str
    soft: str
    grid: str
    background: str


def plot(
    found: Reliability,
    kind: Kind = "all",
    *,
    theme: str | Theme = "light",
    most: int | None = None,
) -> Figure:
    """Draw what is known of a workflow's reliability.

    Args:
        found: What `reliability(...)` found.
        kind: "decay": how likely a run has completed within so many attempts, with the credible band, and the share of
            the runs observed. "repeats": pass^k and pass@k, by how much goals differ, and as if they did not.
            "lost": at which steps runs are lost. "sensitivity": what one more retry, or a worker a point better,
            would bring. "all": the four of them.
        theme: As for `visualize`.
        most: Attempts, repeats or rows to draw; by default as many as there is something to see.

    Raises:
        ChainError: `most` is less than 1.
        MissingPlotExtra: matplotlib is not installed.
        ValueError: another kind or theme.

    >>> from orchestration_kit.reliability import Chain, ChainStep, Reliability
    >>> step = ChainStep(success=0.8, after_success={"[completed]": 1}, after_failure={"[failed]": 1}, retries=2)
    >>> plot(Reliability(Chain("demo", "ask", {"ask": step})), "decay").axes[0].get_ylabel()
    'runs that have completed'
    """
    if kind not in (*_KINDS, "all"):
        known = ", ".join(map(repr, (*_KINDS, "all")))
        raise ValueError(f"kind={kind!r:.60} is not known. Choose one of {known}.{did_you_mean(str(kind), _KINDS)}")
    if most is not None and (isinstance(most, bool) or not isinstance(most, int) or most < 1):
        raise ChainError(found.chain.workflow, f"most={most!r:.60} is nothing to draw; give 1 or more.")
    colours = _colours(theme_named(theme))
    try:
        from orchestration_kit.reliability.figure import ShownFigure
    except ImportError as error:
        raise MissingPlotExtra("A plot of reliability") from error
    with plain_style():
        rows = (tuple(_KINDS)[:2], tuple(_KINDS)[2:]) if kind == "all" else ((kind,),)
        size = len(rows[0]) * _WIDTH_IN, len(rows) * _HEIGHT_IN
        figure: Any = ShownFigure(figsize=size, layout="constrained", facecolor=colours.background)
        parts = figure.subfigures(len(rows), 1, squeeze=False)[:, 0]  # so that names of steps widen one row only
        for part, kinds in zip(parts, rows, strict=True):
            part.set_facecolor(colours.background)
            for number, one in enumerate(kinds):
                axes = part.add_subplot(1, len(kinds), number + 1, facecolor=colours.background)
                _KINDS[one](axes, found, colours, most)
                _frame(axes, colours)
        if kind == "all":
            p = found.p_success
            title = f"{one_line(found.chain.workflow, 60)}: {percent(p.value, p.low, p.high)} of the runs complete"
            figure.suptitle(title, color=colours.text, fontsize=13, fontweight="bold", parse_math=False)
    return figure


def _colours(theme: Theme) -> _Colours:
    return _Colours(
        theme.states["running"].stroke, theme.states["waiting"].stroke, theme.failure, theme.title, theme.edge_label,
        theme.idle, theme.background,
    )  # fmt: skip


# --- one kind each


def _decay(axes: Any, found: Reliability, colours: _Colours, most: int | None) -> None:
    import numpy as np
    from matplotlib.ticker import MaxNLocator

    frame = found.decay(_enough(found) if most is None else most)
    attempts = frame["attempts"].to_numpy()
    if found.draws is not None:
        axes.fill_between(
            attempts, frame["low"], frame["high"], step="post", color=colours.main, alpha=0.18, linewidth=0,
            label=f"{100 * found.level:g} % credible band",
        )  # fmt: skip
    axes.step(attempts, frame["probability"], where="post", color=colours.main, linewidth=1.8, label="the chain")
    if found.counts is not None and not found.changed:
        seen = _observed(found, int(attempts[-1]))
        runs = len(found.counts.paths)
        look: dict[str, Any] = {"color": colours.text, "linewidth": 1.1, "linestyle": (0, (4, 2))}
        axes.step(attempts, seen, where="post", label=f"observed, {runs:,} run{'' if runs == 1 else 's'}", **look)
    axes.axhline(found.p_success.value, color=colours.soft, linewidth=0.8, linestyle=":")
    axes.set_xlim(0, max(int(attempts[-1]), 1))
    axes.set_ylim(0, 1.02)
    axes.set_yticks(np.linspace(0, 1, 6))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _say(axes, colours, "within so many attempts", "runs that have completed")
    _title(axes, colours, f"Completed in time: {percent(found.p_success.value)} in the end")
    _as_percent(axes.yaxis)
    _legend(axes, colours, "lower right")


def _enough(found: Reliability) -> int:
    """Return after how many attempts the curve has come to its end, all but a little."""
    structure, success, ways = structure_of(found.chain)
    most = 16
    while True:
        curve = curves(structure, [success], [ways], most=most)[0, 0]
        if found.p_success.value - curve[-1] < _SETTLED or most >= _MOST_ATTEMPTS:
            return min(max(int((found.p_success.value - curve >= _SETTLED).sum()) + 1, 4), _MOST_ATTEMPTS)
        most *= 4


def _observed(found: Reliability, most: int) -> Any:
    import numpy as np

    paths = [] if found.counts is None else found.counts.paths
    ends = {COMPLETED: 0, FAILED: 1, None: 2}
    lengths, how = [path.attempts for path in paths], [ends[path.end] for path in paths]
    return observed_curves(lengths, how, np.zeros(len(paths), np.int64), groups=1, most=most)[0, 0]


def _repeats(axes: Any, found: Reliability, colours: _Colours, most: int | None) -> None:
    ks = list(range(1, (most or _MOST_REPEATS) + 1))
    p = found.p_success.value
    informed = found.frailty is not None and found.frailty.is_informed
    asked = (("pass@k: one of k", found.pass_at, colours.main), ("pass^k: all k", found.pass_hat, colours.other))
    for name, ask, colour in asked:
        told = [ask(k) for k in ks]
        axes.plot(ks, [one.value for one in told], color=colour, linewidth=1.8, marker="o", markersize=4, label=name)
        if any(one.high - one.low > 1e-12 for one in told):
            ends = [one.low for one in told], [one.high for one in told]
            axes.fill_between(ks, *ends, color=colour, alpha=0.15, linewidth=0)
    if informed:
        look: dict[str, Any] = {"color": colours.soft, "linewidth": 1.1, "linestyle": (0, (4, 2))}
        axes.plot(ks, [1 - (1 - p) ** k for k in ks], label="as if goals were alike", **look)
        axes.plot(ks, [p**k for k in ks], **look)
    axes.set_ylim(0, 1.02)
    axes.set_xticks(ks[:: max(1, len(ks) // 10)])
    _say(axes, colours, "k runs of one goal", "probability")
    _title(axes, colours, "Repeats, as goals differ" if informed else "Repeats, as if all goals were alike")
    _as_percent(axes.yaxis)
    _legend(axes, colours, "best")


def _lost(axes: Any, found: Reliability, colours: _Colours, most: int | None) -> None:
    frame = found.lost().head(most or _MOST_ROWS)
    shares = frame["lost"].to_numpy()
    spread = None
    if found.draws is not None and len(frame):
        spread = [(frame["lost"] - frame["low"]).clip(lower=0), (frame["high"] - frame["lost"]).clip(lower=0)]
    _bars(axes, [one_line(step, 32) for step in frame["step"]], shares, colours.bad, spread=spread, colours=colours)
    _as_percent(axes.xaxis)
    _say(axes, colours, "share of all runs lost there", "")
    gone = found.solved.p_failure
    _title(axes, colours, f"Where runs are lost: {percent(gone)} in all" if len(frame) else "No run is lost")


def _sensitivity(axes: Any, found: Reliability, colours: _Colours, most: int | None) -> None:
    frame = found.sensitivity().head(most or _MOST_ROWS)
    names = [one_line(change, 48) for change in frame["change"]]
    _bars(axes, names, frame["points"].to_numpy(), colours.main, colours=colours)
    if found.told[2]:
        for at, cost in enumerate(frame["cost_usd"].to_numpy()):
            said = f"{'+' if cost >= 0 else _MINUS}${abs(cost):.2g}"
            where: dict[str, Any] = {
                "xytext": (4, 0),
                "textcoords": "offset points",
                "va": "center",
                "fontsize": 8,
                "parse_math": False,
            }
            axes.annotate(said, (max(float(frame["points"].iloc[at]), 0.0), at), color=colours.soft, **where)
    axes.axvline(0, color=colours.soft, linewidth=0.8)
    _say(axes, colours, "points of P(success) gained", "")
    _title(axes, colours, "What would bring most" if len(frame) else "Nothing to change: no step can fail")


_KINDS: Mapping[str, Callable[[Any, Reliability, _Colours, int | None], None]] = {
    "decay": _decay, "repeats": _repeats, "lost": _lost, "sensitivity": _sensitivity,
}  # fmt: skip


# --- looks


def _bars(  # noqa: PLR0913 - a bar chart
    axes: Any, names: list[str], values: Any, colour: str, *, colours: _Colours, spread: Any = None
) -> None:
    """Draw a bar a row, the first on top, with whiskers where there is a spread."""
    at = list(range(len(names)))
    look: dict[str, Any] = {"ecolor": colours.text, "capsize": 2.5, "error_kw": {"linewidth": 0.9}}
    axes.barh(at, values, color=colour, height=0.62, xerr=spread, **look)
    axes.set_yticks(at, names, parse_math=False)
    axes.set_ylim(max(len(names), _LEAST_ROWS) - 0.4, -0.6)


def _frame(axes: Any, colours: _Colours) -> None:
    axes.tick_params(colors=colours.soft, labelsize=9)
    axes.grid(color=colours.grid, linewidth=0.5, alpha=0.6)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(colours.grid)


def _say(axes: Any, colours: _Colours, below: str, beside: str) -> None:
    axes.set_xlabel(below, color=colours.soft, fontsize=9.5)
    axes.set_ylabel(beside, color=colours.soft, fontsize=9.5)


def _title(axes: Any, colours: _Colours, text: str) -> None:
    axes.set_title(text, loc="left", color=colours.text, fontsize=11, fontweight="bold", parse_math=False)


def _as_percent(axis: Any) -> None:
    from matplotlib.ticker import FuncFormatter

    def said(value: float, _: int) -> str:
        return f"{100 * value:.3g} %" if math.isfinite(value) else ""

    axis.set_major_formatter(FuncFormatter(said))


def _legend(axes: Any, colours: _Colours, where: str) -> None:
    axes.legend(loc=where, frameon=False, fontsize=8.5, labelcolor=colours.text)
