"""The README tells the truth: its example runs, its files exist, its two commands come first."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_examples_run_one_after_the_other_and_print_what_they_say(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, journaled, recorded, trip, essay, ruled, played = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
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
    exec(compile(recorded, "README.md", "exec"), names)
    assert "review#1" in Path("slogan.yaml").read_text(encoding="utf-8")
    exec(compile(trip, "README.md", "exec"), names)
    waits, failed = capsys.readouterr().out.splitlines()
    prices = [{"hotel": "Astoria", "price": 150}, {"hotel": "Grand", "price": 130}]
    assert waits == f"waiting Which one? {{'output': {prices}}}"
    path = ["ask#1[0]/quote#1", "ask#1[1]/quote#1", "ask#1", "choose#1", "flight#1", "hotel#1", "[undo]/cancel#1"]
    assert failed == f"failed {path}"
    assert ", ".join(f"`{visit}`" for visit in path) in README.replace("\n", " ")
    exec(compile(essay, "README.md", "exec"), names)
    path = ["look#1", "draft#1", "draft#2", "draft#3", "plan#1", "plan#1", "done#1"]
    assert capsys.readouterr().out.rstrip() == f"completed {path}"
    exec(compile(ruled, "README.md", "exec"), names)
    assert capsys.readouterr().out.rstrip() in README
    exec(compile(played, "README.md", "exec"), names)
    assert capsys.readouterr().out == "completed\n"
    names["hub"].journal.close()


def test_the_templates_are_all_named():
    import orchestration_kit

    templates = {name for name in orchestration_kit.__all__ if name.startswith("create_")}
    assert templates == set(re.findall(r"`(create_\w+)`", README))


def test_the_commands_are_all_named(capsys):
    from orchestration_kit.cli import main

    with pytest.raises(SystemExit):
        main(["runs", "--help"])
    commands = re.findall(r"^    (\w+) ", capsys.readouterr().out, flags=re.MULTILINE)
    named = set(re.findall(r"\w+", " ".join(re.findall(r"`[^`]*runs [^`]*`", README))))
    assert set(commands) - named <= {"backup", "check"}


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
