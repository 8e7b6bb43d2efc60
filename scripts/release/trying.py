"""A new environment in which what was built is tried, and the account of how that went."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scripts.release.bundled import ROOT

UV = str(Path(sys.executable).with_name("uv"))
_CONFIG = "[pytest]\nfilterwarnings = error\naddopts = -p no:cacheprovider -q\n"
_LIMIT_S = 3600


@dataclass
class Report:
    """What was tried, and what came out."""

    rows: list[tuple[str, str, bool, float, str]] = field(default_factory=list)

    def add(self, row: tuple[str, str, bool, float, str]) -> None:
        """Keep a row (where, what, whether it holds, seconds, the last line), and print it."""
        self.rows.append(row)
        where, what, holds, took_s, last = row
        print(f"{'ok    ' if holds else 'FAILED'}  {where:<18} {what:<28} {took_s:6.0f} s  {last}", flush=True)

    @property
    def is_sound(self) -> bool:
        """Whether all of it held."""
        return all(holds for _, _, holds, _, _ in self.rows)

    def tell(self) -> None:
        """Print what did not hold."""
        bad = [row for row in self.rows if not row[2]]
        print(f"{len(self.rows) - len(bad)} hold, {len(bad)} do not.")
        for where, what, _, _, last in bad:
            print(f"  {where}: {what}: {last}")


class Place:
    """A folder with an environment of its own; nothing of the source, and nothing of the caller's Python, gets in."""

    def __init__(self, folder: Path, python: str, report: Report) -> None:
        self.folder, self.report = folder, report
        folder.mkdir(parents=True)
        (folder / "pytest.ini").write_text(_CONFIG)
        self._log = folder / "log"
        self._is_broken = False
        self._run("an environment", [UV, "venv", "-q", "--python", python, str(folder / "venv")], is_quiet=True)

    def install(self, what: str, requirements: Sequence[str | Path]) -> None:
        """Install with uv."""
        interpreter = str(self.folder / "venv/bin/python")
        self._run(what, [UV, "pip", "install", "--python", interpreter, *map(str, requirements)], is_needed=True)

    def python(self, what: str, arguments: Sequence[str]) -> None:
        """Run the environment's Python."""
        self._run(what, [str(self.folder / "venv/bin/python"), *arguments])

    def pytest(self, what: str, arguments: Sequence[str], *, at: Path | None = None) -> None:
        """Run pytest, with a configuration in which a warning is an error; in a folder that has one, with that."""
        options = ["-p", "no:cacheprovider", "-q"] if at else ["-c", str(self.folder / "pytest.ini")]
        self._run(what, [str(self.folder / "venv/bin/python"), "-m", "pytest", *options, *arguments], at=at)

    def oldest(self, version: str, options: Sequence[str]) -> Path:
        """Return a file with the oldest versions that pyproject.toml allows."""
        file = self.folder / "oldest.txt"
        command = [UV, "pip", "compile", "-q", "--resolution", "lowest-direct", "--python-version", version, *options]
        self._run("the oldest, resolved", [*command, str(ROOT / "pyproject.toml"), "-o", str(file)], is_quiet=True)
        return file

    def _run(
        self, what: str, command: list[str], *, at: Path | None = None, is_quiet: bool = False, is_needed: bool = False
    ) -> None:
        if self._is_broken:  # nothing was installed: what else fails says nothing
            return
        began = time.monotonic()
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
        path = f"{self.folder / 'venv/bin'}{os.pathsep}{os.environ['PATH']}"
        environment = kept | {"PATH": path, "TQDM_DISABLE": "1", "JUPYTER_PLATFORM_DIRS": "1"}
        with self._log.open("a") as log:
            log.write(f"\n$ {' '.join(command)}\n")
            log.flush()
            start = log.tell()
            done = subprocess.run(  # noqa: S603 - ours
                command, cwd=at or self.folder, env=environment, stdout=log, stderr=subprocess.STDOUT, check=False,
                timeout=_LIMIT_S,
            )  # fmt: skip
        said = self._log.read_bytes()[start:].decode(errors="replace").strip().splitlines()
        last = re.sub(r"^=+|=+$", "", said[-1]).strip()[:110] if said else ""
        holds = done.returncode == 0
        self._is_broken = not holds and (is_needed or is_quiet)
        if not (holds and is_quiet):
            self.report.add((self.folder.name, what, holds, time.monotonic() - began, last))
