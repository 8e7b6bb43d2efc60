"""Cells as the file of a notebook program."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Sequence
from pathlib import Path

numbers = itertools.count(1)
"""What makes the name of a file new."""


def marimo_app(cells: Sequence[str]) -> str:
    """Marimo finds out by itself what a cell defines and what it takes from others."""
    bodies = ["\n".join(f"    {line}" for line in cell.splitlines()) for cell in cells]
    functions = [f"@app.cell\ndef _():\n{body}\n    return\n" for body in bodies]
    return "\n\n".join(["import marimo\n\napp = marimo.App()\n", *functions])


def write_notebook(folder: Path, cells: Sequence[str]) -> str:
    """Write a notebook of code cells under a new name; return the name."""
    path = f"nb{os.getpid()}-{next(numbers)}.ipynb"
    notebook = {
        "cells": [
            {
                "cell_type": "code",
                "id": f"cell-{number}",
                "metadata": {},
                "execution_count": None,
                "outputs": [],
                "source": source,
            }
            for number, source in enumerate(cells)
        ],
        "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (folder / path).write_text(json.dumps(notebook), encoding="utf-8")
    return path
