"""The four workers come as definitions, ready for the build-website workflow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration_kit.workers.website import Coder, Deployer, website_workers

if TYPE_CHECKING:
    from pathlib import Path


def test_the_workers_fill_the_steps_of_the_build_website_workflow(tmp_path: Path) -> None:
    types = [str(worker.worker_type) for worker in website_workers(tmp_path)]
    assert types == ["product_manager", "coder", "reviewer", "deployer"]


def test_directory_and_mistake_rate_reach_the_workers(tmp_path: Path) -> None:
    executors = [worker.executor for worker in website_workers(str(tmp_path), mistake_rate=0.2)]
    assert Coder(mistake_rate=0.2) in executors
    assert Deployer(tmp_path) in executors
