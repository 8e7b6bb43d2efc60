"""A workflow with a bit of everything, and what tests of cassettes share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from orchestration_kit import Failure, Orchestrator, RetryPolicy
from tests.support import hub_of, step, workflow_of


class Site:
    """A site is planned, coded and reviewed: with a retry, a review that fails, data changes, usage and pieces."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def plan(self, goal: Any, context: Any) -> Any:
        self.calls.append(context.path)
        context.add_usage(input_tokens=3, output_tokens=4, cost_usd=0.25, model="writer-1")
        context.data["notes"] = f"For {goal}:\nbe brief.\n"
        context.data["draft"] = 1
        return {"title": goal, "pages": ["home", "about"]}

    def code(self, spec: Any, context: Any) -> Any:
        self.calls.append(context.path)
        if context.path == "code#1" and context.attempt == 1:
            context.add_usage(input_tokens=1)
            context.data["lost"] = True
            raise TimeoutError("the model is busy")
        context.data.pop("draft", None)
        yield "<html>\n"
        yield f"version {context.visit}\n"

    async def review(self, code: Any, context: Any) -> Any:
        self.calls.append(context.path)
        if context.visit == 1:
            return Failure("no heading", output={"findings": ["h1"]})
        return {"approved": True, "score": 0.75}

    def hub(self, **options: Any) -> Orchestrator:
        flow = workflow_of(
            step("plan", "code"),
            step("code", "review", max_retries=2, retry=RetryPolicy(retry_on=("OSError",))),
            step("review", "done", on_failure="code"),
            step("done"),
            name="site",
        )
        workers = {"plan": self.plan, "code": self.code, "review": self.review}
        return hub_of(flow, workers, **options)


def one_step(worker: Callable[..., Any], **fields: Any) -> Orchestrator:
    """A hub with a workflow `flow` of one step `work`."""
    return hub_of(workflow_of(step("work", **fields)), {"work": worker})


def chain(*workers: Callable[..., Any], **fields: Any) -> Orchestrator:
    """A hub with a workflow `flow` of steps a, b, c, ..."""
    names = "abcdefgh"[: len(workers)]
    steps = [step(one, to, **fields) for one, to in zip(names, [*names[1:], None], strict=True)]
    return hub_of(workflow_of(*steps), dict(zip(names, workers, strict=True)))


def start(hub: Orchestrator, goal: str = "goal", name: str = "flow", **options: Any) -> Any:
    started = hub.start(name, goal, **options)
    listener = getattr(started.machine.plan, "listener", None)
    if listener is not None and listener not in started.audience.observers:
        started.audience.observers.append(listener)  # until the hub does
    return started


def run(hub: Orchestrator, goal: str = "goal", name: str = "flow", *, in_loop: bool = False, **options: Any) -> Any:
    if in_loop:

        async def main() -> Any:
            return await start(hub, goal, name, **options).arun()

        return asyncio.run(main())
    return start(hub, goal, name, **options).run()


def history(context: Any) -> list[dict[str, Any]]:
    """What must be the same in a replay."""
    return [
        {k: v for k, v in entry.items() if k not in ("timestamp", "duration_s", "cached")} for entry in context.history
    ]
