"""The tour tells the truth: its lines run one after the other, and it names all that there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TOUR = (Path(__file__).parents[2] / "docs" / "tour.md").read_text(encoding="utf-8")


def test_the_examples_run_one_after_the_other_and_print_what_they_say(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, journaled, recorded, trip, essay, ruled, played, *more = re.findall(
        r"```python\n(.*?)```", TOUR, flags=re.DOTALL
    )
    names: dict = {}
    exec(compile(first, "tour.md", "exec"), names)
    printed = capsys.readouterr().out
    assert "slogan: A slogan with the word skeleton" in printed
    assert printed.rstrip().splitlines()[-1].startswith("completed {'text': ")
    assert "'write#2'" in printed
    exec(compile(journaled, "tour.md", "exec"), names)
    resumed, forked, replayed = capsys.readouterr().out.splitlines()
    assert resumed.startswith("completed ['write#1', 'review#1', 'write#2'")
    assert forked == "completed forked from tuesday at review#1"
    assert "the same path, 3 attempts, no worker called" in replayed
    exec(compile(recorded, "tour.md", "exec"), names)
    assert "review#1" in Path("slogan.yaml").read_text(encoding="utf-8")
    exec(compile(trip, "tour.md", "exec"), names)
    waits, failed = capsys.readouterr().out.splitlines()
    prices = [{"hotel": "Astoria", "price": 150}, {"hotel": "Grand", "price": 130}]
    assert waits == f"waiting Which one? {{'output': {prices}}}"
    path = ["ask#1[0]/quote#1", "ask#1[1]/quote#1", "ask#1", "choose#1", "flight#1", "hotel#1", "[undo]/cancel#1"]
    assert failed == f"failed {path}"
    assert ", ".join(f"`{visit}`" for visit in path) in TOUR.replace("\n", " ")
    exec(compile(essay, "tour.md", "exec"), names)
    path = ["look#1", "draft#1", "draft#2", "draft#3", "plan#1", "plan#1", "done#1"]
    assert capsys.readouterr().out.rstrip() == f"completed {path}"
    exec(compile(ruled, "tour.md", "exec"), names)
    assert capsys.readouterr().out.rstrip() in TOUR
    exec(compile(played, "tour.md", "exec"), names)
    assert capsys.readouterr().out == "completed\n"
    known, served, elsewhere = more
    exec(compile(known, "tour.md", "exec"), names)
    figures, change = capsys.readouterr().out.splitlines()
    assert figures.startswith("0.999 (95 %: 0.99")
    before, after = map(float, re.findall(r"([\d.]+) steps a run now, ([\d.]+) then", change)[0])
    assert after < before
    exec(compile(served, "tour.md", "exec"), names)
    explained = capsys.readouterr().out
    assert "proven to be the best" in explained
    assert explained.rstrip().endswith("completed")
    exec(compile(elsewhere, "tour.md", "exec"), names)
    assert capsys.readouterr().out == "{'hotel': 'Astoria', 'price': 150}\n"
    names["hub"].journal.close()


def test_the_templates_are_all_named():
    import orchestration_kit

    templates = {name for name in orchestration_kit.__all__ if name.startswith("create_")}
    assert templates == set(re.findall(r"`(create_\w+)`", TOUR))


def test_the_commands_are_all_named(capsys):
    from orchestration_kit.cli import main

    with pytest.raises(SystemExit):
        main(["runs", "--help"])
    commands = re.findall(r"^    (\w+) ", capsys.readouterr().out, flags=re.MULTILINE)
    named = set(re.findall(r"\w+", " ".join(re.findall(r"`[^`]*runs [^`]*`", TOUR))))
    assert set(commands) - named <= {"backup", "check"}
