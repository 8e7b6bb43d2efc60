"""Plain data as YAML that a person can read and that a change shows little of: the same everywhere, byte by byte.

Text of several lines stands line by line. `definition/files.py` reads it back to the same data.
"""

from __future__ import annotations

import math
import re
from typing import Any, cast

_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
"""Words that some readers of YAML take for something else than text."""
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_KEY = re.compile(r"[$A-Za-z_][\w.#$-]*", re.ASCII)
_LONGEST_KEY = 1000
"""YAML looks no further than 1,024 characters for the colon that makes a text a key."""


def render(value: Any, depth: int = 0) -> list[str]:
    r"""Return plain data as lines of YAML.

    >>> print("\n".join(render({"path": "draft#1", "output": "One\nTwo", "rate": [0.5, "0.5"]})))
    path: draft#1
    output: |-
      One
      Two
    rate:
      - 0.5
      - "0.5"

    Raises:
        ValueError: a number that JSON has no word for.
    """
    pad = "  " * depth
    if isinstance(value, dict) and value:
        lines: list[str] = []
        for key, part in cast("dict[str, Any]", value).items():
            shown = key if _KEY.fullmatch(key) and key.lower() not in _WORDS else _quoted(key)
            lead = f"{pad}{shown}:"
            if len(shown) > _LONGEST_KEY:
                lines.append(f"{pad}? {shown}")
                lead = f"{pad}:"
            if isinstance(part, (dict, list)) and part:
                lines.append(lead)
                lines += render(part, depth + 1)
            else:
                first, *more = _scalar(part, depth + 1)
                lines.append(f"{lead} {first}")
                lines += more
        return lines
    if isinstance(value, list) and value:
        lines = []
        for part in cast("list[Any]", value):
            first, *more = (
                render(part, depth + 1) if isinstance(part, (dict, list)) and part else _scalar(part, depth + 1)
            )
            lines.append(f"{pad}- {first.lstrip(' ')}")
            lines += more
        return lines
    first, *more = _scalar(value, depth)
    return [pad + first, *more]


def _scalar(value: Any, depth: int) -> list[str]:
    if isinstance(value, str):
        if "\n" in value:
            return _several_lines(value, "  " * depth)
        return [value if _is_plain(value) else _quoted(value)]
    if value is None:
        return ["null"]
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, int):
        return [str(value)]
    if isinstance(value, float) and math.isfinite(value):
        return [repr(value)]
    if value == {}:
        return ["{}"]
    if value == []:
        return ["[]"]
    raise ValueError(f"{value!r:.80} is not plain data")


def _is_plain(text: str) -> bool:
    """Whether text needs no quotes: it starts with a letter, and holds nothing that YAML might see something in."""
    return (
        text[:1].isalpha()
        and text.isprintable()
        and not text.endswith((" ", ":"))
        and ": " not in text
        and " #" not in text
        and text.lower() not in _WORDS
    )


def _several_lines(text: str, pad: str) -> list[str]:
    """Return text line by line: as it is where an editor leaves it alone, else in quotes."""
    lines = text.split("\n")
    ends_a_line = not lines[-1]
    body = lines[:-1] if ends_a_line else lines
    is_safe = body[0] and body[-1] and not body[0][0].isspace() and all(_is_safe(line) for line in body)
    if is_safe:
        return ["|" if ends_a_line else "|-", *(pad + line if line else "" for line in body)]
    shown = [_quoted(line)[1:-1] for line in lines]
    shown = [f"\\{line}" if line[:1] == " " else line for line in shown]  # a blank that the reader would skip
    quoted = [f"{pad}{line}\\n\\" for line in shown[:-1]] + [f'{pad}{shown[-1]}"']
    quoted[0] = f'"{quoted[0].removeprefix(pad)}'
    return quoted


def _is_safe(line: str) -> bool:
    return not line[-1:].isspace() and line.replace("\t", "").isprintable()


def _quoted(text: str) -> str:
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
