"""The text of a cell becomes a body, by the rules of the notebook: magics in it, its compiler, its variables."""

from __future__ import annotations

import sys
from typing import Any

from orchestration_kit.widgets.cells.body import Body, body_of_code


def body_of_cell(ip: Any, step: str, line: str, cell: str) -> Body:
    """Return the code below a `#| step` line as the worker of its step.

    Tracebacks show the lines of the cell: its first line is the directive, and the source is known by the cell's name.

    Args:
        ip: IPython's shell.
        step: The step's id.
        line: What follows `#| step` in the first line.
        cell: The code below it.

    Raises:
        BadBody: it cannot be a worker.
        SyntaxError: it is no Python.
    """
    first = f"#| step {line}".rstrip() + "\n"
    code = cell.lstrip("\n")
    above = cell[: len(cell) - len(code)]  # IPython would drop these lines, and count from there
    source = first + above + (ip.transform_cell(code) if code.strip() else "")
    filename = ip.compile.cache(source, _number(ip), raw_code=first + cell.rstrip("\n"))
    return body_of_code(step, source, filename=filename, namespace=lambda: ip.user_ns, flags=ip.compile.flags)


def _number(ip: Any) -> int:
    """Return the number of the cell that is being run: of `In[...]`. Whether it is counted before or after differs."""
    numbers: dict[str, int] = getattr(ip.compile, "_filename_map", {})
    frame = sys._getframe()  # noqa: SLF001 - a cell is known by the frame that runs it
    while frame is not None:
        number = numbers.get(frame.f_code.co_filename)
        if number is not None:
            return number
        frame = frame.f_back
    return int(ip.execution_count)
