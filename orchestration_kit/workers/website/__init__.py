"""The workers of `orchestration-kit demo`: from a goal to a checked, deployed website, with or without a model.

    goal ──> product_manager ──> coder ──> reviewer ──> deployer
             specification       files  ^  findings │   directory
                                        └───────────┘

They are real: the site can be opened, the review checks it, and the coder errs now and then, from the
run's own random numbers, so that the way back is used. The same seed gives the same bytes. They need
the extra `demo`: `pip install "orchestration-kit[demo]"`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from orchestration_kit.definition.workers import WorkerDefinition, WorkerType
from orchestration_kit.workers.website.coder import DEFAULT_MISTAKE_RATE, Coder
from orchestration_kit.workers.website.deployer import Deployer
from orchestration_kit.workers.website.product_manager import product_manager
from orchestration_kit.workers.website.reviewer import reviewer

__all__ = ["Coder", "Deployer", "product_manager", "reviewer", "website_workers"]


def website_workers(
    out_dir: str | Path, *, mistake_rate: float = DEFAULT_MISTAKE_RATE, model: Any = None
) -> list[WorkerDefinition]:
    """Return the workers of the build-website workflow, ready to be registered.

    The workflow's step `completed` calls the deployer where it asks for it: `workflow.steps["completed"].worker =
    "Deployer"`.

    `out_dir` is where the site is deployed: a new or empty directory, or one with an earlier, untouched
    deployment. `mistake_rate` is the chance, from 0 to 1, that the coder's first draft holds a mistake. With a `model`,
    the product manager has a language model write the site (extra `llm`): a name such as "openai:gpt-5-mini", one of
    pydantic-ai's models, or an `Endpoint`.

    >>> [worker.name for worker in website_workers("site")]
    ['Product manager', 'Coder', 'Reviewer', 'Deployer']
    """
    return [
        WorkerDefinition(
            worker_type=WorkerType.PRODUCT_MANAGER,
            name="Product manager",
            description="Turns the goal into a specification: pages, words, colours.",
            executor=product_manager if model is None else _model_manager(model),
        ),
        WorkerDefinition(
            worker_type=WorkerType.CODER,
            name="Coder",
            description="Builds the site from the specification and repairs what the review finds.",
            executor=Coder(mistake_rate=mistake_rate),
        ),
        WorkerDefinition(
            worker_type=WorkerType.REVIEWER,
            name="Reviewer",
            description="Checks markup, links, accessibility and contrast; approves or lists the faults.",
            executor=reviewer,
        ),
        WorkerDefinition(
            worker_type=WorkerType.DEPLOYER,
            name="Deployer",
            description="Puts the approved site into a directory and fetches every page from it.",
            executor=Deployer(Path(out_dir)),
        ),
    ]


def _model_manager(model: Any) -> Callable[..., Any]:
    from orchestration_kit.workers.website.model_manager import model_manager

    return model_manager(model)
