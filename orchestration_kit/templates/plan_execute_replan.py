"""Plan, execute, replan: a list of tasks, done one after the other, and made anew where it does not work out."""

from __future__ import annotations

from typing import Any

from orchestration_kit.definition import Branch, WorkflowDefinition
from orchestration_kit.definition.workflow import AnyStep
from orchestration_kit.templates.parameters import condition, whole
from orchestration_kit.templates.parts import AnyWorker, assemble, done, end, failed, step
from orchestration_kit.templates.ready_workers import FIRST_TASK, NEXT_TASK, REPLAN

_GIVES_TASK = "has(output.task)"


def create_plan_execute_replan(  # noqa: PLR0913 - the pattern's usual parameters
    planner: AnyWorker,
    executor: AnyWorker,
    replan_when: Any = None,
    *,
    max_replans: int = 2,
    max_tasks: int = 50,
    name: str = "plan_execute_replan",
) -> WorkflowDefinition:
    """Return a planner, and an executor that takes the planned tasks in order; a failure leads back to the planner.

    ```text
    plan --> first_task --> execute --> next_task --> done
     ^                        |  ^          |
     +------- replan <--------+  +----------+
    ```

    Use it where each task builds on the ones before it, and a plan made at the beginning may turn out wrong: research,
    repairs, data that has to be looked at first. Do not use it where the tasks need nothing of one another
    (`create_orchestrator_workers` does them at once), or where the plan is always the same (`create_gated_chain`).

    The agenda is kept by the ready workers `first_task()`, `next_task()` and `replan()` of
    `orchestration_kit.workers.patterns`: `for worker in pattern_workers(workflow): hub.register_worker(worker)`.

    Source: Wang et al. 2023, Plan-and-Solve Prompting (arXiv 2305.04091), with the replanning of later agents.

    Args:
        planner: Gets the goal. Gives the list of tasks, each whatever the executor understands. For a new plan it
            gets `{"replan", "task", "output", "left", "results"}`: which new plan it is, the task that went wrong,
            what came of it (`{"error": message}` after a failure), those that were still to come, and what is done;
            it gives those that are to be done from there on.
        executor: Gets `{"task", "number", "results"}`: a task, which one it is, and what was done so far, a list of
            `{"task", "output"}`.
        replan_when: A condition on the executor's output, in CEL or a callable: where it holds, a new plan is made.
            The executor's failure leads there in any case.
        max_replans: New plans; where one more is wanted, the run fails at `no_replans_left`. 0: the first plan stands.
        max_tasks: Tasks in all, of all plans; one more ends the run at `too_many_tasks`.
        name: The workflow's name.

    The result is the output of `done`: `{"results": [{"task", "output"}, ...]}`.

    Raises:
        ValueError: a number that is too small.
        ConditionSyntaxError: (a ValueError) a `replan_when` that is no condition.

    >>> workflow = create_plan_execute_replan("planner", "researcher", "output.surprise == true")
    >>> list(workflow.steps)[:5], workflow.validate()
    (['plan', 'first_task', 'execute', 'next_task', 'replan'], (True, None))
    """
    whole("max_replans", max_replans, least=0)
    whole("max_tasks", max_tasks)
    bad = "replan" if max_replans else "no_replans_left"
    asked = () if replan_when is None else (Branch(when=condition("replan_when", replan_when), to=bad, label="replan"),)
    steps: list[AnyStep] = [
        step("plan", planner, "Make the list of tasks", on_success="first_task", on_failure="failed"),
        step(
            "first_task",
            FIRST_TASK,
            "Take up the plan",
            branches=(Branch(when=_GIVES_TASK, to="execute", label="a task"),),
            on_success="done",
            on_failure="failed",
        ),
        step("execute", executor, "Do one task", branches=asked, on_success="next_task", on_failure=bad),
        step(
            "next_task",
            NEXT_TASK,
            "Note what came of it, take the next",
            branches=(
                Branch(when=f"{_GIVES_TASK} && visits >= {max_tasks}", to="too_many_tasks", label=f"{max_tasks} tasks"),
                Branch(when=_GIVES_TASK, to="execute", label="a task"),
            ),
            on_success="done",
            on_failure="failed",
        ),
    ]
    if max_replans:
        steps.append(
            step(
                "replan",
                REPLAN,
                "Tell the planner what went wrong",
                branches=(Branch(when=f"visits <= {max_replans}", to="plan", label="replan"),),
                on_success="no_replans_left",
                on_failure="failed",
            )
        )
    steps += [
        done("What came of every task"),
        failed(),
        end("no_replans_left", "A new plan was wanted, and there is none left"),
        end("too_many_tasks", f"More than {max_tasks} tasks"),
    ]
    return assemble(name, "A plan, executed task by task, made anew where needed", "Do the tasks one by one", steps)
