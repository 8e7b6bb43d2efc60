"""What is around the package: who draws, which notebooks, which keys, which folder. Of keys, the names alone."""

from __future__ import annotations

import os
import re
import shutil
import site
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from orchestration_kit.cli.doctor_packages import Finding, version_of
from orchestration_kit.engine.file_systems import mounts, remote_file_system
from orchestration_kit.errors import listed
from orchestration_kit.secrets.patterns import is_a_word_instead
from orchestration_kit.visual.render import DotFailed, DotMissing, run_dot

KEYS = (
    "ORCHESTRATION_KIT_API_KEY", "OPENAI_API_KEY", "OPENAI_BASE_URL", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY",
    "GEMINI_API_KEY", "AZURE_OPENAI_API_KEY", "AWS_BEARER_TOKEN_BEDROCK", "AWS_ACCESS_KEY_ID", "MISTRAL_API_KEY",
    "GROQ_API_KEY", "CO_API_KEY", "DEEPSEEK_API_KEY", "OPENROUTER_API_KEY", "XAI_API_KEY", "TOGETHER_API_KEY",
    "FIREWORKS_API_KEY", "CEREBRAS_API_KEY", "HF_TOKEN", "OLLAMA_BASE_URL",
)  # fmt: skip
"""Where providers of language models, as pydantic-ai has them, and our own endpoints look."""
_FRONT_ENDS = ("jupyterlab", "notebook", "voila", "marimo")
_WIDGETS = {"ipywidgets": "@jupyter-widgets/jupyterlab-manager", "anywidget": "anywidget"}
"""By package: the extension of JupyterLab that shows its widgets."""
_OLDEST_DOT = (2, 40)


def renderer_findings() -> Iterator[Finding]:
    """Yield what draws."""
    yield Finding("renderer", "builtin", "ok", "draws SVG wherever Python runs")
    try:
        run_dot("digraph { a -> b }", "-Tsvg", wanted="this check", time_limit_s=10)
    except DotMissing as error:
        fix = str(error).partition("PATH. ")[2]
        yield Finding("renderer", "dot", "missing", "not on the PATH: no PNG, no PDF, plainer layouts", fix)
    except DotFailed as error:
        yield Finding("renderer", "dot", "broken", str(error), "Install Graphviz anew, with its fonts and plugins.")
    else:
        version = _dot_version()
        is_old = tuple(int(part) for part in version.split(".")[:2] if part.isdigit()) < _OLDEST_DOT and version
        found = f"{version or 'of an unknown version'} at {shutil.which('dot')}"
        fix = "Install Graphviz 2.40 or newer: https://graphviz.org/download/." if is_old else ""
        yield Finding("renderer", "dot", "note" if is_old else "ok", found, fix)


def folder_findings(folder: Path, mountinfo: str | None = None) -> Iterator[Finding]:
    """Yield why a folder is none to work in, if there is a reason. Nothing is written to find out."""
    if not os.access(folder, os.W_OK):
        found = "this user may not write here: no journal, cassette or notebook can be kept"
        yield Finding("folder", str(folder), "note", found, "Go to a folder of your own, and start from there.")
    kind = remote_file_system(os.path.realpath(folder), mounts() if mountinfo is None else mountinfo)
    if kind is not None:
        found = f"it is on a network or shared file system ({kind}): a journal is refused here"
        fix = "Keep journals on a disk of this machine: Orchestrator(journal=...) takes any path."
        yield Finding("folder", str(folder), "note", found, fix)


def notebook_findings() -> Iterator[Finding]:
    """Yield which notebook programs are installed beside this Python, and whether they can show widgets."""
    there = {name: version for name in _FRONT_ENDS if (version := version_of(name))}
    for name, version in there.items():
        yield Finding("notebooks", name, "ok", version)
    if not there:
        found = "no JupyterLab, Notebook, Voila or marimo beside this Python; editors bring their own"
        yield Finding("notebooks", "front end", "missing", found, 'pip install "orchestration-kit[lab]"')
    for name, extension in _WIDGETS.items():
        version = version_of(name)
        if {"jupyterlab", "notebook", "voila"} & set(there) and not _has_extension(extension):
            found = f"{version}; its extension {extension} is not in JupyterLab's folders: widgets may not show"
            yield Finding(
                "notebooks", name, "note", found, f"pip install --force-reinstall {name}, then reload the page"
            )
        elif version:  # where it is not there, the package itself is broken
            yield Finding("notebooks", name, "ok", version)
    if there and not version_of("ipykernel"):
        fix = "pip install ipykernel"
        yield Finding("notebooks", "ipykernel", "missing", "notebooks here cannot run this Python", fix)


def key_findings(environ: Mapping[str, str] | None = None) -> Iterator[Finding]:
    """Yield which keys of language models are set. Their values are looked at, and never told.

    >>> [(one.state, one.found) for one in key_findings({"OPENAI_API_KEY": "changeme"})]
    [('note', 'set, to a word that is no key')]
    """
    given = os.environ if environ is None else environ
    names = [name for name in KEYS if name in given]
    for name in names:
        reason = _wrong_with(given[name], is_key=not name.endswith("_URL"))
        fix = f"Set {name} anew, before Python starts." if reason else ""
        yield Finding("keys", name, "note" if reason else "ok", f"set{reason and f', {reason}'}", fix)
    if not names:
        found = "none is set; workers that are functions, models and programs of your own need none"
        yield Finding("keys", "providers", "missing", found, f"export one of {listed(KEYS, 4)}")


def _wrong_with(value: str, *, is_key: bool) -> str:
    if not value.strip():
        return "to nothing"
    if value != value.strip():
        return "with blanks around it, which servers refuse"
    if value[0] == value[-1] and value[0] in "'\"":
        return "with quotes around it, which servers refuse"
    return "to a word that is no key" if is_key and is_a_word_instead(value) else ""


def _dot_version() -> str:
    program = shutil.which("dot")
    if program is None:
        return ""
    try:
        done = subprocess.run([program, "-V"], capture_output=True, timeout=10, check=False)  # noqa: S603 - from the PATH
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(rb"version (\d[\d.]*)", done.stderr + done.stdout)
    return found[1].decode().rstrip(".") if found else ""


def _has_extension(name: str) -> bool:
    roots = [Path(sys.prefix), Path(sys.base_prefix), Path(site.getuserbase())]
    folders = [root / "share" / "jupyter" for root in roots]
    folders += [Path(one) for one in os.environ.get("JUPYTER_PATH", "").split(os.pathsep) if one]
    folders += [Path("/usr/local/share/jupyter"), Path("/usr/share/jupyter")]
    return any((folder / "labextensions" / name).is_dir() for folder in folders)
