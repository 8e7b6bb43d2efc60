"""Links are followed and misspellings found: `make check` would say so."""

from __future__ import annotations

import pytest

from scripts.docs.links import broken
from scripts.docs.pages import Page, pages


def wrong(text):
    return [line.removeprefix("docs/a.md: ") for line in broken(Page("docs/a.md", text))]


def test_every_link_of_the_texts_leads_somewhere():
    assert [line for page in pages() for line in broken(page)] == []


@pytest.mark.parametrize(
    "fine",
    ["[x](scaling.md)", "[x](scaling.md#what-one-hub-does)", "# A, b: `c`!\n[x](#a-b-c)", "[x](https://cel.dev)",
     "![x](images/workflow.svg)", "`[x](nowhere.md)`", "[x](http://127.0.0.1:11434/v1)", "(here)=\n[x](#here)",
     "# A\n# A\n[x](#a-1)", '<a href="how-to/index.html">'],
)  # fmt: skip
def test_a_link_that_leads_somewhere_is_fine(fine):
    assert wrong(fine) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[x](scalling.md)", "there is no such file; docs has _"),
        ("[x](scaling.md#what)", "there is no such heading. There are: "),
        ("![x](images/none.svg)", "there is no such file"),
        ('<img src="images/none.svg">', "there is no such file"),
        ("[x](http://cel.dev)", "write https"),
        ("[x](https://dev)", "it names no host"),
        ("[x](ftp://cel.dev)", "neither https nor mailto"),
    ],
)
def test_a_link_that_leads_nowhere_is_named(text, said):
    (line,) = wrong(text)
    assert said in line
