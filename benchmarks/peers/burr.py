"""Burr: function actions over one state key, the graph built once, an application for each run."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from burr.core import ApplicationBuilder, GraphBuilder, State, action, default, expr

from benchmarks.harness import Build, Case, Outcome, counting_worker


def chain(size: int) -> Case:
    """Actions s0 -> s1 -> ... in a row."""
    work, reset = counting_worker()

    @action(reads=[], writes=["n"])
    def count(state: State) -> State:
        return state.update(n=work(state))

    graph = _chain(size, count)

    def run() -> Any:
        reset()
        return _application(graph, "s0").run(halt_after=[f"s{size - 1}"])

    return Case(run, _outcome)


def async_chain(size: int) -> Case:
    """The same with async actions."""
    work, reset = counting_worker()

    @action(reads=[], writes=["n"])
    async def count(state: State) -> State:
        return state.update(n=work(state))

    graph = _chain(size, count)

    async def run() -> Any:
        reset()
        return await _application(graph, "s0").arun(halt_after=[f"s{size - 1}"])

    return Case(run, _outcome, is_async=True)


def ping_pong(size: int) -> Case:
    """Two actions in a loop, left by a condition when the worker has counted to `size`."""
    work, reset = counting_worker()

    @action(reads=[], writes=["n"])
    def count(state: State) -> State:
        return state.update(n=work(state))

    @action(reads=[], writes=[])
    def done(state: State) -> State:
        return state

    graph = (
        GraphBuilder()
        .with_actions(ping=count, pong=count, done=done)
        .with_transitions(("ping", "pong"), ("pong", "done", expr(f"n >= {size}")), ("pong", "ping", default))
        .build()
    )

    def run() -> Any:
        reset()
        return _application(graph, "ping").run(halt_after=["done"])

    return Case(run, _outcome)


def review(size: int) -> Case:
    """Let a reviewer turn a coder down `size` times: a condition reads his verdict."""
    work, reset = counting_worker()

    @action(reads=[], writes=["n"])
    def code(state: State) -> State:
        return state.update(n=work(state))

    @action(reads=["n"], writes=["approved"])
    def look(state: State) -> State:
        return state.update(approved=state["n"] > size)

    @action(reads=[], writes=[])
    def done(state: State) -> State:
        return state

    graph = (
        GraphBuilder()
        .with_actions(code=code, review=look, done=done)
        .with_transitions(("code", "review"), ("review", "done", expr("approved")), ("review", "code", default))
        .build()
    )

    def run() -> Any:
        reset()
        return _application(graph, "code").run(halt_after=["done"])

    return Case(run, _outcome)


def _chain(size: int, count: Any) -> Any:
    names = [f"s{i}" for i in range(size)]
    builder = GraphBuilder().with_actions(**dict.fromkeys(names, count))
    return builder.with_transitions(*pairwise(names)).build()


def _application(graph: Any, first: str) -> Any:
    return ApplicationBuilder().with_graph(graph).with_state(n=0).with_entrypoint(first).build()


def _outcome(ran: Any) -> Outcome:
    _action, _result, state = ran
    return Outcome(state["n"])


CASES: dict[str, Build] = {
    "chain": chain,
    "async_chain": async_chain,
    "ping_pong": ping_pong,
    "review": review,
}
