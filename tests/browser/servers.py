"""Real notebook programs as processes on loopback: each with a folder, settings and a port of its own."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

READY_S = 120.0
"""Seconds a server may take to answer: the first start after an installation compiles everything."""

IDLE_S = 3_600
"""Seconds without anybody after which a Jupyter server ends by itself, should its test be killed."""

_WITH_US = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG: when whoever tests is killed, the server ends too
os.execv(sys.argv[1], sys.argv[1:])
"""
"""What a server is begun through."""

_NOT_INHERITED = ("JUPYTER", "PYTEST", "IPYTHON", "VOILA", "MARIMO", "COV_", "ORCHESTRATION_KIT", "PYTHONWARNINGS")


class Server:
    """A program that answers HTTP on `127.0.0.1`; its output goes to `log`."""

    def __init__(self, name: str, folder: Path, command: Sequence[str], *, ready: str) -> None:
        """Start `command`, in which `{port}` stands for the port, and wait until the path `ready` answers."""
        self.name, self.folder = name, folder
        self.log = folder / f".{name}.log"
        for _ in range(3):  # another process may take the port between our choice and the start
            self.port = _free_port()
            self.base = f"http://127.0.0.1:{self.port}"
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    [sys.executable, "-S", "-c", _WITH_US, *(part.format(port=self.port) for part in command)],
                    cwd=folder,
                    env=_environment(folder),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            if self._answers(ready):
                return
        raise RuntimeError(f"{name} does not start. Its log ends:\n{self.log_since(0)}")

    def _answers(self, path: str) -> bool:
        """Wait for an answer; False where the program has ended."""
        deadline = time.monotonic() + READY_S
        while self._process.poll() is None:
            try:
                self.ask("GET", path)
            except OSError:
                if time.monotonic() > deadline:
                    self.stop()
                    raise RuntimeError(
                        f"{self.name} does not answer within {READY_S:.0f} s. Its log ends:\n{self.log_since(0)}"
                    ) from None
                time.sleep(0.05)
            else:
                return True
        return False

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """Send a request, past any proxy; return status and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def log_size(self) -> int:
        """Bytes logged so far."""
        return self.log.stat().st_size

    def log_since(self, size: int) -> str:
        """What was logged after the first `size` bytes; the end of it where it is long."""
        return self.log.read_bytes()[size:].decode(errors="replace")[-8_000:]

    def stop(self) -> None:
        """End the program and whatever it has started."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()


def jupyter(program: str, folder: Path) -> Server:
    """JupyterLab (`lab`) or Notebook (`notebook`), with nobody else's settings, extensions or news."""
    folder.mkdir(parents=True, exist_ok=True)
    _settings(folder, "@jupyterlab/apputils-extension:notification", {"fetchNews": "false", "checkForUpdates": False})
    module, app = {"lab": ("jupyterlab", "LabApp"), "notebook": ("notebook", "JupyterNotebookApp")}[program]
    command = [
        *(sys.executable, "-m", module, "--no-browser", "--allow-root"),
        *("--ServerApp.ip=127.0.0.1", "--ServerApp.port={port}", "--ServerApp.port_retries=0"),
        *("--IdentityProvider.token=", "--ServerApp.password=", "--ServerApp.disable_check_xsrf=True"),
        *(f"--ServerApp.root_dir={folder}", f"--ServerApp.shutdown_no_activity_timeout={IDLE_S}"),
        f"--MappingKernelManager.cull_idle_timeout={IDLE_S}",
        "--LanguageServerManager.autodetect=False",  # else a type checker reads each notebook, and a core is gone
        *(f"--{app}.expose_app_in_browser=True", "--LabApp.extension_manager=readonly"),
    ]
    return Server(program, folder, command, ready="/api")


def choose_theme(server: Server, theme: str) -> None:
    """Have pages that are opened from now on be "light" or "dark"."""
    name = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}[theme]
    _settings(server.folder, "@jupyterlab/apputils-extension:themes", {"theme": name, "adaptive-theme": False})


def voila(folder: Path) -> Server:
    """Voila, over all notebooks of a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        *(sys.executable, "-m", "voila", "--no-browser", "--port={port}", "--Voila.ip=127.0.0.1"),
        *(f"--MappingKernelManager.cull_idle_timeout={IDLE_S}", str(folder)),
    ]
    return Server("voila", folder, command, ready="/voila/tree")


def marimo(folder: Path, file: str, mode: str, theme: str) -> Server:
    """Marimo, which serves one file: as an app (`run`) or in its editor (`edit`)."""
    settings = folder / ".xdg-config" / "marimo" / "marimo.toml"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(f'[display]\ntheme = "{theme}"\n[runtime]\nauto_instantiate = true\n', encoding="utf-8")
    command = [
        *(sys.executable, "-m", "marimo", "--quiet", "--yes", mode, str(folder / file), "--headless", "--no-token"),
        *("--host=127.0.0.1", "--port={port}"),
    ]
    return Server("marimo", folder, command, ready="/health")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _settings(folder: Path, plugin: str, settings: dict[str, Any]) -> None:
    package, _, name = plugin.partition(":")
    file = folder / ".settings" / package / f"{name}.jupyterlab-settings"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(settings), encoding="utf-8")


def _environment(folder: Path) -> dict[str, str]:
    """Ours without what was said to pytest and to other programs of this person; the kernels are those of `.venv`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)}
    own = {
        "JUPYTER_CONFIG_DIR": ".config",
        "JUPYTER_DATA_DIR": ".data",
        "JUPYTER_RUNTIME_DIR": ".runtime",
        "JUPYTERLAB_SETTINGS_DIR": ".settings",
        "JUPYTERLAB_WORKSPACES_DIR": ".workspaces",
        "IPYTHONDIR": ".ipython",
        "XDG_CONFIG_HOME": ".xdg-config",
        "XDG_STATE_HOME": ".xdg-state",
        "XDG_CACHE_HOME": ".xdg-cache",
    }
    scripts = str(Path(sys.executable).parent)
    return {
        **kept,
        **{name: str(folder / path) for name, path in own.items()},
        "JUPYTER_PREFER_ENV_PATH": "1",
        "PATH": scripts + os.pathsep + kept.get("PATH", ""),
    }
