"""One named check each: is the skeleton sound? Every check returns all offenders."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, cast

from orchestration_kit.checks.graph import cycles, in_order, reachable, to_graph
from orchestration_kit.checks.problem import Problem
from orchestration_kit.definition.condition_text import read_condition, tokens_of
from orchestration_kit.definition.conditions import compile_condition
from orchestration_kit.definition.steps import WorkflowStep, callable_name
from orchestration_kit.errors import ConditionSyntaxError, did_you_mean, listed

if TYPE_CHECKING:
    from orchestration_kit.definition.workflow import WorkflowDefinition

Rule = Callable[["WorkflowDefinition"], Iterator[Problem]]


MAX_NEAREST = 20
"""For how many misspelt targets the nearest name is looked up; in a large workflow it takes a while."""


def misnamed_steps(workflow: WorkflowDefinition) -> Iterator[Problem]:
    """Each entry of `steps` is a step, under its own id."""
    for key, step in cast("dict[str, object]", workflow.steps).items():
        if not isinstance(step, WorkflowStep):
            what = f"steps[{key!r}] is {type(step).__name__}, not a WorkflowStep"
            yield Problem("misnamed-step", (key,), what, "Add steps with add_step(WorkflowStep(...)).")
        elif step.step_id != key:
            what = f"The step under {key!r} calls itself {step.step_id!r}"
            yield Problem("misnamed-step", (key,), what, "Use one id for both; add_step does that.")


def initial_step(workflow: WorkflowDefinition) -> Iterator[Problem]:
    """The run has to start somewhere."""
    if workflow.initial_step is None:
        hint = "Add the first step with add_step(step, is_initial=True)."
        yield Problem("no-initial-step", (), "No initial step defined", hint)
    elif workflow.initial_step not in workflow.steps:
        near = did_you_mean(workflow.initial_step, workflow.steps)
        yield Problem(
            "missing-initial-step",
            (workflow.initial_step,),
            f"Initial step {workflow.initial_step!r} not found",
            f"Add it with add_step(step, is_initial=True).{near}",
        )


def missing_targets(workflow: WorkflowDefinition) -> Iterator[Problem]:
    """Each transition leads to a step that exists."""
    nearest: dict[str, str] = {}
    for step_id, step in workflow.steps.items():
        for transition in step.transitions():
            if transition.target not in workflow.steps:
                if transition.target not in nearest and len(nearest) < MAX_NEAREST:
                    nearest[transition.target] = did_you_mean(transition.target, workflow.steps)
                near = nearest.get(transition.target, "")
                yield Problem(
                    "missing-target",
                    (step_id,),
                    f"Step {step_id!r} has invalid {transition.field}: {transition.target!r} is not a step",
                    f"{near or ' Add the step, or correct the name.'} Steps: {listed(workflow.steps)}.".strip(),
                )


def dead_ends(workflow: WorkflowDefinition) -> Iterator[Problem]:
    """A step is terminal or leads on after a success."""
    stuck = [s for s, step in workflow.steps.items() if not step.is_terminal and step.on_success is None]
    if stuck:
        yield Problem(
            "dead-end",
            tuple(stuck),
            f"Dead end: {_steps(stuck)} neither terminal nor with an on_success step",
            "Set on_success=..., or is_terminal=True where the run may end.",
        )


def unreachable_steps(workflow: WorkflowDefinition) -> Iterator[Problem]:
    """Each step can be reached from the initial one."""
    if workflow.initial_step not in workflow.steps:
        return
    found = reachable([workflow.initial_step], to_graph(workflow).successors)
    lost = [step_id for step_id in workflow.steps if step_id not in found]
    if lost:
        yield Problem(
            "unreachable",
            tuple(lost),
            f"Unreachable from the initial step {workflow.initial_step!r}: {listed(lost)}",
            "Lead a transition to each of them, or remove them.",
        )


def endless_loops(workflow: WorkflowDefinition) -> Iterator[Problem]:
    """From each step some terminal step can be reached."""
    graph = to_graph(workflow)
    ends = [s for s, step in workflow.steps.items() if step.is_terminal]
    dead = {s for s, step in workflow.steps.items() if not step.is_terminal and step.on_success is None}
    finishing = reachable(ends, graph.predecessors)
    trapped = [s for s in workflow.steps if s not in finishing and s not in dead and graph.out_degree(s) > 0]
    if trapped:
        yield Problem(
            "no-way-out",
            tuple(trapped),
            f"No terminal step can be reached from {listed(trapped)}: a loop nobody can leave",
            "Lead a transition out of it to a step with is_terminal=True.",
        )


def conditions(workflow: WorkflowDefinition) -> Iterator[Problem]:
    """Each condition parses, and names only what a condition can name."""
    for step_id, step in workflow.steps.items():
        written = [(f"branches[{index}].when", branch.when) for index, branch in enumerate(step.branches)]
        written.append(("success_when", step.success_when))
        for field, condition in written:
            reason = _condition_fault(condition)
            if reason is not None:
                yield Problem("bad-condition", (step_id,), f"Step {step_id!r}, {field}: {reason}".rstrip("."), "")


def ignored_transitions(workflow: WorkflowDefinition) -> Iterator[Problem]:
    """A terminal step ends the run: its `on_success` and branches are never taken."""
    ignored = [s for s, step in workflow.steps.items() if step.is_terminal and (step.on_success or step.branches)]
    if ignored:
        yield Problem(
            "ignored-transition",
            tuple(ignored),
            f"Terminal, so that on_success and branches are never taken: {listed(ignored)}",
            "Remove them, or set is_terminal=False.",
            "warning",
        )


def shadowed_branches(workflow: WorkflowDefinition) -> Iterator[Problem]:
    """A branch after an always-true one, or with the condition of an earlier one, is never taken."""
    for step_id, step in workflow.steps.items():
        seen: dict[tuple[str, ...], int] = {}
        for index, branch in enumerate(step.branches):
            if not isinstance(branch.when, str):
                continue
            text = tuple(token for _, token in tokens_of(branch.when))
            earlier = seen.get(text, seen.get(("true",)))
            if earlier is not None:
                yield Problem(
                    "shadowed-branch",
                    (step_id,),
                    f"Step {step_id!r}: branches[{index}] to {branch.to!r} is never taken, "
                    f"since branches[{earlier}] holds whenever it does",
                    "Put the narrower condition first.",
                    "warning",
                )
            seen.setdefault(text, index)


def unbounded_loops(workflow: WorkflowDefinition) -> Iterator[Problem]:
    """A loop that no condition on `visits` bounds ends only when the run's limits do it."""
    for group in cycles(to_graph(workflow)):
        if not any(_counts_visits(workflow, step_id) for step_id in group):
            loop = in_order(group, workflow)
            yield Problem(
                "unbounded-loop",
                loop,
                f"Only the run's limits bound the loop {' -> '.join(loop[:6])}{' ...' if len(loop) > 6 else ''}",
                "Leave it after some rounds, e.g. Branch(when='visits >= 5', to=...), or set RunLimits(max_steps=...).",
                "warning",
            )


def idle_retry_policies(workflow: WorkflowDefinition) -> Iterator[Problem]:
    """A retry policy says how to retry; `max_retries` says how often, and by default that is never."""
    idle = [s for s, step in workflow.steps.items() if step.retry is not None and step.max_retries == 0]
    if idle:
        yield Problem(
            "idle-retry-policy",
            tuple(idle),
            f"With a retry policy but max_retries=0, so that nothing is retried: {listed(idle)}",
            "Set max_retries=..., or leave the policy out.",
            "warning",
        )


def unhandled_failures(workflow: WorkflowDefinition) -> Iterator[Problem]:
    """A step without `on_failure` ends the run as failed when its worker fails."""
    bare = [s for s, step in workflow.steps.items() if step.on_failure is None and not step.is_terminal]
    if bare:
        yield Problem(
            "failure-without-path",
            tuple(bare),
            f"Without on_failure, so that a failure there ends the run: {listed(bare)}",
            "Set on_failure=... where the run should go on.",
            "warning",
        )


def _condition_fault(condition: object) -> str | None:
    """Say why a condition cannot be used."""
    if isinstance(condition, str):
        try:
            compile_condition(condition)
        except ConditionSyntaxError as error:
            return str(error)
    elif callable(condition):
        name = callable_name(condition)
        if inspect.iscoroutinefunction(condition):
            return f"{name} is async, and a condition is evaluated at once. Write a plain function (output, context)"
        try:
            inspect.signature(condition).bind(None, None)
        except TypeError:
            return f"{name} cannot be called with (output, context). Write for example lambda output, context: ..."
        except ValueError:
            return None  # a builtin that tells no signature
    return None


def _counts_visits(workflow: WorkflowDefinition, step_id: str) -> bool:
    step = workflow.steps[step_id]
    for condition in (step.success_when, *(branch.when for branch in step.branches)):
        if callable(condition):
            return True  # code may count for itself; it gets the benefit of the doubt
        if isinstance(condition, str):
            try:
                paths = read_condition(condition).paths
            except ConditionSyntaxError:
                continue
            if ("visits",) in paths:
                return True
    return False


def _steps(step_ids: list[str]) -> str:
    return f"step {step_ids[0]!r} is" if len(step_ids) == 1 else f"steps {listed(step_ids)} are"
