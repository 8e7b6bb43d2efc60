"""What can go wrong when a workflow is run cell by cell: what happened, what was possible, what to type.

```text
CellError (ValueError)          base; a notebook shows the message alone, without a traceback of ours
├── NoSession                   no workflow is being run in this notebook
├── BadCommand                  a magic or a directive that is written wrongly
├── BadBody                     the code of a cell cannot be a step's worker
├── OutOfOrder                  the run does not stand before that step
├── NoCell                      a step comes next that nobody works at yet
└── OtherRun                    a run of this id is on record, with another goal or other data
```
"""

from __future__ import annotations

from orchestration_kit.errors import OrchestrationError, did_you_mean, listed


class CellError(OrchestrationError, ValueError):
    """Base of what can go wrong cell by cell. Never IPython's UsageError, which test tools pass over in silence."""

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}", *self.__notes__]


class NoSession(CellError):
    """No workflow is being run in this notebook."""

    def __init__(self, workflows: tuple[str, ...] = ()) -> None:
        super().__init__(workflows)
        self.workflows = workflows

    def __str__(self) -> str:
        name = self.workflows[0] if self.workflows else "NAME"
        known = f" Registered: {listed(self.workflows)}." if self.workflows else ""
        return (
            f"No workflow is being run cell by cell here yet.{known}\n"
            f'Begin one:  %workflow {name} --goal "..."\n'
            f'or:         session = CellSession(hub, "{name}", goal="...")'
        )


class BadCommand(CellError):
    """A magic, or the first line of a cell, that is written wrongly."""

    def __init__(self, reason: str, usage: str) -> None:
        super().__init__(reason, usage)
        self.reason, self.usage = reason, usage

    def __str__(self) -> str:
        return f"{self.reason}\nUse:  {self.usage}"


class BadBody(CellError):
    """The code of a cell cannot be a step's worker. Nothing was run."""

    def __init__(self, step: str, line: int | None, reason: str, hint: str) -> None:
        super().__init__(step, line, reason, hint)
        self.step, self.line, self.reason, self.hint = step, line, reason, hint

    def __str__(self) -> str:
        where = "" if self.line is None else f", line {self.line}"
        return f"The cell of step {self.step!r}{where}: {self.reason}. Nothing was run.\n{self.hint}"


class OutOfOrder(CellError):
    """The run does not stand before that step. The cell is kept: its code is called when the run comes there."""

    def __init__(self, step: str, stands: str, ways: tuple[tuple[str, str], ...]) -> None:
        super().__init__(step, stands, ways)
        self.step, self.stands, self.ways = step, stands, ways

    def __str__(self) -> str:
        width = max((len(typed) for typed, _ in self.ways), default=0)
        ways = "".join(f"\n  {typed:<{width}}  {effect}" for typed, effect in self.ways)
        choice = f"\nYou can:{ways}" if ways else ""
        kept = "Nothing was run; the cell is kept for when its turn comes."
        return f"{self.step!r} is not next: {self.stands}. {kept}{choice}"


class NoCell(CellError):
    """A step comes next that nobody works at yet."""

    def __init__(self, step: str, worker_type: str) -> None:
        super().__init__(step, worker_type)
        self.step, self.worker_type = step, worker_type

    def __str__(self) -> str:
        return (
            f"{self.step!r} comes next, and nobody works there: it has no cell yet, and no worker of type "
            f"{self.worker_type!r} is registered.\n"
            f"Write a cell for it that begins with:  #| step {self.step}\n"
            f'or, above a function:                  @step("{self.step}")'
        )


class OtherRun(CellError):
    """A run of this id is on record, and it was begun with something else."""

    def __init__(self, run_id: str, what: str, recorded: str, given: str) -> None:
        super().__init__(run_id, what, recorded, given)
        self.run_id, self.what, self.recorded, self.given = run_id, what, recorded, given

    def __str__(self) -> str:
        return (
            f"Run {self.run_id!r} is on record with another {self.what}: {self.recorded}, not {self.given}.\n"
            f"To go on with it:  %workflow --resume {self.run_id}\n"
            f"To begin anew:     give another run id, or orchestrator.forget({self.run_id!r}) first"
        )


def unknown_word(word: str, known: list[str]) -> str:
    """Say that a word is none of those known.

    >>> unknown_word("--gaol", ["--goal", "--data"])
    "There is no '--gaol'. Did you mean '--goal'?"
    """
    return f"There is no {word!r}.{did_you_mean(word, known)}"
