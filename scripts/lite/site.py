"""Build a site of JupyterLite into `.cache/lite/_site/`, with Pyodide, the core and the tutorials that need no pandas.

Everything comes from the site itself: `python -m http.server -d .cache/lite/_site` is all that it takes to look at it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from scripts.lite.fetch import CACHE, PYODIDE, PYTHON, ROOT, WHEELS, fetch

TOOLS = CACHE / "venv"
TOOL_PINS = [
    "jupyterlite-core==0.8.6",
    "jupyterlite-pyodide-kernel==0.8.6",
    "jupyterlab==4.6.6",
    "ipywidgets==8.1.9",
    "anywidget==0.11.0",
]
SITE_DIR = CACHE / "_site"
NOTEBOOKS = [
    Path(__file__).parent / "in_a_browser.ipynb",
    *(ROOT / "notebooks" / f"{name}.ipynb" for name in ("01_first_workflow", "02_see_your_workflow")),
]
"""Cells with a table need the pandas of Pyodide's own distribution; what else is in them works."""
BROWSER = {
    "sys_platform": "emscripten", "platform_system": "Emscripten", "os_name": "posix", "python_version": PYTHON,
    "python_full_version": f"{PYTHON}.2", "platform_machine": "wasm32", "implementation_name": "cpython", "extra": "",
}  # fmt: skip


def main() -> None:
    """Build it anew."""
    fetch()
    folder = CACHE / "lite_dir"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(SITE_DIR, ignore_errors=True)
    distribution = folder / "static" / "pyodide"
    shutil.copytree(PYODIDE, distribution)
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "own"))
    wheels = [*WHEELS.glob("*.whl"), *(folder / "own").glob("*.whl")]
    names = {canonicalize_name(parse_wheel_filename(wheel.name)[0]) for wheel in wheels}
    for wheel in wheels:
        shutil.copy(wheel, distribution)
    lock_file = distribution / "pyodide-lock.json"
    lock = json.loads(lock_file.read_text(encoding="utf-8"))
    lock["packages"] = dict(entry(wheel, names) for wheel in sorted(wheels))
    lock_file.write_text(json.dumps(lock), encoding="utf-8")
    kernel = {"disablePyPIFallback": True, "loadPyodideOptions": {"packages": ["orchestration-kit"]}}
    settings = {"litePluginSettings": {"@jupyterlite/pyodide-kernel-extension:kernel": kernel}}
    (folder / "jupyter-lite.json").write_text(
        json.dumps({"jupyter-lite-schema-version": 0, "jupyter-config-data": settings}), encoding="utf-8"
    )
    if not (TOOLS / "bin" / "jupyter").exists():
        run(sys.executable, "-m", "venv", str(TOOLS))
        run(str(TOOLS / "bin" / "python"), "-m", "pip", "install", "--quiet", *TOOL_PINS)
    contents = [f"--contents={notebook}" for notebook in NOTEBOOKS]
    run(str(TOOLS / "bin" / "jupyter"), "lite", "build", f"--output-dir={SITE_DIR}", *contents, folder=folder)
    print(f"The site is in {SITE_DIR.relative_to(ROOT)}: look at it with python -m http.server -d that folder")


def entry(wheel: Path, known: set[str]) -> tuple[str, dict[str, Any]]:
    """What Pyodide has to know of a wheel beside it."""
    with zipfile.ZipFile(wheel) as packed:
        files = packed.namelist()
        described = next(name for name in files if name.endswith(".dist-info/METADATA"))
        lines = packed.read(described).decode().split("\n\n")[0].splitlines()
    needs = [Requirement(line.split(":", 1)[1].strip()) for line in lines if line.startswith("Requires-Dist:")]
    needed = {canonicalize_name(one.name) for one in needs if one.marker is None or one.marker.evaluate(BROWSER)}
    parts = {name.split("/")[0].removesuffix(".py") for name in files}
    name, version, _, _ = parse_wheel_filename(wheel.name)
    return canonicalize_name(name), {
        "name": canonicalize_name(name),
        "version": str(version),
        "file_name": wheel.name,
        "install_dir": "site",
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "package_type": "package",
        "imports": sorted(part for part in parts if part.isidentifier()),
        "depends": sorted(needed & known),
        "unvendored_tests": False,
    }


def run(*command: str, folder: Path = ROOT) -> None:
    """Run a program, and end where it fails."""
    subprocess.run(command, cwd=folder, check=True)  # noqa: S603 - commands of ours


if __name__ == "__main__":
    main()
