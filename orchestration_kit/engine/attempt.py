"""One attempt around the worker's call: what goes in, and what is made of what comes out.

Order: input transformer, worker, output schema, `success_when`, output transformer, data changes. Drivers call
the worker itself, each in its own way; everything else about an attempt is here, once.
"""

from __future__ import annotations

from typing import Any

from orchestration_kit.engine.context import Notes, WorkflowContext, notes_of
from orchestration_kit.engine.events import ErrorInfo
from orchestration_kit.engine.machine import Machine, Visit
from orchestration_kit.engine.outcome import Failure
from orchestration_kit.engine.values import ATOMS, isolate
from orchestration_kit.errors import AttemptError, OutputInvalid, OutputRejected, TransformerError


def prepare(visit: Visit, context: WorkflowContext) -> None:
    """Work out what the worker is given (`visit.given`) where it is not simply the visit's input.

    Raises:
        TransformerError: the input transformer raised.
    """
    visit.given = visit.input
    worker = visit.step.worker
    if worker is not None and worker.input_transformer is not None:
        try:
            visit.given = isolate(worker.input_transformer(isolate(visit.input), context))
        except Exception as error:
            raise TransformerError(worker.name, "input_transformer", _told(error)) from error


def conclude(machine: Machine, visit: Visit, context: WorkflowContext, output: Any) -> None:
    """Judge what a worker returned, collect what it changed, and settle the visit."""
    try:
        if type(output) not in ATOMS:
            output = _judged_failure(output) if isinstance(output, Failure) else isolate(output)
        if visit.step.is_judged:
            output = _judged(visit, context, output)
        elif (notes := notes_of(context)) is not None:
            _collect(visit, notes)
    except AttemptError as error:
        conclude_failure(machine, visit, context, error)
        return
    machine.settle(visit, output)


def _collect(visit: Visit, notes: Notes) -> None:
    visit.usage = notes.usage
    if notes.view is not None:
        visit.changes = notes.view.changes()


def _judged(visit: Visit, context: WorkflowContext, output: Any) -> Any:
    step, worker = visit.step, visit.step.worker
    if worker is not None and worker.validate_output is not None:
        output = _validated(worker.name, worker.validate_output, output)
    if step.success_when is not None:
        evaluated = step.success_when.evaluate(step.step_id, output, context)
        visit.evaluated = (evaluated,)
        if not evaluated.result:
            raise _Rejected(f"success_when was false: {evaluated.text}", output)
    if worker is not None and worker.output_transformer is not None:
        output = _transformed(worker.name, worker.output_transformer, output, context)
    notes = notes_of(context)
    if notes is not None:
        _collect(visit, notes)
    if step.branches:
        visit.facts, visit.output = context, output
    return output


def conclude_failure(machine: Machine, visit: Visit, context: WorkflowContext, error: BaseException) -> None:
    """Settle a visit whose attempt raised. What it wrote on the data bus is dropped."""
    visit.changes = None
    notes = notes_of(context)
    visit.usage = None if notes is None else notes.usage
    message = _message(error)
    output: dict[str, Any] = {"error": message}
    error_type = type(error)
    if isinstance(error, _Rejected):
        error_type = OutputRejected
        if error.output is not None:
            output["output"] = error.output
    retry = visit.step.retry
    types = () if retry is None else tuple(base.__name__ for base in error_type.__mro__)
    machine.settle(visit, output, ErrorInfo(error_type.__name__, message), types)


class _Rejected(OutputRejected):
    """A rejection on its way from the judge to the record, with what was rejected."""

    def __init__(self, reason: str, output: Any) -> None:
        super().__init__(reason)
        self.output = output


def _judged_failure(failure: Failure) -> Any:
    raise _Rejected(failure.reason, isolate(failure.output))


def _validated(worker: str, validate: Any, output: Any) -> Any:
    from pydantic import ValidationError

    try:
        return validate(output)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        parts = [f"{'.'.join(map(str, one['loc'])) or 'output'}: {one['msg']}" for one in found[:10]]
        raise OutputInvalid(worker, "; ".join(parts)) from error


def _transformed(worker: str, transform: Any, output: Any, context: WorkflowContext) -> Any:
    try:
        return isolate(transform(output, context))
    except Exception as error:
        raise TransformerError(worker, "output_transformer", _told(error)) from error


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {_message(error)}"


def _message(error: BaseException) -> str:
    """Return what an error says; one whose own text fails must not take the run down."""
    try:
        return str(error) or type(error).__name__
    except Exception as failed:  # noqa: BLE001 - somebody else's __str__
        return f"{type(error).__name__} (its message cannot be read: {type(failed).__name__})"


__all__ = ["conclude", "conclude_failure", "prepare"]
