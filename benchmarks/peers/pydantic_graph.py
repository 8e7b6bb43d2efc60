"""pydantic-graph: steps of its graph builder, built once, instrumentation off. It is async throughout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic_graph import GraphBuilder, StepContext

from benchmarks.harness import Build, Case, Outcome, counting_worker


def chain(size: int) -> Case:
    """Steps s0 -> s1 -> ... in a row."""
    work, reset = counting_worker()

    async def count(context: StepContext[None, None, int]) -> int:
        return work(context)

    graph = _builder()
    steps = [graph.step(count, node_id=f"s{i}") for i in range(size)]
    ends = [*steps[1:], graph.end_node]
    graph.add(
        graph.edge_from(graph.start_node).to(steps[0]),
        *(graph.edge_from(step).to(following) for step, following in zip(steps, ends, strict=True)),
    )
    return _case(graph, reset)


def ping_pong(size: int) -> Case:
    """Two steps in a loop, left by a decision when the worker has counted to `size`."""
    work, reset = counting_worker()

    async def count(context: StepContext[None, None, int]) -> int:
        return work(context)

    graph = _builder()
    ping, pong = graph.step(count, node_id="ping"), graph.step(count, node_id="pong")
    enough = graph.match(int, matches=lambda n: n >= size).to(graph.end_node)
    graph.add(
        graph.edge_from(graph.start_node).to(ping),
        graph.edge_from(ping).to(pong),
        graph.edge_from(pong).to(graph.decision().branch(enough).branch(graph.match(int).to(ping))),
    )
    return _case(graph, reset)


def review(size: int) -> Case:
    """Let a reviewer turn a coder down `size` times: a decision reads his verdict."""
    work, reset = counting_worker()

    async def code(context: StepContext[None, None, int]) -> int:
        return work(context)

    async def look(context: StepContext[None, None, int]) -> tuple[int, bool]:
        return context.inputs, context.inputs > size

    async def done(context: StepContext[None, None, tuple[int, bool]]) -> int:
        return context.inputs[0]

    graph = _builder()
    coder, reviewer, last = graph.step(code), graph.step(look), graph.step(done)
    approved = graph.match(tuple, matches=lambda verdict: verdict[1]).to(last)
    graph.add(
        graph.edge_from(graph.start_node).to(coder),
        graph.edge_from(coder).to(reviewer),
        graph.edge_from(reviewer).to(graph.decision().branch(approved).branch(graph.match(tuple).to(coder))),
        graph.edge_from(last).to(graph.end_node),
    )
    return _case(graph, reset)


def _builder() -> Any:
    return GraphBuilder(name="bench", input_type=int, output_type=int, auto_instrument=False)


def _case(builder: Any, reset: Callable[[], None]) -> Case:
    graph = builder.build()

    async def run() -> int:
        reset()
        ran: int = await graph.run(inputs=0, infer_name=False)
        return ran

    return Case(run, Outcome, is_async=True)


CASES: dict[str, Build] = {
    "chain": chain,
    "async_chain": chain,
    "ping_pong": ping_pong,
    "review": review,
}
