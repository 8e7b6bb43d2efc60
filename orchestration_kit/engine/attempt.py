"""One attempt around the worker's call: what goes in, and what is made of what comes out.

Order: input transformer, worker, output schema, `success_when`, output transformer, data changes. Drivers call
the worker itself, each in its own way; everything else about an attempt is here, once.
"""

from __future__ import annotations

from typing import Any

from orchestration_kit.engine.context import WorkflowContext, notes_of
from orchestration_kit.engine.events import ErrorInfo
from orchestration_kit.engine.machine import Machine, Visit
from orchestration_kit.engine.outcome import Failure
from orchestration_kit.engine.values import isolate
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
    notes = notes_of(context)
    if notes is not None:
        visit.usage = notes.usage
    try:
        if isinstance(output, Failure):
            _fail(machine, visit, OutputRejected, output.reason, isolate(output.output))
            return
        output = isolate(output)
        if visit.step.is_judged:
            output = _shaped(visit, output)
            if (condition := visit.step.success_when) is not None:
                evaluated = condition.evaluate(visit.step.step_id, output, context)
                visit.evaluated = (evaluated,)
                if not evaluated.result:
                    _fail(machine, visit, OutputRejected, f"success_when was false: {evaluated.text}", output)
                    return
            output = _transformed(visit, output, context)
            visit.facts, visit.output = context, output
        notes = notes_of(context)
        if notes is not None and notes.view is not None:
            visit.changes = notes.view.changes()
    except AttemptError as error:
        conclude_failure(machine, visit, context, error)
        return
    machine.settle(visit, output)


def conclude_failure(machine: Machine, visit: Visit, context: WorkflowContext, error: BaseException) -> None:
    """Settle a visit whose attempt raised. What it wrote on the data bus is dropped."""
    notes = notes_of(context)
    if notes is not None:
        visit.usage = notes.usage
    _fail(machine, visit, type(error), _message(error), None)


def _fail(machine: Machine, visit: Visit, error_type: type[BaseException], message: str, rejected: Any) -> None:
    """Settle a failed attempt; what was rejected goes on record beside the reason."""
    output: dict[str, Any] = {"error": message} if rejected is None else {"error": message, "output": rejected}
    types = () if visit.step.retry is None else tuple(base.__name__ for base in error_type.__mro__)
    machine.settle(visit, output, ErrorInfo(error_type.__name__, message), types)


def _shaped(visit: Visit, output: Any) -> Any:
    worker = visit.step.worker
    if worker is None or worker.validate_output is None:
        return output
    return _validated(worker.name, worker.validate_output, output)


def _validated(worker: str, validate: Any, output: Any) -> Any:
    from pydantic import ValidationError

    try:
        return validate(output)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        parts = [f"{'.'.join(map(str, one['loc'])) or 'output'}: {one['msg']}" for one in found[:10]]
        raise OutputInvalid(worker, "; ".join(parts)) from error


def _transformed(visit: Visit, output: Any, context: WorkflowContext) -> Any:
    worker = visit.step.worker
    if worker is None or worker.output_transformer is None:
        return output
    try:
        return isolate(worker.output_transformer(output, context))
    except Exception as error:
        raise TransformerError(worker.name, "output_transformer", _told(error)) from error


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {_message(error)}"


def _message(error: BaseException) -> str:
    """Return what an error says; one whose own text fails must not take the run down."""
    try:
        return str(error) or type(error).__name__
    except Exception as failed:  # noqa: BLE001 - somebody else's __str__
        return f"{type(error).__name__} (its message cannot be read: {type(failed).__name__})"


__all__ = ["conclude", "conclude_failure", "prepare"]
