"""LangGraph with its in-memory checkpointer: one checkpoint a step, a thread a run."""

from __future__ import annotations

from functools import partial

from benchmarks.harness import Build
from benchmarks.peers import langgraph

CASES: dict[str, Build] = {
    "chain": partial(langgraph.chain, with_history=True),
    "async_chain": partial(langgraph.async_chain, with_history=True),
    "ping_pong": partial(langgraph.ping_pong, with_history=True),
    "review": partial(langgraph.review, with_history=True),
}
