"""Turn the widgets' sources into a list of the JavaScript packages in their bundles, as esbuild counts them."""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
FRONTEND = ROOT / "orchestration_kit" / "widgets" / "frontend"
_FOLDER = "node_modules/"


@dataclass(frozen=True)
class Bundled:
    """A package of which at least a byte stands in a bundle."""

    name: str
    version: str
    licence: str
    """An SPDX expression, from its own package.json."""
    text: str
    """Its licence, word for word."""
    homepage: str
    bundles: tuple[str, ...]
    """The files of the wheel it is part of."""


def bundled_packages() -> list[Bundled]:
    """Return what is bundled, by name. Bundles anew, into a folder of its own; needs node and the pinned packages."""
    with tempfile.TemporaryDirectory() as folder:
        account = Path(folder) / "account.json"
        command = ["node", "build.mjs", str(Path(folder) / "out"), str(account)]
        subprocess.run(command, cwd=FRONTEND, check=True)  # noqa: S603 - ours
        outputs = json.loads(account.read_text(encoding="utf-8"))["outputs"]
    found: dict[str, set[str]] = {}
    for output, told in outputs.items():
        for source, part in told["inputs"].items():
            if _FOLDER in source and part["bytesInOutput"]:
                found.setdefault(package_of(source), set()).add(Path(output).name)
    return [_described(name, tuple(sorted(bundles))) for name, bundles in sorted(found.items())]


def package_of(source: str) -> str:
    """Return the package that a file belongs to.

    >>> package_of("node_modules/@xyflow/react/dist/esm/index.js"), package_of("node_modules/preact/hooks/src.js")
    ('@xyflow/react', 'preact')
    """
    parts = source.rpartition(_FOLDER)[2].split("/")
    return "/".join(parts[:2] if parts[0].startswith("@") else parts[:1])


def _described(name: str, bundles: tuple[str, ...]) -> Bundled:
    folder = FRONTEND / "node_modules" / name
    told: dict[str, Any] = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    texts = sorted(path for path in folder.iterdir() if path.name.lower().startswith(("licen", "copying")))
    if not texts:
        raise SystemExit(f"{name} {told['version']} comes without the text of its licence: ask for it, or do without.")
    text = texts[0].read_text(encoding="utf-8").strip()
    homepage = told.get("homepage") or _address(told["repository"])
    return Bundled(name, told["version"], told["license"], text, homepage, bundles)


def _address(repository: str | dict[str, str]) -> str:
    """Return where a package is worked on; npm also has the short form `owner/name`."""
    if isinstance(repository, str):
        return f"https://github.com/{repository}"
    return repository["url"].removeprefix("git+").removesuffix(".git")
