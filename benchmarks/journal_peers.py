"""The same runs in libraries that keep them in an SQLite file too, each as its documentation has it.

Burr's persister and LangGraph's saver set the file up as they see fit (Burr: SQLite's defaults; LangGraph: WAL), so
that their figures on a disk hold what waiting for it costs; those on tmpfs do not. LangGraph is told to write before
the next step begins, as a step that the others call done is on record.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from operator import or_
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any, TypedDict

from benchmarks.harness import WrongResult, quiet_collector
from benchmarks.journal_cases import RUN, texts

MODULES = {"burr": "burr.core", "langgraph": "langgraph.checkpoint.sqlite"}


@dataclass(frozen=True, slots=True)
class PeerKept:
    """What came of one run of a peer."""

    seconds_a_step: float
    file_bytes: int


def is_installed(peer: str) -> bool:
    """Whether a peer, and what it keeps files with, is there."""
    try:
        return find_spec(MODULES[peer]) is not None
    except ModuleNotFoundError:
        return False


def burr(folder: Path, steps: int, *, carried: dict[str, Any], grows: bool) -> PeerKept:
    """Actions in a row over one key of 1 KB; or over a key of its own each, so that the state grows."""
    core, persistence = import_module("burr.core"), import_module("burr.core.persistence")
    outputs = texts(steps)
    keys = [f"entry_{at}" if grows else "text" for at in range(steps)]

    def action_of(at: int) -> Any:
        @core.action(reads=[], writes=[keys[at]])
        def act(state: Any) -> Any:
            return state.update(**{keys[at]: outputs[at]})

        return act

    names = [f"s{at}" for at in range(steps)]
    actions = {name: action_of(at) for at, name in enumerate(names)}
    graph = core.GraphBuilder().with_actions(**actions).with_transitions(*pairwise(names)).build()
    path = folder / "burr.db"
    persister = persistence.SQLitePersister(str(path))
    persister.initialize()
    application = (
        core.ApplicationBuilder()
        .with_graph(graph)
        .with_state(**carried)
        .with_entrypoint("s0")
        .with_identifiers(app_id=RUN)
        .with_state_persister(persister)
        .build()
    )
    with closing(persister.connection):
        took = _timed(lambda: application.run(halt_after=[names[-1]]))
    with closing(sqlite3.connect(path)) as connection:
        again = persistence.SQLitePersister(str(path), connection=connection)
        state = again.load(None, RUN)["state"]
        expected = carried | dict(zip(keys, outputs, strict=True))
        _check("burr", connection, "burr_state", steps, {key: state[key] for key in expected} == expected)
    return PeerKept(took / steps, path.stat().st_size)


class _Texts(TypedDict):
    text: str
    entries: Annotated[dict[str, str], or_]
    corpus: list[str]


def langgraph(folder: Path, steps: int, *, carried: dict[str, Any], grows: bool) -> PeerKept:
    """Nodes in a row over one key of 1 KB; or each with an entry of its own in a dict, so that the state grows."""
    graphs, sqlite = import_module("langgraph.graph"), import_module("langgraph.checkpoint.sqlite")
    outputs = texts(steps)

    def node_of(at: int) -> Callable[[Any], dict[str, Any]]:
        return lambda _state: {"entries": {f"entry_{at}": outputs[at]}} if grows else {"text": outputs[at]}

    builder = graphs.StateGraph(_Texts)
    names = [f"s{at}" for at in range(steps)]
    for at, name in enumerate(names):
        builder.add_node(name, node_of(at))
    for before, after in pairwise([graphs.START, *names, graphs.END]):
        builder.add_edge(before, after)
    path = folder / "langgraph.db"
    config = {"recursion_limit": steps + 10, "configurable": {"thread_id": RUN}}
    with closing(sqlite3.connect(path, check_same_thread=False)) as connection:
        graph = builder.compile(checkpointer=sqlite.SqliteSaver(connection))
        took = _timed(lambda: graph.invoke({"entries": {}, **carried}, config, durability="sync"))
    with closing(sqlite3.connect(path, check_same_thread=False)) as connection:
        state = sqlite.SqliteSaver(connection).get_tuple(config).checkpoint["channel_values"]
        written = {f"entry_{at}": text for at, text in enumerate(outputs)} if grows else outputs[-1]
        expected = carried | {"entries" if grows else "text": written}
        _check("langgraph", connection, "checkpoints", steps, {key: state[key] for key in expected} == expected)
    return PeerKept(took / steps, path.stat().st_size)


PEERS = {"burr": burr, "langgraph": langgraph}


def _timed(run: Callable[[], object]) -> float:
    with quiet_collector():
        began = perf_counter()
        run()
        return perf_counter() - began


def _check(peer: str, connection: sqlite3.Connection, table: str, steps: int, is_same: bool) -> None:  # noqa: FBT001
    (rows,) = connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()
    if rows < steps or not is_same:
        raise WrongResult(
            f"{peer}'s file holds {rows} rows for {steps} steps, and {'the' if is_same else 'another'} state"
        )
