"""Turn an output of a saved notebook into one that a page can show without a kernel and without asking another host."""

from __future__ import annotations

import json
import re
from typing import Any

VIEW = "application/vnd.jupyter.widget-view+json"
SVG = "image/svg+xml"
READABLE_PX = 620
"""A picture is not made narrower than this, or than it is: on a small screen its box scrolls."""


def joined(data: str | list[str]) -> str:
    """Return text that nbformat may keep as lines."""
    return data if isinstance(data, str) else "".join(data)


def inline_svg(svg: str) -> str:
    """Return a picture as a part of the page: its texts can be selected, and its titles are shown as hints."""
    svg = re.sub(r"^.*?(?=<svg\b)", "", svg, count=1, flags=re.DOTALL)
    width = re.search(r'<svg\b[^>]*?\bwidth="([\d.]+)(pt|px)?"', svg)
    least = min(float(width[1]) * (4 / 3 if width[2] == "pt" else 1), READABLE_PX) if width else READABLE_PX
    return f'<div class="kit-picture" style="--least: {least:.0f}px" tabindex="0">{svg}</div>'


def widget(model_id: str, states: dict[str, Any]) -> str | None:
    """Return a widget as it was saved, for `kit_widgets.js`; nothing if its code was not saved with it."""
    state = states.get(model_id, {}).get("state", {})
    if "_esm" not in state:
        return None
    kind = str(state.get("_anywidget_id", "widget")).split(".")[-1]
    kept = {key: value for key, value in state.items() if key[:6] not in ("_model", "_view_") and key != "layout"}
    text = json.dumps(kept, ensure_ascii=False).replace("</", "<\\/").replace("<!--", "<\\!--")
    return (
        f'<figure class="kit-widget" data-kind="{kind}"><div class="kit-stage"></div>'
        f"<figcaption>{kind}, as it was saved. It works in the notebook itself: <code>make lab</code>.</figcaption>"
        f'<script type="application/json">{text}</script></figure>'
    )


def shown(output: dict[str, Any], states: dict[str, Any]) -> dict[str, Any]:
    """Return the output to show in place of this one."""
    data = output.get("data")
    if not data:
        return output
    html = None
    if VIEW in data:
        html = widget(data[VIEW]["model_id"], states)
    elif SVG in data:
        html = inline_svg(joined(data[SVG]))
    if html is None:
        return {**output, "data": {kind: value for kind, value in data.items() if kind != VIEW}}
    return {**output, "data": {"text/html": html, "text/plain": data.get("text/plain", "")}}
