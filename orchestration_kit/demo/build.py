"""Run the build-website workflow with the website workers, and keep what it leaves behind."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestration_kit.engine.orchestrator import Orchestrator
from orchestration_kit.engine.run import Run
from orchestration_kit.history import history_frame, write_csv
from orchestration_kit.journal.cassette import cassette
from orchestration_kit.templates import create_build_website_workflow
from orchestration_kit.visual import visualize
from orchestration_kit.workers.website import website_workers

DEFAULT_GOAL = "Build a website for Luna Bakery in Lisbon, with a menu, a gallery and a contact form"
DEFAULT_SEED = 1
ANSWERS = "answers.yaml"
"""What the workers of a run with a model said: a cassette."""


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What a demo left behind, all under one folder.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     result = build_website(out_dir=folder, verbose=False)
    ...     print(result.diagram.name, result.history.name, (result.site / "index.html").exists())
    workflow.svg history.csv True
    """

    run: Run
    site: Path
    diagram: Path
    history: Path
    notebook: Path | None


def prepare_hub(site: str | Path, model: Any = None) -> Orchestrator:
    """Return a hub with the website workers and the workflow that deploys to `site`.

    With a `model`, a language model plans the site and writes its words (extra `llm`), and is told what was wrong with
    a draft up to twice: a name such as "openai:gpt-5-mini", an address such as "http://127.0.0.1:11434/v1#qwen3", one
    of pydantic-ai's models.

    >>> hub = prepare_hub("site")
    >>> [worker.name for worker in hub.workers.values()], list(hub.workflows)
    (['Product manager', 'Coder', 'Reviewer', 'Deployer'], ['build_website'])
    """
    hub = Orchestrator()
    workflow = create_build_website_workflow().replace("completed", worker="Deployer")
    if model is not None:
        from orchestration_kit.workers.llm.models import model_from

        model = model_from(model)
        workflow = workflow.replace("create_specs", max_retries=2)
    for worker in website_workers(site, model=model):
        hub.register_worker(worker)
    hub.register_workflow(workflow)
    return hub


def build_website(
    goal: str = DEFAULT_GOAL,
    out_dir: str | Path = "demo_site",
    *,
    seed: int = DEFAULT_SEED,
    verbose: bool = True,
    model: Any = None,
) -> DemoResult:
    """Build a website for a goal into `out_dir/site`; beside it `workflow.svg` and `history.csv`.

    The same goal and seed give the same site, byte for byte. The run may end failed: look at `.run.state`.

    With a `model` (see `prepare_hub`), a language model writes the site. What it answers is kept in the cassette
    `out_dir/answers.yaml`, so that the run can be gone through again without asking it.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     result = build_website("Build a website for Luna Bakery in Lisbon", folder, verbose=False)
    ...     print(result.run.state, sorted(path.name for path in result.site.glob("*.html")))
    completed ['index.html', 'menu.html', 'story.html', 'visit.html']
    """
    out = Path(out_dir)
    hub = prepare_hub(out / "site", model)
    with nullcontext() if model is None else cassette(out / ANSWERS, mode="record"):
        run = hub.start("build_website", goal, verbose=verbose, seed=seed)
        out.mkdir(parents=True, exist_ok=True)
        run.run()
    diagram, history = out / "workflow.svg", out / "history.csv"
    visualize(run).save(diagram)
    write_csv(history_frame(run), history)
    return DemoResult(run=run, site=out / "site", diagram=diagram, history=history, notebook=None)
