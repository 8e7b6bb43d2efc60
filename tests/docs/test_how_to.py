"""The how-to guides tell the truth: their lines run, in order, in an empty folder, and print what the page shows."""

from __future__ import annotations

import re
import shlex
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from orchestration_kit.cli.program import _parser
from tests.pages import blocks_of, differs, run_block

FOLDER = Path(__file__).parents[2] / "docs" / "how-to"
GUIDES = sorted(page for page in FOLDER.glob("*.md") if page.name != "index.md")

SHELL = re.compile(r"^```sh\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder, as a reader has it: no keys, no settings."""
    monkeypatch.chdir(tmp_path)
    for name in ("CI", "ORCHESTRATION_KIT_CASSETTE", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_the_lines_of_a_guide_print_what_it_shows(page, folder, capsys):
    names: dict = {"__name__": "__main__"}
    blocks = blocks_of(page.read_text(encoding="utf-8"))
    assert blocks, "a guide shows lines that run"
    for block in blocks:
        capsys.readouterr()
        run_block(block, page, names)
        if block.shown is not None:
            found = differs(block.shown, capsys.readouterr().out)
            assert not found, f"{page.name}, the block at line {block.line} prints something else.\n{found}"


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_commands_extras_and_names_of_a_guide_are_those_there_are(page):
    text = page.read_text(encoding="utf-8")
    for command in re.findall(r"^orchestration-kit (.*)$", "\n".join(SHELL.findall(text)), re.MULTILINE):
        _parser().parse_args(shlex.split(command, comments=True))  # what it does not know, it exits at
    project = tomllib.loads((FOLDER.parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {extra for several in re.findall(r"orchestration-kit\[([\w,]+)\]", text) for extra in several.split(",")}
    assert named <= set(project["optional-dependencies"])
    for name in re.findall(r"{py:\w+}`([\w.]+)`", text):
        module, _, attribute = name.rpartition(".")
        assert hasattr(import_module(module), attribute), name


def test_the_index_names_every_guide_in_table_and_tree():
    index = (FOLDER / "index.md").read_text(encoding="utf-8")
    linked = re.findall(r"\| \[[^\]]+\]\(([\w-]+)\.md\) \|", index)
    in_tree = re.search(r"```{toctree}\n:hidden:\n\n(.*?)```", index, flags=re.DOTALL)[1].split()
    assert linked == in_tree
    assert sorted(linked) == [page.stem for page in GUIDES]


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_a_guide_says_what_can_go_wrong_and_where_to_read_on(page):
    text = page.read_text(encoding="utf-8")
    assert "\n## What can go wrong\n" in text
    assert "\nRead on: " in text
    for target in re.findall(r"\]\(([\w-]+\.md)\)", text):
        assert (FOLDER / target).exists(), target


@pytest.mark.parametrize(
    ("shown", "printed", "is_same"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a\nb\n", "a\n", False),
        ("key ... ends\n", "key 1f ends\n", True),
        ("key ... ends\n", "key 1f\nends\n", False),
        ("first\n...\nlast\n", "first\n2\n3\nlast\n", True),
        ("a.c\n", "abc\n", False),
        ("", "something\n", False),
    ],
)
def test_what_a_page_shows_is_compared_line_by_line(shown, printed, is_same):
    assert (differs(shown, printed) == "") == is_same


def test_an_error_on_a_page_names_its_line():
    [block] = blocks_of("# A page\n\n```python\na = 1\nb = c\n```\n")
    with pytest.raises(AssertionError, match=r"page.md, line 5: NameError: name 'c' is not defined"):
        run_block(block, Path("page.md"), {})


def test_an_output_stands_right_below_its_block():
    page = "```python\nprint(1)\n```\n\n```text\n1\n```\n\n```python\nx = 1\n```\n\nwords\n\n```text\n2\n```\n"
    assert [(block.shown, block.line) for block in blocks_of(page)] == [("1\n", 2), (None, 10)]
