"""The errors of the engine and its definitions: what happened, what was possible, what to do.

```text
OrchestrationError
├── DefinitionError (ValueError)       the skeleton, as written, is wrong
│   ├── InvalidWorkflow                refused by the checks, or at registration
│   ├── DuplicateStep                  two different steps under one id
│   ├── WorkflowFileError              text that is not a workflow
│   ├── NotSerializable                a definition that holds Python callables
│   └── ConditionSyntaxError           a condition that does not parse, or is over a cap
├── InvalidWorker (TypeError)          not callable, or takes the wrong parameters
├── MissingWorkers (LookupError)       a workflow needs workers that nobody registered
├── UnknownWorkflow (ValueError)       no such workflow is registered
├── UnknownStep (ValueError)           no such step in the workflow
├── UnknownVisit (ValueError)          the run never came there
├── MissingEntry (KeyError)            no such entry on the data bus
├── InvalidGoal (ValueError)           an empty goal, or a megabyte of it
├── DuplicateRun (ValueError)          the run id is taken
├── UnknownRun (ValueError)            no such run is known
├── DefinitionChanged (ValueError)     a workflow does not fit what is on record of a run
├── JournalError                       see `journal/errors.py`
├── RunStateError (RuntimeError)       the run cannot do this in its present state
└── AttemptError                       why an attempt failed; on record, seldom raised
    ├── ConditionError                 a condition failed while it was evaluated
    ├── OutputRejected                 `success_when` was false, or the worker returned `Failure`
    ├── OutputInvalid                  the output does not fit the worker's `output_schema`
    ├── StepTimeout (TimeoutError)     the worker took longer than `timeout_s`
    ├── TransformerError               an input or output transformer raised
    └── ValueTooDeep (ValueError)      data nested too deeply to be put on record
```

Each error keeps its values as attributes and survives pickling. Errors of an optional part live with it, most in an
`errors.py`. `cli/explained/` has cause and remedy of them all.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from orchestration_kit.pointers import Pointer


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name most like `name`, or None.

    >>> nearest("review", ["review_code", "deploy"])
    'review_code'
    """
    candidates = list(known)
    lowered = {candidate.lower(): candidate for candidate in reversed(candidates)}
    close = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.5)
    if close:
        return lowered[close[0]]
    return next((c for c in candidates if name and c.lower().startswith(name.lower())), None)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" where a known name is near, else nothing."""
    near = nearest(name, known)
    return f" Did you mean {near!r}?" if near else ""


def listed(names: Iterable[str], limit: int = 12) -> str:
    """Return names joined for a message: at most `limit` of them, or "none"."""
    all_names = list(names)
    shown = ", ".join(all_names[:limit])
    more = len(all_names) - limit
    return f"{shown} and {more} more" if more > 0 else shown or "none"


def counted(count: int, noun: str) -> str:
    """Return a count with its noun.

    >>> counted(1, "attempt"), counted(1200, "attempt")
    ('1 attempt', '1,200 attempts')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


class OrchestrationError(Exception):
    """Base of every error of this package.

    A traceback ends with where cause and remedy are told; what is on record of an error is its message alone.

    >>> UnknownStep("flow", "revise", ["review"]).__notes__[0].partition(" (")[0]
    'What it means, and what helps: orchestration-kit explain UnknownStep'
    """

    if not TYPE_CHECKING:  # a list to whoever reads it, as it is with any error
        __notes__ = Pointer()


class DefinitionError(OrchestrationError, ValueError):
    """The skeleton, as written, is wrong."""


class InvalidWorkflow(DefinitionError):
    """A workflow that the checks refuse. `problems` holds all that was found."""

    def __init__(self, workflow: str, problems: tuple[object, ...]) -> None:
        super().__init__(workflow, problems)
        self.workflow, self.problems = workflow, problems

    def __str__(self) -> str:
        first, *rest = [str(problem) for problem in self.problems] or ["no problem was named"]
        more = "".join(f"\n  {line}" for line in rest)
        return f"Invalid workflow: {first}{more}"


class DuplicateStep(DefinitionError):
    """A different step is already there under this id."""

    def __init__(self, workflow: str, step: str, differs: tuple[str, ...]) -> None:
        super().__init__(workflow, step, differs)
        self.workflow, self.step, self.differs = workflow, step, differs

    def __str__(self) -> str:
        return (
            f"Workflow {self.workflow!r} already has a different step {self.step!r} "
            f"(they differ in {listed(self.differs)}). "
            f"To put the new one in its place: add_step(step, replace=True)."
        )


class WorkflowFileError(DefinitionError):
    """Text that cannot be read as a workflow; nothing was made of it."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason, hint)
        self.reason, self.hint = reason, hint

    def __str__(self) -> str:
        return f"This is not a workflow file: {self.reason}. {self.hint}"


class NotSerializable(DefinitionError):
    """A definition holds a Python callable where a file needs text."""

    def __init__(self, callable_name: str) -> None:
        super().__init__(callable_name)
        self.callable_name = callable_name

    def __str__(self) -> str:
        return (
            f"The condition {self.callable_name} is a Python callable, and code cannot be written to a file. "
            'Write it as CEL text instead, for example "output.approved == true".'
        )


class ConditionSyntaxError(DefinitionError):
    """A condition that does not parse, names something unknown, or is over a cap."""

    def __init__(self, text: str, reason: str, hint: str) -> None:
        super().__init__(text, reason, hint)
        self.text, self.reason, self.hint = text, reason, hint

    def __str__(self) -> str:
        shown = self.text if len(self.text) <= 120 else self.text[:117] + "..."
        return f"Condition {shown!r} cannot be used: {self.reason}. {self.hint}"


class InvalidWorker(OrchestrationError, TypeError):
    """A worker or transformer that cannot be called as the hub calls it."""

    def __init__(self, worker: str, reason: str, hint: str) -> None:
        super().__init__(worker, reason, hint)
        self.worker, self.reason, self.hint = worker, reason, hint

    def __str__(self) -> str:
        return f"Worker {self.worker!r} cannot be registered: {self.reason}. {self.hint}"


class MissingWorkers(OrchestrationError, LookupError):
    """A workflow needs workers that nobody registered. All of them are named at once."""

    def __init__(self, workflow: str, missing: dict[str, list[str]], known: list[str]) -> None:
        super().__init__(workflow, missing, known)
        self.workflow, self.missing, self.known = workflow, missing, known

    def __str__(self) -> str:
        lines = [f"  {worker}: needed by {listed(steps)}" for worker, steps in self.missing.items()]
        return (
            f"Workflow {self.workflow!r} needs workers that are not registered:\n"
            + "\n".join(lines)
            + f"\nRegistered: {listed(self.known)}."
            + "\nRegister them with orchestrator.register_worker(WorkerDefinition(...))"
            + (", workflows with orchestrator.register_workflow(...)." if "the workflow '" in str(lines) else ".")
            + ("\npattern_workers(workflow) makes those whose type begins with kit." if "'kit." in str(lines) else "")
        )


class UnknownWorkflow(OrchestrationError, ValueError):
    """No workflow of this name is registered."""

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(name, known)
        self.name, self.known = name, known

    def __str__(self) -> str:
        return (
            f"Workflow not found: {self.name!r}.{did_you_mean(self.name, self.known)} "
            f"Registered: {listed(self.known)}. Register it with orchestrator.register_workflow(workflow)."
        )


class UnknownStep(OrchestrationError, ValueError):
    """No step of this id is in the workflow."""

    def __init__(self, workflow: str, step: str, known: list[str]) -> None:
        super().__init__(workflow, step, known)
        self.workflow, self.step, self.known = workflow, step, known

    def __str__(self) -> str:
        return (
            f"Workflow {self.workflow!r} has no step {self.step!r}."
            f"{did_you_mean(self.step, self.known)} Its steps: {listed(self.known)}."
        )


class UnknownVisit(OrchestrationError, ValueError):
    """The run never came to this visit."""

    def __init__(self, run_id: str, visit: str, known: list[str]) -> None:
        super().__init__(run_id, visit, known)
        self.run_id, self.visit, self.known = run_id, visit, known

    def __str__(self) -> str:
        return (
            f"Run {self.run_id!r} has no visit {self.visit!r}.{did_you_mean(self.visit, self.known)} "
            f"Name one by its position, such as 'review_code#2'. Its visits: {listed(self.known)}."
        )


class MissingEntry(OrchestrationError, KeyError):
    """No entry of this name is on the data bus."""

    def __init__(self, key: str, known: list[str]) -> None:
        super().__init__(key, known)
        self.key, self.known = key, known

    def __str__(self) -> str:
        return (
            f"The data bus has no entry {self.key!r}.{did_you_mean(self.key, self.known)} It has: {listed(self.known)}."
        )


class InvalidGoal(OrchestrationError, ValueError):
    """A goal that is not text, empty, or far too long."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"The goal {self.reason}. Give a sentence or a page that says what the run is for; "
            "put documents and tables into initial_data={...}."
        )


class DuplicateRun(OrchestrationError, ValueError):
    """A run of this id exists already."""

    def __init__(self, run_id: str, state: str) -> None:
        super().__init__(run_id, state)
        self.run_id, self.state = run_id, state

    def __str__(self) -> str:
        return (
            f"A run with the id {self.run_id!r} exists already (it is {self.state}). "
            f"Look at it, or resume it, with orchestrator.get_run({self.run_id!r}); "
            f"or start the new one under another run_id, or let go of it with orchestrator.forget({self.run_id!r})."
        )


class UnknownRun(OrchestrationError, ValueError):
    """No run of this id is known."""

    def __init__(self, run_id: str, known: list[str]) -> None:
        super().__init__(run_id, known)
        self.run_id, self.known = run_id, known

    def __str__(self) -> str:
        known = f" Known: {listed(self.known)}." if self.known else ""
        return (
            f"No run {self.run_id!r} is known here.{did_you_mean(self.run_id, self.known)}{known} "
            "orchestrator.runs() lists those that are; without a journal, those that were given a run_id, and the last "
            "one."
        )


class DefinitionChanged(OrchestrationError, ValueError):
    """A workflow does not lead where the record of a run went. Nothing was done."""

    def __init__(self, run_id: str, path: str, recorded: str, expected: str) -> None:
        super().__init__(run_id, path, recorded, expected)
        self.run_id, self.path, self.recorded, self.expected = run_id, path, recorded, expected

    def __str__(self) -> str:
        return (
            f"The workflow does not fit run {self.run_id!r} any more; they part at {self.path}: "
            f"on record, {self.recorded}; by this workflow, {self.expected}. Nothing was done. "
            "Register the workflow as it was; or fork the run before that point: "
            f"orchestrator.get_run({self.run_id!r}).fork(at={self.path!r})."
        )


class JournalError(OrchestrationError):
    """Base of what can go wrong with a journal: see `journal/errors.py`."""


class RunStateError(OrchestrationError, RuntimeError):
    """The run cannot do what was asked in the state it is in."""

    def __init__(self, run_id: str, state: str, reason: str, hint: str) -> None:
        super().__init__(run_id, state, reason, hint)
        self.run_id, self.state, self.reason, self.hint = run_id, state, reason, hint

    def __str__(self) -> str:
        return f"Run {self.run_id!r} ({self.state}): {self.reason}. {self.hint}"


class AttemptError(OrchestrationError):
    """Why an attempt failed, when it was not the worker that raised."""

    is_final = False
    """Whether another attempt would come to the same, so that there is no retry."""


class ConditionError(AttemptError):
    """A condition failed while it was evaluated."""

    is_final = True

    def __init__(self, step: str, text: str, reason: str) -> None:
        super().__init__(step, text, reason)
        self.step, self.text, self.reason = step, text, reason

    def __str__(self) -> str:
        return f"Condition {self.text!r} of step {self.step!r} could not be evaluated: {self.reason}."


class OutputRejected(AttemptError):
    """The worker returned, but what it returned counts as a failure."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


class OutputInvalid(AttemptError):
    """The output does not fit the `output_schema` of its worker."""

    def __init__(self, worker: str, reason: str) -> None:
        super().__init__(worker, reason)
        self.worker, self.reason = worker, reason

    def __str__(self) -> str:
        return f"The output of worker {self.worker!r} does not fit its output_schema: {self.reason}"


class StepTimeout(AttemptError, TimeoutError):
    """The worker took longer than its step, or the rest of its run, allows."""

    def __init__(self, step: str, timeout_s: float, limit: str = "its timeout_s") -> None:
        super().__init__(step, timeout_s, limit)
        self.step, self.timeout_s, self.limit = step, timeout_s, limit

    def __str__(self) -> str:
        return f"Step {self.step!r} was stopped: {self.limit} of {self.timeout_s:g} s was reached"


class TransformerError(AttemptError):
    """A transformer raised; the worker's attempt counts as failed."""

    def __init__(self, worker: str, transformer: str, reason: str) -> None:
        super().__init__(worker, transformer, reason)
        self.worker, self.transformer, self.reason = worker, transformer, reason

    def __str__(self) -> str:
        return f"The {self.transformer} of worker {self.worker!r} raised {self.reason}"


class ValueTooDeep(AttemptError, ValueError):
    """A value is nested too deeply to be copied and put on record, or contains itself."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit

    def __str__(self) -> str:
        return (
            f"The value is nested more than {self.limit} levels deep, or contains itself. "
            "Return plain data: a list of parts rather than a part within a part."
        )
