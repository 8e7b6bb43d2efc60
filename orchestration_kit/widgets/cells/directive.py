r"""A cell that begins with `#| step NAME` becomes `%%step NAME`: text to text, before IPython reads it.

To linters and editors such a cell stays plain Python. All other cells are left as they are.

>>> as_magic(["#| step review --again\n", "input.upper()\n"])
['%%step review --again\n', 'input.upper()\n']
>>> as_magic(["# step by step\n", "1 + 1\n"])
['# step by step\n', '1 + 1\n']
"""

from __future__ import annotations

import re

_DIRECTIVE = re.compile(r"#\s?\|\s*step(?:\s*:\s*|\s+|$)(?P<line>.*)")
_OTHER = re.compile(r"#\s?\|")
_MAGIC = re.compile(r"%%step(?:\s|$)")


def as_magic(lines: list[str]) -> list[str]:
    """Return the lines of a cell, as `%%step` where its first line asks for it. Never raises.

    A block of such comments may begin the cell (`#| label: ...`); the one about the step is found in it. A cell whose
    body is empty gets an empty line, so that what is said about it is ours to say.
    """
    for at, line in enumerate(lines):
        found = _DIRECTIVE.match(line.rstrip("\r\n"))
        if found is not None:
            above = ["#\n"] * at  # lines keep their numbers
            return [f"%%step {found['line']}".rstrip() + "\n", *above, *(lines[at + 1 :] or ["\n"])]
        if not _OTHER.match(line):
            break
    if len(lines) == 1 and _MAGIC.match(lines[0]):
        return [lines[0].rstrip("\r\n") + "\n", "\n"]
    return lines


as_magic.has_side_effects = False  # type: ignore[attr-defined] - IPython asks: it may be called to see if a cell is whole
