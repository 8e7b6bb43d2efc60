"""Run Graphviz's `dot`: text in, bytes out, within a time limit. The only place that starts a process.

A `dot` that is missing, hangs, crashes or is too old becomes a `DotFailed` with the reason; nothing waits for ever.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence

from orchestration_kit.errors import OrchestrationError

TIME_LIMIT_S = 20.0
"""How long one call of `dot` may take."""

_INSTALL = (
    "Install Graphviz: `apt install graphviz`, `brew install graphviz`, `winget install graphviz`, "
    "`conda install graphviz`, or see https://graphviz.org/download/."
)


class DotFailed(OrchestrationError):
    """Graphviz could not do what was asked; `reason` says why, and what helps."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


class DotMissing(DotFailed):
    """There is no `dot` program on the PATH."""

    def __init__(self, wanted: str) -> None:
        super().__init__(f"{wanted} needs Graphviz, and no `dot` program is on the PATH. {_INSTALL}")
        self.args = (wanted,)


def has_dot() -> bool:
    """Whether a `dot` program is on the PATH now."""
    return shutil.which("dot") is not None


def run_dot(source: str, *options: str, wanted: str, time_limit_s: float = TIME_LIMIT_S) -> bytes:
    """Return what `dot` makes of DOT text; `wanted` says in errors what it was for.

    Raises:
        DotMissing: no `dot` on the PATH.
        DotFailed: it took longer than `time_limit_s`, ended with an error, or returned nothing.
    """
    program = shutil.which("dot")
    if program is None:
        raise DotMissing(wanted)
    try:
        process = subprocess.Popen(  # noqa: S603 - the program found on the PATH, options of ours, text on stdin
            [program, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise DotFailed(f"{wanted}: `dot` could not be started ({error.strerror}). {_INSTALL}") from error
    try:
        out, err = process.communicate(source.encode("utf-8", "replace"), timeout=time_limit_s)
    except subprocess.TimeoutExpired:
        raise DotFailed(
            f"{wanted}: `dot` did not finish within {time_limit_s:g} s and was stopped. "
            "renderer='builtin' draws an SVG without it."
        ) from None
    finally:
        _stop(process)
    if process.returncode != 0 or not out:
        said = err.decode("utf-8", "replace").strip()[-300:] or "it gave no reason"
        raise DotFailed(
            f"{wanted}: `dot {' '.join(options)}` failed with code {process.returncode}: {said}. "
            "Graphviz 2.40 or newer is needed; `dot -V` shows yours. renderer='builtin' draws an SVG without it."
        )
    return out


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the process, with any children it started, and close its pipes."""
    if process.poll() is None:
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait()
    pipes: Sequence[object] = (process.stdin, process.stdout, process.stderr)
    for pipe in pipes:
        if pipe is not None and not getattr(pipe, "closed", True):
            pipe.close()  # type: ignore[attr-defined]
