"""Look for common misspellings in what people read: pages, notebooks' Markdown, docstrings and comments.

    python -m scripts.docs.spelling

Words that are right here and wrong elsewhere are in `[tool.codespell]` of pyproject.toml.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from codespell_lib import main as codespell

from scripts.docs.pages import ROOT, pages

CODE = ("orchestration_kit", "docs/_ext", "docs/conf.py", "scripts", "benchmarks")


def main() -> int:
    """Look through everything; return how the process ends."""
    with tempfile.TemporaryDirectory() as folder:
        for page in pages():
            copy = Path(folder, page.path).with_suffix(".md")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(page.text, encoding="utf-8")
        with redirect_stdout(said := StringIO()):
            found = codespell("--toml", str(ROOT / "pyproject.toml"), folder, *(str(ROOT / one) for one in CODE))
    print(said.getvalue().replace(f"{folder}/", "").replace(f"{ROOT}/", "") or "Spelling: nothing found.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
