"""Commands on workflow files, and the demo."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration_kit.cli.terminal import say
from orchestration_kit.errors import WorkflowFileError
from orchestration_kit.workers.llm.errors import InvalidModel, MissingLlmExtra

if TYPE_CHECKING:
    from orchestration_kit.definition.workflow import WorkflowDefinition
    from orchestration_kit.demo import DemoResult


def demo(arguments: argparse.Namespace) -> int:
    """Build a website and say where it is."""
    from orchestration_kit.demo.build import DEFAULT_GOAL, DEFAULT_SEED, build_website

    goal = DEFAULT_GOAL if arguments.goal is None else arguments.goal
    seed = DEFAULT_SEED if arguments.seed is None else arguments.seed
    try:
        model = None if arguments.model is None else _model(arguments.model)
        result = build_website(goal, arguments.out, seed=seed, model=model)
    except (MissingLlmExtra, InvalidModel) as error:
        say(f"orchestration-kit: {error}")
        return 2
    if result.run.state != "completed":
        failures = [entry["error"] for entry in result.run.history if not entry["success"]]
        say(f"No website was built: {failures[-1] if failures else result.run.context.error}")
        return 1
    notebook: Path | None = None
    if not arguments.no_notebook:
        from orchestration_kit.demo.notebook import write_executed_notebook

        notebook = write_executed_notebook(goal, seed, Path(arguments.out), model=arguments.model)
    _tell(result, notebook)
    return 0


def _model(text: str) -> Any:
    from orchestration_kit.workers.llm.models import model_on_command_line

    return model_on_command_line(text)


def _tell(result: DemoResult, notebook: Path | None) -> None:
    from rich.console import Console
    from rich.table import Table

    history = result.run.history
    reviews = [entry for entry in history if entry["step"] == "review_code"]
    deployed = history[-1]["output"]
    table = Table(title="What is there now", title_justify="left", show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_row("Website", str(result.site / "index.html"), f"{len(deployed['pages'])} pages, fetched and compared")
    table.add_row("Way taken", str(result.diagram), f"{len(reviews)} reviews, {len(reviews) - 1} sent back")
    table.add_row("Record", str(result.history), f"{len(history)} attempts")
    if notebook is not None:
        table.add_row("Notebook", str(notebook), "the same run, executed: make lab opens it")
    console = Console(highlight=False, soft_wrap=True)
    console.print()
    console.print(table, markup=False)


def validate(arguments: argparse.Namespace) -> int:
    """Print what is wrong with a workflow file."""
    workflow = load_workflow(arguments.file)
    problems = workflow.problems()
    for problem in problems:
        print(f"{problem.severity}: {problem}")  # noqa: T201 - the command's answer
    for name in dict.fromkeys(_run_by_name(workflow)):
        print(f"note: The workflow {name!r}, which it runs, was not looked at: it is not in this file.")  # noqa: T201
    errors = sum(problem.severity == "error" for problem in problems)
    warnings = len(problems) - errors
    verdict = "not sound" if errors else "sound"
    print(f"{arguments.file}: {verdict}, {len(workflow.steps)} steps, {errors} errors, {warnings} warnings")  # noqa: T201
    return 1 if errors else 0


def _run_by_name(workflow: WorkflowDefinition) -> Iterator[str]:
    """Yield the names of other workflows that a workflow runs."""
    for step in workflow.steps.values():
        name = getattr(step, "workflow", None)
        if isinstance(name, str) and name != workflow.name:
            yield name
        for body in step.bodies.values():
            if not isinstance(body, str):
                yield from _run_by_name(body)


def render(arguments: argparse.Namespace) -> int:
    """Draw a workflow file into another file."""
    from orchestration_kit.visual import visualize

    try:
        diagram = visualize(load_workflow(arguments.file), theme=arguments.theme, direction=arguments.direction)
        diagram.save(arguments.output)
    except ValueError as error:
        say(f"orchestration-kit: {error}")
        return 1
    print(f"{arguments.output} (drawn by {diagram.renderer})")  # noqa: T201 - the command's answer
    return 0


def load_workflow(path: Path) -> WorkflowDefinition:
    """Return the workflow in a file.

    Raises:
        WorkflowFileError: there is none in it.
        OSError: it cannot be read.
    """
    from orchestration_kit.definition.workflow import WorkflowDefinition

    readers = {
        ".json": WorkflowDefinition.from_json,
        ".yaml": WorkflowDefinition.from_yaml,
        ".yml": WorkflowDefinition.from_yaml,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        hint = "Workflow files end in .yaml, .yml or .json."
        if path.suffix == ".py":
            hint += " A Python file is not run here: write its workflow's to_yaml() to a file."
        raise WorkflowFileError(f"{path.name} ends in {path.suffix!r}", hint)
    try:
        return reader(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise WorkflowFileError(
            f"{path.name} is not UTF-8 text ({error.reason} at byte {error.start})", "Save it as UTF-8."
        ) from None
