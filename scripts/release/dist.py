"""Build wheel and sdist into dist/, the same bytes every time, and look into both.

    python -m scripts.release.dist

The wheel is built from the sdist, once more from the tree, and once more from the sdist in another time zone: the three
are equal to the byte, or there is no release. So is the sdist to one that is made from it. Nothing is fetched:
hatchling is the pinned one of `.venv-release`.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from scripts.release.bundled import ROOT
from scripts.release.contents import MOST_BYTES, faults

DIST = ROOT / "dist"
_EPOCH_S = "1577836800"
"""2020-01-01: the time of every file, where SOURCE_DATE_EPOCH says nothing else."""


def main() -> int:
    """Build, compare, look inside, and print what came out."""
    version = re.findall(r'^__version__ = "(.+)"$', (ROOT / "orchestration_kit/__init__.py").read_text(), re.MULTILINE)[
        0
    ]
    _say_what_is_not_committed()
    shutil.rmtree(DIST, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        sdist = _build(ROOT, DIST, "sdist")
        unpacked = _unpacked(sdist, Path(folder) / "of_the_sdist")
        wheel = _build(unpacked, DIST, "wheel")
        _same(wheel, _build(ROOT, Path(folder) / "again", "wheel"), "the wheel of the sdist and that of the tree")
        _same(sdist, _build(unpacked, Path(folder) / "again", "sdist"), "the sdist and the one made from it")
        os.environ["TZ"] = "Pacific/Kiritimati"
        _same(wheel, _build(unpacked, Path(folder) / "elsewhere", "wheel"), "two wheels of the same sdist")
    with zipfile.ZipFile(wheel) as opened:
        names = opened.namelist()
        bill = opened.read(f"orchestration_kit-{version}.dist-info/sboms/orchestration-kit.cdx.json")
    if told := faults(names, version):
        raise SystemExit("The wheel is not whole:\n  " + "\n  ".join(told))
    if wheel.stat().st_size > MOST_BYTES:
        raise SystemExit(f"The wheel has {wheel.stat().st_size:,} bytes; at most {MOST_BYTES:,} are meant.")
    if wrong := JsonStrictValidator(SchemaVersion.V1_7).validate_str(bill.decode()):
        raise SystemExit(f"The bill of materials is not CycloneDX 1.7: {wrong}")
    (DIST / f"orchestration_kit-{version}.cdx.json").write_bytes(bill)
    made = sorted(path for path in DIST.iterdir() if path.name != ".gitignore")
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in made]
    (DIST / "SHA256SUMS").write_text("".join(sums))
    for path, line in zip(made, sums, strict=True):
        print(f"{path.stat().st_size:>10,} bytes  {line[:12]}...  {path.relative_to(ROOT)}")
    print(f"{len(names)} files in the wheel; reproduced from the tree, from the sdist, and elsewhere.")
    return 0


def own_version() -> str:
    """Return the version that the package says, without importing it."""
    text = (ROOT / "orchestration_kit" / "__init__.py").read_text(encoding="utf-8")
    return re.findall(r'^__version__ = "(.+)"$', text, re.MULTILINE)[0]


def _build(source: Path, folder: Path, kind: str) -> Path:
    environment = {"SOURCE_DATE_EPOCH": _EPOCH_S, **os.environ}
    command = [sys.executable, "-m", "build", "--no-isolation", f"--{kind}", "--outdir", str(folder), str(source)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if done.returncode:
        raise SystemExit(f"The {kind} could not be built:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return next(folder.glob("*.tar.gz" if kind == "sdist" else "*.whl"))


def _unpacked(sdist: Path, folder: Path) -> Path:
    with tarfile.open(sdist) as opened:
        opened.extractall(folder, filter="data")
    return next(folder.iterdir())


def _same(one: Path, other: Path, what: str) -> None:
    if one.read_bytes() == other.read_bytes():
        return
    kept = DIST / f"differs-{other.name}"
    shutil.copy(other, kept)
    raise SystemExit(f"Not the same bytes: {what}. Compare {one} and {kept}, with diffoscope for example.")


def _say_what_is_not_committed() -> None:
    command = ["git", "status", "--porcelain", "--", "orchestration_kit", "pyproject.toml", "README.md"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    if changed := done.stdout.splitlines():
        print(f"Note: {len(changed)} files are not as they were committed, {changed[0][3:]} for one. They go in too.")


if __name__ == "__main__":
    sys.exit(main())
