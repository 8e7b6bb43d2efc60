"""Routing: one worker decides what kind of task it is, and the specialist for that kind does it."""

from __future__ import annotations

from orchestration_kit.definition import Branch, WorkflowDefinition
from orchestration_kit.templates.parameters import number, quoted
from orchestration_kit.templates.parts import AnyWorker, Workers, assemble, done, end, failed, several, step


def create_routing(
    router: AnyWorker,
    routes: Workers,
    min_confidence: float | None = None,
    *,
    fallback: AnyWorker | None = None,
    name: str = "routing",
) -> WorkflowDefinition:
    """Return a router, and one step for each route that it can choose.

    ```text
    route --> billing   --> done
          --> technical --> done
          --> fallback  --> done     (no such route, or too little confidence; without one: no_route)
    ```

    Use it where inputs fall into kinds that are better handled apart, and a worker (a classifier, a small model) can
    tell them apart. Do not use it where several specialists are wanted for one input (`create_sectioning`), or where
    it is about cheap and dear workers for the same task (`create_fallback_cascade`).

    Source: "routing" in Anthropic, Building effective agents (2024).

    Args:
        router: Gets the goal, gives `{"route": name}`, with `"confidence"` from 0 to 1 where `min_confidence` is set.
            Whatever else it puts in reaches the specialist.
        routes: By route, who works on it: `{"billing": "accountant", "technical": "engineer"}`. It gets the router's
            output; the task itself is `context.goal`.
        min_confidence: Below it the route is not taken. From 0 to 1.
        fallback: Who gets the router's output where no route is taken; a person, with
            `ApprovalStep(step_id="ask", prompt="Whose is it?")`. None: the run fails at `no_route`.
        name: The workflow's name.

    The result is the output of `done`: what the specialist gave.

    Raises:
        ValueError: no routes, a route called like a step of the template, or a confidence that is not from 0 to 1.

    >>> workflow = create_routing("triage", {"billing": "accountant", "technical": "engineer"}, 0.8, fallback="person")
    >>> list(workflow.steps), workflow.validate()
    (['route', 'billing', 'technical', 'fallback', 'done', 'failed'], (True, None))
    """
    specialists = several("routes", routes, taken=("route", "fallback", "no_route", "done", "failed"))
    sure = ""
    if min_confidence is not None:
        sure = f" && output.confidence >= {number('min_confidence', min_confidence, least=0, most=1)}"
    branches = tuple(
        Branch(when=f"output.route == {quoted(route)}{sure}", to=route, label=route) for route in specialists
    )
    otherwise = "no_route" if fallback is None else "fallback"
    steps = [
        step("route", router, "Choose the route", branches=branches, on_success=otherwise, on_failure="failed"),
        *(
            step(route, worker, f"Work on what is {route}", on_success="done", on_failure="failed")
            for route, worker in specialists.items()
        ),
    ]
    if fallback is None:
        last = [end("no_route", "No route was taken")]
    else:
        steps.append(step("fallback", fallback, "Work on what has no route", on_success="done", on_failure="failed"))
        last = []
    steps += [done("The specialist's answer"), failed(), *last]
    return assemble(name, "A router, and a specialist for each route", "Give each task to whom it suits", steps)
