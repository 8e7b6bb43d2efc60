"""Map-reduce: one worker for each item of a list, many at once, and one for all that they gave."""

from __future__ import annotations

from typing import cast, get_args

from orchestration_kit.definition import MapStep, WorkflowDefinition
from orchestration_kit.definition.condition_text import read_path
from orchestration_kit.definition.kinds import FailureMode
from orchestration_kit.definition.workflow import AnyStep
from orchestration_kit.templates.parameters import choice, whole
from orchestration_kit.templates.parts import AnyWorker, assemble, done, failed, step


def create_map_reduce(  # noqa: PLR0913 - the pattern's usual parameters
    source: AnyWorker,
    worker: AnyWorker,
    reduce: AnyWorker | None = None,
    *,
    max_concurrency: int = 10,
    max_items: int = 10_000,
    failure_mode: FailureMode = "fail_fast",
    name: str = "map_reduce",
) -> WorkflowDefinition:
    """Return a source of items, a worker for each of them, and a worker for all outputs.

    ```text
    source --> items --> work, work, ... (at once) --> reduce --> done
    ```

    Use it where the same has to be done to many things that need nothing of one another: the tickets of a day, the
    pages of a book, the rows of a table. Do not use it where each item needs another worker
    (`create_orchestrator_workers`), or where the items are few and known (`create_sectioning`).

    Source: J. Dean and S. Ghemawat, MapReduce (OSDI 2004).

    Args:
        source: Who makes the list: gets the goal, gives a list. Or, as a path that begins with `data.`, where it is on
            the data bus: `source="data.tickets"`, with `initial_data={"tickets": [...]}`.
        worker: Gets one item. It may add items with `context.add_item`.
        reduce: Gets the list of all outputs, in the order of the items. None: the list itself is the result.
        max_concurrency: Items under way at once.
        max_items: With more items the run fails before one is worked on.
        failure_mode: What one item's failure means: `"fail_fast"`: the run fails. `"continue"`: the others go on, and
            `{"error": message}` stands in its place. `"all_or_nothing"`: what was done is undone (`compensate=`).
        name: The workflow's name.

    The result is the output of `done`: what `reduce` gave, or the list.

    Raises:
        ValueError: a number under 1, or a `failure_mode` that there is not.
        ConditionSyntaxError: (a ValueError) a source that begins with `data.` and is no path.

    >>> workflow = create_map_reduce("data.tickets", "classifier", "reporter", max_concurrency=20)
    >>> list(workflow.steps), workflow.validate()
    (['items', 'work', 'reduce', 'done', 'failed'], (True, None))
    """
    whole("max_concurrency", max_concurrency)
    whole("max_items", max_items)
    choice("failure_mode", failure_mode, get_args(FailureMode))
    is_path = isinstance(source, str) and source.startswith(("data.", "data["))
    if is_path:
        read_path(cast("str", source))
    steps: list[AnyStep] = []
    if not is_path:
        steps.append(step("source", source, "Make the list", on_success="items", on_failure="failed"))
    steps += [
        MapStep(
            step_id="items",
            description="One branch for each item",
            over=source if is_path else "output",
            body="work",
            max_concurrency=max_concurrency,
            max_items=max_items,
            failure=failure_mode,
            on_success="done" if reduce is None else "reduce",
            on_failure="failed",
        ),
        step("work", worker, "Work on one item"),
    ]
    if reduce is not None:
        steps.append(step("reduce", reduce, "Make one of all outputs", on_success="done", on_failure="failed"))
    steps += [done("Of all items, the whole"), failed()]
    return assemble(name, "One worker for each item, then one for all", "Do the same to every item", steps)
