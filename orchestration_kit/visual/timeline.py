"""`timeline` lays a run out in time: who worked when, what was waited for, what failed and was tried again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from orchestration_kit.visual.theme import Theme, theme_named
from orchestration_kit.visual.timeline_figure import MissingPlotExtra, draw
from orchestration_kit.visual.timeline_rows import Row, as_text, rows_of
from orchestration_kit.visual.timeline_spans import Span, spans_frame, spans_of
from orchestration_kit.visual.timeline_svg import svg_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from orchestration_kit.history import Recorded


def timeline(run: Any, *, theme: str | Theme = "light") -> Timeline:
    """Lay a run out in time.

    Args:
        run: A `Run`, a `WorkflowContext`, a list of history entries or of events.
        theme: "light", "dark", "print", or a `Theme`.

    >>> entry = {"step": "draft", "timestamp": "2026-01-01T00:00:00+00:00", "duration_s": 2.0}
    >>> timeline([entry]).frame[["path", "state", "start_s", "end_s"]].values.tolist()
    [['draft#1', 'success', 0.0, 2.0]]

    Raises:
        TypeError: there is no history in `run`.
        ValueError: an unknown theme.
    """
    from orchestration_kit.history import recorded

    colours = theme_named(theme)
    return Timeline(recorded(run), colours)


@dataclass(frozen=True, repr=False, eq=False)
class Timeline:
    """A run laid out in time: as data (`frame`), as a picture (`figure`, `svg`), as text (`outline`).

    One row of the picture is a step within its lane; what happened there stands from left to right. A run with many
    branches has a row for each of the first of them and of those that failed, and one for all others. What is not a
    success has a pattern as well as a colour, and failures a cross.

    >>> at = "2026-01-01T00:00:0{}+00:00".format
    >>> entries = [
    ...     {"step": "draft", "timestamp": at(0), "duration_s": 2.0},
    ...     {"step": "print", "timestamp": at(2), "duration_s": 1.0},
    ... ]
    >>> print(timeline(entries))
    Timeline of history: 3 s
      draft |████████████████████████████████████████                    | 2 s
      print |                                        ████████████████████| 1 s
      █ success
    """

    run: Recorded
    theme: Theme

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row per span of time, in the order of the record: an attempt, or a wait before one.

        Columns (dtype): seq (Int64: missing for a wait), path (string: of the attempt, or of the one that was
        waited for), lane (category: "main", or the branch or item), step (category), attempt (Int64), worker
        (category), state (category: success, failed, cancelled, retry wait, waiting, branches), start_s, end_s
        (float64: seconds since the run began; an end that is not there yet is NaN).

        "waiting" is the time until an approval or a wait was answered, whose attempt is the moment of the answer; and
        a gap of at least 10 ms between two attempts that no retry explains: somebody who steps a run by hand and has
        not run the next cell yet. "branches" is the time in which those of a
        step were worked on, before their join; each branch has its own lane. "cancelled" is an attempt that was cut
        off because the join no longer needed it.
        """
        return spans_frame(self.spans)

    @cached_property
    def spans(self) -> list[Span]:
        """The same as tuples."""
        return spans_of(self.run)

    @cached_property
    def rows(self) -> list[Row]:
        """The spans by lane and step, as the picture has them; of many branches a row each, and one for the rest."""
        return rows_of(self.spans)

    @cached_property
    def figure(self) -> Figure:
        """The picture, as a matplotlib figure that no pyplot knows of: `timeline(run).figure.savefig("run.png")`.

        Raises:
            MissingPlotExtra: matplotlib is not installed; the message says how to install it.
        """
        return draw(self.run, self.rows, self.theme)

    @cached_property
    def svg(self) -> str:
        """The picture as one `<svg>` element with real text in it; the same run gives the same SVG.

        Raises:
            MissingPlotExtra: matplotlib is not installed; the message says how to install it.
        """
        return svg_of(self.figure, self.outline)

    @property
    def outline(self) -> str:
        """The picture as lines of text, a row each."""
        return as_text(self.run, self.rows)

    def with_theme(self, theme: str | Theme) -> Timeline:
        """Return the same timeline in other colours."""
        return replace(self, theme=theme_named(theme))

    def __str__(self) -> str:
        return self.outline

    def __repr__(self) -> str:
        return f"<Timeline of {self.run.run!r}: {len(self.run.records)} attempts>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        try:
            text = self.outline
        except Exception as error:  # noqa: BLE001 - a display hook that raises would hide the value it was to show
            return {"text/plain": f"This timeline could not be shown: {type(error).__name__}: {error!s:.500}"}
        try:
            return {"image/svg+xml": self.svg, "text/plain": text}
        except MissingPlotExtra as error:
            return {"text/plain": f"{text}\n\n{error}"}
        except Exception as error:  # noqa: BLE001 - as above
            return {"text/plain": f"{text}\n\nNo picture: {type(error).__name__}: {error!s:.500}"}
