"""A notebook for tests: cells are run in a real IPython shell of this process, and what they show is kept."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from typing import Any

from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell

from orchestration_kit.widgets.cells.errors import CellError


class Cell:
    """What came of running a cell."""

    def __init__(self, result: ExecutionResult, outputs: list[dict[str, Any]], printed: str) -> None:
        self.result = result
        self.outputs = outputs
        self.printed = printed

    @property
    def error(self) -> BaseException | None:
        return self.result.error_before_exec or self.result.error_in_exec

    @property
    def value(self) -> Any:
        """What the cell ended with; raises what the cell raised."""
        if self.error is not None:
            raise self.error
        return self.result.result

    @property
    def text(self) -> str:
        """What the cell ended with, as text."""
        return repr(self.value)

    @property
    def refusal(self) -> CellError:
        """The error of ours that the cell ended with."""
        assert isinstance(self.error, CellError), self.error
        return self.error

    @property
    def shown(self) -> list[str]:
        """What was displayed besides, as text."""
        return [output["data"]["text/plain"] for output in self.outputs]


class Notebook:
    """Cells are run one after another, in one namespace."""

    def __init__(self, shell: InteractiveShell, **variables: Any) -> None:
        self.shell = shell
        shell.user_ns.update(variables)

    def run(self, source: str) -> Cell:
        self.shell.display_pub = publisher = CapturingDisplayPublisher()
        with redirect_stdout(io.StringIO()) as printed:
            result = self.shell.run_cell(source, store_history=True)
        return Cell(result, list(publisher.outputs), printed.getvalue())

    def all(self, *sources: str) -> list[Cell]:
        """Run cells from the top; the first that raises ends it, as in a notebook."""
        found = []
        for source in sources:
            found.append(self.run(source))
            if found[-1].error is not None:
                break
        return found

    def __getitem__(self, name: str) -> Any:
        return self.shell.user_ns[name]
