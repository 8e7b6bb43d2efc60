"""The README tells the truth: its example runs, its files exist, its two commands come first."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_examples_run_one_after_the_other_and_print_what_they_say(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, journaled = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    names: dict = {}
    exec(compile(first, "README.md", "exec"), names)
    printed = capsys.readouterr().out
    assert "slogan: A slogan with the word skeleton" in printed
    assert printed.rstrip().splitlines()[-1].startswith("completed {'text': ")
    assert "'write#2'" in printed
    exec(compile(journaled, "README.md", "exec"), names)
    resumed, forked, replayed = capsys.readouterr().out.splitlines()
    assert resumed.startswith("completed ['write#1', 'review#1', 'write#2'")
    assert forked == "completed forked from tuesday at review#1"
    assert "the same path, 3 attempts, no worker called" in replayed
    names["hub"].journal.close()


def test_the_tutorials_are_all_named():
    notebooks = {f"notebooks/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert notebooks - set(re.findall(r"\]\((notebooks/[^)]+)\)", README)) == {
        "notebooks/01_first_workflow.ipynb"
    }  # by 00


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
