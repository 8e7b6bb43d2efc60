"""Whatever others wrote is named with its licence, in the wheel and in its bill of materials."""

from __future__ import annotations

import json
import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.release.bundled import Bundled
from scripts.release.declared import Declared, declared_packages, licence_of
from scripts.release.licence_file import licence_file
from scripts.release.sbom import sbom

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "THIRD_PARTY_LICENSES.txt").read_text(encoding="utf-8")
BILL = json.loads((ROOT / "orchestration-kit.cdx.json").read_text(encoding="utf-8"))
LOCKED = json.loads(
    (ROOT / "orchestration_kit/widgets/frontend/package-lock.json").read_text(encoding="utf-8")
)["packages"]  # fmt: skip
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PERMISSIVE = {"MIT", "ISC", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "PSF-2.0", "0BSD", "Zlib", "CC0-1.0"}

JS = Bundled("@a/b", "1.2.3", "MIT", "The text.", "https://example.org", ("a.js", "b.css"))
CORE = Declared("core-thing", (), ">=2,<4", (), "MPL-2.0 AND MIT")
EXTRA = Declared("more", ("x",), ">=1", ("plot", "lab"), "Apache-2.0")


def components(kind):
    return [one for one in BILL["components"] if one["purl"].startswith(f"pkg:{kind}/")]


def test_what_is_bundled_has_the_version_and_the_licence_of_the_lock_file():
    for one in components("npm"):
        name = "/".join(part for part in (one.get("group"), one["name"]) if part)
        locked = LOCKED[f"node_modules/{name}"]
        assert (one["version"], one["licenses"][0]["license"]["id"]) == (locked["version"], locked["license"])
        assert f"{name} {one['version']} ({locked['license']})\n" in TEXT


def test_everything_bundled_may_be_passed_on():
    assert {one["licenses"][0]["license"]["id"] for one in components("npm")} <= PERMISSIVE


def test_what_the_widgets_ask_for_is_listed_or_only_builds_them():
    wanted = json.loads((ROOT / "orchestration_kit/widgets/frontend/package.json").read_text(encoding="utf-8"))
    listed = set(re.findall(r"^   (\S+) \S+: .*, in composer", TEXT, flags=re.MULTILINE))
    assert {*wanted.get("dependencies", {}), *wanted["devDependencies"]} - listed == {"esbuild"}


def test_no_font_icon_or_picture_of_others_is_in_the_bundles():
    for path in (ROOT / "orchestration_kit/widgets/static").iterdir():
        assert not re.search(r"@font-face|data:(image|font|application)/|\.woff", path.read_text(encoding="utf-8"))


def test_what_is_listed_is_what_pyproject_asks_for():
    texts = [*PROJECT["dependencies"], *(one for group in PROJECT["optional-dependencies"].values() for one in group)]
    wanted = {canonicalize_name(Requirement(text).name): str(Requirement(text).specifier) for text in texts}
    assert {one["name"]: one["versionRange"] for one in components("pypi")} == {
        name: "vers:pypi/" + "|".join(sorted(spec.split(","))) for name, spec in wanted.items()
    }
    for name, spec in wanted.items():
        assert f"   {name}{spec} " in TEXT


def test_the_licence_of_everything_asked_for_is_known():
    assert not [one for one in declared_packages() if one.licence.startswith("unknown")]


def test_in_the_core_and_all_it_needs_nothing_is_copyleft_but_files_of_tqdm():
    seen: set[str] = set()
    waiting = [Requirement(text) for text in PROJECT["dependencies"]]
    while waiting:
        one = waiting.pop()
        name = canonicalize_name(one.name)
        if name in seen or (one.marker and not one.marker.evaluate({"extra": ""})):
            continue
        seen.add(name)
        waiting += map(Requirement, metadata.requires(name) or [])
    odd = {name: licence_of(name) for name in seen if not set(re.split(" AND | OR ", licence_of(name))) <= PERMISSIVE}
    assert odd == {"tqdm": "MPL-2.0 AND MIT"}


def test_the_list_says_what_stands_where():
    text = licence_file([JS], [EXTRA, CORE])
    assert "   @a/b 1.2.3: MIT, in a.js, b.css\n" in text
    assert "@a/b 1.2.3 (MIT)\nhttps://example.org\n\nThe text.\n" in text
    rows = [" ".join(line.split()) for line in text.splitlines()[-2:]]
    assert rows == ["core-thing>=2,<4 MPL-2.0 AND MIT core", "more>=1 Apache-2.0 extra plot, lab"]


def test_the_bill_tells_what_is_inside_from_what_is_beside():
    bill = json.loads(sbom("9.9", [JS], [CORE, EXTRA]))
    inside, core, extra = bill["components"]
    assert (inside["purl"], inside["group"], inside["name"], inside["version"]) == (
        "pkg:npm/%40a/b@1.2.3",
        "@a",
        "b",
        "1.2.3",
    )
    assert "isExternal" not in inside
    assert (core["versionRange"], core["isExternal"], core["scope"]) == ("vers:pypi/<4|>=2", True, "required")
    assert core["licenses"] == [{"expression": "MPL-2.0 AND MIT"}]
    assert (extra["scope"], [one["value"] for one in extra["properties"]]) == ("optional", ["plot", "lab"])
    assert bill["dependencies"][0]["dependsOn"] == [one["bom-ref"] for one in bill["components"]]


@pytest.mark.parametrize("word", ["timestamp", "serialNumber"])
def test_nothing_in_the_bill_changes_from_build_to_build(word):
    assert word not in json.dumps(BILL)
