"""`orchestration-kit`: the kit from a terminal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration_kit.errors import OrchestrationError, WorkflowFileError, did_you_mean

if TYPE_CHECKING:
    from orchestration_kit.definition.workflow import WorkflowDefinition
    from orchestration_kit.demo import DemoResult

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0 done, 1 it did not work out, 2 wrong use, 130 interrupted."""
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.command(arguments))
    except KeyboardInterrupt:
        _say("Interrupted: the run was cancelled.")
        return INTERRUPTED
    except (OrchestrationError, OSError) as error:
        _say(f"orchestration-kit: {error}")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="orchestration-kit", description="Compose AI workers into workflows you can trust."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    demo = commands.add_parser("demo", help="build a real website through a workflow")
    demo.add_argument("--goal", metavar="TEXT", help="what the website is for")
    demo.add_argument("--out", metavar="DIR", default="demo_site", help="where everything goes (default: demo_site)")
    demo.add_argument("--seed", metavar="N", type=int, help="the same seed gives the same site, byte for byte")
    demo.add_argument("--model", metavar="NAME", help="let a language model do the work")
    demo.add_argument("--no-notebook", action="store_true", help="do not leave run.ipynb behind")
    demo.set_defaults(command=_demo)

    validate = commands.add_parser("validate", help="check a workflow file")
    validate.add_argument("file", type=Path, metavar="FILE", help="a workflow in YAML or JSON")
    validate.set_defaults(command=_validate)

    render = commands.add_parser("render", help="draw a workflow file")
    render.add_argument("file", type=Path, metavar="FILE", help="a workflow in YAML or JSON")
    render.add_argument(
        "-o", "--output", type=Path, required=True, metavar="OUT", help="out.svg, .png, .pdf, .dot or .mmd"
    )
    render.add_argument("--theme", default="light", metavar="THEME", help="light, dark or print")
    render.add_argument("--direction", default="TB", choices=["TB", "LR"], help="top to bottom, or left to right")
    render.set_defaults(command=_render)
    return parser


def _demo(arguments: argparse.Namespace) -> int:
    if arguments.model is not None:
        _say(
            f"--model {arguments.model}: language models are not part of this version yet. "
            "Leave --model out: the demo's own workers need no key and no network."
        )
        return 2
    from orchestration_kit.demo.build import DEFAULT_GOAL, DEFAULT_SEED, build_website

    goal = DEFAULT_GOAL if arguments.goal is None else arguments.goal
    seed = DEFAULT_SEED if arguments.seed is None else arguments.seed
    result = build_website(goal, arguments.out, seed=seed)
    if result.run.state != "completed":
        _say(f"No website was built: {result.run.context.error}")
        return 1
    notebook: Path | None = None
    if not arguments.no_notebook:
        from orchestration_kit.demo.notebook import write_executed_notebook

        notebook = write_executed_notebook(goal, seed, Path(arguments.out))
    _tell(result, notebook)
    return 0


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


def _validate(arguments: argparse.Namespace) -> int:
    workflow = _load(arguments.file)
    problems = workflow.problems()
    for problem in problems:
        print(f"{problem.severity}: {problem}")  # noqa: T201 - the command's answer
    errors = sum(problem.severity == "error" for problem in problems)
    warnings = len(problems) - errors
    verdict = "not sound" if errors else "sound"
    print(f"{arguments.file}: {verdict}, {len(workflow.steps)} steps, {errors} errors, {warnings} warnings")  # noqa: T201
    return 1 if errors else 0


def _render(arguments: argparse.Namespace) -> int:
    from orchestration_kit.visual import visualize

    try:
        diagram = visualize(_load(arguments.file), theme=arguments.theme, direction=arguments.direction)
        diagram.save(arguments.output)
    except ValueError as error:
        _say(f"orchestration-kit: {error}")
        return 1
    print(f"{arguments.output} (drawn by {diagram.renderer})")  # noqa: T201 - the command's answer
    return 0


def _load(path: Path) -> WorkflowDefinition:
    from orchestration_kit.definition.workflow import WorkflowDefinition

    readers = {
        ".json": WorkflowDefinition.from_json,
        ".yaml": WorkflowDefinition.from_yaml,
        ".yml": WorkflowDefinition.from_yaml,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        near = did_you_mean(path.suffix, readers)
        raise WorkflowFileError(
            f"{path.name} ends in {path.suffix!r}", f"Workflow files end in .yaml, .yml or .json.{near}"
        )
    try:
        return reader(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise WorkflowFileError(
            f"{path.name} is not UTF-8 text ({error.reason} at byte {error.start})", "Save it as UTF-8."
        ) from None


def _say(message: str) -> None:
    print(message, file=sys.stderr)  # noqa: T201 - what a person needs to know


if __name__ == "__main__":
    sys.exit(main())
