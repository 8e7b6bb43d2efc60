"""Bring Pyodide and the packages that the core needs there into `.cache/lite/`: from npm and pip, as they are set up.

What Pyodide's own distribution would add (numpy, pandas, rpds) is on neither: what needs it is not tried here.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache" / "lite"
PYODIDE, WHEELS, SITE = CACHE / "pyodide", CACHE / "wheels", CACHE / "site"
PYODIDE_VERSION, PYTHON, PLATFORM = "314.0.7", "3.14", "pyemscripten_2026_0_wasm32"
"""Of one kind: https://peps.python.org/pep-0783/ says which wheels fit which Pyodide."""
PACKAGES = Path(__file__).parent / "packages.txt"
FROM_SOURCE = "pyyaml"
"""Built without its C part, as there is no wheel of it for the browser there."""


def fetch() -> None:
    """Bring what is not there yet."""
    wanted = f"{PYODIDE_VERSION} {PLATFORM}\n{PACKAGES.read_text(encoding='utf-8')}"
    stamp = CACHE / "fetched"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return
    shutil.rmtree(CACHE, ignore_errors=True)
    CACHE.mkdir(parents=True)
    fetch_pyodide()
    fetch_wheels()
    for wheel in sorted(WHEELS.glob("*.whl")):
        with zipfile.ZipFile(wheel) as packed:
            packed.extractall(SITE)  # noqa: S202 - pinned wheels, laid out as pip does
    stamp.write_text(wanted, encoding="utf-8")


def fetch_pyodide() -> None:
    """Unpack the npm package of Pyodide."""
    told = subprocess.run(  # noqa: S603 - a name and a version of ours
        ["npm", "pack", "--json", f"pyodide@{PYODIDE_VERSION}"],  # noqa: S607
        cwd=CACHE,
        check=True,
        capture_output=True,
        text=True,
    )
    with tarfile.open(CACHE / json.loads(told.stdout)[0]["filename"]) as packed:
        packed.extractall(CACHE, filter="data")
    (CACHE / "package").rename(PYODIDE)


def fetch_wheels() -> None:
    """Download the wheels that fit, pinned; what is compiled, compiled to WebAssembly."""
    pip = [sys.executable, "-m", "pip"]
    pins = PACKAGES.read_text(encoding="utf-8").split()
    source = [pin for pin in pins if pin.split("==")[0] == FROM_SOURCE]
    wheels = [pin for pin in pins if pin not in source]
    abi = f"cp{PYTHON.replace('.', '')}"
    chosen = ["--python-version", PYTHON, "--implementation", "cp", "--abi", abi, "--abi", "none"]
    platforms = ["--platform", PLATFORM, "--platform", "any"]
    # Without dependencies: their markers would be read for the machine that this runs on.
    command = [*pip, "download", "--quiet", "--no-deps", "--only-binary=:all:", *chosen, *platforms, "-d", str(WHEELS)]
    subprocess.run([*command, *wheels], check=True)  # noqa: S603 - as above
    build = [*pip, "wheel", "--quiet", "--no-deps", "--no-binary", FROM_SOURCE, "-w", str(WHEELS), *source]
    subprocess.run(build, check=True, env={**os.environ, "PYYAML_FORCE_LIBYAML": "0"})  # noqa: S603 - as above


if __name__ == "__main__":
    fetch()
    print(f"Pyodide {PYODIDE_VERSION} and {len(list(WHEELS.glob('*.whl')))} packages are in {CACHE.relative_to(ROOT)}")
