"""Write formulas as MathML, which browsers draw by themselves: no script, no font, no request."""

from __future__ import annotations

from html import escape

from docutils import nodes
from docutils.utils.math import MathError, latex2mathml
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

logger = logging.getLogger(__name__)


def mathml(text: str, *, block: bool, where: nodes.Element | None = None) -> str:
    """Turn LaTeX into a `<math>` element; what is not understood is a warning, and stays as it was written."""
    try:
        tree = latex2mathml.tex2mathml(text, as_block=block)
    except MathError as error:
        logger.warning("the formula %r cannot be drawn: %s", text, error, location=where)
        return f"<code>{escape(text)}</code>"
    return tree if isinstance(tree, str) else tree.toxml()


def inline(writer: HTML5Translator, node: nodes.math) -> None:
    """Write a formula in a line."""
    writer.body.append(mathml(node.astext(), block=False, where=node))
    raise nodes.SkipNode


def display(writer: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula in a block of its own."""
    number = node.get("number")
    writer.body.append(writer.starttag(node, "div", CLASS="math"))
    writer.body.append(mathml(node.astext(), block=True, where=node))
    if number:
        writer.body.append(f'<span class="eqno">({number})</span>')
    writer.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_html_math_renderer("kit-mathml", inline_renderers=(inline, None), block_renderers=(display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
