"""The least a workflow loop can do in Python: the measure that our engine is held against.

A dict of transitions, a call through a dict in try/except, a tuple record with two timestamps, the
output put into a dict. No names are checked, nothing is validated, nobody can watch, stop or resume it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any

from benchmarks.harness import Build, Case, Outcome, counting_worker

Workers = Mapping[str, Callable[[object], Any]]
Edges = Mapping[str, str | None]
Record = tuple[str, Any, float, float]
Ran = tuple[dict[str, Any], list[Record]]


def loop(first: str, workers: Workers, on_success: Edges, on_failure: Edges) -> Ran:
    """Run from `first` until an edge leads to None; return the data and the history."""
    data: dict[str, Any] = {}
    history: list[Record] = []
    step: str | None = first
    while step is not None:
        started = perf_counter()
        try:
            output = workers[step](data)
            following = on_success[step]
        except ValueError as error:
            output = {"error": str(error)}
            following = on_failure[step]
        history.append((step, output, started, perf_counter()))
        data[step] = output
        step = following
    return data, history


def judging_loop(
    first: str, workers: Workers, edges: tuple[Edges, Edges], judges: Mapping[str, Callable[[Any], bool]]
) -> Ran:
    """Do as `loop` does where an output that a step's judge turns down takes the other edge."""
    on_success, on_failure = edges
    data: dict[str, Any] = {}
    history: list[Record] = []
    step: str | None = first
    while step is not None:
        started = perf_counter()
        try:
            output = workers[step](data)
            if step in judges and not judges[step](output):
                following = on_failure[step]
            else:
                following = on_success[step]
        except ValueError as error:
            output = {"error": str(error)}
            following = on_failure[step]
        history.append((step, output, started, perf_counter()))
        data[step] = output
        step = following
    return data, history


def chain(size: int) -> Case:
    """Steps s0 -> s1 -> ... in a row."""
    work, reset = counting_worker()
    names = [f"s{i}" for i in range(size)]
    workers = dict.fromkeys(names, work)
    on_success = dict(zip(names, [*names[1:], None], strict=True))

    def run() -> Ran:
        reset()
        return loop("s0", workers, on_success, {})

    return Case(run, lambda ran: Outcome(ran[0][names[-1]], len(ran[1])))


def ping_pong(size: int) -> Case:
    """Two steps in a loop, left when the worker has counted to `size`."""
    work, reset = counting_worker()
    workers = {"ping": work, "pong": work}
    edges: tuple[Edges, Edges] = {"ping": "pong", "pong": None}, {"pong": "ping"}
    judges: dict[str, Callable[[Any], bool]] = {"pong": lambda output: output >= size}

    def run() -> Ran:
        reset()
        return judging_loop("ping", workers, edges, judges)

    return Case(run, lambda ran: Outcome(ran[0]["pong"], len(ran[1])))


def review(size: int) -> Case:
    """Let a reviewer turn a coder down `size` times: his output says so."""
    work, reset = counting_worker()

    def look(data: Any) -> dict[str, bool]:
        return {"approved": data["code"] > size}

    workers = {"code": work, "review": look}
    edges: tuple[Edges, Edges] = {"code": "review", "review": None}, {"review": "code"}
    judges: dict[str, Callable[[Any], bool]] = {"review": lambda output: output["approved"]}

    def run() -> Ran:
        reset()
        return judging_loop("code", workers, edges, judges)

    return Case(run, lambda ran: Outcome(ran[0]["code"], len(ran[1])))


def review_raising(size: int) -> Case:
    """Let a reviewer turn a coder down `size` times: he raises."""
    work, reset = counting_worker()

    def look(data: Any) -> bool:
        if data["code"] <= size:
            raise ValueError("not yet")
        return True

    workers = {"code": work, "review": look}
    on_success = {"code": "review", "review": None}
    on_failure = {"review": "code"}

    def run() -> Ran:
        reset()
        return loop("code", workers, on_success, on_failure)

    return Case(run, lambda ran: Outcome(ran[0]["code"], len(ran[1])))


def retry(size: int) -> Case:
    """One step that raises at each of its `size` attempts but the last."""
    work, reset = counting_worker()

    def attempt(data: object) -> int:
        calls = work(data)
        if calls < size:
            raise ValueError("try again")
        return calls

    workers = {"try": attempt}

    def run() -> Ran:
        reset()
        return loop("try", workers, {"try": None}, {"try": "try"})

    return Case(run, lambda ran: Outcome(ran[0]["try"], len(ran[1])))


CASES: dict[str, Build] = {
    "chain": chain,
    "async_chain": chain,
    "ping_pong": ping_pong,
    "review": review,
    "review_raising": review_raising,
    "retry": retry,
}
