"""What is wrong with the steps of a workflow, as its checks say it, in the words of a diagram."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from orchestration_kit.visual.text import one_line, tooltip

if TYPE_CHECKING:
    from orchestration_kit.checks.problem import Problem
    from orchestration_kit.definition.workflow import WorkflowDefinition


def findings_of(workflow: Any, *, is_body: bool = False) -> dict[str, list[tuple[str, str]]]:
    """Return errors that the checks find in a definition: by step, a short name and the full text.

    A body or a branch is checked by the rules for those: it may end at any step.
    """
    from orchestration_kit.definition.workflow import WorkflowDefinition

    found: dict[str, list[tuple[str, str]]] = {}
    problems = getattr(workflow, "problems", None)
    if is_body and isinstance(workflow, WorkflowDefinition):
        reported: Any = _problems_of_body(workflow)
    else:
        reported = problems() if callable(problems) else ()
    for problem in reported:
        if getattr(problem, "severity", "error") != "error":
            continue
        code = one_line(getattr(problem, "code", "problem"), 40).replace("_", " ").replace("-", " ")
        text = _sentences(getattr(problem, "message", ""), getattr(problem, "hint", ""))
        for step in getattr(problem, "steps", ()) or ("",):
            found.setdefault(str(step), []).append((code, text))
    return found


def told_inside(text: str, step: Any) -> bool:
    """Whether a finding is about a workflow that stands in a step, and no fault of the step itself."""
    from orchestration_kit.checks.places import inside
    from orchestration_kit.definition.steps import Step

    if not isinstance(step, Step):
        return False
    inline = (name for name, body in step.bodies.items() if not isinstance(body, str))
    return any(text.startswith(tooltip(inside(step, name))) for name in inline)


def _problems_of_body(workflow: WorkflowDefinition) -> Iterator[Problem]:
    from orchestration_kit.checks import OF_BRANCHES, existence, inline_workflows, recursion
    from orchestration_kit.checks.paths import endless_branches

    if found := [*existence.misnamed_steps(workflow), *recursion.held_in_itself(workflow)]:
        yield from found  # the other rules rely on steps being steps, and on an end on paper
        return
    for rule in (*OF_BRANCHES, inline_workflows):
        yield from rule(workflow)
    yield from endless_branches(workflow, whole=True)


def _sentences(message: object, hint: object) -> str:
    """A message and its hint as one text, with a full stop between them."""
    said, advice = tooltip(message), tooltip(hint or "")
    stop = "." if said and advice and said[-1] not in ".!?:" else ""
    return tooltip(f"{said}{stop} {advice}")
