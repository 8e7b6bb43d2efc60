"""Where an extra is absent, the error says how to install it: `features.py` uses each of them as a user does."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.release.features import BROUGHT

ROOT = Path(__file__).parent.parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
IMPORTED_BY_THE_USER = {"lab", "evals"}
"""Their packages are imported by whoever uses them, never by the kit: Python's own error says what is missing."""


@pytest.fixture(scope="module")
def said():
    """What each extra says in a process in which nothing of any extra can be imported."""
    command = [sys.executable, str(ROOT / "tests" / "release" / "features.py"), "--without", "all"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def test_every_extra_is_used_somewhere():
    assert BROUGHT.keys() == PROJECT["optional-dependencies"].keys()


@pytest.mark.parametrize("extra", sorted(BROUGHT.keys() - IMPORTED_BY_THE_USER))
def test_what_is_absent_is_told_with_the_pip_command(said, extra):
    assert f"pip install 'orchestration-kit[{extra}]'" in said[extra].replace('"', "'")


@pytest.mark.parametrize("extra", sorted(IMPORTED_BY_THE_USER))
def test_what_the_user_imports_is_named_by_python(said, extra):
    assert said[extra] == f"ModuleNotFoundError: No module named '{BROUGHT[extra][0]}'"


def test_the_readme_names_only_extras_that_there_are():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = [one for part in text.split("orchestration-kit[")[1:] for one in part.partition("]")[0].split(",")]
    assert named
    assert set(named) <= BROUGHT.keys()
