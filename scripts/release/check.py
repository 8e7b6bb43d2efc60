"""Try what `make dist` built as its users will: `make release-check`, the long form.

    python -m scripts.release.check [--only STAGE,...] [--python 3.12,...] [--folder DIR]

alone     on every Python: the wheel and pytest in a new environment, the source nowhere near; what a user does, the
          README's examples, and the examples in docstrings of the core
extras    each extra alone in a new environment: what it is for works
suite     on every Python: every extra with the pinned versions, the tests and all examples in docstrings
lowest    the oldest versions that pyproject.toml allows, of the core, and of everything: what a user does, each extra,
          and the tests

A line is printed for each; what went wrong is in the folder, which stays where something did.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path

from scripts.release.bundled import ROOT
from scripts.release.pythons import MINORS, found_pythons
from scripts.release.trying import Place, Report

DIST = ROOT / "dist"
STAGES = ("alone", "extras", "suite", "lowest")
CORE = (
    "definition", "checks", "templates", "engine", "journal", "history", "visual", "governance.constraints", "secrets",
)  # fmt: skip
"""Parts of the package whose docstrings have examples that no extra is needed for."""
CORE_TESTS = ("branches", "checks", "definition", "engine", "history", "journal", "patterns", "secrets", "templates")
TESTS = (
    *CORE_TESTS, "cli", "evaluation", "executors", "governance", "interchange", "reliability", "scale", "service",
    "visual", "widgets", "workers", "test_errors.py", "test_testing.py",
)  # fmt: skip
"""What runs without the source: other folders of tests/ look at the source, the browser or the notebooks."""

NEED_PANDAS_3 = "test_codec_hostile or (test_codec_kinds and (texts or moments or scalars))"
"""Values of the journal's codec that pandas 2 has no exact form of: its time zones, and text that is missing as NaN.

They are refused there, with a hint; nothing is put on record wrongly.
"""
_SOURCE = (
    "--ignore=tests/widgets/test_bundles.py",
    "--deselect=tests/widgets/test_live.py::test_what_the_page_lets_in_is_what_the_painter_promises",
)
"""They read what the bundles are made of, which no wheel holds."""
_OLD = ("-W", "default::DeprecationWarning", "-W", "default::PendingDeprecationWarning", "-W", "default::SyntaxWarning")
"""Old packages beside new ones warn of one another, which is no fault of ours."""
_PEERS = (
    "-p", "no:langsmith_plugin", "-W", "default:'asyncio.iscoroutinefunction' is deprecated:DeprecationWarning",
)  # fmt: skip
"""What LangGraph brings along warns on Python 3.14; the kit does not use it."""


def main() -> int:
    """Run the stages, print the table, and return 1 where something does not hold."""
    chosen = _arguments()
    pythons = found_pythons()
    lacking = [f"3.{minor}" for minor in MINORS if f"3.{minor}" not in pythons]
    if lacking:
        print(
            f"Not to be found here, and so not tried: Python {', '.join(lacking)}. PYTHONS=/path/to/python names one."
        )
    if chosen.python:
        pythons = {version: path for version, path in pythons.items() if version in chosen.python.split(",")}
    folder = Path(chosen.folder or tempfile.mkdtemp(prefix="release-check-"))
    report = Report()
    away = _tests_without_source(folder)
    for stage in chosen.only.split(","):
        {"alone": alone, "extras": extras, "suite": suite, "lowest": lowest}[stage](folder, away, pythons, report)
    report.tell()
    if report.is_sound and not chosen.folder:
        shutil.rmtree(folder)
    return 0 if report.is_sound else 1


def alone(folder: Path, away: Path, pythons: dict[str, str], report: Report) -> None:
    """The wheel, without extras, on every Python."""
    for version, python in pythons.items():
        place = Place(folder / f"alone-{version}", python, report)
        place.install("the wheel alone", [_wheel(), "pytest"])
        _as_a_user(place, away)
        modules = [f"orchestration_kit.{name}" for name in CORE]
        place.pytest("docstrings of the core", ["--doctest-modules", "--pyargs", *modules])


def extras(folder: Path, away: Path, pythons: dict[str, str], report: Report) -> None:
    """Each extra by itself, on the oldest Python."""
    oldest = next(iter(pythons.values()))
    for extra in _extras():
        place = Place(folder / f"extra-{extra}", oldest, report)
        place.install(f"the wheel with [{extra}]", [f"orchestration-kit[{extra}] @ {_wheel().as_uri()}"])
        place.python("it is used", [str(away / "tests/release/features.py"), extra])


def suite(folder: Path, away: Path, pythons: dict[str, str], report: Report) -> None:
    """Tests and docstrings with every extra, in the pinned versions, on every Python."""
    for version, python in pythons.items():
        place = Place(folder / f"suite-{version}", python, report)
        place.install("the pinned versions", ["-r", str(ROOT / "requirements/dev.txt")])
        place.install("the wheel", ["--no-deps", _wheel()])
        place.pytest("the tests", ["-n", "2", "--dist", "loadfile", *_PEERS, *_SOURCE, *_tests(away, TESTS)], at=away)
        place.pytest("every docstring", ["--doctest-modules", "-n", "2", *_PEERS, "--pyargs", "orchestration_kit"])


def lowest(folder: Path, away: Path, pythons: dict[str, str], report: Report) -> None:
    """The oldest of everything that pyproject.toml asks for, on the oldest Python."""
    version, python = next(iter(pythons.items()))
    place = Place(folder / "lowest-core", python, report)
    place.install("the oldest the core allows", ["-r", str(place.oldest(version, [])), "pytest"])
    place.install("the wheel", ["--no-deps", _wheel()])
    _as_a_user(place, away, *_OLD)
    for extra in _extras():
        place = Place(folder / f"lowest-{extra}", python, report)
        place.install(f"the oldest [{extra}] allows", ["-r", str(place.oldest(version, ["--extra", extra]))])
        place.install("the wheel", ["--no-deps", _wheel()])
        place.python("it is used", [str(away / "tests/release/features.py"), extra])
    place = Place(folder / "lowest-all", python, report)
    pinned = place.oldest(version, ["--all-extras"])
    place.install("the oldest of all", ["-r", str(pinned)])
    place.install("what the tests take", ["-c", str(pinned), "pytest", "pytest-xdist", "hypothesis", "hatchling"])
    place.install("the wheel", ["--no-deps", _wheel()])
    options = ["-n", "2", "--dist", "loadfile", "-k", f"not ({NEED_PANDAS_3})", *_OLD]
    place.pytest("the tests", [*options, *_tests(away, CORE_TESTS)], at=away)


def _as_a_user(place: Place, away: Path, *options: str) -> None:
    for name in ("tests/release/as_a_user.py", "README.md"):
        shutil.copy(away / name, place.folder)
    place.pytest("what a user does", [*options, "as_a_user.py"])


def _tests_without_source(folder: Path) -> Path:
    """Unpack the sdist, and take the package out of it."""
    with tarfile.open(next(DIST.glob("*.tar.gz"))) as opened:
        opened.extractall(folder / "sdist", filter="data")
    away = next((folder / "sdist").iterdir())
    shutil.rmtree(away / "orchestration_kit")
    return away


def _tests(away: Path, names: tuple[str, ...]) -> list[str]:
    return [f"tests/{name}" for name in names if (away / "tests" / name).exists()]


def _wheel() -> Path:
    return next(DIST.glob("*.whl")).resolve()


def _extras() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return list(project["optional-dependencies"])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Try what `make dist` built.")
    parser.add_argument("--only", default=",".join(STAGES), help="stages, by comma")
    parser.add_argument("--python", default="", help="versions, by comma")
    parser.add_argument("--folder", help="where environments and logs go, and stay")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
