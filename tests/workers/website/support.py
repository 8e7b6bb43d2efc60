"""A small context, a clean site to spoil, and a way to walk the workers through the workflow."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from orchestration_kit.workers.website.coder import Coder
from orchestration_kit.workers.website.product_manager import product_manager, write_spec
from orchestration_kit.workers.website.rendering import render_site
from orchestration_kit.workers.website.reviewer import reviewer

if TYPE_CHECKING:
    from orchestration_kit.workers.website.bus import Files

BAKERY = "Build a website for Luna Bakery in Lisbon with a gallery, FAQ and newsletter"


@dataclass
class FakeContext:
    """What a worker sees of a run."""

    goal: str = BAKERY
    data: dict[str, Any] = field(default_factory=dict[str, Any])
    random: Random = field(default_factory=lambda: Random(1))
    last_error: str | None = None


def clean_site(goal: str = BAKERY, seed: int = 1) -> Files:
    """Return a site without mistakes; the bakery's has every common block."""
    return render_site(write_spec(goal, Random(seed)))


def walk(goal: str, seed: int, *, mistake_rate: float, most_rounds: int = 8) -> FakeContext:
    """Walk goal, specification, draft and review until approval, as the workflow does.

    The context that is returned holds the outputs, and the number of reviews in `data["rounds"]`.
    """
    context = FakeContext(goal=goal, random=Random(f"{seed}/specs"))
    passed: Any = product_manager(goal, context)
    context.data["create_specs_output"] = passed
    coder = Coder(mistake_rate=mistake_rate)
    for visit in range(1, most_rounds + 1):
        context.random = Random(f"{seed}/code/{visit}")
        context.data["implement_code_output"] = coder(passed, context)
        verdict = reviewer(context.data["implement_code_output"], context)
        context.data |= {"review_code_output": verdict, "rounds": visit}
        if verdict["approved"]:
            return context
        passed = {"error": "`output.approved == true` was false", "output": verdict}
    return context
