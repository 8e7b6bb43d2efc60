"""What a picture costs: laying out and painting a workflow, and painting a new state over it."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import perf_counter

from benchmarks.harness import WrongResult
from benchmarks.table import Row
from orchestration_kit import Orchestrator, WorkerDefinition, WorkflowDefinition, WorkflowStep
from orchestration_kit.engine.run import Run
from orchestration_kit.visual import Diagram, visualize

LAYOUT_LIMIT_MS, PAINT_LIMIT_MS, LARGE_LIMIT_MS, OVERLAY_LIMIT_MS = 40, 5, 300, 2


def rows(*, repeats: int = 7) -> list[Row]:
    """Measure, and return the rows of the table."""
    run = _run(50)
    drawn = _first(run.workflow)
    run.step()
    drawn = drawn.with_overlay(run)
    _checked(drawn, 50)
    whole = median(_milliseconds(lambda: _checked(visualize(run.workflow), 50)) for _ in range(repeats))
    paint = median(_repaint(run.workflow) for _ in range(repeats))
    large_workflow = _chain(1_000)
    large = median(_milliseconds(lambda: _checked(visualize(large_workflow), 1_000)) for _ in range(3))
    overlay = median(_next_state(run, drawn) for _ in range(repeats))
    return [
        _row(f"SVG of 50 steps, by {drawn.renderer}", whole, LAYOUT_LIMIT_MS),
        _row("painting alone, without the layout", paint, PAINT_LIMIT_MS),
        _row("SVG of 1,000 steps", large, LARGE_LIMIT_MS),
        _row("a new state over a drawn workflow", overlay, OVERLAY_LIMIT_MS),
    ]


def _first(workflow: WorkflowDefinition) -> Diagram:
    diagram = visualize(workflow)
    _checked(diagram, len(workflow.steps))
    return diagram


def _repaint(workflow: WorkflowDefinition) -> float:
    laid_out = _first(workflow)
    return _milliseconds(lambda: _checked(laid_out.with_theme("dark"), 50))


def _next_state(run: Run, drawn: Diagram) -> float:
    run.step()
    return _milliseconds(lambda: _checked(drawn.with_overlay(run), 50))


def _checked(diagram: Diagram, steps: int) -> None:
    if diagram.svg.count('class="ok-node') < steps:
        raise WrongResult(f"the picture lacks some of its {steps} steps")


def _milliseconds(call: Callable[[], None]) -> float:
    began = perf_counter()
    call()
    return (perf_counter() - began) * 1e3


def _row(title: str, value: float, limit: float) -> Row:
    return Row(
        title, figure=f"{value:.2g} ms" if value < 10 else f"{value:.0f} ms", goal=f"<= {limit} ms", met=value <= limit
    )


def _run(size: int) -> Run:
    hub = Orchestrator()
    hub.register_worker(WorkerDefinition(worker_type="w", name="w", executor=lambda value: value))
    hub.register_workflow(_chain(size))
    return hub.start("chain", "goal")


def _chain(size: int) -> WorkflowDefinition:
    """Steps in a row; every tenth is retried, every fifth goes back when it fails."""
    workflow = WorkflowDefinition(name="chain")
    for at in range(size):
        last = at == size - 1
        workflow.add_step(
            WorkflowStep(
                step_id=f"step_{at}",
                worker_type="w",
                on_success=None if last else f"step_{at + 1}",
                on_failure=f"step_{at - 1}" if at % 5 == 4 and not last else None,
                max_retries=2 if at % 10 == 0 else 0,
                is_terminal=last,
            ),
            is_initial=at == 0,
        )
    return workflow
