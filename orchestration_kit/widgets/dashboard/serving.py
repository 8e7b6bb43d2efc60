"""Serves the dashboard: Voila as a process of its own, on loopback, with a token, and without anybody's keys."""

from __future__ import annotations

import http.client
import importlib.util
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestration_kit.errors import OrchestrationError
from orchestration_kit.widgets.dashboard import JOURNAL, READ_ONLY

HERE = Path(__file__).parent
HOST = "127.0.0.1"
PORT = 8866
READY_S = 60.0
"""Seconds that the server may take to answer."""
IDLE_S = 600
"""Seconds without a page after which its kernel ends."""
_KEPT = (
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TEMP", "TMP", "VIRTUAL_ENV", "PYTHONPATH",
    "SYSTEMROOT", "SYSTEMDRIVE", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "PATHEXT", "COMSPEC",
)  # fmt: skip
"""Of the environment, what the server gets: no keys, and no settings of other programs."""


class NoDashboard(OrchestrationError):
    """The dashboard cannot be served."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason, hint)
        self.reason, self.hint = reason, hint

    def __str__(self) -> str:
        return f"The dashboard cannot be served: {self.reason}. {self.hint}"


@dataclass(frozen=True, slots=True)
class Served:
    """A dashboard that answers."""

    port: int
    token: str
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Where it is, with the token."""
        return f"http://{HOST}:{self.port}/?token={self.token}"


@contextmanager
def served(
    journal: Path, *, port: int | None = None, read_only: bool = False, theme: str = "light"
) -> Generator[Served]:
    """Serve the monitor of a journal until the block ends.

    Args:
        journal: The file, which exists.
        port: Where to listen; the usual one, or a free one where that is taken.
        read_only: Whether the page only looks.
        theme: "light" or "dark".

    Raises:
        NoDashboard: Voila is not installed, does not start, or the port is taken.
    """
    missing = [name for name in ("voila", "ipykernel") if importlib.util.find_spec(name) is None]
    if missing:
        reason = f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed"
        raise NoDashboard(reason, "Install it with: pip install 'orchestration-kit[dashboard]'")
    at, token = _port(port), secrets.token_urlsafe(24)
    with tempfile.TemporaryDirectory(prefix="orchestration-kit-") as folder:
        private = Path(folder)
        (private / "voila.json").write_text(json.dumps(_settings(at, token, theme)), encoding="utf-8")
        environment = _environment(private) | {JOURNAL: str(journal.expanduser().resolve())}
        if read_only:
            environment[READ_ONLY] = "1"
        log = private / "log"
        with log.open("wb") as written:
            process = subprocess.Popen(  # noqa: S603 - ours, and without a shell
                [sys.executable, "-m", "voila", "--no-browser", str(HERE / "dashboard.ipynb")],
                env=environment,
                cwd=HERE,
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            _wait(process, at, log)
            yield Served(at, token, process)
        finally:
            _stop(process)


def _settings(port: int, token: str, theme: str) -> dict[str, Any]:
    """What Voila is told: in a file that nobody else can read, as others see the arguments of a process."""
    return {
        "Voila": {"ip": HOST, "port": port, "port_retries": 0, "token": token, "root_dir": str(HERE)},
        "VoilaConfiguration": {
            "template": "orchestration_kit",
            "theme": theme,
            "strip_sources": True,
            "show_tracebacks": False,
            "file_allowlist": [],
            "allow_template_override": "NO",
            "extension_denylist": ["@jupyter-notebook/lab-extension", "@voila-dashboards/jupyterlab-preview"],
        },
        "MappingKernelManager": {"cull_idle_timeout": IDLE_S, "cull_interval": 60},
    }


def _environment(private: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name.upper() in _KEPT or name.startswith("LC_")}
    return kept | {
        "JUPYTER_CONFIG_DIR": str(private),
        "JUPYTER_CONFIG_PATH": str(private),
        "JUPYTER_RUNTIME_DIR": str(private / "runtime"),
        "JUPYTER_PATH": str(HERE / "share"),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "IPYTHONDIR": str(private / "ipython"),
    }


def _port(wanted: int | None) -> int:
    for port in (PORT, 0) if wanted is None else (wanted,):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OverflowError:
                raise NoDashboard(f"{port} is no port", "Give one from 1024 to 65535.") from None
            except OSError as error:
                if wanted is None:
                    continue
                hint = "Name another one, or none: then a free one is taken."
                raise NoDashboard(f"port {port} cannot be used ({error.strerror or error})", hint) from None
            return int(probe.getsockname()[1])
    raise NoDashboard("no port is free", "Name one with --port.")


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Wait until the server answers."""
    deadline = time.monotonic() + READY_S
    while process.poll() is None and time.monotonic() < deadline:
        connection = http.client.HTTPConnection(HOST, port, timeout=5)
        try:
            connection.request("GET", "/login")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.05)
        else:
            return
        finally:
            connection.close()
    said = log.read_text(encoding="utf-8", errors="replace").strip()[-2_000:]
    ended = (
        f"Voila ended with {process.returncode}"
        if process.poll() is not None
        else f"it did not answer in {READY_S:g} s"
    )
    raise NoDashboard(ended, f"It said:\n{said}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
