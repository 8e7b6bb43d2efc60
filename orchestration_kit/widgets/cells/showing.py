"""What came of a cell is shown as a notebook shows it: values as they are, an error with the lines of the cell."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar, cast

from orchestration_kit.engine.events import AttemptFinished
from orchestration_kit.engine.order import opener_of
from orchestration_kit.errors import OrchestrationError
from orchestration_kit.widgets.cells.current import sessions
from orchestration_kit.widgets.cells.turns import Turn

PACKAGE = str(Path(__file__).parents[2])
"""Where frames of ours are."""
_TOLD_IN_WORDS = frozenset({"OutputRejected"})


def shell() -> Any:
    """Return IPython's shell; None outside of it."""
    module = sys.modules.get("IPython")
    return None if module is None else module.get_ipython()


def show(value: Any) -> None:
    """Show a value as if a cell ended with it; in plain Python nothing is shown."""
    if shell() is not None and value is not None:
        cast("Any", sys.modules["IPython"]).display.display(value)


def show_outputs(turn: Turn, label: str = "") -> None:
    """Show what a turn put out: the value, or those of all branches by name; below a label, where it is one of many."""
    visits = turn.visits
    if label and shell() is not None:
        print(label)  # noqa: T201 - a line above what follows, as cells print them
    if len(visits) == 1 and not visits[0].scope:
        show(output_of(visits[0]))
    elif visits:
        show({opener_of(record.scope)[1]: output_of(record) for record in visits})


def output_of(record: AttemptFinished) -> Any:
    """Return what an attempt put out, also where it was rejected; None where it raised."""
    if record.error is None:
        return record.output
    output: Any = record.output
    return cast("Mapping[str, Any]", output).get("output") if isinstance(output, Mapping) else None


def own_lines(error: BaseException) -> BaseException:
    """Return an error whose traceback begins with the person's own code instead of the engine's."""
    return error.with_traceback(without_ours(error.__traceback__))


def without_ours(traceback: TracebackType | None) -> TracebackType | None:
    """Return a traceback from the first frame on that is not of this package; all of it where there is none."""
    at = traceback
    while at is not None and at.tb_frame.f_code.co_filename.startswith(PACKAGE):
        at = at.tb_next
    return traceback if at is None else at


def show_error(error: BaseException) -> None:
    """Show an error with its traceback, without raising it."""
    own_lines(error)
    ip = shell()
    if ip is None:
        import traceback

        traceback.print_exception(error)
    else:
        ip.showtraceback((type(error), error, error.__traceback__))


_Function = TypeVar("_Function", bound=Callable[..., Any])


def plainly(function: _Function) -> _Function:
    """Have errors of the kit that a command raises shown as their message, without the way they took through it.

    What a person's own code raised, through the run, keeps its traceback.
    """

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        try:
            return function(*args, **kwargs)
        except OrchestrationError as error:
            if not any(session.run.exception is error for session in sessions()):
                lines = [f"{type(error).__name__}: {error}", *error.__notes__]
                error.__dict__["_render_traceback_"] = lambda: lines
            raise

    return cast("_Function", call)


def is_raised(record: AttemptFinished, error: BaseException | None) -> bool:
    """Whether an attempt failed by this error, rather than by what it put out."""
    if error is None or record.error is None or record.error.type in _TOLD_IN_WORDS:
        return False
    return record.error.type == type(error).__name__
