"""A workflow and what is said of its workers become a chain, before anything has run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from orchestration_kit.definition.kinds import ApprovalStep, MapStep, ParallelStep, WaitStep
from orchestration_kit.definition.steps import Branch, RetryPolicy, Step, WorkflowStep
from orchestration_kit.errors import InvalidWorkflow, listed
from orchestration_kit.reliability.chain import Chain, ChainStep, Took
from orchestration_kit.reliability.declared import Declared, declared_step, declared_steps
from orchestration_kit.reliability.errors import ChainError
from orchestration_kit.reliability.joining import Branched, join_success, join_took
from orchestration_kit.reliability.rates import Rates, RatesBook, rates_book, shares_to
from orchestration_kit.reliability.solving import solve

if TYPE_CHECKING:
    from orchestration_kit.definition.workflow import WorkflowDefinition

_WAITED = 10_000
"""Retries whose waits are summed up; after so many the wait has long been the longest one."""


def chain_of(workflow: WorkflowDefinition, rates: Rates | None = None, *, default: float | None = None) -> Chain:
    """Return the chain of a workflow whose workers succeed as often as given.

    Attempts are independent of one another: that a worker failed says nothing of how it does in the next attempt, the
    next step, or another branch. An attempt fails where the worker does, or where `success_when` is false. Every
    failure is retried as often as the step allows; waits before retries are as in its policy.

    - Workers: `success` has to be given, under the step's id, the worker's name or its type, in that order; `time_s`,
      `tokens` and `cost_usd` of one attempt are 0 where they are not.
    - Terminal steps, approvals and waits succeed where nothing else is said under the step's id.
    - A step with several ways on after a success needs their shares: `to={"done": 0.9, "draft": 0.1}`. What fails takes
      `on_failure`, or `to_after_failure` where it may time out or spend its budget instead.
    - Parallel steps: from the chains of their branches; `branches={"law": 0.3}` says how often one with a condition is
      activated. Maps need `items`, how many there are. See `join_success` and `join_took` for what a join comes to.
      Where `success` is given under the step's id, that of the join is known, and branches are not looked into.

    >>> from orchestration_kit.templates import create_build_website_workflow
    >>> chain = chain_of(create_build_website_workflow(), {"product_manager": 0.99, "coder": 0.9, "reviewer": 0.8})
    >>> round(solve(chain).p_success, 4)
    0.9777

    Args:
        workflow: Sound: without errors of the checks.
        rates: By step id, worker name or worker type: a probability of success, or a mapping with `success`, `time_s`,
            `tokens`, `cost_usd`, `to`, `to_after_failure`, `branches`, `items`.
        default: The success of workers that `rates` does not name.

    Raises:
        InvalidWorkflow: the checks find errors.
        ChainError: rates of nothing that is there, or none of what is; it names all that is missing.
    """
    errors = tuple(problem for problem in workflow.problems() if problem.severity == "error")
    if errors:
        raise InvalidWorkflow(workflow.name, errors)
    book = rates_book(workflow.name, rates, names_of(workflow))
    if default is not None:
        default = rates_book(workflow.name, {"default": default}, ["default"]).given["default"]["success"]
    building = _Building(workflow, book, default)
    chain = building.chain(workflow.initial_step or "", declared_steps(workflow))
    if building.missing:
        raise ChainError(workflow.name, _asked(building.missing))
    return chain


def names_of(workflow: WorkflowDefinition) -> list[str]:
    """Return what rates may name: steps, workers and types of workers, those of workflows within it too."""
    found: dict[str, None] = dict.fromkeys(workflow.steps)
    inner: list[str] = []
    for step in workflow.steps.values():
        if isinstance(step, WorkflowStep):
            inner += [str(step.worker_type)] if step.worker is None else [str(step.worker_type), step.worker]
        for body in step.bodies.values():
            inner += [] if isinstance(body, str) else names_of(body)
    return [*found, *(name for name in dict.fromkeys(inner) if name not in found)]


def _asked(missing: Mapping[str, list[str]]) -> str:
    """Say all that is missing."""
    hints = {
        "success": (
            "rates say nothing of {}. Give each a success, under the step's id, its worker's name or type, "
            'e.g. rates={{"coder": 0.8}}, or default=0.9 for all of them'
        ),
        "to": (
            "several ways lead on from {}. Say how often each is taken, "
            'e.g. {{"check": {{"to": {{"done": 0.9, "draft": 0.1}}}}}}'
        ),
        "items": 'how many items there are is not known for {}. Say so, e.g. {{"grade": {{"items": 20}}}}',
        "branches": (
            "branches are opened on conditions by {}. Say how often each is, "
            'e.g. {{"review": {{"branches": {{"law": 0.3}}}}}}'
        ),
    }
    return "; ".join(hints[kind].format(listed(steps, 20)) for kind, steps in missing.items()) + "."


@dataclass(slots=True)
class _Building:
    """Makes the chains of a workflow and of what stands in its branches; notes what is missing on the way."""

    workflow: WorkflowDefinition
    book: RatesBook
    default: float | None
    missing: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def chain(self, initial: str, steps: Mapping[str, Declared]) -> Chain:
        """Return the chain of some steps."""
        made = {step_id: self._step(self.workflow.steps[step_id], declared) for step_id, declared in steps.items()}
        return Chain(self.workflow.name, initial, made)

    def _step(self, step: Step, declared: Declared) -> ChainStep:
        rates = self.book.of(step.step_id, declared.worker, declared.worker_type)
        took = Took(**{name: rates[name] for name in ("time_s", "tokens", "cost_usd") if name in rates})
        success = rates.get("success")
        own = self.book.of(step.step_id, None, None)
        if isinstance(step, (ParallelStep, MapStep)):
            if "success" not in own:
                success, opened = self._join(step, own)
                took = took if own.keys() & {"time_s", "tokens", "cost_usd"} else opened
        elif step.is_terminal or isinstance(step, (ApprovalStep, WaitStep)):
            success = own.get("success", rates.get("success", 1.0) if step.is_terminal else 1.0)
        elif success is None:
            success = self.default
        if success is None:
            worker = declared.worker or declared.worker_type
            self._ask("success", f"{step.step_id!r} ({worker})")
            success = 1.0
        made = ChainStep(
            success=success,
            after_success=self._after_success(step, declared, rates),
            after_failure=self._after_failure(step, declared, rates),
            retries=declared.retries,
            on_success=took,
            on_failure=took,
            worker=declared.worker,
            worker_type=declared.worker_type,
        )
        return _with_waits(made, getattr(step, "retry", None))

    def _ask(self, kind: str, step: str) -> None:
        asked = self.missing.setdefault(kind, [])
        if step not in asked:
            asked.append(step)

    def _after_success(self, step: Step, declared: Declared, rates: Mapping[str, Any]) -> dict[str, float]:
        ways = declared.after_success
        if "to" in rates:
            return shares_to(self.workflow.name, step.step_id, rates["to"], ways)
        first, *others = ways
        if others:
            self._ask("to", f"{step.step_id!r} (to {' or '.join(ways)})")
        return {first: 1.0}

    def _after_failure(self, step: Step, declared: Declared, rates: Mapping[str, Any]) -> dict[str, float]:
        ways = declared.after_failure
        if "to_after_failure" in rates:
            return shares_to(self.workflow.name, step.step_id, rates["to_after_failure"], ways)
        return {ways[0]: 1.0}

    def _join(self, step: ParallelStep | MapStep, rates: Mapping[str, Any]) -> tuple[float, Took]:
        """Return how likely a join succeeds and what its branches take, by the chains of the branches."""
        if isinstance(step, MapStep):
            items = rates.get("items")
            if items is None:
                self._ask("items", repr(step.step_id))
            each = self._branch(step.body, 1.0)
            branches = [each] * (1 if items is None else items)
        else:
            activated = self._activated(step, rates)
            branches = [self._branch(body, activated.get(name, 1.0)) for name, body in step.bodies.items()]
        return join_success(branches, step.join, step.failure), join_took(branches, step.join, step.max_concurrency)

    def _activated(self, step: ParallelStep, rates: Mapping[str, Any]) -> dict[str, float]:
        given: dict[str, float] = rates.get("branches", {})
        for name in given:
            if name not in step.branches:
                known = listed(step.branches)
                raise ChainError(
                    self.workflow.name, f"step {step.step_id!r} has no branch {name!r}. Its branches: {known}."
                )
        chosen = [name for name, one in step.branches.items() if isinstance(one, Branch)]
        unknown = [name for name in chosen if name not in given]
        if unknown:
            self._ask("branches", f"{step.step_id!r} ({', '.join(unknown)})")
        return given

    def _branch(self, body: Any, activated: float) -> Branched:
        if isinstance(body, str):
            chain = self.chain(body, self._steps_from(body))
        else:
            inner = _Building(body, self.book, self.default, self.missing)
            chain = inner.chain(body.initial_step or "", declared_steps(body))
        if self.missing:  # the chain is a stand-in, and need not come to an end
            return Branched(1.0, Took(), activated)
        found = solve(chain)
        took = Took(time_s=found.time_s, tokens=found.tokens, cost_usd=found.cost_usd)
        return Branched(found.p_success, took, activated)

    def _steps_from(self, first: str) -> dict[str, Declared]:
        """Return the steps that a branch can come to which begins at one."""
        found: dict[str, Declared] = {}
        coming = [first]
        while coming:
            step = self.workflow.steps.get(coming.pop())
            if step is None or step.step_id in found:
                continue
            found[step.step_id] = declared = declared_step(step)
            coming += [way for way in (*declared.after_success, *declared.after_failure) if way in self.workflow.steps]
        return found


def _with_waits(step: ChainStep, policy: RetryPolicy | None) -> ChainStep:
    """Return a step whose failed attempts take the waits before the next ones, too: on average, a failure's share."""
    if policy is None or not policy.backoff_s or not step.retries or step.success >= 1:
        return step
    again, total_s = 1.0, 0.0
    for retry in range(1, min(step.retries, _WAITED) + 1):
        again *= (1 - step.success) * step.retried
        total_s += again * policy.wait_s(retry, spread=0.0)
        if again < 1e-15:
            break
    failures = step.attempts - step.visit_success
    took = replace(step.on_failure, time_s=step.on_failure.time_s + total_s / failures)
    return replace(step, on_failure=took)
