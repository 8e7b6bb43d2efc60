"""What can go wrong with a cassette.

```text
CassetteError (OrchestrationError, ValueError)   the file or the mode cannot be used
CassetteMiss (BaseException)                     nothing is recorded for what a run asks for
```

A miss is no `Exception`, on purpose: nothing that deals with the failure of a worker (a failure path, a retry, a
worker's own `except Exception` around a run within it) may take it for one. It ends the run and reaches the caller, as
`pytest.fail` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration_kit.errors import OrchestrationError
from orchestration_kit.pointers import Pointer


class CassetteError(OrchestrationError, ValueError):
    """A cassette cannot be used as it is; nothing was called and nothing overwritten."""

    def __init__(self, cassette: str, reason: str, hint: str) -> None:
        super().__init__(cassette, reason, hint)
        self.cassette, self.reason, self.hint = cassette, reason, hint

    def __str__(self) -> str:
        return f"The cassette {self.cassette} cannot be used: {self.reason}. {self.hint}"


class CassetteMiss(BaseException):
    """A run asks for what is not recorded, and no worker may be called."""

    if not TYPE_CHECKING:  # a list to whoever reads it, as it is with any error
        __notes__ = Pointer()

    def __init__(self, path: str, attempt: int, worker: str, cassette: str, found: str) -> None:
        super().__init__(path, attempt, worker, cassette, found)
        self.path, self.attempt, self.worker, self.cassette, self.found = path, attempt, worker, cassette, found

    def __str__(self) -> str:
        attempt = f", attempt {self.attempt}," if self.attempt > 1 else ""
        return (
            f"The cassette {self.cassette} has no recording for {self.path}{attempt} of worker {self.worker!r} "
            f'with this input, and in mode "replay" no worker is called.\n{self.found}\n'
            'Record it: cassette(..., mode="auto"), or set the environment variable ORCHESTRATION_KIT_CASSETTE=auto, '
            "and run it once more. That calls the worker."
        )
