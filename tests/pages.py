"""Pages in Markdown tell the truth: their Python is run in order, and must print what stands below it."""

from __future__ import annotations

import re
import traceback
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """Python of a page, and what it is said to print: nothing is said where there is no `text` right below it."""

    code: str
    shown: str | None
    line: int


def blocks_of(text: str) -> list[Block]:
    """Return the Python blocks of a page."""
    found = list(_FENCE.finditer(text))
    blocks: list[Block] = []
    for at, fence in enumerate(found):
        if fence[1] != "python":
            continue
        below = found[at + 1] if at + 1 < len(found) else None
        is_output = below is not None and below[1] == "text" and not text[fence.end() : below.start()].strip()
        blocks.append(Block(fence[2], below[2] if is_output and below else None, text[: fence.start()].count("\n") + 2))
    return blocks


def run_block(block: Block, page: Path, names: dict) -> None:
    """Run a block; an error names the line of the page."""
    code = "\n" * (block.line - 1) + block.code
    try:
        exec(compile(code, str(page), "exec"), names)
    except Exception as error:
        lines = [f"line {one.lineno}" for one in traceback.extract_tb(error.__traceback__) if one.filename == str(page)]
        raise AssertionError(f"{page.name}, {', '.join(lines)}: {type(error).__name__}: {error}") from error


def differs(shown: str, printed: str) -> str:
    """Return how what was printed differs from what a page shows; "" where it does not.

    `...` in a shown line stands for anything in this line, a line of it alone for any lines.
    """
    pattern = ""
    for line in shown.rstrip().splitlines():
        if line.strip() == "...":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*?".join(map(re.escape, line.rstrip().split("..."))) + r"[ ]*\n"
    return "" if re.fullmatch(pattern, printed.rstrip() + "\n") else f"Shown:\n{shown}\nPrinted:\n{printed}"
