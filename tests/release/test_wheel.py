"""What `make dist` would build holds everything that people need, and nothing else."""

from __future__ import annotations

import email
import hashlib
import json
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

import orchestration_kit
from scripts.release.contents import MOST_BYTES, faults

ROOT = Path(__file__).parent.parent.parent
VERSION = orchestration_kit.__version__
ABOUT = f"orchestration_kit-{VERSION}.dist-info"


def built(builder, folder, versions=("standard",)):
    return Path(next(iter(builder(str(ROOT)).build(directory=str(folder), versions=list(versions)))))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return built(WheelBuilder, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def held(wheel):
    with zipfile.ZipFile(wheel) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def test_the_wheel_holds_every_file_of_the_package_and_no_other(held):
    assert faults(held, VERSION) == []


def test_what_is_missing_or_foreign_is_told(held):
    names = {*held, "tests/test_x.py", "orchestration_kit/widgets/frontend/src/a.jsx"} - {"orchestration_kit/py.typed"}
    assert faults(names, VERSION) == [
        "orchestration_kit/py.typed is missing",
        "orchestration_kit/widgets/frontend/src/a.jsx has no business there",
        "tests/test_x.py has no business there",
    ]


@pytest.mark.parametrize(
    "name",
    [
        "py.typed",
        "widgets/static/player.js",
        "widgets/static/player.css",
        "widgets/static/composer_app.js",
        "widgets/dashboard/dashboard.ipynb",
        "widgets/dashboard/share/voila/templates/orchestration_kit/index.html.j2",
        "workers/website/templates/page.html.j2",
        "workers/website/content/shop.yaml",
        "service/catalogue/__init__.py",
        "journal/conformance/__init__.py",
        "executors/conformance/__init__.py",
    ],
)
def test_what_is_no_python_and_what_others_build_on_is_inside(held, name):
    assert f"orchestration_kit/{name}" in held


def test_the_wheel_is_small(wheel):
    assert wheel.stat().st_size < MOST_BYTES


def test_the_same_tree_gives_the_same_bytes(wheel, tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    again = built(WheelBuilder, tmp_path)
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(wheel.read_bytes()).digest()


def test_its_metadata_says_what_it_is(held):
    told = email.message_from_bytes(held[f"{ABOUT}/METADATA"])
    assert (told["Name"], told["Version"], told["License-Expression"]) == ("orchestration-kit", VERSION, "MIT")
    assert told.get_all("License-File") == ["LICENSE", "THIRD_PARTY_LICENSES.txt"]
    assert told["Requires-Python"] == ">=3.11"
    assert told["Description-Content-Type"] == "text/markdown"
    assert b"orchestration-kit = orchestration_kit.cli:main" in held[f"{ABOUT}/entry_points.txt"]
    assert b"pytest11" in held[f"{ABOUT}/entry_points.txt"]


def test_the_bill_of_materials_travels_with_it(held):
    bill = json.loads(held[f"{ABOUT}/sboms/orchestration-kit.cdx.json"])
    assert bill["metadata"]["component"]["version"] == VERSION


def test_the_sdist_holds_what_its_tests_take_and_nothing_that_was_made():
    names = {file.distribution_path for file in SdistBuilder(str(ROOT)).recurse_included_files()}
    for name in (
        "orchestration_kit/widgets/frontend/package-lock.json",
        "tests/support.py",
        "conftest.py",
        "docs/images/workflow.svg",
        "notebooks/01_first_workflow.ipynb",
        "requirements/dev.txt",
        "scripts/setup",
        "SECURITY.md",
        "CITATION.cff",
        "THIRD_PARTY_LICENSES.txt",
    ):
        assert name in names
    made = ("node_modules", "__pycache__", ".venv", ".git/", ".cache", ".ipynb_checkpoints", "demo_site")
    assert not [name for name in names if any(part in name for part in made)]
