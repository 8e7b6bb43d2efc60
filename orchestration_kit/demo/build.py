"""Run the build-website workflow with the website workers, and keep what it leaves behind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from orchestration_kit.engine.orchestrator import Orchestrator
from orchestration_kit.engine.run import Run
from orchestration_kit.history import history_frame, write_csv
from orchestration_kit.templates import create_build_website_workflow
from orchestration_kit.visual import visualize
from orchestration_kit.workers.website import website_workers

DEFAULT_GOAL = "Build a website for Luna Bakery in Lisbon, with a menu, a gallery and a contact form"
DEFAULT_SEED = 1


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What a demo left behind, all under one folder."""

    run: Run
    site: Path
    diagram: Path
    history: Path
    notebook: Path | None


def prepare_hub(site: str | Path) -> Orchestrator:
    """Return a hub with the website workers and the workflow that deploys to `site`."""
    hub = Orchestrator()
    for worker in website_workers(site):
        hub.register_worker(worker)
    hub.register_workflow(create_build_website_workflow().replace("completed", worker="Deployer"))
    return hub


def build_website(
    goal: str = DEFAULT_GOAL, out_dir: str | Path = "demo_site", *, seed: int = DEFAULT_SEED, verbose: bool = True
) -> DemoResult:
    """Build a website for a goal into `out_dir/site`; beside it `workflow.svg` and `history.csv`.

    The same goal and seed give the same site, byte for byte. The run may end failed: look at `.run.state`.
    """
    out = Path(out_dir)
    run = prepare_hub(out / "site").start("build_website", goal, verbose=verbose, seed=seed)
    out.mkdir(parents=True, exist_ok=True)
    run.run()
    diagram, history = out / "workflow.svg", out / "history.csv"
    visualize(run).save(diagram)
    write_csv(history_frame(run), history)
    return DemoResult(run=run, site=out / "site", diagram=diagram, history=history, notebook=None)
