"""The README tells the truth: its example runs, its files exist, its two commands come first."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_example_runs_and_prints_what_it_says(capsys):
    [example] = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    exec(compile(example, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "slogan: A slogan with the word skeleton" in printed
    assert printed.rstrip().splitlines()[-1].startswith("completed {'text': ")
    assert "'write#2'" in printed


def test_every_linked_file_exists():
    links = re.findall(r"\]\(([^)#]+)\)", README)
    local = [link for link in links if not link.startswith("http")]
    assert local
    assert [link for link in local if not (ROOT / link).exists()] == []


def test_the_two_commands_come_first():
    first_block = re.search(r"```sh\n(.*?)```", README, flags=re.DOTALL)
    assert first_block is not None
    assert [line.split("#")[0].strip() for line in first_block[1].strip().splitlines()] == ["make demo", "make test"]
    assert README.index("```python") > first_block.end()
