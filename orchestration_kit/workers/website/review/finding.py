"""One fault that a check found, where it is, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A fault. Findings sort by file, then by line."""

    file: str
    line: int
    """Counted from 1."""
    code: str
    """The check that found it, such as `missing_alt`."""
    message: str
    fix: str

    def as_dict(self) -> dict[str, str | int]:
        """Return the finding as plain data, for the data bus and the journal."""
        return asdict(self)
