"""A version is said in one place, and wherever else it stands it is the same."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

import yaml
from packaging.version import Version

import orchestration_kit

ROOT = Path(__file__).parent.parent.parent
VERSION = orchestration_kit.__version__
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_package_says_its_version_and_the_build_reads_it_there():
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "orchestration_kit/__init__.py"
    assert str(Version(VERSION)) == VERSION


def test_what_is_installed_here_is_of_that_version():
    assert metadata.version("orchestration-kit") == VERSION, "run: make setup-dev"


def test_the_changelog_has_it_with_the_day_below_what_is_unreleased():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    first, newest, *_ = re.findall(r"^## (.+)$", text, flags=re.MULTILINE)
    assert first == "Unreleased"
    assert re.fullmatch(rf"{re.escape(VERSION)} - \d{{4}}-\d\d-\d\d", newest)


def test_who_cites_it_cites_that_version_and_day():
    told = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= told.keys()  # what the format asks for
    assert (told["version"], told["license"]) == (VERSION, PROJECT["project"]["license"])
    assert f"## {VERSION} - {told['date-released']}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_each_python_that_is_promised_is_one_that_the_release_is_tried_on():
    from scripts.release.pythons import MINORS

    promised = [text for text in PROJECT["project"]["classifiers"] if re.search(r":: 3\.\d+$", text)]
    assert [text.rpartition(".")[2] for text in promised] == [str(minor) for minor in MINORS]
    assert PROJECT["project"]["requires-python"] == f">=3.{MINORS[0]}"
