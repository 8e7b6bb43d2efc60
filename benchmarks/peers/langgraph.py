"""LangGraph: a StateGraph of plain functions over one state key, compiled once, invoked for each run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any, TypedDict

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import RetryPolicy

from benchmarks.harness import Build, Case, Outcome, counting_worker


class Counted(TypedDict):
    """The state that travels: what the worker has counted to, and the reviewer's verdict."""

    n: int
    approved: bool


def chain(size: int, *, with_history: bool = False) -> Case:
    """Nodes s0 -> s1 -> ... in a row."""
    work, reset = counting_worker()

    def node(state: Counted) -> dict[str, int]:
        return {"n": work(state)}

    return _Graph(_chain(size, node), size, with_history).case(reset)


def async_chain(size: int, *, with_history: bool = False) -> Case:
    """The same with async nodes and `ainvoke`."""
    work, reset = counting_worker()

    async def node(state: Counted) -> dict[str, int]:
        return {"n": work(state)}

    return _Graph(_chain(size, node), size, with_history).async_case(reset)


def ping_pong(size: int, *, with_history: bool = False) -> Case:
    """Two nodes in a loop, left by a conditional edge when the worker has counted to `size`."""
    work, reset = counting_worker()

    def node(state: Counted) -> dict[str, int]:
        return {"n": work(state)}

    def onward(state: Counted) -> str:
        return END if state["n"] >= size else "ping"

    builder: Any = StateGraph(Counted)
    builder.add_node("ping", node)
    builder.add_node("pong", node)
    builder.add_edge(START, "ping")
    builder.add_edge("ping", "pong")
    builder.add_conditional_edges("pong", onward, ["ping", END])
    return _Graph(builder, size, with_history).case(reset)


def review(size: int, *, with_history: bool = False) -> Case:
    """Let a reviewer turn a coder down `size` times: a conditional edge reads the verdict."""
    work, reset = counting_worker()

    def code(state: Counted) -> dict[str, int]:
        return {"n": work(state)}

    def look(state: Counted) -> dict[str, bool]:
        return {"approved": state["n"] > size}

    def onward(state: Counted) -> str:
        return END if state["approved"] else "code"

    builder: Any = StateGraph(Counted)
    builder.add_node("code", code)
    builder.add_node("review", look)
    builder.add_edge(START, "code")
    builder.add_edge("code", "review")
    builder.add_conditional_edges("review", onward, ["code", END])
    return _Graph(builder, 2 * size, with_history).case(reset)


def retry(size: int) -> Case:
    """One node that raises at each of its `size` attempts but the last, retried without a pause."""
    work, reset = counting_worker()

    def node(state: Counted) -> dict[str, int]:
        calls = work(state)
        if calls < size:
            raise ValueError("try again")
        return {"n": calls}

    policy = RetryPolicy(initial_interval=0, jitter=False, max_attempts=size, retry_on=ValueError)
    builder: Any = StateGraph(Counted)
    builder.add_node("try", node, retry_policy=policy)
    builder.add_edge(START, "try")
    builder.add_edge("try", END)
    return _Graph(builder, size, with_history=False).case(reset)


def compile_chain(size: int) -> Case:
    """Build the graph of a chain, check it and compile it."""

    def node(state: Counted) -> dict[str, int]:
        return {"n": state["n"] + 1}

    return Case(lambda: _chain(size, node).compile(), lambda graph: Outcome(len(graph.builder.nodes)))


@dataclass
class _Graph:
    """A compiled graph and how to run it, with or without a checkpoint a step."""

    builder: Any
    size: int
    with_history: bool

    def __post_init__(self) -> None:
        self.saver = InMemorySaver() if self.with_history else None
        self.graph = self.builder.compile(checkpointer=self.saver)
        self.threads = count()

    def case(self, reset: Callable[[], None]) -> Case:
        def run() -> tuple[Any, str]:
            reset()
            config, thread = self._config()
            return self.graph.invoke({"n": 0}, config), thread

        return Case(run, self._outcome)

    def async_case(self, reset: Callable[[], None]) -> Case:
        async def run() -> tuple[Any, str]:
            reset()
            config, thread = self._config()
            return await self.graph.ainvoke({"n": 0}, config), thread

        return Case(run, self._outcome, is_async=True)

    def _config(self) -> tuple[dict[str, Any], str]:
        thread = str(next(self.threads))
        return {"recursion_limit": self.size + 10, "configurable": {"thread_id": thread}}, thread

    def _outcome(self, ran: tuple[Any, str]) -> Outcome:
        state, thread = ran
        if self.saver is None:
            return Outcome(state["n"])
        # get_state_history decodes every checkpoint, in quadratic time; counting them is enough here.
        kept = len(self.saver.storage[thread][""])
        for each in list(self.saver.storage):  # or the runs before would weigh on the next
            self.saver.delete_thread(each)
        return Outcome(state["n"], kept)


def _chain(size: int, node: Callable[..., Any]) -> Any:
    builder: Any = StateGraph(Counted)
    for i in range(size):
        builder.add_node(f"s{i}", node)
    builder.add_edge(START, "s0")
    for i in range(size - 1):
        builder.add_edge(f"s{i}", f"s{i + 1}")
    builder.add_edge(f"s{size - 1}", END)
    return builder


CASES: dict[str, Build] = {
    "chain": chain,
    "async_chain": async_chain,
    "ping_pong": ping_pong,
    "review": review,
    "retry": retry,
    "compile": compile_chain,
}
