"""transitions: one Machine without auto transitions, driven by one trigger, set back before each run."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from transitions import Machine
from transitions.extensions.asyncio import AsyncMachine

from benchmarks.harness import Build, Case, Outcome, Worker, counting_worker


class Model:
    """Holds what the worker has counted to; the machine adds the trigger `advance` and `state`."""

    n = 0
    size = 0
    state: str
    advance: Any

    def __init__(self, work: Worker) -> None:
        self.work = work

    def step(self) -> None:
        """Do a step's work."""
        self.n = self.work(self)

    def enough(self) -> bool:
        """Say whether the worker has counted to the size."""
        return self.n >= self.size

    def approved(self) -> bool:
        """Say whether the reviewer is content."""
        return self.n > self.size


class AsyncModel(Model):
    """The same with an async step."""

    async def step(self) -> None:  # type: ignore[override]
        """Do a step's work."""
        self.n = self.work(self)


def chain(size: int) -> Case:
    """States s0 -> s1 -> ...; each transition does one step's work."""
    work, reset = counting_worker()
    model = Model(work)
    machine = _chain(Machine, model, size)
    last = f"s{size}"

    def run() -> Model:
        reset()
        model.n = 0
        machine.set_state("s0")
        while model.state != last:
            model.advance()
        return model

    return Case(run, _outcome)


def async_chain(size: int) -> Case:
    """The same with the async machine."""
    work, reset = counting_worker()
    model = AsyncModel(work)
    machine = _chain(AsyncMachine, model, size)
    last = f"s{size}"

    async def run() -> Model:
        reset()
        model.n = 0
        machine.set_state("s0")
        while model.state != last:
            await model.advance()
        return model

    return Case(run, _outcome, is_async=True)


def ping_pong(size: int) -> Case:
    """Two states in a loop, left by a condition when the worker has counted to `size`."""
    work, reset = counting_worker()
    model = Model(work)
    model.size = size
    edges = [
        {"trigger": "advance", "source": "start", "dest": "ping", "after": "step"},
        {"trigger": "advance", "source": "ping", "dest": "pong", "after": "step"},
        {"trigger": "advance", "source": "pong", "dest": "done", "conditions": "enough"},
        {"trigger": "advance", "source": "pong", "dest": "ping", "after": "step"},
    ]
    machine = Machine(
        model, ["start", "ping", "pong", "done"], transitions=edges, initial="start", auto_transitions=False
    )

    def run() -> Model:
        reset()
        model.n = 0
        machine.set_state("start")
        while model.state != "done":
            model.advance()
        return model

    return Case(run, _outcome)


def review(size: int) -> Case:
    """Let a reviewer turn a coder down `size` times: a condition is his verdict."""
    work, reset = counting_worker()
    model = Model(work)
    model.size = size
    edges = [
        {"trigger": "advance", "source": "start", "dest": "code", "after": "step"},
        {"trigger": "advance", "source": "code", "dest": "review"},
        {"trigger": "advance", "source": "review", "dest": "done", "conditions": "approved"},
        {"trigger": "advance", "source": "review", "dest": "code", "after": "step"},
    ]
    machine = Machine(
        model, ["start", "code", "review", "done"], transitions=edges, initial="start", auto_transitions=False
    )

    def run() -> Model:
        reset()
        model.n = 0
        machine.set_state("start")
        while model.state != "done":
            model.advance()
        return model

    return Case(run, _outcome)


def compile_chain(size: int) -> Case:
    """Build the machine of a chain: it checks the names of states."""
    work, _reset = counting_worker()
    return Case(lambda: _chain(Machine, Model(work), size), lambda machine: Outcome(len(machine.states) - 1))


def _chain(kind: type[Any], model: Model, size: int) -> Any:
    names = [f"s{i}" for i in range(size + 1)]
    edges = [
        {"trigger": "advance", "source": source, "dest": dest, "after": "step"} for source, dest in pairwise(names)
    ]
    return kind(model, names, transitions=edges, initial="s0", auto_transitions=False)


def _outcome(model: Model) -> Outcome:
    return Outcome(model.n)


CASES: dict[str, Build] = {
    "chain": chain,
    "async_chain": async_chain,
    "ping_pong": ping_pong,
    "review": review,
    "compile": compile_chain,
}
