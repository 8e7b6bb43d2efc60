"""The libraries we compare with: each in the idiom its own docs recommend, in its fastest honest form.

What they are spared: nobody is asked to keep a history that it does not keep anyway, a machine that can
be set back is not built anew for each run, and tracing is off. `langgraph_history` is LangGraph with its
in-memory checkpointer, which is what it takes there to look at the steps of a run afterwards.
"""

from __future__ import annotations

from importlib import import_module

from benchmarks.harness import Build

PEERS = (
    "langgraph",
    "langgraph_history",
    "burr",
    "pydantic_graph",
    "transitions",
    "python_statemachine",
)


def cases_of(peer: str) -> dict[str, Build]:
    """Return the cases of a peer's adapter.

    Raises:
        ModuleNotFoundError: the library is not installed; `make bench` installs them all.
    """
    cases: dict[str, Build] = import_module(f"benchmarks.peers.{peer}").CASES
    return cases
