"""The reference holds every public name, and docstrings become what they look like. Nothing is built here."""

from __future__ import annotations

import importlib

import pytest

from tests.docs.sources import ROOT, extension

areas = extension("areas")
docstrings = extension("docstrings")
cli = extension("kit_cli")


@pytest.fixture(scope="module")
def documented():
    return {area: {one.path: one.value for one in names} for area, names in areas.reference().items()}


def test_every_public_package_is_on_a_page():
    pages = {f"orchestration_kit.{module}" for area in areas.AREAS for module in area.modules}
    assert [name for name in areas.public_packages() if name not in pages | {"orchestration_kit"}] == []


@pytest.mark.parametrize("package", areas.public_packages())
def test_every_public_name_is_in_the_reference(package, documented):
    module = importlib.import_module(package)
    values = [value for names in documented.values() for value in names.values()]
    paths = {path.rpartition(".")[2] for names in documented.values() for path in names}
    known = {id(value) for value in values}
    missing = [
        name
        for name in module.__all__
        if id(getattr(module, name)) not in known and name not in paths and name not in {"telemetry"}  # a module
    ]
    assert missing == []


def test_a_name_is_documented_once():
    names = [one for names in areas.reference().values() for one in names if isinstance(one.value, type)]
    assert len({id(one.value) for one in names}) == len(names)


def test_every_area_has_a_page_that_asks_for_it():
    for area in areas.AREAS:
        text = (ROOT / "docs" / "reference" / f"{area.name}.md").read_text(encoding="utf-8")
        assert f"<!-- reference: {area.name} -->" in text
        assert f"\n{area.name}\n" in (ROOT / "docs" / "reference" / "index.md").read_text(encoding="utf-8")


def test_every_command_has_its_help():
    from orchestration_kit.cli import program

    told = "\n".join(cli.section(parser) for parser in cli.commands(program._parser()))
    for command in ("demo", "validate", "render", "runs list", "runs approve", "replay", "dashboard", "doctor"):
        assert f" `orchestration-kit {command}`\n" in told
    assert "--journal FILE" in told


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Say `a.b` and `x == 1`.", "Say `a.b` and ``x == 1``."),
        ("Raises:\n    A, B: no.", ".. rubric:: Raises\n\n- :py:exc:`A`, :py:exc:`B`: no."),
        ("Raises:\n    As `run` does.", ".. rubric:: Raises\n\n- As `run` does."),
        ("Columns (dtype):\n    a (int): one\n        more.\n    b", ".. rubric:: Columns (dtype)\n\n- a (int): one more.\n- b"),
        ("| a | b |\n|---|---|\n| `x y` | z |", ".. list-table::\n   :header-rows: 1\n\n   * - a\n     - b\n   * - ``x y``\n     - z"),
        ("```text\na `b`\n```", ".. code-block:: text\n\n   a `b`"),
        (">>> f(`x y`)\n`x y`", ">>> f(`x y`)\n`x y`"),
        ("Either:\n- one\n- two", "Either:\n\n- one\n- two"),
    ],
)  # fmt: skip
def test_a_docstring_becomes_what_it_looks_like(written, read):
    assert "\n".join(docstrings.to_rst(written.split("\n"))).strip() == read
