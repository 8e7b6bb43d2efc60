"""Notebooks and pages are brought into the site: links turned round, outputs as a page without a kernel can show them."""

from __future__ import annotations

import json

import pytest

from tests.docs.sources import extension

staging = extension("staging")
outputs = extension("outputs")


@pytest.mark.parametrize(
    ("written", "origin", "page", "read"),
    [
        ("[x](02_see_your_workflow.ipynb)", "notebooks/01.ipynb", "tutorials/01.ipynb", "[x](02_see_your_workflow.ipynb)"),
        ("[x](../README.md#a-b)", "notebooks/01.ipynb", "tutorials/01.ipynb", "[x](../project/readme.md#a-b)"),
        ("[x](docs/scaling.md)", "README.md", "project/readme.md", "[x](../scaling.md)"),
        ("![x](docs/images/a.svg)", "README.md", "project/readme.md", "![x](../images/a.svg)"),
        ("[x](../../notebooks/01.ipynb)", "docs/how-to/a.md", "how-to/a.md", "[x](../tutorials/01.ipynb)"),
        ("[`x`](LICENSE)", "README.md", "project/readme.md", "`x`"),
        ("[x](https://cel.dev) [y](#here)", "README.md", "project/readme.md", "[x](https://cel.dev) [y](#here)"),
        ("`[x](docs/scaling.md)`", "README.md", "project/readme.md", "`[x](docs/scaling.md)`"),
        ("```md\n[x](docs/scaling.md)\n```", "README.md", "project/readme.md", "```md\n[x](docs/scaling.md)\n```"),
        (
            '<img src="../docs/images/road/a.svg">', "notebooks/00.ipynb", "tutorials/00.ipynb",
            '<img src="../_static/made/images/road/a.svg">',
        ),
        ('<a href="01_a.ipynb">', "notebooks/00.ipynb", "tutorials/00.ipynb", '<a href="01_a.html">'),
    ],
)  # fmt: skip
def test_a_link_is_right_where_the_page_is(written, origin, page, read):
    assert staging.relink(written, origin, page) == read


def test_a_picture_becomes_a_part_of_the_page_and_is_not_made_unreadable():
    saved = {"output_type": "display_data", "data": {"image/svg+xml": '<?xml?><svg width="960" height="9"></svg>'}}
    html = outputs.shown(saved, {})["data"]["text/html"]
    assert html.endswith('<svg width="960" height="9"></svg></div>')
    assert f"--least: {outputs.READABLE_PX}px" in html
    assert "--least: 120px" in outputs.inline_svg('<svg width="90pt"></svg>')


def test_a_widget_is_shown_with_its_saved_state_and_cannot_end_its_script():
    state = {
        "_esm": "export default {}",
        "_css": "",
        "_model_name": "AnyModel",
        "text": "</script><b>",
        "layout": "IPY_MODEL_1",
    }
    saved = {"output_type": "execute_result", "data": {outputs.VIEW: {"model_id": "m"}, "text/plain": "<Player>"}}
    html = outputs.shown(saved, {"m": {"state": state}})["data"]["text/html"]
    assert html.count("</script>") == 1
    kept = json.loads(html.partition('<script type="application/json">')[2].partition("</script>")[0])
    assert kept == {"_esm": "export default {}", "_css": "", "text": "</script><b>"}


def test_a_widget_whose_code_was_not_saved_is_shown_by_its_text():
    saved = {"output_type": "execute_result", "data": {outputs.VIEW: {"model_id": "m"}, "text/plain": "<Bar>"}}
    assert outputs.shown(saved, {})["data"] == {"text/plain": "<Bar>"}
