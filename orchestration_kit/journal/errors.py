"""What can go wrong with a journal: what happened, what was possible, what to do.

```text
JournalError (OrchestrationError)
├── JournalUnavailable (OSError)       cannot be opened, read or written now; nothing was half-written
├── JournalCorrupt                     what is stored is not what was written
├── JournalVersion                     written by another version, or no journal at all
├── TypeChanged                        a value whose class has other fields by now (in `codec/registry.py`)
├── RunLocked                          somebody else drives the run
├── LeaseLost                          somebody else took the run over while this process was silent
└── UnknownType                        a value of a type that is not registered here
NotRecordable (AttemptError, TypeError)   a value that cannot be put on record
```
"""

from __future__ import annotations

from orchestration_kit.errors import AttemptError, JournalError, did_you_mean, listed


class JournalUnavailable(JournalError, OSError):
    """The journal cannot be opened, read or written now. What was committed is safe."""

    def __init__(self, journal: str, reason: str, hint: str) -> None:
        super().__init__(journal, reason, hint)
        self.journal, self.reason, self.hint = journal, reason, hint

    def __str__(self) -> str:
        return f"The journal {self.journal} cannot be used: {self.reason}. {self.hint}"


class JournalCorrupt(JournalError):
    """What is stored is not what was written; nothing of it was used."""

    def __init__(self, run_id: str | None, reason: str) -> None:
        super().__init__(run_id, reason)
        self.run_id, self.reason = run_id, reason

    def __str__(self) -> str:
        what = "The journal" if self.run_id is None else f"The record of run {self.run_id!r}"
        return (
            f"{what} is damaged: {self.reason}. Nothing of it was used. "
            "Restore the file from a backup (made with journal.backup(path)), or start the run anew."
        )


class JournalVersion(JournalError):
    """The file is no journal, or one that this version cannot read."""

    def __init__(self, journal: str, reason: str, hint: str) -> None:
        super().__init__(journal, reason, hint)
        self.journal, self.reason, self.hint = journal, reason, hint

    def __str__(self) -> str:
        return f"{self.journal} cannot be opened as a journal: {self.reason}. {self.hint}"


class RunLocked(JournalError):
    """Somebody else drives the run."""

    def __init__(self, run_id: str, holder: str, hint: str) -> None:
        super().__init__(run_id, holder, hint)
        self.run_id, self.holder, self.hint = run_id, holder, hint

    def __str__(self) -> str:
        return f"Run {self.run_id!r} is being driven by {self.holder}. {self.hint}"


class LeaseLost(JournalError):
    """Somebody else took the run over; what this process did since then is not on record."""

    def __init__(self, run_id: str) -> None:
        super().__init__(run_id)
        self.run_id = run_id

    def __str__(self) -> str:
        return (
            f"Run {self.run_id!r} was taken over by another process, because this one was silent for too long (asleep, "
            "stopped or stuck). What it did since then is not on record. "
            f"Look at the run as it is now with orchestrator.get_run({self.run_id!r})."
        )


class UnknownType(JournalError):
    """A stored value is of a type that is not registered here; nothing is imported to find it."""

    def __init__(self, name: str, kind: str, known: list[str]) -> None:
        super().__init__(name, kind, known)
        self.name, self.kind, self.known = name, kind, known

    def __str__(self) -> str:
        origin, bracket, arguments = self.name.partition("[")
        short = origin.rpartition(".")[2] + bracket + arguments
        return (
            f"The record holds a {self.kind} named {self.name!r}, which is not registered here."
            f"{did_you_mean(self.name, self.known)} Registered: {listed(self.known)}. Define it (run its cell, or "
            f"import its module), then register_type({short})."
        )


class NotRecordable(AttemptError, TypeError):
    """A value cannot be put on record, so that the run could not be resumed from it."""

    is_final = True
    """Another attempt would return the same kind of value: no retry."""

    def __init__(self, where: str, type_name: str, reason: str, hint: str) -> None:
        super().__init__(where, type_name, reason, hint)
        self.where, self.type_name, self.reason, self.hint = where, type_name, reason, hint

    def __str__(self) -> str:
        return f"{self.where} is {self.type_name}, which cannot be put on record: {self.reason}. {self.hint}"
