"""The same fan in libraries that have one, each as its documentation has it, built once and timed for one run.

LangGraph: `Send` to one async node, outputs gathered by a reducer, `max_concurrency` in the config, no checkpointer.
Burr and pydantic-graph hold nobody back, so that a semaphore in the worker does; Burr's `MapStates` makes an
application a branch. Each result is put in order afterwards where the library gives it in another, untimed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from importlib import import_module
from importlib.util import find_spec
from operator import add
from time import perf_counter
from typing import Annotated, Any, TypedDict

from benchmarks.branches_cases import Clock, Fan, check_fan, wait_async
from benchmarks.harness import quiet_collector

MODULES = {"langgraph": "langgraph.graph", "burr": "burr.core", "pydantic_graph": "pydantic_graph"}


def is_installed(peer: str) -> bool:
    """Whether a peer is there."""
    try:
        return find_spec(MODULES[peer]) is not None
    except ModuleNotFoundError:
        return False


class _Gathered(TypedDict):
    items: list[int]
    outputs: Annotated[list[int], add]


def langgraph(fan: Fan, *, clock: Clock = perf_counter) -> float:
    """Send each item to a node of its own."""
    graphs, types = import_module("langgraph.graph"), import_module("langgraph.types")

    async def work(state: Any) -> dict[str, list[int]]:
        return {"outputs": [await wait_async(fan, state["item"])]}

    def fan_out(state: Any) -> list[Any]:
        return [types.Send("work", {"item": item}) for item in state["items"]]

    builder = graphs.StateGraph(_Gathered)
    builder.add_node("work", work)
    builder.add_conditional_edges(graphs.START, fan_out, ["work"])
    builder.add_edge("work", graphs.END)
    graph = builder.compile()

    async def run() -> list[int]:
        state = await graph.ainvoke({"items": fan.items, "outputs": []}, {"max_concurrency": fan.at_once})
        return state["outputs"]

    return _timed(fan, run, clock)


def burr(fan: Fan, *, clock: Clock = perf_counter) -> float:
    """Map an action over states."""
    core, parallel = import_module("burr.core"), import_module("burr.core.parallelism")
    gates: list[asyncio.Semaphore] = []

    @core.action(reads=["item"], writes=["output"])
    async def work(state: Any) -> Any:
        async with gates[0]:
            return state.update(output=await wait_async(fan, state["item"]))

    class Each(parallel.MapStates):
        def action(self, state: Any, inputs: Any) -> Any:  # noqa: ARG002
            return work

        def states(self, state: Any, context: Any, inputs: Any) -> Generator[Any, None, None]:  # noqa: ARG002
            for item in state["items"]:
                yield core.State({"item": item})

        async def reduce(self, state: Any, states: AsyncGenerator[Any, None]) -> Any:
            return state.update(outputs=[one["output"] async for one in states])

        def is_async(self) -> bool:
            return True

        @property
        def reads(self) -> list[str]:
            return ["items"]

        @property
        def writes(self) -> list[str]:
            return ["outputs"]

    async def run() -> list[int]:
        gates[:] = [asyncio.Semaphore(fan.at_once)]
        application = core.ApplicationBuilder().with_actions(each=Each()).with_entrypoint("each")
        _action, _result, state = await application.with_state(items=fan.items).build().arun(halt_after=["each"])
        return state["outputs"]

    return _timed(fan, run, clock)


def pydantic_graph(fan: Fan, *, clock: Clock = perf_counter) -> float:
    """Map a step over a list, and join with a list."""
    graphs = import_module("pydantic_graph")
    gates: list[asyncio.Semaphore] = []
    builder = graphs.GraphBuilder(name="fan", input_type=list, output_type=list, auto_instrument=False)

    async def wait(context: Any) -> int:
        async with gates[0]:
            return await wait_async(fan, context.inputs)

    work = builder.step(wait, node_id="work")
    joined = builder.join(graphs.reduce_list_append, initial_factory=list)
    builder.add(
        builder.edge_from(builder.start_node).map().to(work),
        builder.edge_from(work).to(joined),
        builder.edge_from(joined).to(builder.end_node),
    )
    graph = builder.build()

    async def run() -> list[int]:
        gates[:] = [asyncio.Semaphore(fan.at_once)]
        return await graph.run(inputs=fan.items, infer_name=False)

    return _timed(fan, run, clock)


PEERS: dict[str, Callable[..., float]] = {"langgraph": langgraph, "burr": burr, "pydantic_graph": pydantic_graph}


def _timed(fan: Fan, run: Callable[[], Any], clock: Clock) -> float:
    async def timed() -> tuple[list[int], float]:
        with quiet_collector():
            began = clock()
            found = await run()
            return found, clock() - began

    found, took_s = asyncio.run(timed())
    return check_fan(fan, sorted(found), took_s, clock=clock)
