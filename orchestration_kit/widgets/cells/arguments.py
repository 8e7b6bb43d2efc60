"""The line of a magic becomes words and options. A slip is an error of ours that says what was possible."""

from __future__ import annotations

import shlex
from collections.abc import Collection
from dataclasses import dataclass, field

from orchestration_kit.widgets.cells.errors import BadCommand, unknown_word


@dataclass(frozen=True, slots=True)
class Usage:
    """How a magic is written."""

    text: str
    """As it is shown to a person."""
    most_words: int = 0
    flags: Collection[str] = ()
    """Options without a value, such as `--again`."""
    values: Collection[str] = ()
    """Options with a value."""
    optional: Collection[str] = ()
    """Those of them that may stand without their value."""


@dataclass(slots=True)
class Given:
    """What a line says."""

    words: list[str] = field(default_factory=list[str])
    flags: set[str] = field(default_factory=set[str])
    values: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def word(self) -> str | None:
        """The first word."""
        return self.words[0] if self.words else None


def parse(line: str, usage: Usage) -> Given:
    """Read the line of a magic.

    >>> use = Usage('%workflow NAME --goal "..."', most_words=1, values=["--goal"])
    >>> parse('review --goal "A tent"', use).values
    {'--goal': 'A tent'}

    Raises:
        BadCommand: an unknown option, a missing value, too many words, or a quotation that does not end.
    """
    try:
        parts = shlex.split(line, comments=False)
    except ValueError:
        raise BadCommand(f"A quotation mark is missing in: {line.strip()}", usage.text) from None
    known = [*usage.flags, *usage.values]
    given = Given()
    while parts:
        part = parts.pop(0)
        name, is_joined, value = part.partition("=") if part.startswith("--") else (part, "", "")
        if not name.startswith("--"):
            given.words.append(part)
        elif name in usage.flags and not is_joined:
            given.flags.add(name)
        elif name in usage.values:
            if not is_joined and parts and not parts[0].startswith("--"):
                value, is_joined = parts.pop(0), "="
            if not is_joined and name not in usage.optional:
                raise BadCommand(f"{name} needs a value.", usage.text)
            given.values[name] = value
        elif name in usage.flags:
            raise BadCommand(f"{name} takes no value.", usage.text)
        else:
            raise BadCommand(unknown_word(name, known), usage.text)
    if len(given.words) > usage.most_words:
        extra = given.words[usage.most_words]
        where = "Put quotation marks around text with spaces." if usage.most_words else "It takes no words."
        raise BadCommand(f"{extra!r} is one word too many. {where}", usage.text)
    return given
