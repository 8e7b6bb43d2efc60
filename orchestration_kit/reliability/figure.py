"""A figure of matplotlib that shows itself in a notebook, whether or not somebody has set matplotlib up there."""

from __future__ import annotations

import io
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure


class ShownFigure(Figure):
    """A matplotlib `Figure`: all that figures do, and an SVG of itself where a notebook asks for one."""

    def _repr_svg_(self) -> str:
        written = io.StringIO()
        untyped: Any = mpl
        with untyped.rc_context({"svg.hashsalt": "orchestration_kit"}):  # the same figure gives the same text
            figure: Any = self
            figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
        text = written.getvalue()
        return text[text.index("<svg") :]
