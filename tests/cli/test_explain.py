"""`orchestration-kit explain`, and the catalogue of errors behind it: complete, and with messages as people see them."""

from __future__ import annotations

import importlib
import pkgutil
import re
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

import orchestration_kit
from orchestration_kit.cli import main
from orchestration_kit.cli.explain import PARTS, entries
from tests.cli.bringing import BRINGING, line_of

for kind in ("written", "problems", "runs", "attempts", "workers", "records", "deciding", "missing"):
    importlib.import_module(f"tests.cli.bringing_{kind}")

WITHIN = {
    "AnswerTooLong", "AskedFor", "BranchCancelled", "LedOut", "Malformed", "NotPlain", "Parked", "RunCancelled", "StoreFailed", "Stubborn", "Unreadable",
    "Untold",
}  # fmt: skip
"""Raised and caught within the package: nobody sees them."""
RETURNED = {"Failure"}
"""What a worker returns or raises of its own accord is no error of the package."""
ENTRIES = {entry.name: entry for entry in entries()}


@cache
def classes() -> dict[str, type[BaseException]]:
    """Every class in the package that can be raised, but for private ones and those that nobody sees."""
    found: dict[str, type[BaseException]] = {}
    for module in pkgutil.walk_packages(orchestration_kit.__path__, "orchestration_kit."):
        if module.name.endswith("__main__"):
            continue
        for thing in vars(importlib.import_module(module.name)).values():
            if isinstance(thing, type) and issubclass(thing, BaseException) and thing.__module__ == module.name:
                assert found.setdefault(thing.__name__, thing) is thing, "two classes of one name"
    return {name: kind for name, kind in found.items() if not name.startswith("_") and name not in WITHIN | RETURNED}


def codes() -> set[str]:
    """The code of every problem that a check can find."""
    checks = Path(orchestration_kit.__file__).parent / "checks"
    sources = [path.read_text("utf-8") for path in checks.glob("*.py")]
    return {code for source in sources for code in re.findall(r'Problem\(\s*"([a-z-]+)"', source)}


def test_the_catalogue_has_every_class_and_every_problem_once_and_nothing_else():
    assert Counter(entry.name for entry in entries()) == Counter([*classes(), *codes()])


def test_every_heading_is_an_entry_with_cause_and_remedy():
    folder = Path(orchestration_kit.__file__).parent / "cli" / "explained"
    assert {path.stem for path in folder.glob("*.md")} == set(PARTS)
    headings = [
        name for part in PARTS for name in re.findall(r"^## (.+)$", (folder / f"{part}.md").read_text("utf-8"), re.M)
    ]
    assert [entry.name for entry in entries()] == headings
    assert [entry for entry in entries() if not entry.cause.endswith(".") or not entry.remedy.endswith(".")] == []


@pytest.mark.parametrize("name", [name for name in ENTRIES if name not in codes()])
def test_the_example_of_an_entry_is_what_comes_when_the_error_is_brought_about(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line = line_of(name)
    seen = classes()[line.partition(":")[0]]
    assert issubclass(seen, classes()[name])
    assert seen.__name__ == name or seen in every_subclass_of(classes()[name])
    assert ENTRIES[name].example.split() == line.split()
    assert all(len(line) <= 100 for line in ENTRIES[name].example.splitlines()), "it fits the page"


@pytest.mark.parametrize("code", sorted(codes()))
def test_the_example_of_a_problem_is_what_the_checks_say_of_a_workflow_that_has_it(code):
    assert ENTRIES[code].example.split() == line_of(code).split()


def every_subclass_of(kind: type[BaseException]) -> set[type[BaseException]]:
    below = set(kind.__subclasses__())
    return below.union(*map(every_subclass_of, below)) if below else below


def test_only_a_base_is_shown_by_another_class():
    others = {
        name for name, entry in ENTRIES.items() if name in classes() and not entry.example.startswith(f"{name}: ")
    }
    assert {name for name in others if not classes()[name].__subclasses__()} == set()
    assert set(BRINGING) == set(ENTRIES)


def test_a_command_that_a_remedy_names_exists(capsys):
    named = {
        found
        for entry in entries()
        for found in re.findall(r"`orchestration-kit ((?:runs )?[a-z]+)", f"{entry.cause} {entry.remedy}")
    }
    assert named
    for command in named:
        with pytest.raises(SystemExit) as ended:
            main([*command.split(), "--help"])
        assert ended.value.code == 0, command


def test_an_extra_that_a_remedy_names_exists():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]
    named = {name for entry in entries() for name in re.findall(r"orchestration-kit\[(\w+)\]", entry.remedy)}
    assert named
    assert named <= set(project["optional-dependencies"])


def test_the_page_of_the_documentation_has_every_part():
    page = (Path(__file__).parents[2] / "docs" / "errors.md").read_text("utf-8")
    assert re.findall(r"explained/(\w+)\.md", page) == list(PARTS)


@pytest.mark.parametrize(
    "name",
    ["UnknownStep", "unknownstep", "orchestration_kit.errors.UnknownStep", "orchestration_kit.errors.UnknownStep:"],
)
def test_it_says_what_an_error_means(name, capsys):
    assert main(["explain", name]) == 0
    shown = capsys.readouterr().out
    assert "Cause: A step was named that the workflow does not have." in shown
    assert "Remedy: Use one of the ids" in shown
    assert "\n  UnknownStep: Workflow 'publish' has no step 'reviw'." in shown


def test_without_a_name_it_lists_them_all(capsys):
    assert main(["explain"]) == 0
    assert set(re.findall(r"^  ([\w-]+)$", capsys.readouterr().out, re.MULTILINE)) == {*classes(), *codes()}


def test_a_misspelt_name_is_answered_with_the_nearest(capsys):
    assert main(["explain", "UnknwnStep"]) == 1
    assert "No error 'UnknwnStep' is of this package. Did you mean 'UnknownStep'?" in capsys.readouterr().err


def test_a_command_that_fails_says_where_its_error_is_explained(tmp_path, capsys):
    file = tmp_path / "flow.yaml"
    file.write_text("steps: [", encoding="utf-8")
    assert main(["validate", str(file)]) == 1
    main(["runs", "list", "--journal", str(tmp_path / "missing.db")])
    said = capsys.readouterr().err
    assert "What it means, and what helps: orchestration-kit explain " in said
