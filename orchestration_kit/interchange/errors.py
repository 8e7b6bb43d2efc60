"""What can be wrong with a workflow from elsewhere."""

from __future__ import annotations

from orchestration_kit.errors import DefinitionError


class NotImportable(DefinitionError):
    """Something that is no graph of the library it was said to come from, or none that has a shape to look at."""

    def __init__(self, given: str, reason: str, hint: str) -> None:
        super().__init__(given, reason, hint)
        self.given, self.reason, self.hint = given, reason, hint

    def __str__(self) -> str:
        return f"{self.given} cannot be imported: {self.reason}. {self.hint}"


class MermaidError(DefinitionError):
    """Text that is no Mermaid flowchart, or is over a cap; nothing was made of it."""

    def __init__(self, line: int, reason: str, hint: str) -> None:
        super().__init__(line, reason, hint)
        self.line, self.reason, self.hint = line, reason, hint

    def __str__(self) -> str:
        return f"Line {self.line:,} of the flowchart: {self.reason}. {self.hint}"


def a_kind_of(thing: object) -> str:
    """Return what a thing is, as a message begins.

    >>> a_kind_of(1), a_kind_of("text")
    ('An int', 'A str')
    """
    name = type(thing).__name__
    return f"{'An' if name[:1].lower() in 'aeiou' else 'A'} {name}"
